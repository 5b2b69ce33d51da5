import { API_VERSION, HOLD, type Hold, type HoldStatus, type Repository } from '@plumb/api';
import {
  canonicalJson,
  isAbort,
  PlumbError,
  targetKey,
  toPlumbError,
  type Clock,
  type DriftHold,
  type KubeObject,
  type ObjectKey,
  type TargetKey,
} from '@plumb/core';
import type { Mirror } from '@plumb/git';
import type { KubeClient } from '@plumb/kube';
import type { Ledger } from '@plumb/ledger';
import { backoffMs } from './backoff.ts';
import { holdOf } from './drift-rules.ts';
import { followedBranch, othersOnBranch } from './followed-branch.ts';
import { heldDrifts, type OpenDrift } from './held-drifts.ts';
import { heldEdits, type HeldEdits } from './held-edits.ts';
import { keepMessage } from './keep-message.ts';
import { proposeKept } from './kept-pull-request.ts';
import { liveObject } from './live-object.ts';
import type { Log } from './narrate.ts';
import { openRepositoryHost, type RepositoryHostOptions } from './repository-host.ts';
import type { Sources } from './source.ts';
import type { TargetRenderer } from './target-renderer.ts';
import { nameOf, targetName, type NamespacedName, type TargetSpec } from './targets.ts';
import { WorkQueue } from './work-queue.ts';

export interface HoldProposalsOptions extends Pick<RepositoryHostOptions, 'clock' | 'readSecret'> {
  readonly client: Pick<KubeClient, 'resource' | 'get'>;
  readonly writer: Pick<KubeClient, 'apply'>;
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, 'drifts'>;
  readonly renderer: Pick<TargetRenderer, 'render' | 'externalsOf' | 'secretsOf'>;
  readonly sources: Pick<Sources, 'repository' | 'repositories' | 'mirrorOf'>;
  specOf(target: TargetKey): TargetSpec | undefined;
  specs(): Iterable<TargetSpec>;
  holdsOf(target: TargetKey): readonly DriftHold[];
  /** Whether this engine is the one that acts. */
  mayAct(): boolean;
  readonly log: Log;
}

/** An edit of the last moment is found and recorded by then. */
const SETTLE_MS = 2_000;
const MAX_DRIFTS = 10_000;
/** When an application that is not there is looked for again. */
const MISSING_MS = 10 * 60_000;
/** Who writes commits that no person writes; a domain of ours, and no mailbox. */
const AUTHOR = { name: 'Plumb', email: 'noreply@plumb.dev' };

/** Nobody is told: it is not there any more. */
const LIFTED: HoldStatus = { state: 'Nothing', message: 'It was lifted.' };

/**
 * Turns what was edited under a hold into a pull request once the hold has ended, where it says `atEnd: pull-request`. Each
 * hold goes its own way; what a host or a repository does, keeps nothing else waiting. Repeating it is harmless: the branch has
 * the name of the hold, and its status says what came of it.
 */
export class HoldProposals implements AsyncDisposable {
  readonly #options: HoldProposalsOptions;
  readonly #holds = new Map<NamespacedName, Hold>();
  readonly #failures = new Map<NamespacedName, number>();
  readonly #queue: WorkQueue<NamespacedName>;

  constructor(options: HoldProposalsOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      clock: options.clock,
      concurrency: 2,
      work: (name, o) => this.#work(name, o.signal),
      failed: (name, thrown) => this.#warn(name, toPlumbError(thrown)),
    });
    this.#queue.pause();
  }

  /** Before it nothing is proposed. */
  start(): void {
    this.#queue.resume();
  }

  /** A hold is there, or its status is another one. */
  changed(hold: Hold): void {
    const name = nameOf(hold);
    if (hold.spec.atEnd !== 'pull-request') return;
    const isNew = this.#holds.get(name)?.metadata.uid !== hold.metadata.uid;
    this.#holds.set(name, hold);
    if (isNew) this.#queue.add(name);
  }

  removed(hold: Hold): void {
    this.#holds.delete(nameOf(hold));
    this.#failures.delete(nameOf(hold));
    this.#queue.forget(nameOf(hold));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
  }

  async #work(name: NamespacedName, signal: AbortSignal): Promise<void> {
    const { clock, mayAct, log } = this.#options;
    const hold = this.#holds.get(name);
    if (hold === undefined || isOver(hold.status)) return;
    const dueMs = Date.parse(hold.spec.until) + SETTLE_MS - clock.now();
    if (dueMs > 0 || !mayAct()) {
      this.#queue.addAt(name, clock.monotonic() + Math.max(dueMs, 1_000));
      return;
    }
    try {
      const status = await this.#propose(hold, signal);
      if (typeof status === 'number') {
        this.#queue.addAt(name, clock.monotonic() + status + SETTLE_MS - clock.now());
        return;
      }
      await this.#say(hold, status, signal);
      this.#failures.delete(name);
      log({ level: 'info', message: 'A hold has ended', hold: name, state: status.state, said: status.message });
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      const error = toPlumbError(thrown);
      const failures = (this.#failures.get(name) ?? 0) + 1;
      this.#failures.set(name, failures);
      this.#queue.addAt(name, clock.monotonic() + Math.max(error.retryAfterMs ?? 0, backoffMs(failures)));
      this.#warn(name, error);
      // The engine that has the lease says what comes of it.
      if (!mayAct()) return;
      const failed = { state: 'Failed', message: `${error.code}: ${error.message}` } as const;
      // Where that cannot be said either, it is tried again no sooner.
      await this.#say(hold, failed, signal).catch((unsaid: unknown) => {
        if (isAbort(unsaid, signal)) throw unsaid;
      });
    }
  }

  /** Answers what came of it; or when to come again (epoch milliseconds), since another hold lets the same edits stand. */
  async #propose(hold: Hold, signal: AbortSignal): Promise<HoldStatus | number> {
    const { client, clock, ledger, renderer, sources, specOf, holdsOf } = this.#options;
    const target = targetKey({ namespace: hold.metadata.namespace, ...hold.spec });
    const spec = specOf(target);
    // It may only be unreadable for now.
    if (spec === undefined) return clock.now() + MISSING_MS;
    const open: OpenDrift[] = [];
    for (const drift of await ledger.drifts({ isOpen: true, target, limit: MAX_DRIFTS })) {
      open.push({ drift, live: await liveOrGone(client, drift.object, signal) });
    }
    const wishes = { rules: spec.drift, holds: holdsOf(target), heal: spec.healWish };
    const { held, until, other } = heldDrifts(holdOf(hold), open, wishes, clock.now());
    if (until !== undefined) return until;
    if (held.length === 0) return nothingEdited(other);

    const repository = sources.repository(spec.repository);
    const mirror = await sources.mirrorOf(spec.repository);
    const call = { signal };
    const branchOf = (ref: string) => followedBranch(mirror, ref, call);
    const followed = await branchOf(spec.revision ?? repository?.spec.ref ?? 'HEAD');
    const parent = followed === undefined ? undefined : (await mirror.fetch([followed], call)).get(followed);
    if (repository === undefined || followed === undefined || parent === undefined) {
      const message = `${targetName(spec)} follows a tag or a commit, and nothing is committed to that.`;
      return { state: 'NotKept', message };
    }
    const repositories = [...sources.repositories()].map((one) => {
      return { name: nameOf(one), url: one.spec.url, ref: one.spec.ref };
    });
    const { committer } = await mirror.commit(parent, call);
    const edits = await heldEdits({
      ...{ held, spec, renderer, signal },
      tree: mirror.at(parent),
      committedMs: committer.time,
      others: await othersOnBranch(spec, followed, { specs: this.#options.specs(), repositories, branchOf }),
    });
    if (edits.kept.length === 0) return nothingKept(edits);
    return await this.#push({ hold, spec, edits, repository, mirror, parent, followed, signal });
  }

  async #push(proposal: Proposal): Promise<HoldStatus> {
    const { hold, spec, edits, repository, mirror, parent, followed, signal } = proposal;
    const branch = branchOfHold(hold);
    const { reason, by } = hold.spec;
    const { kept, left, files } = edits;
    const message = keepMessage({ target: spec.target, objects: kept, reason, hold: nameOf(hold) });
    const timeMs = Date.parse(hold.spec.until);
    if (!this.#isWanted(hold)) return LIFTED;
    const commit = await mirror.store({ parent, files, author: AUTHOR, timeMs, message }, { signal });
    try {
      await mirror.push(commit, branch, { signal });
    } catch (thrown) {
      // An earlier try came as far as this, and the followed branch has moved since.
      if (!(thrown instanceof PlumbError) || thrown.code !== 'BranchMoved') throw thrown;
    }
    const count = kept.reduce((sum, { changes }) => sum + changes.length, 0);
    const what = `${count} edited ${count === 1 ? 'field' : 'fields'}`;
    const rest = left.length === 0 ? '' : ` ${left.length} more cannot be put into Git: ${leftText(left)}.`;
    if (repository.spec.pullRequests === undefined) {
      const next = `open a pull request from it, or give the Repository spec.pullRequests.`;
      return { state: 'Pushed', message: `${what} on the branch ${branch}: ${next}${rest}`, branch };
    }
    await using host = await openRepositoryHost(repository, { ...this.#options, signal });
    if (!this.#isWanted(hold)) return LIFTED;
    const proposed = { spec, kept, reason, hold: { name: hold.metadata.name, by }, left, branch, followed };
    const { url } = await proposeKept(host, proposed, { signal });
    return { state: 'Proposed', message: `${what} in a pull request: ${url}.${rest}`, branch, pullRequest: url };
  }

  /** Renders take their time: it may have been lifted meanwhile. Throws where this engine is not the one that acts any more. */
  #isWanted(hold: Hold): boolean {
    if (!this.#options.mayAct())
      throw new PlumbError('EngineBusy', 'The lease was lost before the edits were proposed');
    return this.#holds.get(nameOf(hold))?.metadata.uid === hold.metadata.uid;
  }

  /** On transitions only. */
  async #say(hold: Hold, status: HoldStatus, signal: AbortSignal): Promise<void> {
    const name = nameOf(hold);
    const known = this.#holds.get(name);
    if (known === undefined || canonicalJson({ ...known.status }) === canonicalJson({ ...status })) return;
    const { namespace, uid } = hold.metadata;
    const metadata = { name: hold.metadata.name, namespace, ...(uid === undefined ? {} : { uid }) };
    await this.#options.writer.apply(
      { apiVersion: API_VERSION, kind: HOLD.kind, metadata, status },
      { manager: 'plumb-status', subresource: 'status', force: true, signal },
    );
    this.#holds.set(name, { ...known, status });
  }

  #warn(hold: NamespacedName, { code, message: error }: PlumbError): void {
    const message = 'What was edited under a hold cannot be proposed';
    this.#options.log({ level: 'warn', message, hold, code, error });
  }
}

interface Proposal {
  readonly hold: Hold;
  readonly spec: TargetSpec;
  readonly edits: HeldEdits;
  readonly repository: Repository;
  readonly mirror: Mirror;
  /** The newest commit of `followed`. */
  readonly parent: string;
  /** The full name of the followed branch. */
  readonly followed: string;
  readonly signal: AbortSignal;
}

/** Another hold of the same name is another branch: an old one may still have what was merged long ago. */
function branchOfHold({ metadata: { name, uid = '' } }: Hold): string {
  return `plumb/hold-${name}-${uid.slice(0, 8)}`;
}

function isOver(status: HoldStatus | undefined): boolean {
  return status?.state !== undefined && status.state !== 'Failed';
}

function nothingEdited(other: string | undefined): HoldStatus {
  const message =
    other === undefined
      ? 'Nothing that was edited differs from Git.'
      : `What was edited stands by the hold ${other} as well, which says what comes of it.`;
  return { state: 'Nothing', message };
}

/** Of a kind that is gone there are no objects. */
async function liveOrGone(
  client: HoldProposalsOptions['client'],
  key: ObjectKey,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  try {
    return await liveObject(client, key, { signal });
  } catch (thrown) {
    if (thrown instanceof PlumbError && thrown.code === 'KindMissing') return undefined;
    throw thrown;
  }
}

function nothingKept({ left }: HeldEdits): HoldStatus {
  if (left.length === 0) return { state: 'Nothing', message: 'Git says so already.' };
  return { state: 'NotKept', message: `What was edited cannot be put into Git: ${leftText(left)}.` };
}

function leftText(left: HeldEdits['left']): string {
  const [first] = left;
  const more = left.length > 1 ? `; and ${left.length - 1} more` : '';
  return first === undefined ? '' : `${first.object} ${first.why}${more}`;
}
