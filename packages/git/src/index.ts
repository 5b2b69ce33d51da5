export { type Commit, type Person } from './commit.ts';
export { credentialsFromSecret, type GitCredentials } from './credentials.ts';
export { commitTree, type CommitTree } from './local-commit.ts';
export { localTree, repositoryRoot } from './local-tree.ts';
export { gitIdentity, type GitIdentity } from './identity.ts';
export { type NewCommit } from './new-commit.ts';
export { openMirror, type BranchChanges, type Mirror, type MirrorOptions, type RemoteRefs } from './mirror.ts';
export { checkRef, isCommitId } from './ref.ts';
export { isSameRepository, parseGitUrl, type GitUrl } from './url.ts';
