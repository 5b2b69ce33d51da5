export { openHealthAssessor, type HealthAssessor } from './assessor.ts';
