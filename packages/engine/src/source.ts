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
  isCommitId,
  openMirror,
  parseGitUrl,
  type Commit,
  type GitCredentials,
  type Mirror,
} from '@plumb/git';
import { isUnchanged, type ReadSet } from '@plumb/render';
import { backoffMs } from './backoff.ts';
import type { Externals } from './externals.ts';
import type { ReadSecret } from './named-data.ts';
import { dependsOnOthers, folderOf, nameOfContent, SourceLook, type Elsewhere, type Looked } from './source-look.ts';
import { nameOf, type NamespacedName, type TargetSpec } from './targets.ts';
import { WorkQueue } from './work-queue.ts';

export interface SourcesOptions {
  /** The folder of the mirrors; may be deleted at any time. */
  readonly cacheFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly readSecret: ReadSecret;
  /** The targets that read a repository, as they are now. */
  targetsOf(name: NamespacedName): ReadonlyMap<TargetKey, TargetSpec>;
  /** The source of these targets changed, for better or worse. */
  changed(targets: readonly TargetKey[]): void;
  /** A look at a repository ended. */
  reported(repository: NamespacedName, state: RepositoryState): void;
  /** What renders take from elsewhere than their repository. Default: nothing. */
  readonly elsewhere?: Elsewhere;
  /** Default: mirrors on disk, of `@plumb/git`. */
  readonly openMirror?: typeof openMirror;
}

export interface RepositoryState {
  readonly error: PlumbError | undefined;
  /** The commit of the followed ref. */
  readonly revision: string | undefined;
  /** Epoch milliseconds of the last time that the host answered. */
  readonly seenAt: number | undefined;
  /** The revision at which an application's files last changed. */
  readonly touchedRevision: string | undefined;
}

type Due = 'poll' | 'trigger' | 'targets';

interface Followed {
  readonly repository: Repository;
  /** Ends when the repository is followed anew or no more. */
  readonly life: AbortController;
  opening: Promise<Mirror> | undefined;
  mirror: Mirror | undefined;
  /** By ref as written; the commit, which is stored, or why there is none. */
  readonly commits: Map<string, string | PlumbError>;
  readonly looked: Map<TargetKey, Looked>;
  /** What the next look is for: `targets` needs no answer from the host where all commits are known. */
  due: Set<Due>;
  poll: Disposable | undefined;
  failures: number;
  state: RepositoryState;
  readonly waiters: (() => void)[];
  /** Read once and again after a refusal, so that a quiet repository costs the API server nothing. */
  credentials: Promise<GitCredentials> | undefined;
}

/** Which refs the host is asked for: none, those never asked for, those that its listing shows as moved, or every one. */
type Ask = 'none' | 'unknown' | 'moved' | 'all';

/**
 * The followed repositories: one mirror each, looked at by poll and by trigger. A new commit costs each application a
 * look at the ids of what its last render read; who would read the same hears nothing.
 */
export class Sources implements AsyncDisposable {
  readonly #options: SourcesOptions;
  readonly #followed = new Map<NamespacedName, Followed>();
  /** Repositories with a spec that cannot be read. One that could be read before is followed as it was. */
  readonly #invalid = new Map<NamespacedName, PlumbError>();
  /** Mirrors that are being closed: their folder is free only afterwards. */
  readonly #closing = new Map<NamespacedName, Promise<void>>();
  readonly #queue: WorkQueue<NamespacedName>;

  constructor(options: SourcesOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      clock: options.clock,
      concurrency: 4,
      work: (name, o) => this.#look(name, o.signal),
      failed: (name, thrown) => this.#fail(name, this.#followed.get(name), toPlumbError(thrown)),
    });
  }

  /**
   * Follows a repository, or follows it anew where its spec or the object itself is another one: at once. Resolves when
   * the mirror that was in use before is closed.
   */
  follow(repository: Repository): Promise<void> {
    const name = nameOf(repository);
    this.#invalid.delete(name);
    const before = this.#followed.get(name);
    if (before !== undefined && isSameVersion(before.repository, repository)) return Promise.resolve();
    // Another address may hold other commits; nothing else in a spec changes what is known of them.
    const known = before?.repository.spec.url === repository.spec.url ? before : undefined;
    this.#followed.set(name, {
      repository,
      life: new AbortController(),
      opening: undefined,
      mirror: undefined,
      commits: new Map(known?.commits),
      looked: new Map(known?.looked),
      due: new Set(['trigger']),
      poll: undefined,
      failures: 0,
      state: known?.state ?? lastState(repository),
      waiters: before?.waiters.splice(0) ?? [],
      credentials: undefined,
    });
    // First, so that the look finds the folder of the mirror in use.
    const closed = before === undefined ? Promise.resolve() : this.#close(name, before);
    this.#queue.add(name);
    return closed;
  }

  /** The repository is no more. Resolves when its mirror is closed. */
  async unfollow(name: NamespacedName): Promise<void> {
    this.#invalid.delete(name);
    const followed = this.#followed.get(name);
    this.#followed.delete(name);
    this.#queue.forget(name);
    this.#options.changed([...this.#options.targetsOf(name).keys()]);
    if (followed !== undefined) await this.#close(name, followed);
  }

  /** The repository's spec cannot be read: what was read before stays in force. */
  invalid(name: NamespacedName, error: PlumbError): void {
    this.#invalid.set(name, error);
    if (!this.#followed.has(name)) this.#options.changed([...this.#options.targetsOf(name).keys()]);
  }

  /**
   * The targets of a repository changed: new ones are looked up at once where their commit is known. Resolves as
   * `refresh` does.
   */
  targetsChanged(name: NamespacedName): Promise<void> {
    return this.#lookedAt(name, 'targets');
  }

  /** Looks at once, by fetching and not by listing first: somebody said that there is something new. */
  trigger(name: NamespacedName): void {
    this.#wake(name, this.#followed.get(name), 'trigger');
  }

  /** As `trigger`; resolves when the look has ended, well or badly, or when there is nothing to look at any more. */
  refresh(name: NamespacedName): Promise<void> {
    return this.#lookedAt(name, 'trigger');
  }

  /** Whether what is followed is an earlier spec, since the newest one cannot be read. */
  isInvalid(name: NamespacedName): boolean {
    return this.#invalid.has(name);
  }

  repository(name: NamespacedName): Repository | undefined {
    return this.#followed.get(name)?.repository;
  }

  /** All that are followed. */
  *repositories(): IterableIterator<Repository> {
    for (const { repository } of this.#followed.values()) yield repository;
  }

  /** What is known of a target's files. `ready` only while they can be read. */
  sourceOf(spec: TargetSpec): SourceFact {
    const followed = this.#followed.get(spec.repository);
    if (followed === undefined) return { state: 'failed', error: this.#missing(spec.repository) };
    const fact = followed.looked.get(spec.target)?.fact;
    if (fact?.state === 'ready' && followed.mirror === undefined) return { state: 'waiting' };
    if (fact !== undefined) return fact;
    if (followed.state.error !== undefined) return { state: 'failed', error: followed.state.error };
    if (followed.repository.spec.suspend !== true) return { state: 'waiting' };
    const message = `Repository ${spec.repository} is suspended`;
    return {
      state: 'failed',
      error: new PlumbError('RepositorySuspended', message, { subject: `Repository/${spec.repository}` }),
    };
  }

  /** What came to a target from elsewhere, at the look that its source fact is of. */
  externalsOf(spec: TargetSpec): Externals | undefined {
    return this.#followed.get(spec.repository)?.looked.get(spec.target)?.externals;
  }

  /**
   * A render of a source fact has ended, well or badly, and this is what it read. Returns the name of what it was made
   * from, which is from now on the fact's own; the same content has the same name, also after a restart.
   */
  learned(spec: TargetSpec, rendered: SourceFact & { readonly state: 'ready' }, reads: ReadSet): string {
    const followed = this.#followed.get(spec.repository);
    const looked = followed?.looked.get(spec.target);
    if (followed === undefined || looked?.fact !== rendered) return rendered.inputs;
    const inputs = nameOfContent(looked.key, reads);
    // A newer commit was held against the folder alone: it is looked at again, now that it is known what counts.
    const isBehind = looked.commit !== rendered.commit;
    const commit = isBehind ? rendered.commit : looked.commit;
    followed.looked.set(spec.target, { ...looked, commit, reads, fact: { ...rendered, inputs } });
    if (isBehind) this.#wake(spec.repository, followed, 'targets');
    return inputs;
  }

  /** Looks again at targets that depend on more than a commit: on charts, variables or what the cluster can do. */
  othersChanged(): void {
    for (const [name, followed] of this.#followed) this.#wake(name, followed, 'targets');
  }

  /** The files at a commit; undefined where the repository is not followed, or not opened yet. */
  treeAt(name: NamespacedName, commit: string): SourceTree | undefined {
    return this.#followed.get(name)?.mirror?.at(commit);
  }

  async commitOf(name: NamespacedName, commit: string, o: { readonly signal: AbortSignal }): Promise<Commit> {
    const followed = this.#followed.get(name);
    if (followed === undefined) throw this.#missing(name);
    const mirror = await this.#mirrorOf(name, followed);
    return mirror.commit(commit, o);
  }

  /** What the last look at a target found; undefined before the first one. */
  lastLook(spec: TargetSpec): Looked | undefined {
    return this.#followed.get(spec.repository)?.looked.get(spec.target);
  }

  /** The mirror, for commits that nobody follows. It is closed when the repository is followed in another way. */
  async mirrorOf(name: NamespacedName): Promise<Mirror> {
    const followed = this.#followed.get(name);
    if (followed === undefined) throw this.#missing(name);
    return this.#mirrorOf(name, followed);
  }

  /** Lets the mirror go of all refs that are neither followed here nor among these; returns how many that were. */
  async keepRefs(name: NamespacedName, refs: readonly string[], o: { readonly signal: AbortSignal }): Promise<number> {
    const followed = this.#followed.get(name);
    if (followed === undefined) return 0;
    const mirror = await this.#mirrorOf(name, followed);
    return mirror.keepOnly([...refsOf(followed, this.#options.targetsOf(name)), ...refs], o);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
    for (const [name, followed] of this.#followed) void this.#close(name, followed);
    await Promise.all(this.#closing.values());
  }

  #missing(name: NamespacedName): PlumbError {
    const subject = `Repository/${name}`;
    return (
      this.#invalid.get(name) ?? new PlumbError('RepositoryMissing', `There is no Repository ${name}`, { subject })
    );
  }

  #lookedAt(name: NamespacedName, due: Due): Promise<void> {
    const followed = this.#followed.get(name);
    if (followed === undefined) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    followed.waiters.push(resolve);
    this.#wake(name, followed, due);
    return promise;
  }

  #wake(name: NamespacedName, followed: Followed | undefined, due: Due): void {
    if (followed === undefined || this.#followed.get(name) !== followed) return;
    followed.due.add(due);
    this.#queue.add(name);
  }

  #pollIn(name: NamespacedName, followed: Followed, ms: number): void {
    followed.poll?.[Symbol.dispose]();
    followed.poll = this.#options.clock.timer(ms, () => this.#wake(name, followed, 'poll'));
  }

  /** Ends a look that is under way, lets go whoever waits, and closes the mirror. */
  #close(name: NamespacedName, followed: Followed): Promise<void> {
    followed.life.abort(new DOMException(`${name} is not followed in this way any more`, 'AbortError'));
    followed.poll?.[Symbol.dispose]();
    for (const done of followed.waiters.splice(0)) done();
    followed.mirror = undefined;
    const opened = followed.opening?.catch(() => undefined);
    const before = this.#closing.get(name);
    const closing = (async () => {
      await before;
      await (await opened)?.[Symbol.asyncDispose]();
    })().finally(() => {
      if (this.#closing.get(name) === closing) this.#closing.delete(name);
    });
    this.#closing.set(name, closing);
    return closing;
  }

  async #look(name: NamespacedName, signal: AbortSignal): Promise<void> {
    const followed = this.#followed.get(name);
    if (followed === undefined) return;
    const { due } = followed;
    followed.due = new Set();
    const waiters = followed.waiters.splice(0);
    try {
      await this.#lookFor(due, name, followed, AbortSignal.any([signal, followed.life.signal]));
    } catch (thrown) {
      signal.throwIfAborted();
      this.#fail(name, followed, toPlumbError(thrown));
    } finally {
      const current = this.#followed.get(name);
      // Who waits for a look at what is followed now is answered by the next one.
      if (current !== undefined && current !== followed) current.waiters.push(...waiters);
      else for (const done of waiters) done();
    }
  }

  async #lookFor(due: ReadonlySet<Due>, name: NamespacedName, followed: Followed, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const { spec } = followed.repository;
    const isSuspended = spec.suspend === true;
    const mirror = await this.#mirrorOf(name, followed);
    const targets = this.#options.targetsOf(name);
    const ask = isSuspended ? 'none' : due.has('trigger') ? 'all' : due.has('poll') ? 'moved' : 'unknown';
    const answered = await this.#readRefs(followed, mirror, targets, ask, signal);
    const touched = await this.#resolveTargets(followed, mirror, targets, signal);
    const before = followed.state;
    const revision = followed.commits.get(spec.ref ?? 'HEAD');
    const isNews = await this.#isNews(followed, mirror, touched, signal);
    // From here on nothing is waited for: what is followed now is what was looked at.
    signal.throwIfAborted();
    followed.state = {
      error: !answered ? before.error : revision instanceof PlumbError ? revision : undefined,
      revision: typeof revision === 'string' ? revision : answered ? undefined : before.revision,
      seenAt: answered ? clock.now() : before.seenAt,
      touchedRevision: isNews && typeof revision === 'string' ? revision : before.touchedRevision,
    };
    if (answered || followed.state.touchedRevision !== before.touchedRevision) {
      this.#options.reported(name, followed.state);
    }
    if (touched.length > 0) this.#options.changed(touched);
    if (ask === 'all' || ask === 'moved' || (answered && followed.failures > 0)) {
      const intervalMs = parseDuration(spec.interval) ?? 15_000;
      this.#pollIn(name, followed, intervalMs * (0.85 + 0.1 * random.next()));
    }
    if (answered) followed.failures = 0;
  }

  #fail(name: NamespacedName, followed: Followed | undefined, error: PlumbError): void {
    if (followed === undefined || this.#followed.get(name) !== followed) return;
    const { random } = this.#options;
    followed.failures += 1;
    followed.credentials = undefined;
    const first = followed.state.error?.code !== error.code;
    followed.state = { ...followed.state, error };
    this.#options.reported(name, followed.state);
    // Who has a commit keeps it: a failed look is not news about the files.
    if (first)
      this.#options.changed([...this.#options.targetsOf(name).keys()].filter((target) => !followed.looked.has(target)));
    this.#pollIn(name, followed, backoffMs(followed.failures) * (0.75 + 0.5 * random.next()));
  }

  /** Whether the status is to name the followed commit: the files of a target are others than at the one it names. */
  async #isNews(
    followed: Followed,
    mirror: Mirror,
    touched: readonly TargetKey[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { error, touchedRevision, seenAt } = followed.state;
    if (touchedRevision === undefined) return true;
    if (seenAt !== undefined) return touched.length > 0 || error !== undefined;
    // The first look after a start finds everything new. It is not, where the files are those of the named commit.
    if (!isCommitId(touchedRevision) || !(await mirror.hasCommit(touchedRevision, { signal }))) return true;
    const then = mirror.at(touchedRevision);
    for (const { spec, commit, fact, reads } of followed.looked.values()) {
      if (spec.revision !== undefined || commit === touchedRevision) continue;
      if (fact.state !== 'ready') {
        if ((await folderOf(spec, then, signal)) !== undefined) return true;
      } else if (!(await isUnchanged(reads, { tree: then }, { signal }))) return true;
    }
    return false;
  }

  /** The mirror, opened at the first need of it: that contacts nobody. */
  async #mirrorOf(name: NamespacedName, followed: Followed): Promise<Mirror> {
    const { signal } = followed.life;
    followed.opening ??= this.#open(name, followed.repository, followed, signal);
    let mirror: Mirror;
    try {
      mirror = await followed.opening;
    } catch (thrown) {
      followed.opening = undefined;
      throw thrown;
    }
    signal.throwIfAborted();
    if (followed.mirror === undefined) {
      followed.mirror = mirror;
      // Whoever asked in between was told to wait.
      if (followed.looked.size > 0) this.#options.changed([...followed.looked.keys()]);
    }
    return mirror;
  }

  async #open(name: NamespacedName, repository: Repository, followed: Followed, signal: AbortSignal): Promise<Mirror> {
    await this.#closing.get(name);
    const url = parseGitUrl(repository.spec.url);
    const folder = join(
      this.#options.cacheFolder,
      createHash('sha256').update(`${name} ${url.toString()}`).digest('hex').slice(0, 32),
    );
    const credentials = (): Promise<GitCredentials> => (followed.credentials ??= this.#credentials(repository, signal));
    return (this.#options.openMirror ?? openMirror)({ url, folder, credentials, signal });
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

  /** Brings `commits` up to date for every ref that is followed; returns whether the host has answered. */
  async #readRefs(
    followed: Followed,
    mirror: Mirror,
    targets: ReadonlyMap<TargetKey, TargetSpec>,
    ask: Ask,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { commits } = followed;
    const refs = refsOf(followed, targets);
    for (const ref of commits.keys()) if (!refs.has(ref)) commits.delete(ref);
    if (ask === 'none') return false;

    const listed = ask === 'moved' ? await mirror.lsRemote({ signal }) : undefined;
    const stale = [...refs].filter((ref) => {
      const commit = commits.get(ref);
      if (ask === 'unknown') return commit === undefined;
      // A commit id never moves: once it is here there is nothing to ask for.
      if (isCommitId(ref)) return typeof commit !== 'string';
      // One that the listing does not show may exist all the same: it shows branches and tags only.
      return listed === undefined || commit === undefined || commit !== tipOf(ref, listed);
    });
    if (stale.length > 0) await this.#fetchRefs(stale, followed, mirror, signal);
    return listed !== undefined || stale.some((ref) => !isCommitId(ref));
  }

  async #fetchRefs(stale: readonly string[], followed: Followed, mirror: Mirror, signal: AbortSignal): Promise<void> {
    const { commits } = followed;
    try {
      const fetched = await mirror.fetch(stale, { signal });
      for (const ref of stale) commits.set(ref, fetched.get(ref) ?? refMissing(ref));
      return;
    } catch (thrown) {
      if (!(thrown instanceof PlumbError) || !isRefError(thrown)) throw thrown;
      const [only] = stale;
      if (stale.length === 1 && only !== undefined) {
        commits.set(only, thrown);
        return;
      }
    }
    // One of several refs is missing: the others are fetched one by one, so that it stops nobody else.
    for (const ref of stale) await this.#fetchRefs([ref], followed, mirror, signal);
  }

  /** Looks up the files of each target at its commit; returns the targets whose answer changed. */
  async #resolveTargets(
    followed: Followed,
    mirror: Mirror,
    targets: ReadonlyMap<TargetKey, TargetSpec>,
    signal: AbortSignal,
  ): Promise<readonly TargetKey[]> {
    const touched = new Map<TargetKey, Looked>();
    const folders = new Map<string, Set<string>>();
    const look = new SourceLook(mirror, this.#options.elsewhere, signal);
    for (const target of followed.looked.keys()) if (!targets.has(target)) followed.looked.delete(target);
    for (const [target, spec] of targets) {
      const commit = followed.commits.get(spec.revision ?? followed.repository.spec.ref ?? 'HEAD');
      if (commit === undefined) continue;
      const before = followed.looked.get(target);
      if (before?.spec === spec && before.commit === commit && !dependsOnOthers(before)) continue;
      const looked = await look.at(spec, commit, before);
      if (before !== undefined && sameFact(before.fact, looked.fact)) {
        // Newer commit, same files: nothing to do for this target.
        followed.looked.set(target, { ...looked, fact: before.fact });
        continue;
      }
      touched.set(target, looked);
      if (looked.fact.state === 'ready') {
        const paths = folders.get(looked.fact.commit) ?? new Set();
        folders.set(looked.fact.commit, paths.add(spec.path));
      }
    }
    for (const [commit, paths] of folders) await mirror.prefetch(commit, [...paths], { signal });
    // All at once: a target that renders the new commit must see which others are to render it too.
    for (const [target, looked] of touched) followed.looked.set(target, looked);
    return [...touched.keys()];
  }
}

/** Whether the two are one object with one spec. An object that was deleted and created anew counts generations anew. */
export function isSameVersion({ metadata: before }: Repository, { metadata: now }: Repository): boolean {
  return before.uid === now.uid && before.generation === now.generation;
}

/** The refs that are followed, as written. */
function refsOf(
  { repository }: Pick<Followed, 'repository'>,
  targets: ReadonlyMap<TargetKey, TargetSpec>,
): ReadonlySet<string> {
  const revisions = [...targets.values()].flatMap(({ revision }) => revision ?? []);
  return new Set([repository.spec.ref ?? 'HEAD', ...revisions]);
}

/** What the status says of an earlier run, as far as it is about this very spec. */
function lastState({ metadata, status }: Repository): RepositoryState {
  const touchedRevision = status?.observedGeneration === metadata.generation ? status?.revision : undefined;
  return { error: undefined, revision: undefined, seenAt: undefined, touchedRevision };
}

export function sameFact(before: SourceFact, after: SourceFact): boolean {
  if (before.state === 'ready' && after.state === 'ready') return before.inputs === after.inputs;
  if (before.state === 'failed' && after.state === 'failed') return before.error.message === after.error.message;
  return false;
}

function refMissing(ref: string): PlumbError {
  return new PlumbError('RefMissing', `The repository has no ref ${ref}`);
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
