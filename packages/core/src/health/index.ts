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
export { conditionOf, conditionsOf, type Condition } from './conditions.ts';
export { type Health, type HealthStatus } from './health.ts';
