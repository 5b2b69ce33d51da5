import {
  advance,
  applyPhase,
  desiredHash,
  digestOf,
  keyOf,
  parseObjectKey,
  place,
  PlumbError,
  DELETION,
  type AppliedObject,
  type Clock,
  type DesiredSet,
  type GroupKind,
  type LiveObject,
  type ObjectKey,
  type Rest,
  type Scope,
  type Step,
  type TargetFacts,
  type TargetKey,
  type Write,
  type WriteFailure,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import type { Ledger } from '@plumb/ledger';
import type { Renderer } from '@plumb/render';
import { applyAll, pruneAll, type WriteContext, type WriteResult } from './apply.ts';
import type { Claims } from './claims.ts';
import type { LiveIndex, WatchState } from './observe.ts';
import type { Parents } from './parents.ts';
import type { Sources } from './source.ts';
import type { NamespacedName, TargetSpec } from './targets.ts';

export interface ReconcilerOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly renderer: Renderer;
  readonly sources: Sources;
  readonly live: LiveIndex;
  readonly claims: Claims;
  readonly parents: Parents;
  readonly identity: string;
  specOf(target: TargetKey): TargetSpec | undefined;
  /** The targets that read a repository. */
  targetsOf(repository: NamespacedName): ReadonlyMap<TargetKey, TargetSpec>;
  /** Look at these targets (again). */
  wake(targets: readonly TargetKey[]): void;
  /** The target has nothing more to do for now. */
  rested(target: TargetKey, memory: TargetMemory, rest: Rest): void;
  /** Something happened that people want to read about. */
  narrate(event: TargetEvent): void;
}

export type TargetEvent =
  | {
      readonly type: 'released';
      readonly target: TargetKey;
      readonly release: number;
      readonly commit: string;
      readonly subject: string;
    }
  | {
      readonly type: 'wrote';
      readonly target: TargetKey;
      readonly writes: readonly Write[];
      readonly failed: readonly PlumbError[];
    }
  | { readonly type: 'pruned'; readonly target: TargetKey; readonly keys: readonly ObjectKey[] }
  | {
      readonly type: 'concluded';
      readonly target: TargetKey;
      readonly release: number;
      readonly outcome: 'healthy' | 'failed';
      readonly message: string;
    };

/** What the engine remembers of a target between two looks. All of it can be read again from Git, ledger and cluster. */
export interface TargetMemory {
  desired: (DesiredSet & { readonly inputs: string; readonly commit: string }) | undefined;
  renderFailure: TargetFacts['renderFailure'];
  renderAttempts: number;
  readonly applied: Map<ObjectKey, AppliedObject>;
  readonly failures: Map<ObjectKey, WriteFailure & { readonly attempts: number }>;
  release: number | undefined;
  releasedCommit: string | undefined;
  releasedDigest: string | undefined;
  openRelease: { readonly number: number; readonly digest: string } | undefined;
  /** Monotonic times of the last healings. */
  heals: number[];
  healAfter: number;
  rest: Rest | undefined;
  since: number;
}

/** More steps than any sound target needs in one go: past that it is a bug, and other targets get their turn. */
const MAX_STEPS = 64;
const BACKOFF_MS = { first: 2_000, longest: 5 * 60_000 };
/** What only a person can mend is tried again all the same, at long intervals: the world changes unseen. */
const STUCK_RETRY_MS = 10 * 60_000;
const HEALS = { free: 3, windowMs: 10 * 60_000, firstMs: 10_000 };

/** Brings targets forward, step by step: gathers the facts, asks `advance` what is next, does it. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #memories = new Map<TargetKey, TargetMemory>();
  readonly #waiting = new Map<string, Set<TargetKey>>();
  /** By the target that has to render first: who waits for it. */
  readonly #following = new Map<TargetKey, Set<TargetKey>>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  memoryOf(target: TargetKey): TargetMemory | undefined {
    return this.#memories.get(target);
  }

  /** The target is no more. Its objects stay in the cluster as they are. */
  forget(target: TargetKey): void {
    this.#memories.delete(target);
    for (const waiting of this.#waiting.values()) waiting.delete(target);
    this.#wakeFollowers(target);
    this.#options.wake(this.#options.claims.release(target));
  }

  /** Somebody asked for another try: nothing that failed before is waited for. */
  retry(target: TargetKey): void {
    const memory = this.#memories.get(target);
    if (memory === undefined) return;
    memory.failures.clear();
    memory.renderFailure = undefined;
    memory.healAfter = 0;
  }

  /** The watch of a kind has synced or failed: whoever waits for it looks again, and goes on waiting where it failed. */
  watchChanged(groupKind: GroupKind): void {
    const waiting = this.#waiting.get(kindName(groupKind)) ?? [];
    if (this.#options.live.watchOf(groupKind).state === 'synced') this.#waiting.delete(kindName(groupKind));
    this.#options.wake([...waiting]);
  }

  /** What a target wanted when the engine last ran: claims are in force before anything is rendered. */
  async recall(target: TargetKey): Promise<TargetMemory> {
    const known = this.#memories.get(target);
    if (known !== undefined) return known;
    const { ledger, claims, clock } = this.#options;
    const memory: TargetMemory = {
      desired: undefined,
      renderFailure: undefined,
      renderAttempts: 0,
      applied: new Map(),
      failures: new Map(),
      release: undefined,
      releasedCommit: undefined,
      releasedDigest: undefined,
      openRelease: undefined,
      heals: [],
      healAfter: 0,
      rest: undefined,
      since: clock.now(),
    };
    const release = await ledger.latestRelease(target);
    const stored = release === undefined ? undefined : await ledger.releaseObjects(target, release.number);
    if (release !== undefined && stored !== undefined) {
      const objects = stored.map(({ object, origin }) => ({
        key: keyOf(object),
        hash: desiredHash(object),
        phase: applyPhase(parseObjectKey(keyOf(object)) ?? { group: '', kind: object.kind }),
        origin: origin ?? { file: '' },
        object,
      }));
      objects.sort((a, b) => a.phase - b.phase || (a.key < b.key ? -1 : 1));
      memory.release = release.number;
      memory.releasedCommit = release.commit;
      memory.releasedDigest = release.digest;
      if (release.outcome === 'running') memory.openRelease = { number: release.number, digest: release.digest };
      if (digestOf(objects) === release.digest) {
        memory.desired = { objects, digest: release.digest, inputs: release.inputsKey, commit: release.commit };
        claims.claim(
          target,
          objects.map(({ key }) => key),
        );
      }
      for (const row of await ledger.applied(target)) memory.applied.set(row.key, row);
    }
    const raced = this.#memories.get(target);
    if (raced !== undefined) return raced;
    this.#memories.set(target, memory);
    return memory;
  }

  async reconcile(target: TargetKey, signal: AbortSignal): Promise<void> {
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      const spec = this.#options.specOf(target);
      if (spec === undefined) return;
      const memory = await this.recall(target);
      const facts = this.#factsOf(spec, memory);
      const step = advance(facts);
      if (step.do === 'rest') {
        this.#rest(target, memory, step);
        return;
      }
      const goOn = await this.#execute(step, spec, memory, signal);
      if (!goOn) return;
    }
    throw new PlumbError('Internal', `${target} did not come to rest in ${MAX_STEPS} steps`);
  }

  #factsOf(spec: TargetSpec, memory: TargetMemory): TargetFacts {
    const { sources, live, clock, parents } = this.#options;
    const { target } = spec;
    return {
      target,
      now: clock.monotonic(),
      suspended: spec.suspended,
      policy: { conflicts: spec.conflicts },
      budget: spec.budget,
      approvedDeletion: spec.approvedDeletion,
      source: sources.sourceOf(spec),
      renderFailure: memory.renderFailure,
      desired: memory.desired,
      watchOf: (groupKind) => this.#watchOf(groupKind, target),
      parentKinds: parents.kindsOf(spec.application),
      siblingKinds: this.#siblingKinds(spec),
      liveOf: (key) => live.liveOf(key),
      members: live.membersOf(target),
      applied: memory.applied,
      failures: memory.failures,
      ownerOf: (key) => this.#ownerOf(target, key),
      behind: () => this.#behind(spec),
      healAfter: memory.healAfter,
      openRelease: memory.openRelease,
      releasedDigest: memory.releasedDigest,
    };
  }

  /** Who finds a watch that another target has started waits for it as well. */
  #watchOf(groupKind: GroupKind, target: TargetKey): WatchState {
    const watch = this.#options.live.watchOf(groupKind);
    if (watch.state === 'starting') {
      const name = kindName(groupKind);
      this.#waiting.set(name, (this.#waiting.get(name) ?? new Set()).add(target));
    }
    return watch;
  }

  #ownerOf(target: TargetKey, key: ObjectKey): TargetKey | undefined {
    const { claims, live, specOf } = this.#options;
    const claimant = claims.ownerOf(key);
    if (claimant !== undefined && claimant !== target) return claimant;
    // Bears the marks of a living target that has not said yet what it wants: it may well want this.
    const marked = live.liveOf(key)?.target;
    if (marked === undefined || marked === target || claims.hasClaimed(marked)) return undefined;
    return specOf(marked) === undefined ? undefined : marked;
  }

  #behind(spec: TargetSpec): TargetKey | undefined {
    for (const [target, neighbour] of this.#options.targetsOf(spec.repository)) {
      if (target === spec.target || neighbour.suspended) continue;
      const source = this.#options.sources.sourceOf(neighbour);
      if (source.state === 'failed') continue;
      const memory = this.#memories.get(target);
      if (source.state === 'waiting' || memory === undefined) return target;
      if (memory.desired?.inputs !== source.inputs && memory.renderFailure?.inputs !== source.inputs) return target;
    }
    return undefined;
  }

  #siblingKinds(spec: TargetSpec): readonly GroupKind[] {
    const kinds = new Map<string, GroupKind>();
    for (const sibling of this.#options.parents.targetsOf(spec.application)) {
      if (sibling === spec.target) continue;
      const wanted = this.#memories.get(sibling)?.desired?.objects ?? [];
      for (const { key } of [...wanted, ...this.#options.live.membersOf(sibling)]) {
        const ref = parseObjectKey(key);
        if (ref !== undefined) kinds.set(kindName(ref), { group: ref.group, kind: ref.kind });
      }
    }
    return [...kinds.values()];
  }

  /** Does a step. False: the target waits for an event that will wake it. */
  async #execute(
    step: Exclude<Step, Rest>,
    spec: TargetSpec,
    memory: TargetMemory,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { ledger, live, parents, narrate } = this.#options;
    const { target } = spec;
    switch (step.do) {
      case 'render':
        await this.#render(spec, memory, signal);
        return true;
      case 'watch': {
        for (const kind of step.kinds) {
          const waiting = this.#waiting.get(kindName(kind)) ?? new Set();
          this.#waiting.set(kindName(kind), waiting.add(target));
        }
        await Promise.all(step.kinds.map((kind) => live.watch(kind)));
        return true;
      }
      case 'membership':
        await parents.write(spec.application, step.kinds, signal);
        return true;
      case 'release': {
        await this.#release(spec, memory, signal);
        return true;
      }
      case 'write': {
        this.#countHeals(step.writes, memory);
        const results = await applyAll(step.writes, this.#writeContext(spec, memory, signal));
        const failed = this.#learn(results, step.writes, memory);
        narrate({ type: 'wrote', target, writes: step.writes, failed });
        return true;
      }
      case 'prune': {
        const results = await pruneAll(step.objects, this.#writeContext(spec, memory, signal));
        this.#learnDeletions(results, step.objects, memory);
        narrate({ type: 'pruned', target, keys: results.flatMap((result) => (result.ok ? [result.key] : [])) });
        // What has finalizers is still there: the watch tells when it is gone.
        return results.some((result) => !result.ok || live.liveOf(result.key) === undefined);
      }
      case 'conclude': {
        const open = memory.openRelease;
        memory.openRelease = undefined;
        if (open === undefined) return true;
        await ledger.concludeRelease(target, open.number, step.outcome, step.message);
        narrate({ type: 'concluded', target, release: open.number, outcome: step.outcome, message: step.message });
        return true;
      }
      default:
        return step satisfies never;
    }
  }

  async #render(spec: TargetSpec, memory: TargetMemory, signal: AbortSignal): Promise<void> {
    const { sources, renderer, claims, clock, client, wake } = this.#options;
    const source = sources.sourceOf(spec);
    const tree = source.state === 'ready' ? sources.treeAt(spec.repository, source.commit) : undefined;
    if (source.state !== 'ready' || tree === undefined) return;
    const { inputs, commit } = source;
    const { committer } = await sources.commitOf(spec.repository, commit, { signal });
    const rendered = await renderer.render({ ...spec.render, tree, path: spec.path, nowMs: committer.time, signal });
    let errors: readonly PlumbError[] = rendered.ok ? [] : rendered.error;
    if (rendered.ok) {
      const scopes = await this.#scopesOf(
        rendered.value.objects.map(({ object }) => object),
        signal,
      );
      const placed = place(rendered.value.objects, {
        target: spec.target,
        namespace: spec.namespace,
        applySet: spec.applySet,
        scopeOf: (groupKind) => scopes.get(kindName(groupKind)),
      });
      errors = placed.errors;
      if (errors.length === 0) {
        memory.desired = { ...placed.desired, inputs, commit };
        memory.renderFailure = undefined;
        memory.renderAttempts = 0;
        wake(
          claims.claim(
            spec.target,
            placed.desired.objects.map(({ key }) => key),
          ),
        );
        return;
      }
    }
    memory.renderAttempts += 1;
    const again = errors.some((error) => error.facts.retry === 'backoff');
    memory.renderFailure = {
      inputs,
      errors,
      retryAt: again ? clock.monotonic() + backoffMs(memory.renderAttempts) : undefined,
    };
    if (again) client.invalidateDiscovery();
  }

  /** The scope of each kind; a kind that the cluster does not know is left out. */
  async #scopesOf(
    objects: readonly { readonly apiVersion: string; readonly kind: string }[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Scope>> {
    const scopes = new Map<string, Scope>();
    const asked = new Set<string>();
    for (const { apiVersion, kind } of objects) {
      const slash = apiVersion.indexOf('/');
      const group = slash < 0 ? '' : apiVersion.slice(0, slash);
      const version = apiVersion.slice(slash + 1);
      const name = kindName({ group, kind });
      if (asked.has(`${name} ${version}`)) continue;
      asked.add(`${name} ${version}`);
      try {
        const resource = await this.#options.client.resource({ group, version, kind }, { signal });
        scopes.set(name, resource.namespaced ? 'namespaced' : 'cluster');
      } catch (thrown) {
        if (!(thrown instanceof PlumbError) || thrown.code !== 'KindMissing') throw thrown;
      }
    }
    return scopes;
  }

  async #release(spec: TargetSpec, memory: TargetMemory, signal: AbortSignal): Promise<void> {
    const { ledger, sources, narrate } = this.#options;
    const { desired } = memory;
    if (desired === undefined) return;
    const commit = await sources.commitOf(spec.repository, desired.commit, { signal });
    if (memory.openRelease !== undefined) {
      await ledger.concludeRelease(spec.target, memory.openRelease.number, 'superseded');
    }
    const release = await ledger.saveRelease({
      target: spec.target,
      commit: desired.commit,
      treeId: desired.inputs.split(' ')[0] ?? '',
      inputsKey: desired.inputs,
      digest: desired.digest,
      objects: desired.objects.map(({ object, origin }) => ({ object, origin })),
      subject: commit.subject,
      author: commit.author.name,
    });
    memory.release = release.number;
    memory.releasedCommit = desired.commit;
    memory.releasedDigest = desired.digest;
    memory.openRelease = { number: release.number, digest: desired.digest };
    narrate({
      type: 'released',
      target: spec.target,
      release: release.number,
      commit: desired.commit,
      subject: commit.subject,
    });
  }

  #writeContext(spec: TargetSpec, memory: TargetMemory, signal: AbortSignal): WriteContext {
    const { client, ledger, identity } = this.#options;
    return {
      client,
      ledger,
      identity,
      signal,
      target: spec.target,
      commit: memory.desired?.commit ?? '',
      release: memory.release ?? 0,
      writeAs: spec.writeAs,
    };
  }

  /** Takes in the answers to writes; returns what went wrong. */
  #learn(results: readonly WriteResult[], writes: readonly Write[], memory: TargetMemory): readonly PlumbError[] {
    const errors: PlumbError[] = [];
    for (const [index, result] of results.entries()) {
      const write = writes[index];
      if (write === undefined) continue;
      if (!result.ok) {
        this.#fail(memory, result.key, write.desired.hash, result.error);
        errors.push(result.error);
        continue;
      }
      memory.failures.delete(result.key);
      if (result.object === undefined) continue;
      this.#options.live.wrote(result.object);
      memory.applied.set(result.key, {
        uid: result.uid,
        desiredHash: write.desired.hash,
        fieldsHash: this.#options.live.liveOf(result.key)?.fieldsHash,
      });
    }
    return errors;
  }

  #learnDeletions(results: readonly WriteResult[], objects: readonly LiveObject[], memory: TargetMemory): void {
    for (const [index, result] of results.entries()) {
      const object = objects[index];
      if (object === undefined) continue;
      if (!result.ok) {
        this.#fail(memory, result.key, DELETION, result.error);
        continue;
      }
      memory.failures.delete(result.key);
      memory.applied.delete(result.key);
      if (result.gone) this.#options.live.removed(result.key, object.uid);
    }
  }

  #fail(memory: TargetMemory, key: ObjectKey, hash: string, error: PlumbError): void {
    const before = memory.failures.get(key);
    const attempts = before?.hash === hash ? before.attempts + 1 : 1;
    const waitMs =
      error.facts.retry === 'backoff' ? Math.max(error.retryAfterMs ?? 0, backoffMs(attempts)) : STUCK_RETRY_MS;
    memory.failures.set(key, { hash, error, attempts, retryAt: this.#options.clock.monotonic() + waitMs });
  }

  /** Healing the same target again and again is a fight: after a few free rounds each next one waits longer. */
  #countHeals(writes: readonly Write[], memory: TargetMemory): void {
    if (!writes.some(({ reason }) => reason === 'drifted' || reason === 'deleted' || reason === 'recreated')) return;
    const now = this.#options.clock.monotonic();
    memory.heals = [...memory.heals.filter((time) => time > now - HEALS.windowMs), now];
    const over = memory.heals.length - HEALS.free;
    memory.healAfter = over < 0 ? 0 : now + Math.min(BACKOFF_MS.longest, HEALS.firstMs * 2 ** over);
  }

  #rest(target: TargetKey, memory: TargetMemory, rest: Rest): void {
    if (memory.rest?.state !== rest.state) memory.since = this.#options.clock.now();
    memory.rest = rest;
    if (rest.waitsFor !== undefined) {
      const followers = this.#following.get(rest.waitsFor) ?? new Set();
      this.#following.set(rest.waitsFor, followers.add(target));
    }
    this.#options.rested(target, memory, rest);
    this.#wakeFollowers(target);
  }

  #wakeFollowers(target: TargetKey): void {
    const followers = this.#following.get(target);
    if (followers === undefined) return;
    this.#following.delete(target);
    this.#options.wake([...followers]);
  }
}

function backoffMs(attempts: number): number {
  return Math.min(BACKOFF_MS.longest, BACKOFF_MS.first * 2 ** Math.min(attempts - 1, 10));
}

function kindName({ group, kind }: GroupKind): string {
  return `${kind}.${group}`;
}
