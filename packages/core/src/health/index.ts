export { computeHealth, needsStatus, trimForHealth } from './compute-health.ts';
export { conditionOf, conditionsOf, type Condition } from './conditions.ts';
export { type Health, type HealthStatus } from './health.ts';
