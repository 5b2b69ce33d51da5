import {
  advance,
  arrange,
  deletionId,
  denialsOf,
  hookAttempt,
  isAbort,
  isDeletionRun,
  isLeftToOthers,
  judgeDrift,
  kindName,
  lossesOf,
  parseObjectKey,
  phaseOfRun,
  place,
  PlumbError,
  shortNameOf,
  withPlainData,
  toPlumbError,
  DELETION,
  DISOWNING,
  type AllowedDeletion,
  type AppliedObject,
  type AuditEvent,
  type Clock,
  type DependencyFact,
  type DesiredObject,
  type DesiredSet,
  type Drift,
  type DriftHold,
  type DriftWishes,
  type Ending,
  type Examination,
  type GivenApproval,
  type GroupKind,
  type HookPhase,
  type HookStart,
  type LiveObject,
  type ObjectKey,
  type PlacedObject,
  type Plan,
  type PlanFact,
  type Rehearsed,
  type Replacement,
  type Rest,
  type Result,
  type Scope,
  type Step,
  type TargetFacts,
  type TargetKey,
  type Write,
  type WriteFailure,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import type { HookRunRecord, Ledger, ReleaseObject } from '@plumb/ledger';
import { applyAll, pruneAll, type WriteContext, type WriteResult } from './apply.ts';
import { backoffMs } from './backoff.ts';
import type { Claims } from './claims.ts';
import type { DeletionBreaker } from './deletion-breaker.ts';
import { judgeDependencies } from './dependencies.ts';
import type { Diagnosis } from './diagnosis.ts';
import { disownAll } from './disown.ts';
import { examine, removersOf } from './examine.ts';
import type { Externals } from './externals.ts';
import { nextAttempt, nextEnding, openReleaseOf, recordHooks, startHooks, type HookStarted } from './hooks.ts';
import type { DriftBook } from './drift-book.ts';
import { Heals } from './heals.ts';
import { inspectAll, type InspectContext, type Inspected } from './inspect.ts';
import type { LiveIndex, WatchState } from './observe.ts';
import type { Parents } from './parents.ts';
import { planTarget, type PlanRequest } from './plan.ts';
import { rehearseAll, type RehearsalAnswer } from './rehearse.ts';
import { replaceAll } from './replace.ts';
import type { Sources } from './source.ts';
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

export interface FailedWrite {
  readonly action: Write['action'];
  readonly error: PlumbError;
}

export type TargetEvent =
  | { readonly type: 'rendered'; readonly target: TargetKey; readonly result: 'rendered' | 'kept' | 'failed' }
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
      /** What was written. */
      readonly writes: readonly Write[];
      readonly failed: readonly FailedWrite[];
    }
  | {
      readonly type: 'hooks';
      readonly target: TargetKey;
      readonly did: 'started' | 'succeeded' | 'failed' | 'cleared';
      readonly phase: HookPhase | undefined;
      readonly keys: readonly ObjectKey[];
    }
  | {
      readonly type: 'replaced';
      readonly target: TargetKey;
      readonly replacements: readonly Replacement[];
      readonly failed: ReadonlyMap<ObjectKey, PlumbError>;
    }
  | { readonly type: 'drifted'; readonly target: TargetKey; readonly drifts: readonly Drift[] }
  | { readonly type: 'stopped'; readonly target: TargetKey; readonly errors: readonly PlumbError[] }
  | {
      readonly type: 'pruned';
      readonly target: TargetKey;
      readonly keys: readonly ObjectKey[];
      /** Who removed them from Git, where that is known: `3f2a1bc by Demo Author`. */
      readonly removedBy: readonly string[];
    }
  | { readonly type: 'disowned'; readonly target: TargetKey; readonly keys: readonly ObjectKey[] }
  | {
      readonly type: 'concluded';
      readonly target: TargetKey;
      readonly release: number;
      readonly outcome: 'healthy' | 'failed';
      readonly message: string;
    };

interface MadePlan {
  /** Digest of the desired set that it is of. */
  readonly desired: string;
  readonly commit: string;
  /** Name and mail address of who wrote the commit. */
  readonly author: readonly string[];
  readonly result: Result<Plan, readonly PlumbError[]>;
  /** In which look it was made: it counts as one of this moment in no other. */
  readonly look: number;
}

interface Rehearsals {
  readonly digest: string;
  readonly answers: Map<ObjectKey, Rehearsed & { readonly attempts: number }>;
}

const NOT_REHEARSED: Rehearsals = { digest: '', answers: new Map() };

/** What the engine remembers of a target between two looks. All of it can be read again from Git, ledger and cluster. */
export interface TargetMemory {
  desired: TargetFacts['desired'];
  released: TargetFacts['released'];
  /** What dry-runs have said of the desired set with that digest. */
  rehearsal: Rehearsals;
  /** The chart that `desired` was rendered from, where it was fetched. */
  chart: Externals['chart'];
  renderFailure: TargetFacts['renderFailure'];
  renderAttempts: number;
  readonly applied: Map<ObjectKey, AppliedObject>;
  readonly failures: Map<ObjectKey, WriteFailure & { readonly attempts: number }>;
  release: number | undefined;
  releasedCommit: string | undefined;
  releasedDigest: string | undefined;
  openRelease: TargetFacts['openRelease'];
  /** How often it was looked at. */
  looks: number;
  /** What would be released now, where somebody has to approve it. */
  plan: MadePlan | undefined;
  /** Set once the target is to end. */
  ending: TargetFacts['ending'];
  readonly heals: Heals;
  /** What was found out about objects that others changed. */
  readonly findings: Map<ObjectKey, Drift>;
  /** The versions of our last writes, and when they were: what came after is somebody else's. */
  readonly written: Map<ObjectKey, { readonly version: string | undefined; readonly sinceMs: number }>;
  /** What changes so fast that it is healed whatever it is by then. */
  readonly restless: Set<ObjectKey>;
  /** Deletions that may go on. */
  allowed: AllowedDeletion | undefined;
  /** What holds data and may be deleted to be made anew: approved with the plan of the last release. */
  replaceable: ReadonlySet<string>;
  /** What was found out last about objects that are to go, in which desired set; undefined covers all of them. */
  examined: { digest: string; ids: ReadonlySet<string> | undefined; at: number; found: Examination } | undefined;
  /** Renders in a row that did not come out as the one before. */
  doubts: number;
  rest: Rest | undefined;
  /** What `rest` is about. While the next release is under way, the other fields are of that one already. */
  restedOn: { revision: string | undefined; release: number | undefined; inputs: string | undefined } | undefined;
  wait: TargetFacts['wait'];
  since: number;
  /** Looks in a row that ended with a fault that `advance` does not know. */
  faults: number;
}

/** More steps than any sound target needs in one go: past that it is a bug, and other targets get their turn. */
const MAX_STEPS = 64;
/** What only a person can mend is tried again all the same, at long intervals: the world changes unseen. */
const STUCK_RETRY_MS = 10 * 60_000;
/** How long what was found out before a deletion is believed. */
const EXAMINED_MS = 60_000;

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
    memory.failures.clear();
    memory.rehearsal = NOT_REHEARSED;
    memory.plan = undefined;
    memory.renderFailure = undefined;
    memory.heals.excuse();
    memory.examined = undefined;
    memory.wait = undefined;
    // What a rule ignored may be drift by the next one.
    for (const key of memory.findings.keys()) if (!this.#options.drifts.isOpen(key)) memory.findings.delete(key);
    if (memory.openRelease !== undefined) memory.openRelease = nextAttempt(memory.openRelease);
    if (memory.ending !== undefined) memory.ending = nextEnding(memory.ending);
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
    const memory: TargetMemory = {
      desired: undefined,
      released: undefined,
      rehearsal: NOT_REHEARSED,
      chart: undefined,
      renderFailure: undefined,
      renderAttempts: 0,
      applied: new Map(),
      failures: new Map(),
      release: undefined,
      releasedCommit: undefined,
      releasedDigest: undefined,
      openRelease: undefined,
      looks: 0,
      plan: undefined,
      ending: undefined,
      heals: new Heals(),
      findings: new Map(),
      written: new Map(),
      restless: new Set(),
      allowed: undefined,
      replaceable: new Set(),
      examined: undefined,
      doubts: 0,
      rest: undefined,
      restedOn: undefined,
      wait: undefined,
      since: clock.now(),
      faults: 0,
    };
    const release = await ledger.latestRelease(target);
    const stored = release === undefined ? undefined : await ledger.releaseObjects(target, release.number);
    const rows = await ledger.applied(target);
    memory.release = release?.number;
    const isOpen = release?.outcome === 'running' || release?.outcome === 'failed';
    const recorded = stored === undefined ? undefined : arrange(placedOf(stored), []);
    const desired = recorded === undefined ? undefined : asSentNow(recorded);
    const isWhole = recorded?.digest === release?.digest;
    // Only what has hooks can have run any: everybody else starts without the question.
    const hasRun = release !== undefined && (isOpen || (desired?.hooks.length ?? 0) > 0);
    const runs = hasRun ? await ledger.hookRuns(target, release.number) : [];
    const isRetired = specOf(target)?.retirement?.how === 'decommission';
    // Known as it is recorded, so that the next release ends it.
    if (release !== undefined) memory.replaceable = await ledger.allowedReplacements(target);
    // A release of a namesake that was deleted, while the engine ran (nothing is left of it) or while it did not.
    const isOurs =
      release !== undefined &&
      (rows.length > 0 ||
        (isOpen && runs.length > 0) ||
        release.objectCount === 0 ||
        (isRetired && (await ledger.allowedDeletion(target)) !== undefined)) &&
      release.startedAt >= createdAt(target);
    if (isOurs && desired !== undefined) {
      memory.releasedCommit = release.commit;
      if (isRetired || !hasRunForDeletion(runs)) memory.releasedDigest = isWhole ? desired.digest : release.digest;
      if (isOpen) memory.openRelease = openReleaseOf(release.number, release.outcome === 'failed', runs);
      if (isWhole) {
        memory.desired = { ...desired, inputs: release.inputsKey, commit: release.commit };
        memory.released = memory.desired;
      }
      for (const row of rows) memory.applied.set(row.key, row);
      memory.allowed = await ledger.allowedDeletion(target);
    }
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
      this.#rest(target, memory, {
        do: 'rest',
        state: 'Failed',
        message: error.message,
        failures: [error],
        deletions: { verdict: 'none' },
        wakeAt: this.#options.clock.monotonic() + Math.max(error.retryAfterMs ?? 0, backoffMs(memory.faults)),
      });
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
        await this.#reviewDrifts(spec, memory);
        if (step.waitsOn === undefined) memory.wait = undefined;
        else if (memory.wait?.on !== step.waitsOn) {
          memory.wait = { on: step.waitsOn, since: facts.now, sinceTime: facts.time };
        }
        this.#rest(target, memory, step);
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
        examined: (objects) => this.#examined(memory, objects),
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

  /** Keeps what was found, with what becomes of it. */
  async #recordDrifts(spec: TargetSpec, memory: TargetMemory, inspected: readonly Inspected[]): Promise<void> {
    const { drifts, clock, narrate } = this.#options;
    const { target } = spec;
    const wishes = this.#wishesOf(spec);
    const found = inspected.map((one) => {
      return { inspected: one, judged: judgeDrift(one.drift, one.evidence.desired.object, wishes, clock.now()) };
    });
    const fresh = await drifts.found(target, memory.release ?? 0, found);
    if (fresh.length > 0) narrate({ type: 'drifted', target, drifts: fresh });
  }

  /** What is open may have ended by itself, or stand by another decision now. */
  async #reviewDrifts(spec: TargetSpec, memory: TargetMemory): Promise<void> {
    const { drifts, live } = this.#options;
    const { target } = spec;
    const open = drifts.openOf(target);
    if (open.length === 0) return;
    const wanted = new Map(everythingIn(memory.desired).map((desired) => [desired.key, desired]));
    const over = open.filter((key) => {
      return !wanted.has(key) || isAsApplied(live.liveOf(key), memory.applied.get(key), target);
    });
    for (const key of over) memory.findings.delete(key);
    if (over.length > 0) await drifts.ended(target, over, 'gone');
    const standing = open.flatMap((key): readonly StandingAgain[] => {
      const drift = memory.findings.get(key);
      const desired = wanted.get(key);
      return drift === undefined || desired === undefined ? [] : [{ drift, desired }];
    });
    if (standing.length === 0) return;
    const wishes = this.#wishesOf(spec);
    const time = this.#options.clock.now();
    await drifts.stands(
      target,
      standing.map(({ drift, desired }) => judgeDrift(drift, desired.object, wishes, time)),
    );
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
        this.#learnRehearsal(await rehearseAll(step.writes, step.deletions, liveOf, context), spec, memory);
        return;
      }
      case 'plan':
        return this.#plan(spec, memory, signal);
      case 'release':
        return this.#release(spec, memory, { isConsented: step.isConsented ?? false }, signal);
      case 'inspect': {
        const inspected = await inspectAll(step.writes, this.#inspectContext(spec, memory, signal));
        for (const { drift } of inspected) {
          const isRestless = memory.restless.has(drift.key);
          memory.findings.set(drift.key, isRestless ? { ...drift, resourceVersion: undefined } : drift);
        }
        return this.#recordDrifts(spec, memory, inspected);
      }
      case 'write': {
        this.#countHeals(step.writes, memory);
        const results = await applyAll(step.writes, this.#writeContext(spec, memory, signal));
        const failed = this.#learn(results, step.writes, memory);
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
        const failed = this.#learnReplacements(results, step.replacements, memory);
        narrate({ type: 'replaced', target, replacements: step.replacements, failed });
        return;
      }
      case 'prune': {
        await this.#allow(step.set, step.reason === 'removed' ? 'budget' : 'approval', target, memory);
        const results = await pruneAll(step.objects, this.#writeContext(spec, memory, signal), step.reason);
        this.#learnDeletions(results, step.objects, memory);
        const keys = results.flatMap((result) => (result.ok ? [result.key] : []));
        const findings = memory.examined?.found.findings;
        const removedBy = new Set(keys.flatMap((key) => findings?.get(key)?.removedBy ?? []));
        narrate({ type: 'pruned', target, keys, removedBy: [...removedBy] });
        return;
      }
      case 'examine':
        return this.#examine(step, spec, memory, signal);
      case 'disown': {
        const results = await disownAll(step.objects, this.#writeContext(spec, memory, signal));
        this.#learnDeletions(results, step.objects, memory, DISOWNING);
        const keys = results.flatMap((result) => (result.ok ? [result.key] : []));
        narrate({ type: 'disowned', target, keys });
        return;
      }
      case 'allow':
        return this.#allow(step.set, 'approval', target, memory);
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
        this.#learnStarts(started, step.starts, memory);
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
        this.#learnDeletions(results, step.objects, memory);
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

  #examined(memory: TargetMemory, objects: readonly LiveObject[]): Examination | undefined {
    const { examined } = memory;
    if (examined === undefined || examined.digest !== (memory.desired?.digest ?? '')) return undefined;
    const now = this.#options.clock.monotonic();
    const { doubt } = examined.found;
    if (doubt !== undefined) return now < doubt.retryAt ? examined.found : undefined;
    const { ids } = examined;
    const isKnown = ids === undefined || objects.every((live) => ids.has(deletionId(live)));
    return isKnown && now < examined.at + EXAMINED_MS ? examined.found : undefined;
  }

  /** Finds out what has to be known before these go, and whether they are not wanted indeed. */
  async #examine(
    step: Extract<Step, { do: 'examine' }>,
    spec: TargetSpec,
    memory: TargetMemory,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, ledger, sources, clock } = this.#options;
    const { target } = spec;
    const doubt = step.confirm ? await this.#confirm(spec, memory, signal) : undefined;
    const { desired } = memory;
    const digest = desired?.digest ?? '';
    if (doubt !== undefined) {
      memory.examined = { digest, ids: undefined, at: clock.monotonic(), found: { findings: new Map(), doubt } };
      return;
    }
    const findings = new Map(await examine(step.objects, { client, signal }));
    if (step.confirm && desired !== undefined) {
      const { author } = await sources.commitOf(spec.repository, desired.commit, { signal });
      const atHand =
        memory.releasedDigest === desired.digest ? undefined : `${desired.commit.slice(0, 7)} by ${author.name}`;
      const keys = step.objects.map(({ key }) => key);
      for (const [key, removedBy] of await removersOf(keys, target, ledger, atHand)) {
        findings.set(key, { ...findings.get(key), removedBy });
      }
    }
    const ids = new Set(step.objects.map(deletionId));
    memory.examined = { digest, ids, at: clock.monotonic(), found: { findings } };
  }

  /**
   * Renders once more, past everything that is kept. Where the same does not come of it, neither of the two is believed:
   * the newer one is what is wanted now, and nothing is deleted until two in a row agree.
   */
  async #confirm(spec: TargetSpec, memory: TargetMemory, signal: AbortSignal): Promise<Examination['doubt']> {
    const { sources, clock, claims, wake } = this.#options;
    const { desired } = memory;
    const source = sources.sourceOf(spec);
    const isCurrent = source.state === 'ready' && source.inputs === desired?.inputs;
    const drawn = isCurrent ? await this.#draw(spec, source, { isFresh: true }, signal) : undefined;
    const doubt = (error: PlumbError): Examination['doubt'] => {
      memory.doubts += 1;
      return { error, retryAt: clock.monotonic() + backoffMs(memory.doubts) };
    };
    if (drawn === undefined || desired === undefined || memory.desired !== desired) {
      return doubt(new PlumbError('RenderUnstable', 'The source moved while it was rendered once more'));
    }
    const [error] = drawn.errors;
    if (error !== undefined) return doubt(error);
    const mine = new Set(keysOf(desired));
    const others = new Set(keysOf(drawn.desired));
    const different = [...mine.symmetricDifference(others)];
    // Where chance is a part of it, what counts is which objects there are.
    if (different.length === 0 && (spec.isVolatile || drawn.desired.digest === desired.digest)) {
      memory.doubts = 0;
      return undefined;
    }
    memory.desired = { ...drawn.desired, inputs: desired.inputs, commit: desired.commit };
    wake(claims.claim(spec.target, keysOf(drawn.desired)));
    const names = different.slice(0, 3).map(shortNameOf).join(', ');
    const what = different.length === 0 ? 'fields of its objects' : `${names}${different.length > 3 ? ' …' : ''}`;
    const commit = desired.commit.slice(0, 7);
    return doubt(new PlumbError('RenderUnstable', `Two renders of ${commit} differ in ${what}, so nothing is deleted`));
  }

  /** The set may go, from now on until it is gone: its first step is about to be made. */
  async #allow(
    set: readonly LiveObject[],
    by: AllowedDeletion['by'],
    target: TargetKey,
    memory: TargetMemory,
  ): Promise<void> {
    const ids = set.map(deletionId);
    if (ids.every((id) => memory.allowed?.ids.has(id))) return;
    memory.allowed = { by, ids: new Set(ids) };
    if (by === 'budget') this.#options.breaker.took(ids.length);
    await this.#options.ledger.allowDeletion(target, memory.allowed);
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
    const drawn = source.state === 'ready' ? await this.#draw(spec, source, { isFresh: false }, signal) : undefined;
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

  /** Renders, and puts the objects where they belong on the cluster. Remembers nothing. */
  async #draw(
    spec: TargetSpec,
    { commit }: { readonly commit: string },
    { isFresh }: { readonly isFresh: boolean },
    signal: AbortSignal,
  ) {
    const { sources, renderer } = this.#options;
    const tree = sources.treeAt(spec.repository, commit);
    if (tree === undefined) return undefined;
    const externals = sources.externalsOf(spec);
    const { author, committer } = await sources.commitOf(spec.repository, commit, { signal });
    const source = { tree, externals, committedMs: committer.time, isFresh };
    const rendered = await renderer.render(spec, source, { signal });
    const objects = rendered.ok ? rendered.value.objects : [];
    const { scopes, others } = await this.#scopesOf(
      objects.map(({ object }) => object),
      signal,
    );
    const placed = place(objects, {
      target: spec.target,
      namespace: spec.namespace,
      applySet: spec.applySet,
      scopeOf: (groupKind) => scopes.get(kindName(groupKind)),
      isInOtherVersion: (groupKind) => others.has(kindName(groupKind)),
    });
    const errors: readonly PlumbError[] = rendered.ok ? placed.errors : rendered.error;
    return { rendered, errors, desired: placed.desired, author, externals };
  }

  /** The scope of each kind; a kind that the cluster does not know is left out, and told where it has another version. */
  async #scopesOf(
    objects: readonly { readonly apiVersion: string; readonly kind: string }[],
    signal: AbortSignal,
  ): Promise<{ readonly scopes: ReadonlyMap<string, Scope>; readonly others: ReadonlySet<string> }> {
    const { client } = this.#options;
    const scopes = new Map<string, Scope>();
    const others = new Set<string>();
    const asked = new Set<string>();
    for (const { apiVersion, kind } of objects) {
      const slash = apiVersion.indexOf('/');
      const group = slash < 0 ? '' : apiVersion.slice(0, slash);
      const version = apiVersion.slice(slash + 1);
      const name = kindName({ group, kind });
      if (asked.has(`${name} ${version}`)) continue;
      asked.add(`${name} ${version}`);
      try {
        const resource = await client.resource({ group, version, kind }, { signal });
        scopes.set(name, resource.namespaced ? 'namespaced' : 'cluster');
      } catch (thrown) {
        if (!isKindMissing(thrown)) throw thrown;
        const isOther = await client.resource({ group, kind }, { signal }).then(
          () => true,
          (error: unknown) => {
            if (isKindMissing(error)) return false;
            throw error;
          },
        );
        if (isOther) others.add(name);
      }
    }
    return { scopes, others };
  }

  async #release(
    spec: TargetSpec,
    memory: TargetMemory,
    { isConsented }: { readonly isConsented: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const { ledger, sources, narrate } = this.#options;
    const { desired } = memory;
    if (desired === undefined) return;
    const commit = await sources.commitOf(spec.repository, desired.commit, { signal });
    if (memory.openRelease?.hasFailed === false) {
      await ledger.concludeRelease(spec.target, memory.openRelease.number, 'superseded');
    }
    const release = await ledger.saveRelease({
      target: spec.target,
      commit: desired.commit,
      treeId: desired.inputs.split(' ')[0] ?? '',
      repository: sources.repository(spec.repository)?.spec.url ?? '',
      ...(memory.chart === undefined ? {} : { chart: chartText(memory.chart) }),
      // What was left out is to be looked for again, by another engine too.
      inputsKey: desired.awaiting.length === 0 ? desired.inputs : `${desired.inputs} awaiting`,
      digest: desired.digest,
      objects: everythingIn(desired).map(({ object, origin }) => ({ object, origin })),
      subject: commit.subject,
      author: commit.author.name,
    });
    memory.release = release.number;
    memory.released = desired;
    memory.rehearsal = NOT_REHEARSED;
    const plan = isConsented && memory.plan?.result.ok === true ? memory.plan.result.value : undefined;
    memory.plan = undefined;
    memory.releasedCommit = desired.commit;
    memory.releasedDigest = desired.digest;
    memory.openRelease = openReleaseOf(release.number, false, []);
    memory.wait = undefined;
    await this.#takeBack(spec.target, memory, desired);
    await this.#letLose(spec.target, memory, plan);
    narrate({
      type: 'released',
      target: spec.target,
      release: release.number,
      commit: desired.commit,
      subject: commit.subject,
    });
  }

  /** What Git wants again has to be allowed anew, should it be removed another time. */
  async #takeBack(target: TargetKey, memory: TargetMemory, desired: DesiredSet): Promise<void> {
    const { allowed } = memory;
    if (allowed === undefined) return;
    const wanted = new Set<string>(keysOf(desired));
    const ids = [...allowed.ids].filter((id) => !wanted.has(id.slice(0, id.lastIndexOf(' '))));
    if (ids.length === allowed.ids.size) return;
    memory.allowed = { by: allowed.by, ids: new Set(ids) };
    await this.#options.ledger.allowDeletion(target, memory.allowed);
  }

  /** What people have approved with the plan of a release may go in the course of it; what the last one had is over. */
  async #letLose(target: TargetKey, memory: TargetMemory, plan: Plan | undefined): Promise<void> {
    const { ledger } = this.#options;
    const losses = plan === undefined ? undefined : lossesOf(plan);
    const replaceable = new Set(losses?.replaces.map(({ id }) => id));
    if (replaceable.size > 0 || memory.replaceable.size > 0) {
      memory.replaceable = replaceable;
      await ledger.allowReplacements(target, replaceable);
    }
    if (losses === undefined || plan?.deletions.verdict !== 'blocked') return;
    memory.allowed = { by: 'approval', ids: new Set([...(memory.allowed?.ids ?? []), ...losses.deletes]) };
    await ledger.allowDeletion(target, memory.allowed);
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

  /** Takes in the answers to writes; returns what went wrong. */
  #learn(results: readonly WriteResult[], writes: readonly Write[], memory: TargetMemory): readonly FailedWrite[] {
    const failed: FailedWrite[] = [];
    for (const [index, result] of results.entries()) {
      const write = writes[index];
      if (write === undefined) continue;
      if (
        !result.ok &&
        write.heal !== undefined &&
        result.error.code === 'Conflict' &&
        !memory.restless.has(result.key)
      ) {
        // It is not any more what was looked into: it is looked into once more, and then put back whatever it is.
        memory.findings.delete(result.key);
        memory.restless.add(result.key);
        continue;
      }
      if (!result.ok) {
        this.#fail(memory, result.key, write.desired.hash, result.error);
        failed.push({ action: write.action, error: result.error });
        continue;
      }
      memory.failures.delete(result.key);
      memory.findings.delete(result.key);
      memory.restless.delete(result.key);
      if (result.object === undefined) continue;
      memory.applied.set(result.key, {
        uid: result.uid,
        desiredHash: write.desired.hash,
        fieldsHash: result.fieldsHash,
      });
      const { resourceVersion: version } = result.object.metadata;
      memory.written.set(result.key, { version, sinceMs: this.#options.clock.now() });
    }
    return failed;
  }

  #learnRehearsal(answers: readonly RehearsalAnswer[], { target }: TargetSpec, memory: TargetMemory): void {
    const digest = memory.desired?.digest ?? '';
    if (memory.rehearsal.digest !== digest) memory.rehearsal = { digest, answers: new Map() };
    const known = memory.rehearsal.answers;
    const isNews = answers.some(({ key, error }) => error !== undefined && known.get(key)?.error?.code !== error.code);
    for (const { key, ...answer } of answers) {
      const before = known.get(key);
      const attempts = before?.error === undefined ? 1 : before.attempts + 1;
      const retryAt = answer.error === undefined ? undefined : this.#retryAt(answer.error, attempts);
      known.set(key, { ...answer, attempts, retryAt });
    }
    const errors = answers.flatMap(({ error }) => error ?? []);
    if (isNews) this.#options.narrate({ type: 'stopped', target, errors });
  }

  #learnStarts(started: readonly HookStarted[], starts: readonly HookStart[], memory: TargetMemory): void {
    for (const [index, { key, error }] of started.entries()) {
      const start = starts[index];
      if (error === undefined || start === undefined) memory.failures.delete(key);
      else this.#fail(memory, key, hookAttempt(start.hook, start.mark), error);
    }
  }

  #learnReplacements(
    results: readonly WriteResult[],
    replacements: readonly Replacement[],
    memory: TargetMemory,
  ): ReadonlyMap<ObjectKey, PlumbError> {
    const failed = new Map<ObjectKey, PlumbError>();
    for (const [index, { desired, live }] of replacements.entries()) {
      const result = results[index];
      if (result?.ok === false) {
        this.#fail(memory, result.key, desired.hash, result.error);
        failed.set(result.key, result.error);
      } else if (result !== undefined) this.#learnDeletions([result], [live], memory);
    }
    return failed;
  }

  #learnDeletions(
    results: readonly WriteResult[],
    objects: readonly LiveObject[],
    memory: TargetMemory,
    attempt: string = DELETION,
  ): void {
    for (const [index, result] of results.entries()) {
      const object = objects[index];
      if (object === undefined) continue;
      if (!result.ok) {
        this.#fail(memory, result.key, attempt, result.error);
        continue;
      }
      memory.failures.delete(result.key);
      // What waits for its finalizers is still there: it leaves the inventory when it is seen to be gone.
      if (result.gone) memory.applied.delete(result.key);
      if (result.gone) this.#options.live.removed(result.key, object.uid);
      else this.#options.live.leaving(result.key, object.uid);
    }
  }

  #fail(memory: TargetMemory, key: ObjectKey, hash: string, error: PlumbError): void {
    // It was not tried: without the lease nothing is, and with it again everything is looked at anew.
    if (error.code === 'EngineBusy') return;
    const before = memory.failures.get(key);
    const attempts = before?.hash === hash ? before.attempts + 1 : 1;
    memory.failures.set(key, { hash, error, attempts, retryAt: this.#retryAt(error, attempts) });
  }

  #retryAt(error: PlumbError, attempts: number): number {
    const waitMs =
      error.facts.retry === 'backoff' ? Math.max(error.retryAfterMs ?? 0, backoffMs(attempts)) : STUCK_RETRY_MS;
    return this.#options.clock.monotonic() + waitMs;
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

  #rest(target: TargetKey, memory: TargetMemory, rest: Rest): void {
    if (memory.rest === undefined) {
      // The first rest after a start: what another engine said before goes on where it is still so.
      const said = this.#options.lastSaid(target);
      memory.since = said?.state === rest.state ? said.since : this.#options.clock.now();
    } else if (memory.rest.state !== rest.state) memory.since = this.#options.clock.now();
    memory.rest = rest;
    memory.restedOn = { revision: memory.releasedCommit, release: memory.release, inputs: memory.desired?.inputs };
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

function chartText({ name, version, digest }: NonNullable<Externals['chart']>): string {
  return `${name} ${version} ${digest}`;
}

function planFactOf({ desired, look, result }: MadePlan, looks: number): PlanFact {
  const isFresh = look === looks;
  if (!result.ok) return { state: 'failed', desired, isFresh, errors: result.error };
  const { digest, policies } = result.value;
  const denials = policies === undefined ? [] : denialsOf(policies);
  return { state: 'made', desired, isFresh, digest, denials, losses: lossesOf(result.value) };
}

interface StandingAgain {
  readonly drift: Drift;
  readonly desired: DesiredObject;
}

function isAsApplied(live: LiveObject | undefined, applied: AppliedObject | undefined, target: TargetKey): boolean {
  if (live === undefined || applied === undefined || live.uid !== applied.uid || live.target !== target) return false;
  return live.fieldsHash === applied.fieldsHash || live.fieldsHashBeforeScaling === applied.fieldsHash;
}

function isKindMissing(thrown: unknown): boolean {
  return thrown instanceof PlumbError && thrown.code === 'KindMissing';
}

function placedOf(stored: readonly ReleaseObject[]): readonly PlacedObject[] {
  return stored.map(({ object, origin }) => ({ object, origin: origin ?? { file: '' } }));
}

/**
 * What was released, as it is sent now: a former Plumb sent Secrets as Git says them. Their hashes are others then, so that
 * each is sent once more, and no release is made of it.
 */
function asSentNow(recorded: DesiredSet): DesiredSet {
  const placed = everythingIn(recorded).map(({ object, origin }) => ({ object: withPlainData(object), origin }));
  const isSame = everythingIn(recorded).every(({ object }, index) => object === placed[index]?.object);
  return isSame ? recorded : arrange(placed, []);
}

function hasRunForDeletion(runs: readonly HookRunRecord[]): boolean {
  return runs.some(({ mark }) => isDeletionRun(mark));
}

/** What is kept, and what is run. */
function everythingIn(desired: DesiredSet | undefined): readonly DesiredObject[] {
  return desired === undefined ? [] : [...desired.objects, ...desired.hooks];
}

function keysOf(desired: DesiredSet): readonly ObjectKey[] {
  return everythingIn(desired).map(({ key }) => key);
}

function kindsIn(objects: readonly { readonly key: ObjectKey }[] = []): readonly GroupKind[] {
  return objects.flatMap(({ key }) => {
    const ref = parseObjectKey(key);
    return ref === undefined ? [] : [{ group: ref.group, kind: ref.kind }];
  });
}
