/** The kinds of host that Plumb speaks to. `gitea` is Forgejo as well, `bitbucket` is Bitbucket Cloud. */
export type HostKind = 'github' | 'gitlab' | 'gitea' | 'bitbucket';

/** A person or a machine that has an account at the host. */
export interface HostUser {
  /**
   * What the host knows them by and {@link GitHost.permissionOf} takes: the login on GitHub and Gitea, a number on GitLab,
   * a UUID in braces on Bitbucket.
   */
  readonly id: string;
  /** For people. */
  readonly name: string;
}

export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly isDraft: boolean;
  readonly author: HostUser;
  /** The full id of the newest commit. */
  readonly head: string;
  /** The branch that it comes from, without `refs/heads/`: of the repository, or of the fork. */
  readonly branch: string;
  /** Where `head` can be fetched from the repository itself; undefined where only the fork has it. */
  readonly headRef: string | undefined;
  /** Whoever wrote it need not have any right on the repository. */
  readonly isFromFork: boolean;
  /** The branch that it is to be merged into, without `refs/heads/`. */
  readonly base: string;
  /** Milliseconds since the epoch, by the host's clock. A push to the base branch does not count. */
  readonly updatedAtMs: number;
  /** Another text after each comment and each other change; says nothing else. */
  readonly activity: string;
  /** The page for people. */
  readonly url: string;
}

export interface PullComment {
  readonly id: string;
  readonly user: HostUser;
  readonly body: string;
  /** Milliseconds since the epoch, by the host's clock. */
  readonly writtenAtMs: number;
  /** It was changed since, on most hosts not only by who wrote it. */
  readonly isEdited: boolean;
}

export interface ChangedFiles {
  /** Relative to the root of the repository; of a renamed file both names. */
  readonly paths: readonly string[];
  /** False where the host lists no more files than these: any other file may have changed as well. */
  readonly isComplete: boolean;
}

export interface CommitStatus {
  /** The full id of a commit. */
  readonly commit: string;
  /** Tells statuses of one commit apart: `plumb/plan/prod`. A new one replaces that of the same context. */
  readonly context: string;
  readonly state: 'pending' | 'success' | 'failure' | 'error';
  /** Cut to 140 characters, which is what GitHub takes. */
  readonly description: string;
  /** Where people read more. */
  readonly url?: string;
  /** The branch of the pull request, if it is one of the repository: GitLab files statuses under it. */
  readonly branch?: string;
}

export interface StickyComment {
  readonly number: number;
  /** A line of `body` that no other comment has, as `stickyMarker` makes it. */
  readonly marker: string;
  readonly body: string;
}

/** A pull request that is to be opened, from a branch of the repository itself. */
export interface NewPullRequest {
  readonly title: string;
  readonly body: string;
  /** Where its commits are, without `refs/heads/`. It has to be there already. */
  readonly branch: string;
  /** What it is to be merged into, without `refs/heads/`. */
  readonly base: string;
}

/** A host may not know its commit yet at the moment that it is opened. */
export type OpenedPullRequest = Pick<PullRequest, 'number' | 'url'>;

export interface WrittenComment {
  readonly id: string;
  readonly outcome: 'created' | 'updated' | 'unchanged';
}

export type Permission = 'none' | 'read' | 'write' | 'admin';

/** An approval that stands: dismissed, withdrawn and overruled ones are left out. */
export interface Approval {
  readonly user: HostUser;
  /** The full id of the commit that was approved; undefined where the host does not tell. */
  readonly commit: string | undefined;
  /** Milliseconds since the epoch, by the host's clock; undefined where the host does not tell. */
  readonly atMs: number | undefined;
}

export interface HostLimits {
  /** The longest comment, in UTF-16 code units. */
  readonly commentChars: number;
  /** Whether comments may fold parts of themselves (`<details>`); otherwise HTML is shown as text. */
  readonly canFold: boolean;
}

interface Cancellable {
  readonly signal: AbortSignal;
}

/**
 * The pull requests of one repository, whatever its host. Every method throws a {@link PlumbError} with a code of the group
 * "Pull requests" (or `TlsUntrusted`, `RedirectBlocked`), and passes an abort on as it is. Nothing is tried again here.
 */
export interface GitHost extends AsyncDisposable {
  readonly kind: HostKind;
  readonly limits: HostLimits;
  /** The id of the account that the token belongs to; undefined where the host does not tell. Asked once. */
  account(options: Cancellable): Promise<string | undefined>;
  /**
   * The open ones, the one that changed last first. One without a commit, or with none that we may see, is left out.
   *
   * @param options.sinceMs only those that changed at this time or later. To miss none, take the newest `updatedAtMs` of the
   * last answer: one that changes while pages are read is then in the next answer.
   */
  openPullRequests(options: Cancellable & { readonly sinceMs?: number }): Promise<readonly PullRequest[]>;
  pullRequest(number: number, options: Cancellable): Promise<PullRequest>;
  /** Refused where there is one of these two branches already: see `proposePullRequest`. */
  createPullRequest(wanted: NewPullRequest, options: Cancellable): Promise<OpenedPullRequest>;
  changedFiles(number: number, options: Cancellable): Promise<ChangedFiles>;
  /** All comments, the oldest first; not those of the host itself. */
  comments(number: number, options: Cancellable): Promise<readonly PullComment[]>;
  setStatus(status: CommitStatus, options: Cancellable): Promise<void>;
  /**
   * Creates our comment with this marker, or brings it up to date; a comment that says the same already is left alone. One
   * call at a time for each number and marker: two at once could create two.
   */
  upsertSticky(comment: StickyComment, options: Cancellable): Promise<WrittenComment>;
  /** Writes a comment of its own. To GitLab a line that begins with a slash is a command, outside of code. */
  reply(number: number, body: string, options: Cancellable): Promise<void>;
  /** Shows the author of a comment that it was seen. Does nothing where the host has no reactions. */
  acknowledge(number: number, commentId: string, options: Cancellable): Promise<void>;
  /** What the user may do with the repository, by whatever way; `none` for users that the host does not know. */
  permissionOf(user: Pick<HostUser, 'id'>, options: Cancellable): Promise<Permission>;
  /** The approvals that stand, also those of an older commit and that of the author. */
  reviews(number: number, options: Cancellable): Promise<readonly Approval[]>;
}

const ORDER: readonly Permission[] = ['none', 'read', 'write', 'admin'];

/** Whether a permission includes another one. */
export function includesPermission(actual: Permission, needed: Permission): boolean {
  return ORDER.indexOf(actual) >= ORDER.indexOf(needed);
}
