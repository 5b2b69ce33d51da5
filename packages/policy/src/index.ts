export {
  judgePolicies,
  severityOf,
  type JudgedItem,
  type JudgedObject,
  type Judgement,
  type PolicyInput,
  type PolicyResult,
} from './judge.ts';
export { POLICY_ACTIONS, POLICY_SUBJECTS, type Policy } from './policy.ts';
export { POLICY_LIMITS, POLICY_VARIABLES, readPolicies, type PolicyFile } from './read-policies.ts';
export { STARTER_SET, starterPolicies } from './starter-set.ts';
