export { hostCredentialsFromSecret, type HostCredentials } from './credentials.ts';
export { hostOf, type HostAddress } from './host-of.ts';
export {
  includesPermission,
  type Approval,
  type ChangedFiles,
  type CommitStatus,
  type GitHost,
  type HostKind,
  type HostLimits,
  type HostUser,
  type NewPullRequest,
  type OpenedPullRequest,
  type Permission,
  type PullComment,
  type PullRequest,
  type StickyComment,
  type WrittenComment,
} from './host.ts';
export { openHost } from './open-host.ts';
export { parseCommand, type Command } from './command.ts';
export type { CommentedFinding } from './commented-policies.ts';
export { keptEditsText, type KeptEdits } from './kept-edits-text.ts';
export { planComment, type CommentedItem, type CommentedPlan } from './plan-comment.ts';
export { proposePullRequest, type ProposedPullRequest } from './propose.ts';
export { readPullRequestEvent, type PullRequestEvent } from './pull-request-event.ts';
export { stickyMarker } from './sticky-comment.ts';
