import type { Repository } from '@plumb/api';
import { type Clock, type PlumbError, type Random, type TargetKey } from '@plumb/core';
import { type Command, type GitHost, type HostAddress, type HostUser, type PullRequest } from '@plumb/hosts';
import type { Mirror } from '@plumb/git';
import type { AnsweredComments } from './answered-comments.ts';
import type { ReadSecret } from './named-data.ts';
import type { Log } from './narrate.ts';
import type { PlanRequest } from './plan-request.ts';
import type { PlannedBefore } from './pull-request-plan.ts';
import type { PullRequestReviews } from './pull-request-reviews.ts';
import type { Elsewhere } from './source-look.ts';
import type { Sources } from './source.ts';
import type { HostTrouble } from './status-writer.ts';
import type { NamespacedName, TargetSpec } from './targets.ts';

export interface PullRequestsOptions extends Pick<PlanRequest, 'client' | 'renderer'> {
  readonly clock: Clock;
  readonly random: Random;
  readonly sources: Pick<Sources, 'repository' | 'targetsChanged' | 'lastLook' | 'mirrorOf' | 'keepRefs'>;
  readonly elsewhere: Elsewhere;
  targetsOf(repository: NamespacedName): ReadonlyMap<TargetKey, TargetSpec>;
  planContext(target: TargetKey): Pick<PlanRequest, 'parent' | 'targets' | 'applied' | 'standing'>;
  readonly readSecret: ReadSecret;
  readonly reviews: PullRequestReviews;
  /** Whether this engine is the one that acts. */
  mayAct(): boolean;
  /** What `AnsweredComments` wrote in an earlier run for the Repository with this uid. */
  readonly answered: {
    read(uid: string): Promise<string | undefined>;
    write(uid: string, text: string): Promise<void>;
  };
  /** A look at a repository ended: well, or so. */
  reported(repository: NamespacedName, trouble: HostTrouble | undefined): void;
  readonly log: Log;
}

/** A command that stands in a comment. */
export interface Asked {
  readonly number: number;
  readonly user: HostUser;
  /** The newest commit that its author can have looked at, as far as that is known. */
  readonly seenHead: string | undefined;
  readonly commentId: string;
  readonly command: Command;
}

/** Hosts tell times in seconds: one reading more, some time after the last change, sees what came in the same second. */
export interface CommentsRead {
  /** `PullRequest.activity` then. */
  readonly activity: string;
  /** Monotonic milliseconds of the first reading at it. */
  readonly firstMs: number;
  readonly isSettled: boolean;
}

/** What is known of an open pull request. After a restart it is nothing: the host has the comment, and is told the same. */
export interface Known extends PlannedBefore {
  planned: PlannedBefore['planned'];
  failed: PlannedBefore['failed'];
  isAsked: boolean;
  failures: number;
  /** Targets that somebody asked a plan of, touched or not. */
  readonly wanted: Set<TargetKey>;
  /** The head of a fork that somebody who may write asked a plan of. */
  allowedHead: string | undefined;
  hasComment: boolean;
  /** What was said of `statusHead`, by context. */
  readonly statuses: Map<string, string>;
  /** The head that was looked at last. */
  statusHead: string | undefined;
  /** When the host had it by then at the latest: epoch milliseconds of its clock. */
  statusHeadAtMs: number;
  /** As far as the comments were read, where the host does not deliver them. */
  read: CommentsRead | undefined;
  readonly digests: Map<TargetKey, string>;
}

/** A repository whose pull requests are planned. */
export interface Followed {
  readonly repository: Repository;
  /** Known from the first look on. */
  address: HostAddress | undefined;
  readonly pulls: Map<number, Known>;
  /** The mirror may hold commits of pull requests that are closed: of earlier runs, too. */
  hasClosed: boolean;
  host: GitHost | undefined;
  asked: Asked[];
  readonly answered: AnsweredComments;
  failures: number;
  /** Monotonic milliseconds: the host is left alone until then. */
  notBefore: number;
}

/** One look at all open pull requests of a repository. */
export interface Look {
  readonly name: NamespacedName;
  readonly followed: Followed;
  readonly host: GitHost;
  readonly signal: AbortSignal;
}

/** One pull request in a look, and what of the repository is held against it. */
export interface PullLook extends Look {
  readonly pull: PullRequest;
  readonly known: Known;
  /** The targets that follow the branch that it is into. */
  readonly into: readonly TargetSpec[];
  readonly mirror: Mirror;
}

export function knownOf({ pulls, answered }: Pick<Followed, 'pulls' | 'answered'>, number: number): Known {
  const known: Known = pulls.get(number) ?? {
    planned: undefined,
    failed: undefined,
    isAsked: false,
    failures: 0,
    wanted: new Set(),
    allowedHead: answered.of(number).allowedHead,
    hasComment: false,
    statuses: new Map(),
    statusHead: undefined,
    statusHeadAtMs: 0,
    read: undefined,
    digests: new Map(),
  };
  pulls.set(number, known);
  return known;
}

export async function closeHost(followed: Followed): Promise<void> {
  const { host } = followed;
  followed.host = undefined;
  await host?.[Symbol.asyncDispose]();
}

/** What went wrong, with the facts that tell where. */
export function warn(
  log: Log,
  message: string,
  repository: NamespacedName,
  error: PlumbError,
  facts: { readonly pull?: number } = {},
): void {
  log({ level: 'warn', message, repository, ...facts, code: error.code, error: error.message });
}
