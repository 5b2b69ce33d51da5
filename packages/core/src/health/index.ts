export {
  causeOf,
  controllerOf,
  withCause,
  podsOfRollout,
  podTrouble,
  rolloutOf,
  type PodTrouble,
  type Rollout,
} from './cause.ts';
export { computeHealth, needsStatus, trimForHealth } from './compute-health.ts';
export { CONDITION_TABLE } from './condition-table.ts';
export { conditionOf, conditionsOf, type Condition } from './conditions.ts';
export { FAULT_FIELDS, FLAGS, PAUSES, PLACES } from './conventions.ts';
export { COUNT_TABLE } from './counts.ts';
export { type Health, type HealthStatus, type Look } from './health.ts';
export { REPORTING_FAMILIES, REPORTING_GROUPS } from './reporting-kinds.ts';
export { STATE_WORDS } from './state-words.ts';
export { FIRST_FIELDS } from './states.ts';
