import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Repository } from '@plumb/api';
import { parseDuration } from '@plumb/api';
import {
  PlumbError,
  toPlumbError,
  type Clock,
  type Random,
  type SourceFact,
  type SourceTree,
  type TargetKey,
} from '@plumb/core';
import {
  credentialsFromSecret,
  openMirror,
  parseGitUrl,
  type Commit,
  type GitCredentials,
  type Mirror,
} from '@plumb/git';
import { inputsKey } from '@plumb/render';
import { nameOf, type NamespacedName, type TargetSpec } from './targets.ts';
import { WorkQueue } from './work-queue.ts';

export interface SourcesOptions {
  /** The folder of the mirrors; may be deleted at any time. */
  readonly cacheFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  readSecret(
    namespace: string,
    name: string,
    o: { readonly signal: AbortSignal },
  ): Promise<Readonly<Record<string, Uint8Array>> | undefined>;
  /** The targets that read a repository, as they are now. */
  targetsOf(name: NamespacedName): ReadonlyMap<TargetKey, TargetSpec>;
  /** The source of these targets changed, for better or worse. */
  changed(targets: readonly TargetKey[]): void;
  /** A look at a repository ended. */
  reported(repository: NamespacedName, state: RepositoryState): void;
}

export interface RepositoryState {
  readonly error: PlumbError | undefined;
  /** The commit of the followed ref. */
  readonly revision: string | undefined;
  /** Epoch milliseconds of the last good look. */
  readonly seenAt: number | undefined;
  /** The revision at which an application's files last changed. */
  readonly touchedRevision: string | undefined;
}

interface Followed {
  readonly repository: Repository;
  mirror: Mirror | undefined;
  /** By ref as written; the commit or why there is none. */
  readonly commits: Map<string, string | PlumbError>;
  /** What each remote ref pointed to at the last look, to tell a move from the refs' listing alone. */
  readonly tips: Map<string, string>;
  readonly facts: Map<TargetKey, SourceFact>;
  /** What the next look is for: `targets` needs no answer from the host where all commits are known. */
  due: Set<'poll' | 'trigger' | 'targets'>;
  failures: number;
  state: RepositoryState;
  waiters: (() => void)[];
  /** Read once and again after a refusal, so that a quiet repository costs the API server nothing. */
  credentials: Promise<GitCredentials> | undefined;
}

const MAX_BACKOFF_MS = 5 * 60_000;
const MIN_BACKOFF_MS = 2_000;

/**
 * The followed repositories: one mirror each, looked at by poll and by trigger. A new commit costs each application one
 * look at its folder's tree id; who has the same tree hears nothing.
 */
export class Sources implements AsyncDisposable {
  readonly #options: SourcesOptions;
  readonly #followed = new Map<NamespacedName, Followed>();
  readonly #queue: WorkQueue<NamespacedName>;

  constructor(options: SourcesOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      clock: options.clock,
      concurrency: 4,
      work: (name, o) => this.#look(name, o.signal),
      failed: (name, thrown) => this.#fail(name, toPlumbError(thrown)),
    });
  }

  /** Follows a repository, or follows it anew where its spec changed. */
  async follow(repository: Repository): Promise<void> {
    const name = nameOf(repository);
    const before = this.#followed.get(name);
    if (before !== undefined && before.repository.metadata.generation === repository.metadata.generation) return;
    await this.#close(name);
    const state = { error: undefined, revision: undefined, seenAt: undefined, touchedRevision: undefined };
    this.#followed.set(name, {
      repository,
      mirror: undefined,
      commits: new Map<string, string | PlumbError>(),
      tips: new Map<string, string>(),
      facts: before?.facts ?? new Map<TargetKey, SourceFact>(),
      due: new Set(['trigger']),
      failures: 0,
      state,
      waiters: before?.waiters ?? [],
      credentials: undefined,
    });
    this.#queue.add(name);
  }

  async unfollow(name: NamespacedName): Promise<void> {
    await this.#close(name);
    this.#followed.delete(name);
    this.#options.changed([...this.#options.targetsOf(name).keys()]);
  }

  /** The targets of a repository changed: new ones are looked up at once where their commit is known. */
  targetsChanged(name: NamespacedName): void {
    this.#followed.get(name)?.due.add('targets');
    this.#queue.add(name);
  }

  /** Looks at once, by fetching and not by listing first: somebody said that there is something new. */
  trigger(name: NamespacedName): void {
    const followed = this.#followed.get(name);
    if (followed === undefined) return;
    followed.due.add('trigger');
    this.#queue.add(name);
  }

  /** As `trigger`; resolves when the look has ended, well or badly. */
  refresh(name: NamespacedName): Promise<void> {
    const followed = this.#followed.get(name);
    if (followed === undefined) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    followed.waiters.push(resolve);
    this.trigger(name);
    return promise;
  }

  repositories(): readonly Repository[] {
    return [...this.#followed.values()].map(({ repository }) => repository);
  }

  sourceOf(spec: TargetSpec): SourceFact {
    const followed = this.#followed.get(spec.repository);
    if (followed === undefined) {
      const message = `There is no Repository ${spec.repository}`;
      return {
        state: 'failed',
        error: new PlumbError('RepositoryMissing', message, { subject: `Repository/${spec.repository}` }),
      };
    }
    const fact = followed.facts.get(spec.target);
    if (fact !== undefined) return fact;
    return followed.state.error === undefined ? { state: 'waiting' } : { state: 'failed', error: followed.state.error };
  }

  /** The files at a commit. */
  treeAt(name: NamespacedName, commit: string): SourceTree | undefined {
    return this.#followed.get(name)?.mirror?.at(commit);
  }

  commitOf(name: NamespacedName, commit: string, o: { readonly signal: AbortSignal }): Promise<Commit> {
    const mirror = this.#followed.get(name)?.mirror;
    if (mirror === undefined) throw new PlumbError('RepositoryMissing', `There is no Repository ${name}`);
    return mirror.commit(commit, o);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
    await Promise.all([...this.#followed.keys()].map((name) => this.#close(name)));
  }

  async #close(name: NamespacedName): Promise<void> {
    this.#queue.forget(name);
    const followed = this.#followed.get(name);
    const mirror = followed?.mirror;
    if (followed !== undefined) followed.mirror = undefined;
    await mirror?.[Symbol.asyncDispose]();
  }

  async #look(name: NamespacedName, signal: AbortSignal): Promise<void> {
    const followed = this.#followed.get(name);
    if (followed === undefined) return;
    const { clock, random } = this.#options;
    const waiters = followed.waiters.splice(0);
    if (followed.repository.spec.suspend === true) {
      for (const done of waiters) done();
      return;
    }
    const due = followed.due;
    followed.due = new Set();
    const targets = this.#options.targetsOf(name);
    try {
      const mirror = (followed.mirror ??= await this.#open(followed, signal));
      await this.#readRefs(followed, mirror, targets, due, signal);
      const touched = await this.#resolveTargets(followed, mirror, targets, signal);
      if (this.#followed.get(name) !== followed) return;
      followed.failures = 0;
      const revision = this.#followedRevision(followed);
      const before = followed.state;
      followed.state = {
        error: revision instanceof PlumbError ? revision : undefined,
        revision: revision instanceof PlumbError ? undefined : revision,
        seenAt: clock.now(),
        touchedRevision:
          (touched.length > 0 || before.error !== undefined || before.touchedRevision === undefined) &&
          typeof revision === 'string'
            ? revision
            : before.touchedRevision,
      };
      this.#options.reported(name, followed.state);
      if (touched.length > 0) this.#options.changed(touched);
      const intervalMs = parseDuration(followed.repository.spec.interval) ?? 15_000;
      this.#queue.addAt(name, clock.monotonic() + intervalMs * (0.95 + 0.1 * random.next()));
    } catch (thrown) {
      signal.throwIfAborted();
      this.#fail(name, toPlumbError(thrown));
    } finally {
      for (const done of waiters) done();
    }
  }

  #fail(name: NamespacedName, error: PlumbError): void {
    const followed = this.#followed.get(name);
    if (followed === undefined) return;
    const { clock, random } = this.#options;
    followed.failures += 1;
    followed.credentials = undefined;
    const first = followed.state.error?.code !== error.code;
    followed.state = { ...followed.state, error };
    this.#options.reported(name, followed.state);
    // Who has a commit keeps it: a failed look is not news about the files.
    if (first)
      this.#options.changed([...this.#options.targetsOf(name).keys()].filter((target) => !followed.facts.has(target)));
    const backoffMs = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** Math.min(followed.failures - 1, 10));
    this.#queue.addAt(name, clock.monotonic() + backoffMs * (0.75 + 0.5 * random.next()));
  }

  #followedRevision(followed: Followed): string | PlumbError | undefined {
    return followed.commits.get(followed.repository.spec.ref ?? 'HEAD');
  }

  async #open(followed: Followed, signal: AbortSignal): Promise<Mirror> {
    const { repository } = followed;
    const url = parseGitUrl(repository.spec.url);
    const folder = join(
      this.#options.cacheFolder,
      createHash('sha256')
        .update(`${nameOf(repository)} ${url.toString()}`)
        .digest('hex')
        .slice(0, 32),
    );
    const credentials = (): Promise<GitCredentials> => (followed.credentials ??= this.#credentials(repository, signal));
    return openMirror({ url, folder, credentials, signal });
  }

  async #credentials(repository: Repository, signal: AbortSignal): Promise<GitCredentials> {
    const { secretRef } = repository.spec;
    if (secretRef === undefined) return { kind: 'none' };
    const { namespace } = repository.metadata;
    const data = await this.#options.readSecret(namespace, secretRef.name, { signal });
    if (data === undefined) {
      const message = `Secret ${secretRef.name} in ${namespace} does not exist`;
      throw new PlumbError('SecretMissing', message, { subject: `Secret/${secretRef.name}` });
    }
    return credentialsFromSecret(parseGitUrl(repository.spec.url), data);
  }

  /** Brings `commits` up to date for every ref that is followed. */
  async #readRefs(
    followed: Followed,
    mirror: Mirror,
    targets: ReadonlyMap<TargetKey, TargetSpec>,
    due: ReadonlySet<'poll' | 'trigger' | 'targets'>,
    signal: AbortSignal,
  ): Promise<void> {
    const refs = new Set([followed.repository.spec.ref ?? 'HEAD']);
    for (const { revision } of targets.values()) if (revision !== undefined) refs.add(revision);
    for (const ref of followed.commits.keys()) if (!refs.has(ref)) followed.commits.delete(ref);

    const triggered = due.has('trigger');
    let stale = [...refs];
    if (due.has('targets') && due.size === 1) {
      stale = stale.filter((ref) => !followed.commits.has(ref));
    } else if (!triggered) {
      const listed = await mirror.lsRemote({ signal });
      stale = stale.filter((ref) => {
        const tip = tipOf(ref, listed);
        const moved =
          tip === undefined ? !isCommitId(ref) || !followed.commits.has(ref) : followed.tips.get(ref) !== tip;
        if (tip !== undefined) followed.tips.set(ref, tip);
        return moved || !followed.commits.has(ref);
      });
    }
    // A commit id never moves: once it is here there is nothing to ask for.
    stale = stale.filter((ref) => !(isCommitId(ref) && typeof followed.commits.get(ref) === 'string'));
    if (stale.length === 0) return;
    try {
      const fetched = await mirror.fetch(stale, { signal });
      for (const ref of stale) this.#setCommit(followed, ref, fetched.get(ref), triggered);
    } catch (thrown) {
      if (!(thrown instanceof PlumbError) || stale.length === 1) {
        if (thrown instanceof PlumbError && isRefError(thrown)) followed.commits.set(stale[0] ?? 'HEAD', thrown);
        else throw thrown;
        return;
      }
      if (!isRefError(thrown)) throw thrown;
      // One of several refs is missing: the others are fetched one by one, so that it stops nobody else.
      for (const ref of stale) {
        try {
          const fetched = await mirror.fetch([ref], { signal });
          this.#setCommit(followed, ref, fetched.get(ref), triggered);
        } catch (alone) {
          if (!(alone instanceof PlumbError) || !isRefError(alone)) throw alone;
          followed.commits.set(ref, alone);
        }
      }
    }
  }

  #setCommit(followed: Followed, ref: string, commit: string | undefined, triggered: boolean): void {
    if (commit === undefined) {
      followed.commits.set(ref, new PlumbError('RefMissing', `The repository has no ref ${ref}`));
      return;
    }
    followed.commits.set(ref, commit);
    if (triggered) followed.tips.set(ref, commit);
  }

  /** Looks up the folder of each target at its commit; returns the targets whose answer changed. */
  async #resolveTargets(
    followed: Followed,
    mirror: Mirror,
    targets: ReadonlyMap<TargetKey, TargetSpec>,
    signal: AbortSignal,
  ): Promise<readonly TargetKey[]> {
    const facts = new Map<TargetKey, SourceFact>();
    const folders = new Map<string, Set<string>>();
    for (const target of followed.facts.keys()) if (!targets.has(target)) followed.facts.delete(target);
    for (const [target, spec] of targets) {
      const ref = spec.revision ?? followed.repository.spec.ref ?? 'HEAD';
      const commit = followed.commits.get(ref);
      if (commit === undefined) continue;
      const before = followed.facts.get(target);
      const fact =
        commit instanceof PlumbError
          ? ({ state: 'failed', error: commit } as const)
          : await this.#factOf(spec, mirror, commit, signal);
      if (sameFact(before, fact)) {
        // Newer commit, same files: nothing to do for this target.
        continue;
      }
      facts.set(target, fact);
      if (fact.state === 'ready') {
        const paths = folders.get(fact.commit) ?? new Set();
        folders.set(fact.commit, paths.add(spec.path));
      }
    }
    for (const [commit, paths] of folders) await mirror.prefetch(commit, [...paths], { signal });
    // All at once: a target that renders the new commit must see which others are to render it too.
    for (const [target, fact] of facts) followed.facts.set(target, fact);
    return [...facts.keys()];
  }

  async #factOf(spec: TargetSpec, mirror: Mirror, commit: string, signal: AbortSignal): Promise<SourceFact> {
    // Links and values files may lead out of the folder: then the whole repository is what the render depends on.
    const outside = spec.render.valuesFiles?.some((file) => file.includes('..')) ?? false;
    const treeId = await mirror.at(commit).treeId(spec.path, { signal });
    if (treeId !== undefined) {
      const scope = outside ? await mirror.at(commit).treeId('', { signal }) : treeId;
      return { state: 'ready', commit, inputs: `${scope} ${inputsKey(spec.render)}` };
    }
    const removed = await mirror.removedBy(commit, spec.path, { signal }).catch(() => undefined);
    const by = removed === undefined ? '' : `; ${removed.sha.slice(0, 7)} by ${removed.author.name} removed it`;
    const message = `The repository has no folder ${spec.path} at ${commit.slice(0, 7)}${by}`;
    return { state: 'failed', error: new PlumbError('PathMissing', message, { where: { file: spec.path } }) };
  }
}

function sameFact(before: SourceFact | undefined, after: SourceFact): boolean {
  if (before?.state === 'ready' && after.state === 'ready') return before.inputs === after.inputs;
  if (before?.state === 'failed' && after.state === 'failed') return before.error.message === after.error.message;
  return false;
}

function isCommitId(ref: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

function isRefError(error: PlumbError): boolean {
  return error.code === 'RefMissing' || error.code === 'RefInvalid';
}

function tipOf(
  ref: string,
  listed: { readonly refs: ReadonlyMap<string, string>; readonly head: string | undefined },
): string | undefined {
  if (ref === 'HEAD') return listed.head === undefined ? listed.refs.get('HEAD') : listed.refs.get(listed.head);
  return listed.refs.get(ref) ?? listed.refs.get(`refs/heads/${ref}`) ?? listed.refs.get(`refs/tags/${ref}`);
}
