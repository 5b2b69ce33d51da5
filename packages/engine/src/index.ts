export type { Engine, EngineOptions } from './engine.ts';
export { startEngine } from './start-engine.ts';
export type { EngineEvent } from './narrate.ts';
export { planDecommission, type DecommissionPlan } from './decommission-plan.ts';
export { install, isInstalled } from './install.ts';
export { keepEdits, type KeepEditsRequest, type LiveField } from './keep-edits.ts';
export { keepMessage, type KeptObject } from './keep-message.ts';
export { followedBranch, othersOnBranch } from './followed-branch.ts';
export { holdCovers } from './hold-book.ts';
export { heldBy, LEASE_NAME, LEASE_SECONDS } from './lease.ts';
export { openTargetRenderer, type OpenTargetRenderer, type TargetRendererFolders } from './open-target-renderer.ts';
export { liveObject } from './live-object.ts';
export { listMembers } from './members.ts';
export { readDataOnce } from './named-data.ts';
export { LiveIndex } from './observe.ts';
export { holdOf } from './drift-rules.ts';
export { fieldsWithoutSecrets } from './without-secrets.ts';
export { planTarget } from './plan.ts';
export type { Judge, PlanRequest } from './plan-request.ts';
export { PlanLive } from './plan-live.ts';
export { systemClock, systemRandom } from './ports/clock.ts';
export { keepMemorySmall } from './small-memory.ts';
export {
  APPROVE_DELETION_ANNOTATION,
  nameOf,
  formatHealWishes,
  formatRetirements,
  HEAL_ANNOTATION,
  parseApprovals,
  parseHealWishes,
  parseRetirements,
  PLAN_ANNOTATION,
  RECONCILE_ANNOTATION,
  RETIRE_ANNOTATION,
  targetName,
  targetsOf,
  type NamespacedName,
  type TargetSpec,
} from './targets.ts';
