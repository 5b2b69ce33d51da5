import {
  advance,
  arrange,
  isAbort,
  isLeftToOthers,
  kindName,
  phaseOfRun,
  PlumbError,
  toPlumbError,
  DISOWNING,
  type AuditEvent,
  type Clock,
  type DependencyFact,
  type DriftHold,
  type DriftWishes,
  type Ending,
  type GivenApproval,
  type GroupKind,
  type LiveObject,
  type ObjectKey,
  type Rest,
  type Step,
  type TargetFacts,
  type TargetKey,
  type Write,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import type { Ledger } from '@plumb/ledger';
import { applyAll, pruneAll, type WriteContext } from './apply.ts';
import { backoffMs } from './backoff.ts';
import type { Claims } from './claims.ts';
import type { DeletionBreaker } from './deletion-breaker.ts';
import { judgeDependencies } from './dependencies.ts';
import { everythingIn, keysOf, kindsIn } from './desired-parts.ts';
import type { Diagnosis } from './diagnosis.ts';
import { disownAll } from './disown.ts';
import { drawTarget } from './draw-target.ts';
import type { DriftBook } from './drift-book.ts';
import { examinationOf, examineDeletions } from './examine-deletions.ts';
import { openReleaseOf, recordHooks, startHooks } from './hooks.ts';
import { inspectAll, type InspectContext } from './inspect.ts';
import { learnDeletions, learnRehearsal, learnReplacements, learnStarts, learnWrites } from './learn.ts';
import type { LiveIndex, WatchState } from './observe.ts';
import type { Parents } from './parents.ts';
import { planTarget } from './plan.ts';
import type { PlanRequest } from './plan-request.ts';
import { recallRelease } from './recall-release.ts';
import { rehearseAll } from './rehearse.ts';
import { allowDeletions, releaseTarget } from './release-target.ts';
import { asSentNow, hasRunForDeletion, placedOf } from './released-set.ts';
import { replaceAll } from './replace.ts';
import { recordDrifts, reviewDrifts } from './review-drifts.ts';
import type { Sources } from './source.ts';
import type { TargetEvent } from './target-event.ts';
import { emptyMemory, forgetFailures, planFactOf, type TargetMemory } from './target-memory.ts';
import type { TargetRenderer } from './target-renderer.ts';
import type { NamespacedName, TargetSpec } from './targets.ts';
import type { WriteClient } from './write-client.ts';

export interface ReconcilerOptions {
  readonly client: KubeClient;
  /** Sends nothing without the lease. */
  readonly writer: WriteClient;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly renderer: TargetRenderer;
  readonly sources: Sources;
  readonly live: LiveIndex;
  /** Why what is live does not work. */
  readonly diagnosis: Diagnosis;
  readonly claims: Claims;
  readonly breaker: DeletionBreaker;
  /** The cluster shows an older state than it has shown before. */
  rewound(): void;
  readonly parents: Parents;
  readonly identity: string;
  specOf(target: TargetKey): TargetSpec | undefined;
  /** Whether somebody looks after the target: this engine, or another one where this one is limited to a namespace. */
  isLiving(target: TargetKey): boolean;
  /** What was last said of a target, by whichever engine. */
  lastSaid(target: TargetKey): { readonly state: string; readonly since: number } | undefined;
  /** Epoch milliseconds of the creation of the target's application. */
  createdAt(target: TargetKey): number;
  /** Whether this engine still holds its lease. */
  mayWrite(): boolean;
  /** See `WriteContext`. */
  stillHeld(options: { readonly signal: AbortSignal }): Promise<void>;
  /** The targets that read a repository. */
  targetsOf(repository: NamespacedName): ReadonlyMap<TargetKey, TargetSpec>;
  /** Look at these targets (again). */
  wake(targets: readonly TargetKey[]): void;
  /** The target has nothing more to do for now. */
  rested(target: TargetKey, rest: Rest): void;
  /** The Application of a target as it is on the cluster, and all targets that there are. */
  planContext(target: TargetKey): Pick<PlanRequest, 'parent' | 'targets' | 'standing'>;
  /** What people have approved of a target. */
  approvalsOf(target: TargetKey): readonly GivenApproval[];
  /** The targets of an application; undefined where there is no such application. */
  targetsOfApplication(application: NamespacedName): Iterable<TargetSpec> | undefined;
  /** What people want to stand for a while. */
  holdsOf(target: TargetKey): readonly DriftHold[];
  /** The records of what others changed. */
  readonly drifts: DriftBook;
  /** Whether the stamps of the admission policy can be relied on. */
  isStamped(): boolean;
  /** What the audit trail knows of an object. */
  eventsFor(key: ObjectKey, sinceMs?: number): readonly AuditEvent[];
  /** Something happened that people want to read about. */
  narrate(event: TargetEvent): void;
}

/** More steps than any sound target needs in one go: past that it is a bug, and other targets get their turn. */
const MAX_STEPS = 64;

/** Brings targets forward, step by step: gathers the facts, asks `advance` what is next, does it. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #memories = new Map<TargetKey, TargetMemory>();
  readonly #waiting = new Map<string, Set<TargetKey>>();
  /** By the target that has not said what it wants: who is kept from an object that bears its marks. */
  readonly #kept = new Map<TargetKey, Set<TargetKey>>();
  /** By the target that has to render first: who waits for it. */
  readonly #following = new Map<TargetKey, Set<TargetKey>>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  memoryOf(target: TargetKey): TargetMemory | undefined {
    return this.#memories.get(target);
  }

  /** The target is no more. Its objects stay in the cluster as they are. */
  async forget(target: TargetKey): Promise<void> {
    const memory = this.#memories.get(target);
    this.#memories.delete(target);
    for (const waiting of this.#waiting.values()) waiting.delete(target);
    this.#wakeFollowers(target);
    this.#wakeKept(target);
    this.#options.wake(this.#options.claims.release(target));
    await this.#options.drifts.ended(target, this.#options.drifts.openOf(target), 'forgotten');
    // A namesake that comes later starts from nothing.
    if (memory === undefined) return;
    await this.#strike(target, memory);
  }

  /** Its history stays, and nothing that counts for what comes later. */
  async #strike(target: TargetKey, memory: TargetMemory): Promise<void> {
    const { ledger } = this.#options;
    const release = memory.openRelease;
    await ledger.concludeBatch({
      target,
      outcomes: [],
      removed: [...memory.applied.keys()],
      ...(release === undefined ? {} : { release: { number: release.number, outcome: 'superseded' } }),
    });
    if (memory.allowed !== undefined) await ledger.allowDeletion(target, { by: 'approval', ids: new Set() });
    if (memory.replaceable.size > 0) await ledger.allowReplacements(target, new Set());
  }

  /** Somebody asked for another try: nothing that failed before is waited for. */
  retry(target: TargetKey): void {
    const memory = this.#memories.get(target);
    if (memory === undefined) return;
    forgetFailures(memory);
    // What a rule ignored may be drift by the next one.
    for (const key of memory.findings.keys()) if (!this.#options.drifts.isOpen(key)) memory.findings.delete(key);
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
    const { ledger, claims, clock, createdAt, specOf } = this.#options;
    const memory = emptyMemory(clock.now());
    await recallRelease(target, memory, {
      ledger,
      createdAt,
      isRetired: () => specOf(target)?.retirement?.how === 'decommission',
    });
    const raced = this.#memories.get(target);
    if (raced !== undefined) return raced;
    if (specOf(target) === undefined) return memory;
    this.#memories.set(target, memory);
    if (memory.desired !== undefined) claims.claim(target, keysOf(memory.desired));
    return memory;
  }

  /** Brings a target as far as it gets. What goes wrong with it is its state, and is tried again by itself. */
  async reconcile(target: TargetKey, signal: AbortSignal): Promise<void> {
    try {
      await this.#advance(target, signal);
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      const memory = this.#memories.get(target);
      if (memory === undefined) throw thrown;
      const error = toPlumbError(thrown);
      memory.faults += 1;
      this.#rest(
        target,
        memory,
        {
          do: 'rest',
          state: 'Failed',
          message: error.message,
          failures: [error],
          deletions: { verdict: 'none' },
          wakeAt: this.#options.clock.monotonic() + Math.max(error.retryAfterMs ?? 0, backoffMs(memory.faults)),
        },
        this.#options.specOf(target)?.generation,
      );
      if (error.code === 'Internal') throw thrown;
    }
  }

  async #advance(target: TargetKey, signal: AbortSignal): Promise<void> {
    (await this.recall(target)).looks += 1;
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      const spec = this.#options.specOf(target);
      if (spec === undefined) return;
      const memory = await this.recall(target);
      if (spec.retirement !== undefined) this.#letGo(target);
      if (spec.retirement?.how === 'decommission') memory.ending ??= await this.#endingOf(target, memory);
      else if (memory.ending !== undefined) await this.#goOn(target, memory, memory.ending);
      const facts = this.#factsOf(spec, memory);
      const step = advance(facts);
      if (step.do === 'rest') {
        memory.faults = 0;
        await reviewDrifts(target, memory, { ...this.#options, wishes: this.#wishesOf(spec) });
        if (step.waitsOn === undefined) memory.wait = undefined;
        else if (memory.wait?.on !== step.waitsOn) {
          memory.wait = { on: step.waitsOn, since: facts.now, sinceTime: facts.time };
        }
        this.#rest(target, memory, step, this.#lookedUpFor(spec));
        return;
      }
      // Without the lease another engine may be at work: what was planned is looked at again once it is back.
      if (!this.#options.mayWrite() && step.do !== 'render' && step.do !== 'watch') return;
      await this.#execute(step, spec, memory, signal);
    }
    throw new PlumbError('Internal', `${target} did not come to rest in ${MAX_STEPS} steps`);
  }

  #factsOf(spec: TargetSpec, memory: TargetMemory): TargetFacts {
    const { sources, live, diagnosis, clock, parents } = this.#options;
    const { target } = spec;
    return {
      target,
      now: clock.monotonic(),
      time: clock.now(),
      deadlineMs: spec.deadlineMs,
      wait: memory.wait,
      dependencies: () => this.#dependenciesOf(spec),
      suspended: spec.suspended,
      policy: { conflicts: spec.conflicts },
      budget: spec.budget,
      approvedDeletion: spec.approvedDeletion,
      retirement: spec.retirement,
      deletions: {
        allowed: memory.allowed,
        examined: (objects) => examinationOf(memory, objects, clock.monotonic()),
        pause: (count) => this.#options.breaker.pause(count),
      },
      source: sources.sourceOf(spec),
      renderFailure: memory.renderFailure,
      desired: memory.desired,
      released: memory.released,
      rehearsed: memory.rehearsal.digest === memory.desired?.digest ? memory.rehearsal.answers : new Map(),
      watchOf: (groupKind) => this.#watchOf(groupKind, target),
      parentKinds: parents.kindsOf(spec.application),
      siblingKinds: this.#siblingKinds(spec),
      liveOf: (key) => diagnosis.explain(live.liveOf(key)),
      members: live.membersOf(target),
      applied: memory.applied,
      failures: memory.failures,
      ownerOf: (key) => this.#ownerOf(target, key),
      heirOf: (key) => this.#options.claims.heirOf(target, key),
      behind: (before) => this.#behind(spec, before),
      drift: { wishes: this.#wishesOf(spec), findingOf: (key) => memory.findings.get(key) },
      healAfter: (key, path) => memory.heals.after(key, path),
      openRelease: memory.openRelease,
      ending: memory.ending,
      gate: this.#gateOf(spec, memory),
      replaceable: memory.replaceable,
      releasedDigest: memory.releasedDigest,
    };
  }

  #gateOf(spec: TargetSpec, memory: TargetMemory): TargetFacts['gate'] {
    const { approvals: rule, planWish, policies } = spec;
    const wish = planWish?.release === (memory.release ?? 0) ? planWish.digest : undefined;
    const { plan } = memory;
    return {
      rule,
      wish,
      isJudged: policies !== undefined,
      approvals: this.#options.approvalsOf(spec.target),
      author: plan?.author ?? [],
      plan: plan === undefined ? undefined : planFactOf(plan, memory.looks),
    };
  }

  #wishesOf({ target, drift: rules, healWish: heal }: TargetSpec): DriftWishes {
    return { rules, holds: this.#options.holdsOf(target), heal };
  }

  #inspectContext(spec: TargetSpec, memory: TargetMemory, signal: AbortSignal): InspectContext {
    const { clock, live, renderer, eventsFor, isStamped } = this.#options;
    return {
      ...this.#writeContext(spec, memory, signal),
      clock,
      isStamped: isStamped(),
      uidOf: (key) => memory.applied.get(key)?.uid ?? '',
      liveOf: (key) => live.liveOf(key),
      knownOf: (key) => memory.written.get(key),
      secrets: () => renderer.secretsOf(spec, { signal }),
      eventsFor,
    };
  }

  /** Makes the plan that people approve: of what Git wants now, by the very functions of `plumb plan`. */
  async #plan(spec: TargetSpec, memory: TargetMemory, signal: AbortSignal): Promise<void> {
    const { client, renderer, sources, planContext } = this.#options;
    const { desired } = memory;
    const tree = desired === undefined ? undefined : sources.treeAt(spec.repository, desired.commit);
    if (desired === undefined || tree === undefined) return;
    const { commit } = desired;
    const { author, committer } = await sources.commitOf(spec.repository, commit, { signal });
    const result = await planTarget({
      client,
      spec,
      tree,
      renderer,
      committedMs: committer.time,
      applied: memory.applied,
      removedBy: commit.slice(0, 7),
      signal,
      ...planContext(spec.target),
    });
    memory.plan = {
      desired: desired.digest,
      commit,
      author: [author.name, author.email],
      result,
      look: memory.looks,
    };
  }

  /** Who finds a watch that is not in sync hears when it is, whoever started it. */
  #watchOf(groupKind: GroupKind, target: TargetKey): WatchState {
    const watch = this.#options.live.watchOf(groupKind);
    if (watch.state !== 'synced') {
      const name = kindName(groupKind);
      this.#waiting.set(name, (this.#waiting.get(name) ?? new Set()).add(target));
    }
    return watch;
  }

  /** The marks decide, as long as who they name lives and wants the object or may want it; else who claimed first. */
  #ownerOf(target: TargetKey, key: ObjectKey): TargetKey | undefined {
    const { claims, live, isLiving } = this.#options;
    const marked = live.liveOf(key)?.target;
    if (marked === target) return undefined;
    if (marked !== undefined && isLiving(marked)) {
      if (claims.wants(marked, key)) return marked;
      if (!claims.hasClaimed(marked)) {
        this.#kept.set(marked, (this.#kept.get(marked) ?? new Set()).add(target));
        return marked;
      }
    }
    const claimant = claims.ownerOf(key);
    return claimant === target ? undefined : claimant;
  }

  #dependenciesOf(spec: TargetSpec): DependencyFact {
    const { sources, targetsOfApplication } = this.#options;
    return judgeDependencies(spec, {
      targetsOf: targetsOfApplication,
      hindranceOf: (other) => {
        const source = sources.sourceOf(other);
        const memory = this.#memories.get(other.target);
        if (memory?.rest === undefined || source.state === 'waiting') return 'Pending';
        // What it was before this commit does not count.
        if (source.state === 'ready' && memory.restedOn?.inputs !== source.inputs) return 'Pending';
        return memory.rest.state === 'Healthy' ? undefined : memory.rest.state;
      },
    });
  }

  /** A target of the same repository that has not said yet, or cannot say, what it wants of the commit. */
  #behind(spec: TargetSpec, before: 'claim' | 'deletion'): TargetKey | undefined {
    const commit = this.#memories.get(spec.target)?.desired?.commit;
    for (const [target, neighbour] of this.#options.targetsOf(spec.repository)) {
      if (target === spec.target || neighbour.suspended || neighbour.retirement !== undefined) continue;
      const source = this.#options.sources.sourceOf(neighbour);
      if (source.state === 'failed') continue;
      const memory = this.#memories.get(target);
      if (source.state === 'waiting' || memory === undefined) return target;
      if (memory.desired?.inputs === source.inputs) continue;
      const isBroken = memory.renderFailure?.inputs === source.inputs;
      // What has been broken for long holds up nobody; what broke with this very commit may have been given our objects.
      if (!isBroken || (before === 'deletion' && source.commit === commit)) return target;
    }
    return undefined;
  }

  #siblingKinds(spec: TargetSpec): readonly GroupKind[] {
    const kinds = new Map<string, GroupKind>();
    for (const sibling of this.#options.parents.targetsOf(spec.application)) {
      if (sibling === spec.target) continue;
      const wanted = everythingIn(this.#memories.get(sibling)?.desired);
      for (const kind of kindsIn([...wanted, ...this.#options.live.membersOf(sibling)]))
        kinds.set(kindName(kind), kind);
    }
    return [...kinds.values()];
  }

  async #execute(
    step: Exclude<Step, Rest>,
    spec: TargetSpec,
    memory: TargetMemory,
    signal: AbortSignal,
  ): Promise<void> {
    const { ledger, live, parents, narrate } = this.#options;
    const { target } = spec;
    switch (step.do) {
      case 'render':
        return this.#render(spec, memory, signal);
      case 'watch':
        await Promise.all(step.kinds.map((kind) => live.watch(kind)));
        return;
      case 'membership': {
        const wanted = () => [
          ...kindsIn(everythingIn(memory.desired)),
          ...kindsIn(live.membersOf(target)),
          ...this.#siblingKinds(spec),
        ];
        return parents.write(spec.application, step.kinds, wanted, signal);
      }
      case 'rehearse': {
        const liveOf = (key: ObjectKey): LiveObject | undefined => live.liveOf(key);
        const context = this.#writeContext(spec, memory, signal);
        const answers = await rehearseAll(step.writes, step.deletions, liveOf, context);
        learnRehearsal(answers, target, memory, this.#options);
        return;
      }
      case 'plan':
        return this.#plan(spec, memory, signal);
      case 'release':
        return releaseTarget(spec, memory, { isConsented: step.isConsented ?? false }, { ...this.#options, signal });
      case 'inspect': {
        const inspected = await inspectAll(step.writes, this.#inspectContext(spec, memory, signal));
        for (const { drift } of inspected) {
          const isRestless = memory.restless.has(drift.key);
          memory.findings.set(drift.key, isRestless ? { ...drift, resourceVersion: undefined } : drift);
        }
        return recordDrifts(target, memory, inspected, { ...this.#options, wishes: this.#wishesOf(spec) });
      }
      case 'write': {
        this.#countHeals(step.writes, memory);
        const results = await applyAll(step.writes, this.#writeContext(spec, memory, signal));
        const failed = learnWrites(results, step.writes, memory, this.#options);
        const written = step.writes.filter((_write, index) => results[index]?.ok === true);
        for (const isHealing of [true, false]) {
          const keys = written.flatMap(({ key, heal }) => ((heal !== undefined) === isHealing ? key : []));
          await this.#options.drifts.ended(target, keys, isHealing ? 'healed' : 'released');
        }
        narrate({ type: 'wrote', target, writes: written, failed });
        return;
      }
      case 'replace': {
        const results = await replaceAll(step.replacements, this.#writeContext(spec, memory, signal));
        const failed = learnReplacements(results, step.replacements, memory, this.#options);
        narrate({ type: 'replaced', target, replacements: step.replacements, failed });
        return;
      }
      case 'prune': {
        const by = step.reason === 'removed' ? 'budget' : 'approval';
        await allowDeletions(step.set, by, target, memory, this.#options);
        const results = await pruneAll(step.objects, this.#writeContext(spec, memory, signal), step.reason);
        learnDeletions(results, step.objects, memory, this.#options);
        const keys = results.flatMap((result) => (result.ok ? [result.key] : []));
        const findings = memory.examined?.found.findings;
        const removedBy = new Set(keys.flatMap((key) => findings?.get(key)?.removedBy ?? []));
        narrate({ type: 'pruned', target, keys, removedBy: [...removedBy] });
        return;
      }
      case 'examine':
        return examineDeletions(step, spec, memory, { ...this.#options, signal });
      case 'disown': {
        const results = await disownAll(step.objects, this.#writeContext(spec, memory, signal));
        learnDeletions(results, step.objects, memory, this.#options, DISOWNING);
        const keys = results.flatMap((result) => (result.ok ? [result.key] : []));
        narrate({ type: 'disowned', target, keys });
        return;
      }
      case 'allow':
        return allowDeletions(step.set, 'approval', target, memory, this.#options);
      case 'strike':
        await ledger.saveApplied(target, [], step.keys);
        for (const key of step.keys) memory.applied.delete(key);
        return;
      case 'retired':
        return this.#retired(target, memory);
      case 'start-hooks': {
        const open = memory.ending?.open ?? memory.openRelease;
        if (open === undefined) return;
        const started = await startHooks(step.starts, open, this.#writeContext(spec, memory, signal));
        learnStarts(started, step.starts, memory, this.#options);
        const keys = started.flatMap(({ key, error }) => (error === undefined ? [key] : []));
        if (keys.length > 0)
          narrate({ type: 'hooks', target, did: 'started', phase: phaseOfRun(step.starts[0]?.mark), keys });
        return;
      }
      case 'record-hooks': {
        const open = memory.ending?.open ?? memory.openRelease;
        if (open === undefined) return;
        await recordHooks(step.ends, open, this.#writeContext(spec, memory, signal));
        for (const did of ['succeeded', 'failed'] as const) {
          const ended = step.ends.filter(({ state }) => state === did);
          const keys = ended.map(({ key }) => key);
          if (keys.length > 0) narrate({ type: 'hooks', target, did, phase: phaseOfRun(ended[0]?.mark), keys });
        }
        return;
      }
      case 'clear-hooks': {
        const results = await pruneAll(step.objects, this.#writeContext(spec, memory, signal), 'hook');
        learnDeletions(results, step.objects, memory, this.#options);
        const keys = results.flatMap((result) => (result.ok ? [result.key] : []));
        if (keys.length > 0) narrate({ type: 'hooks', target, did: 'cleared', phase: undefined, keys });
        return;
      }
      case 'conclude': {
        const open = memory.openRelease;
        if (open === undefined) return;
        // A release that failed is not over: it may yet become healthy.
        memory.openRelease = step.outcome === 'failed' ? { ...open, hasFailed: true } : undefined;
        await ledger.concludeRelease(target, open.number, step.outcome, step.message);
        narrate({ type: 'concluded', target, release: open.number, outcome: step.outcome, message: step.message });
        return;
      }
      default:
        step satisfies never;
    }
  }

  /** Its claims go at once, so that whoever wants an object of it may have it. */
  #letGo(target: TargetKey): void {
    const { claims, wake } = this.#options;
    wake(claims.claim(target, []));
    this.#wakeKept(target);
  }

  /** The hooks around the deletions of a target: those of what was released last, and what is known of their runs. */
  async #endingOf(target: TargetKey, memory: TargetMemory): Promise<TargetFacts['ending']> {
    const { ledger } = this.#options;
    // Nothing of it is left to be taken down.
    if (memory.releasedDigest === undefined || memory.release === undefined) return undefined;
    const stored = await ledger.releaseObjects(target, memory.release);
    const { hooks } = asSentNow(arrange(placedOf(stored ?? []), []));
    return { hooks, open: openReleaseOf(memory.release, false, await ledger.hookRuns(target, memory.release)) };
  }

  /** It is not to end after all. Where hooks have run for it already, it is rolled out as a release of its own. */
  async #goOn(target: TargetKey, memory: TargetMemory, { open }: Ending): Promise<void> {
    memory.ending = undefined;
    if (hasRunForDeletion(await this.#options.ledger.hookRuns(target, open.number))) memory.releasedDigest = undefined;
  }

  async #retired(target: TargetKey, memory: TargetMemory): Promise<void> {
    await this.#strike(target, memory);
    memory.allowed = undefined;
    memory.replaceable = new Set();
    memory.applied.clear();
    memory.failures.clear();
    memory.desired = undefined;
    memory.openRelease = undefined;
    memory.releasedDigest = undefined;
    memory.releasedCommit = undefined;
  }

  async #render(spec: TargetSpec, memory: TargetMemory, signal: AbortSignal): Promise<void> {
    const { sources, claims, clock, client, wake, narrate } = this.#options;
    const source = sources.sourceOf(spec);
    const drawn =
      source.state === 'ready'
        ? await drawTarget(spec, source, { isFresh: false }, { ...this.#options, signal })
        : undefined;
    if (source.state !== 'ready' || drawn === undefined) return;
    const { commit } = source;
    const { rendered, errors, desired, author, externals } = drawn;
    const result = !rendered.ok ? 'failed' : rendered.isCached ? 'kept' : 'rendered';
    narrate({ type: 'rendered', target: spec.target, result });
    // Forgotten while it was rendered: a claim now would be one of nobody.
    if (this.#memories.get(spec.target) !== memory) return;
    if (errors.length === 0) {
      const inputs = sources.learned(spec, source, rendered.reads);
      memory.desired = { ...desired, inputs, commit };
      memory.chart = externals?.chart;
      memory.renderFailure = undefined;
      memory.renderAttempts = 0;
      wake(claims.claim(spec.target, keysOf(desired)));
      this.#wakeKept(spec.target);
      return;
    }
    memory.renderAttempts += 1;
    const again = errors.some((error) => error.facts.retry === 'backoff');
    memory.renderFailure = {
      inputs: sources.learned(spec, source, rendered.reads),
      errors,
      commit: `${commit.slice(0, 7)} by ${author.name}`,
      retryAt: again ? clock.monotonic() + backoffMs(memory.renderAttempts) : undefined,
    };
    if (again) client.invalidateDiscovery();
  }

  #writeContext(spec: TargetSpec, memory: TargetMemory, signal: AbortSignal): WriteContext {
    const { writer, ledger, identity, live, stillHeld, rewound } = this.#options;
    return {
      stillHeld: () => stillHeld({ signal }),
      rewound,
      client: writer,
      ledger,
      identity,
      signal,
      isLeft: (conflict, { key, object }) => {
        return isLeftToOthers(conflict, key, object, this.#wishesOf(spec), this.#options.clock.now());
      },
      answered: (object) => live.wrote(object),
      target: spec.target,
      commit: memory.releasedCommit ?? memory.desired?.commit ?? '',
      release: memory.release ?? 0,
      writeAs: spec.writeAs,
      createNamespace: spec.createNamespace,
    };
  }

  /** Writing once more what was written already: somebody undid it. */
  #countHeals(writes: readonly Write[], memory: TargetMemory): void {
    const now = this.#options.clock.monotonic();
    for (const { key, heal } of writes) {
      // Who deletes an object that is there again has nothing that could be fought over.
      if (heal === undefined || heal.drift.kind === 'deleted' || heal.drift.kind === 'namespace-deleted') continue;
      for (const path of heal.paths) memory.heals.count(key, path, now);
    }
  }

  /**
   * The generation of the spec that is answered: a wake for another reason may come before the files of a new spec are known, and
   * what the old ones led to is no outcome of it.
   */
  #lookedUpFor(spec: TargetSpec): number {
    const looked = this.#options.sources.lastLook(spec)?.spec.generation ?? spec.generation;
    return Math.min(spec.generation, looked);
  }

  #rest(target: TargetKey, memory: TargetMemory, rest: Rest, generation: number | undefined): void {
    if (memory.rest === undefined) {
      // The first rest after a start: what another engine said before goes on where it is still so.
      const said = this.#options.lastSaid(target);
      memory.since = said?.state === rest.state ? said.since : this.#options.clock.now();
    } else if (memory.rest.state !== rest.state) memory.since = this.#options.clock.now();
    memory.rest = rest;
    const { releasedCommit: revision, release, desired } = memory;
    memory.restedOn = { revision, release, inputs: desired?.inputs, generation };
    const pause = rest.deletions.verdict === 'blocked' ? rest.deletions.pause : undefined;
    if (pause?.until !== undefined && !pause.isFrozen) this.#options.breaker.trip(pause.until);
    if (rest.waitsFor !== undefined) {
      const followers = this.#following.get(rest.waitsFor) ?? new Set();
      this.#following.set(rest.waitsFor, followers.add(target));
    }
    this.#options.rested(target, rest);
    this.#wakeFollowers(target);
  }

  #wakeKept(target: TargetKey): void {
    const kept = this.#kept.get(target);
    if (kept === undefined) return;
    this.#kept.delete(target);
    this.#options.wake([...kept]);
  }

  #wakeFollowers(target: TargetKey): void {
    const followers = this.#following.get(target);
    if (followers === undefined) return;
    this.#following.delete(target);
    this.#options.wake([...followers]);
  }
}
