export {
  driftChange,
  driftText,
  isOwnershipOnly,
  DRIFT_KINDS,
  type Drift,
  type DriftField,
  type DriftKind,
} from './drift.ts';
export {
  HOLD_ENDS,
  isHeldField,
  isLeftToOthers,
  judgeDrift,
  REVERT_ALL,
  type DriftHold,
  type DriftPolicy,
  type DriftRule,
  type DriftRules,
  type DriftScope,
  type DriftVerdict,
  type DriftWishes,
  type HoldEnd,
  type JudgedDrift,
  type RuleFacts,
} from './drift-policy.ts';
export { suggestRules, type Suggestion } from './suggest-rules.ts';
export { HOLD_REMINDER_MS } from './rest-with-drift.ts';
export { settleDrift, type DriftFacts, type SettledDrift } from './settle-drift.ts';
export { parseFieldPattern, type FieldPattern } from './field-pattern.ts';
export { driftState, findDrift, type DriftEvidence } from './find-drift.ts';
