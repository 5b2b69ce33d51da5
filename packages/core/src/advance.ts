import { whyTripped, type BreakerFacts } from './breaker.ts';
import { decide, type AppliedObject, type Decision, type DecisionPolicy } from './decide.ts';
import { crdKeyFor, type DesiredObject, type DesiredSet } from './desired.ts';
import {
  deletionDigest,
  isWarranted,
  judgeDeletions,
  type DeletionBudget,
  type DeletionVerdict,
  type Warrant,
} from './deletion.ts';
import { formatWhere, PlumbError } from './error.ts';
import { needsInspection, whatGoesAlong, whyKept, INSPECTION_MS, type Inspection } from './inspection.ts';
import { parseObjectKey, shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';
import { kindName, type GroupKind } from './object.ts';
import { orderForDelete } from './order.ts';

/** The headline of a target, worst first. `Suspended` is a state that a person asked for, so it hides the others. */
export type HeadlineState = 'Failed' | 'Degraded' | 'Drifted' | 'Syncing' | 'Pending' | 'Healthy' | 'Suspended';

export type SourceFact =
  | { readonly state: 'waiting' }
  | { readonly state: 'failed'; readonly error: PlumbError }
  | {
      readonly state: 'ready';
      readonly commit: string;
      /** Names all inputs of the render. */ readonly inputs: string;
    };

/** Stands for the desired hash where the attempt was a deletion. */
export const DELETION = 'deletion';

/** The last attempt to write an object that did not work. */
export interface WriteFailure {
  /** Of the desired object at that attempt: a new hash is a new attempt. */
  readonly hash: string;
  readonly error: PlumbError;
  /** Monotonic milliseconds; undefined where only new input can help. */
  readonly retryAt: number | undefined;
}

/** All that is known about one target at one moment. Facts are re-read for every step, so no step relies on an event. */
export interface TargetFacts {
  readonly target: TargetKey;
  readonly now: number;
  readonly suspended: boolean;
  readonly policy: DecisionPolicy;
  readonly budget: DeletionBudget;
  readonly approvedDeletion: string | undefined;
  readonly source: SourceFact;
  /** The last render of the current inputs, if it failed. */
  readonly renderFailure:
    | {
        readonly inputs: string;
        readonly errors: readonly PlumbError[];
        readonly retryAt: number | undefined;
        /** The commit that was rendered, as people name it: `3f2a1bc by Demo Author`. */
        readonly commit: string;
      }
    | undefined;
  /** The last close look at objects that Git does not want. */
  readonly inspection: Inspection | undefined;
  /** The set of deletions that is being carried out. */
  readonly warrant: Warrant | undefined;
  /** What all targets together have deleted lately. */
  readonly breaker: BreakerFacts;
  /** Monotonic milliseconds until which nothing is deleted, because the cluster went back in time. */
  readonly frozenUntil: number;
  /** The last complete desired set, and the inputs it came from. */
  readonly desired: (DesiredSet & { readonly inputs: string; readonly commit: string }) | undefined;
  /** Whether the watch of a kind tells the truth: `failed` names why it cannot. */
  watchOf(
    groupKind: GroupKind,
  ): { readonly state: 'synced' | 'starting' | 'missing' } | { readonly state: 'failed'; readonly error: PlumbError };
  /** Kinds that may hold members of this target: what the annotation on its parent says, as last written or read. */
  readonly parentKinds: readonly GroupKind[];
  /** Kinds that the other targets of the same parent need there. */
  readonly siblingKinds: readonly GroupKind[];
  liveOf(key: ObjectKey): LiveObject | undefined;
  /** Live objects whose marks name this target. */
  readonly members: readonly LiveObject[];
  readonly applied: ReadonlyMap<ObjectKey, AppliedObject>;
  readonly failures: ReadonlyMap<ObjectKey, WriteFailure>;
  /** The other living target that the object belongs to: its marks decide, and before it has any, who claimed first. */
  ownerOf(key: ObjectKey): TargetKey | undefined;
  /** Another target that wants the object now, whoever it belongs to: it is handed over and never deleted. */
  heirOf(key: ObjectKey): TargetKey | undefined;
  /**
   * A target of the same repository that has not said yet what it wants of the commit. Before a deletion also one that
   * cannot say it, because the same commit broke it: what moved there must not be deleted here.
   */
  behind(before: 'claim' | 'deletion'): TargetKey | undefined;
  /** Healing of this target is put off until then, because somebody keeps changing it back. */
  readonly healAfter: number;
  /** The release that is being rolled out, until its outcome is known. */
  readonly openRelease: { readonly number: number; readonly hasFailed: boolean } | undefined;
  /** Digest of the last release, open or not. */
  readonly releasedDigest: string | undefined;
}

export type Write = Extract<Decision, { readonly action: 'create' | 'update' | 'adopt' }>;

export interface Rest {
  readonly do: 'rest';
  readonly state: HeadlineState;
  /** One sentence with the cause. */
  readonly message: string;
  readonly failures: readonly PlumbError[];
  readonly deletions: DeletionVerdict;
  /** Look again then (monotonic milliseconds), even if nothing happens. */
  readonly wakeAt: number | undefined;
  /** Look again when this target has come to rest. */
  readonly waitsFor?: TargetKey | undefined;
}

/** The next step of a target. Repeating any of them is harmless. */
export type Step =
  | { readonly do: 'render' }
  /** Start the watches of these kinds and come back when they have synced. */
  | { readonly do: 'watch'; readonly kinds: readonly GroupKind[] }
  /** Write the kinds to the parent's annotation: widened before the first apply, narrowed after the last deletion. */
  | { readonly do: 'membership'; readonly kinds: readonly GroupKind[] }
  /** Record the new release, before its first write. */
  | { readonly do: 'release' }
  | { readonly do: 'write'; readonly writes: readonly Write[] }
  /** Look closely at what Git does not want: render once more, and see what would go along. */
  | { readonly do: 'inspect'; readonly objects: readonly LiveObject[] }
  /** Record that this set may go, before the first of it does. */
  | { readonly do: 'warrant'; readonly objects: readonly LiveObject[] }
  | { readonly do: 'prune'; readonly objects: readonly LiveObject[] }
  | { readonly do: 'conclude'; readonly outcome: 'healthy' | 'failed'; readonly message: string }
  | Rest;

/**
 * What to do next about a target: a pure function of the facts.
 *
 *   source ─► render ─► watch ─► release ─► widen ─► write, phase by phase
 *     ─► inspect ─► warrant ─► prune, phase by phase from the last ─► narrow ─► health ─► conclude ─► rest
 *
 * What failed before does not hide what can still be done: with a broken render the last good set is kept healed, and
 * with one object that fails the others are written. Only deletions wait until everything else is in order.
 */
export function advance(facts: TargetFacts): Step {
  const step = nextStep(facts);
  if (step.do !== 'rest' || step.state === 'Suspended') return step;
  // Whatever else it rests for: a render that is to be tried again is not forgotten.
  return { ...step, wakeAt: earliest([step.wakeAt, facts.renderFailure?.retryAt]) };
}

function nextStep(facts: TargetFacts): Step {
  const { source, desired, now } = facts;
  if (facts.suspended) return rest('Suspended', 'Suspended: nothing is written until it is resumed.');

  const renderError = facts.renderFailure;
  if (source.state === 'ready' && desired?.inputs !== source.inputs) {
    const failed = renderError?.inputs === source.inputs;
    if (!failed || (renderError.retryAt !== undefined && renderError.retryAt <= now)) return { do: 'render' };
  }
  const current = source.state === 'ready' && desired?.inputs === source.inputs;
  const since = source.state === 'ready' && !current ? renderError?.commit : undefined;
  const inputErrors = source.state === 'failed' ? [source.error] : current ? [] : (renderError?.errors ?? []);
  // While the host cannot be reached the target is judged by what it runs; its Repository says what is wrong.
  const outage = source.state === 'failed' && source.error.facts.retry === 'backoff';
  if (desired === undefined) {
    if (inputErrors.length > 0) return rest('Failed', sentence(inputErrors, since), { failures: inputErrors });
    return rest('Pending', 'Waiting for the first look at the repository.');
  }

  const watches = watchesFor(facts, desired);
  if (watches.start.length > 0) return { do: 'watch', kinds: watches.start };
  if (watches.waiting) return rest('Syncing', 'Reading what is in the cluster.');

  const decisions = desired.objects.map((object) => decideObject(facts, object, watches.failed));
  const claimed = decisions.filter(
    (decision) => decision.action === 'blocked' && decision.error.code === 'OwnedByOther',
  );
  const opening = facts.releasedDigest !== desired.digest;
  if (claimed.length > 0 && opening) {
    const behind = facts.behind('claim');
    if (behind !== undefined) return restBehind(behind);
    // Before the first write of a release: an object of another application stops the release whole.
    const errors = claimed.map((decision) => (decision as { error: PlumbError }).error);
    return rest('Failed', sentence(errors), { failures: [...inputErrors, ...errors] });
  }
  if (opening && desired.objects.length === 0) {
    const pending = current && watches.complete ? pendingDeletions(facts, desired) : NOTHING;
    if (pending.step !== undefined) return pending.step;
    if (pending.verdict.verdict === 'blocked') return restBlocked(facts, pending.verdict, pending.wakeAt);
    if (pending.verdict.verdict === 'none') {
      const error = new PlumbError('SuspiciouslyEmpty', `The source of ${facts.target} holds no manifests`);
      return rest('Failed', error.message, { failures: [...inputErrors, error] });
    }
  }
  if (opening && !current) {
    // It was rendered and never released, and now it is not even what Git says.
    if (inputErrors.length > 0) return rest('Failed', sentence(inputErrors, since), { failures: inputErrors });
    return rest('Pending', 'Waiting for the repository.');
  }
  if (opening) return { do: 'release' };

  const wantedKinds = kindsOf([...desired.objects, ...facts.members], facts.siblingKinds);
  const parentKinds = kindsOf([], facts.parentKinds);
  if ([...wantedKinds.keys()].some((name) => !parentKinds.has(name))) {
    return { do: 'membership', kinds: [...new Map([...parentKinds, ...wantedKinds]).values()] };
  }

  const progress = writesDue(facts, desired, decisions);
  if (progress.writes.length > 0) return { do: 'write', writes: progress.writes };

  const failures = [...inputErrors, ...progress.failures, ...watches.unread];
  const settled = failures.length === 0 && progress.waiting === undefined;
  // A failed or incomplete read never deletes: deletions need today's render, all watches, and all writes done.
  const pending = current && settled && watches.complete ? pendingDeletions(facts, desired) : NOTHING;
  if (pending.step !== undefined) return pending.step;
  const deletions = pending.verdict;
  if (deletions.verdict === 'allowed') return carryOut(facts, desired, deletions.objects);
  if (current && settled && watches.complete && parentKinds.size > wantedKinds.size) {
    return { do: 'membership', kinds: [...wantedKinds.values()] };
  }

  const wakeAt = progress.wakeAt;
  if (progress.failures.length > 0) {
    const message = sentence(progress.failures);
    if (facts.openRelease?.hasFailed === false && progress.failures.every((error) => error.facts.retry === 'change')) {
      return { do: 'conclude', outcome: 'failed', message };
    }
    return rest('Failed', sentence(failures), { failures, wakeAt });
  }
  if (inputErrors.length > 0 && !outage) {
    return rest('Failed', sentence(inputErrors, since), { failures: inputErrors });
  }
  if (watches.unread.length > 0) return rest('Failed', sentence(failures), { failures });
  if (deletions.verdict === 'blocked') return restBlocked(facts, deletions, pending.wakeAt);
  const leaving = leavingOf(facts, desired);
  if (leaving.length > 0) return rest('Syncing', waitingText(leaving));
  if (progress.drifted) return rest('Drifted', progress.waiting ?? '', { wakeAt });
  if (progress.waiting !== undefined) return rest('Syncing', progress.waiting, { wakeAt });

  // What Git says now may be something else: until it has been asked nothing is called done.
  if (source.state === 'waiting') return rest('Pending', 'Waiting for the first look at the repository.');
  return restByHealth(facts, desired);
}

function rest(state: HeadlineState, message: string, more: Partial<Omit<Rest, 'do' | 'state' | 'message'>> = {}): Rest {
  return { do: 'rest', state, message, failures: [], deletions: { verdict: 'none' }, wakeAt: undefined, ...more };
}

function restBehind(behind: TargetKey): Rest {
  return rest('Syncing', `Waiting until ${behind} can say what it wants of the same commit.`, { waitsFor: behind });
}

function restBlocked(
  facts: TargetFacts,
  deletions: Extract<DeletionVerdict, { verdict: 'blocked' }>,
  wakeAt: number | undefined,
): Rest {
  const names = nameSome(deletions.objects.map(({ key }) => key).sort());
  const commits = new Set(deletions.objects.flatMap(({ key }) => facts.inspection?.removals.get(key) ?? []));
  const by = commits.size === 0 ? '' : `; removed from Git by ${[...commits].join(', ')}`;
  const error = new PlumbError('DeletionBlocked', `Deleting ${names} is blocked: ${deletions.reason}${by}`, {
    fix: `Restore them in Git, or approve exactly this set: plumb sync ${commandName(facts.target)} --approve-deletion ${deletions.digest}`,
  });
  return rest('Failed', error.message, { failures: [error], deletions, wakeAt });
}

interface Watches {
  readonly start: readonly GroupKind[];
  readonly waiting: boolean;
  readonly complete: boolean;
  /** By kind of a desired object. */
  readonly failed: ReadonlyMap<string, PlumbError>;
  /** Kinds that Git does not want any more, where objects may be left and cannot be seen. */
  readonly unread: readonly PlumbError[];
}

function watchesFor(facts: TargetFacts, desired: DesiredSet): Watches {
  const wanted = kindsOf(desired.objects, []);
  const start: GroupKind[] = [];
  const failed = new Map<string, PlumbError>();
  const unread: PlumbError[] = [];
  let waiting = false;
  let complete = true;
  for (const [name, kind] of kindsOf(desired.objects, facts.parentKinds)) {
    const watch = facts.watchOf(kind);
    if (watch.state === 'synced') continue;
    const isMissing = watch.state === 'failed' && watch.error.code === 'KindMissing';
    // A kind that is no more has no objects: they went with its definition.
    if (isMissing && !wanted.has(name)) continue;
    complete = false;
    const brought = crdKeyFor(desired.objects, kind) !== undefined;
    if (watch.state === 'missing' && (!brought || crdIsEstablished(facts, desired, kind))) start.push(kind);
    else if (watch.state === 'starting' || (isMissing && brought)) waiting = true;
    else if (watch.state === 'failed' && wanted.has(name)) failed.set(name, watch.error);
    else if (watch.state === 'failed') unread.push(watch.error);
  }
  return { start, waiting, complete, failed, unread };
}

function kindsOf(objects: readonly { readonly key: ObjectKey }[], more: readonly GroupKind[]): Map<string, GroupKind> {
  const kinds = new Map<string, GroupKind>();
  for (const kind of more) kinds.set(kindName(kind), kind);
  for (const { key } of objects) {
    const ref = parseObjectKey(key);
    if (ref !== undefined) kinds.set(kindName(ref), { group: ref.group, kind: ref.kind });
  }
  return kinds;
}

function crdIsEstablished(facts: TargetFacts, desired: DesiredSet, kind: GroupKind): boolean {
  const key = crdKeyFor(desired.objects, kind);
  return key !== undefined && facts.liveOf(key)?.health.status === 'Healthy';
}

function decideObject(facts: TargetFacts, desired: DesiredObject, failed: ReadonlyMap<string, PlumbError>): Decision {
  const { key } = desired;
  const ref = parseObjectKey(key);
  const unreadable = ref === undefined ? undefined : failed.get(kindName(ref));
  if (unreadable !== undefined) return { action: 'blocked', key, desired, error: unreadable };
  return decide({
    target: facts.target,
    key,
    desired,
    live: facts.liveOf(key),
    applied: facts.applied.get(key),
    owner: facts.ownerOf(key),
    policy: facts.policy,
  });
}

interface WriteProgress {
  readonly writes: readonly Write[];
  readonly failures: readonly PlumbError[];
  readonly waiting: string | undefined;
  readonly drifted: boolean;
  readonly wakeAt: number | undefined;
}

/** The writes of the lowest phase that has any. Kinds whose definition is on its way wait for it to be established. */
function writesDue(facts: TargetFacts, desired: DesiredSet, decisions: readonly Decision[]): WriteProgress {
  const failures: PlumbError[] = [];
  const due: Write[] = [];
  let waiting: string | undefined;
  let drifted = false;
  const wakes: (number | undefined)[] = [];
  for (const decision of decisions) {
    if (decision.action === 'blocked') failures.push(decision.error);
    if (decision.action === 'keep' && decision.waitsFor === 'deletion') {
      waiting ??= `Waiting until ${nameSome([decision.key])} is gone, to create it again.`;
    }
    if (decision.action !== 'create' && decision.action !== 'update' && decision.action !== 'adopt') continue;
    const failure = facts.failures.get(decision.key);
    if (failure !== undefined && !isDue(failure, decision.desired.hash, facts.now)) {
      failures.push(failure.error);
      wakes.push(failure.retryAt);
      continue;
    }
    // The same wish once more: somebody undid it, and undoes it again. Whatever the reason, that is no race to win.
    const isRepeat = facts.applied.get(decision.key)?.desiredHash === decision.desired.hash;
    if (isRepeat && facts.healAfter > facts.now) {
      waiting ??= `${nameSome([decision.key])} keeps being changed by ${decision.editor?.manager ?? 'somebody else'}; it is healed again later.`;
      drifted = true;
      wakes.push(facts.healAfter);
      continue;
    }
    const ref = parseObjectKey(decision.key);
    const crd = ref === undefined ? undefined : crdKeyFor(desired.objects, ref);
    if (crd !== undefined && facts.liveOf(crd)?.health.status !== 'Healthy') {
      waiting ??= `Waiting until ${nameSome([crd])} is established.`;
      // The definition itself must not count as waited for: it is written in this or an earlier phase.
      continue;
    }
    due.push(decision);
  }
  const phase = Math.min(...due.map(({ desired: object }) => object.phase));
  return {
    writes: due.filter(({ desired: object }) => object.phase === phase),
    failures,
    waiting,
    drifted,
    wakeAt: earliest(wakes),
  };
}

/** Whether an attempt is to be made: nothing failed yet, the wish is another one now, or it is time to try again. */
function isDue(failure: WriteFailure | undefined, hash: string, now: number): boolean {
  return failure === undefined || failure.hash !== hash || (failure.retryAt !== undefined && failure.retryAt <= now);
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

interface Pending {
  readonly verdict: DeletionVerdict;
  /** What has to be done before the verdict counts, or why there is none. */
  readonly step?: Step;
  /** When a set that is blocked may go by itself. */
  readonly wakeAt?: number | undefined;
}

const NOTHING: Pending = { verdict: { verdict: 'none' } };

/** What is to become of the objects that Git does not want. Nothing is said of them without a close look. */
function pendingDeletions(facts: TargetFacts, desired: DesiredSet): Pending {
  const { now, inspection, frozenUntil } = facts;
  const candidates = candidatesOf(facts, desired);
  if (candidates.length === 0) return NOTHING;
  if (frozenUntil > now) return { ...NOTHING, step: restFrozen(candidates, frozenUntil) };
  if (inspection === undefined || needsInspection(candidates, inspection, now)) {
    return { ...NOTHING, step: { do: 'inspect', objects: candidates } };
  }
  const wakeAt = inspection.at + INSPECTION_MS;
  if (inspection.error !== undefined) {
    const { error } = inspection;
    return { ...NOTHING, step: rest('Failed', error.message, { failures: [error], wakeAt }) };
  }
  const kept = candidates.flatMap((live) => whyKept(live, inspection) ?? []);
  const going = candidates.filter((live) => whyKept(live, inspection) === undefined);
  const verdict = judgeDeletions({
    candidates: going,
    memberCount: facts.members.length,
    desiredCount: desired.objects.length,
    budget: facts.budget,
    approved: facts.approvedDeletion,
    warrant: facts.warrant,
  });
  if (verdict.verdict === 'blocked') {
    const reasons = [verdict.reason, whatGoesAlong(going, inspection), ...kept];
    return { verdict: { ...verdict, reason: reasons.filter((reason) => reason !== '').join('; ') } };
  }
  const digest = deletionDigest(going);
  if (verdict.verdict === 'allowed' && !isWarranted(going, facts.warrant) && facts.approvedDeletion !== digest) {
    const reason = whyTripped(going.length, facts.breaker);
    const waitMs = facts.breaker.waitMsFor(going.length);
    if (reason !== undefined) {
      const blocked = { verdict: 'blocked' as const, objects: going, digest, reason };
      return { verdict: blocked, wakeAt: waitMs === undefined ? undefined : now + waitMs };
    }
  }
  if (verdict.verdict === 'none' && kept.length > 0) {
    const error = new PlumbError('DeletionBlocked', kept.join('; '), {
      fix: 'Move or delete what it holds, or restore it in Git.',
    });
    return { verdict, step: rest('Failed', error.message, { failures: [error], wakeAt }) };
  }
  return { verdict };
}

function candidatesOf(facts: TargetFacts, desired: DesiredSet): readonly LiveObject[] {
  const wanted = new Set(desired.objects.map(({ key }) => key));
  return facts.members.filter((live) => {
    if (wanted.has(live.key)) return false;
    const decision = decide({
      target: facts.target,
      key: live.key,
      desired: undefined,
      live,
      applied: facts.applied.get(live.key),
      owner: facts.ownerOf(live.key),
      policy: facts.policy,
    });
    // An object that another living target wants is handed over, not deleted.
    return decision.action === 'delete' && facts.heirOf(live.key) === undefined;
  });
}

/** Deletes the last phase that has objects left; the one before it has to wait until they are gone. */
function carryOut(facts: TargetFacts, desired: DesiredSet, objects: readonly LiveObject[]): Step {
  // An object that moves from one application to another is handed over: who gets it has to say so first.
  const behind = facts.behind('deletion');
  if (behind !== undefined) return restBehind(behind);
  if (!isWarranted(objects, facts.warrant)) return { do: 'warrant', objects };
  const leaving = leavingOf(facts, desired);
  const [phase = []] = orderForDelete([...objects, ...leaving], ({ key }) => {
    return parseObjectKey(key) ?? { group: '', kind: '', namespace: '', name: key };
  });
  const left = phase.filter(({ deleting }) => !deleting);
  const due = left.filter(({ key }) => isDue(facts.failures.get(key), DELETION, facts.now));
  if (due.length > 0) return { do: 'prune', objects: due };
  const failed = left.flatMap(({ key }) => facts.failures.get(key) ?? []);
  if (failed.length === 0) return rest('Syncing', waitingText(phase));
  const errors = failed.map(({ error }) => error);
  return rest('Failed', sentence(errors), {
    failures: errors,
    wakeAt: earliest(failed.map(({ retryAt }) => retryAt)),
  });
}

function leavingOf(facts: TargetFacts, desired: DesiredSet): readonly LiveObject[] {
  return facts.members.filter((live) => live.deleting && !desired.objects.some(({ key }) => key === live.key));
}

function waitingText(leaving: readonly LiveObject[]): string {
  const finalizers = [...new Set(leaving.flatMap((live) => live.finalizers ?? []))];
  const held = finalizers.length === 0 ? '' : `, which waits for ${finalizers.join(', ')}`;
  return `Waiting until ${nameSome(leaving.map(({ key }) => key))} is gone${held}.`;
}

function restFrozen(objects: readonly LiveObject[], wakeAt: number): Rest {
  const names = nameSome(objects.map(({ key }) => key).sort());
  const error = new PlumbError(
    'DeletionBlocked',
    `Deleting ${names} waits: the cluster went back to an older state, as after a restored backup`,
    { fix: 'Nothing to do: it goes on by itself 15 minutes after that was seen.' },
  );
  return rest('Failed', error.message, { failures: [error], wakeAt });
}

function restByHealth(facts: TargetFacts, desired: DesiredSet): Step {
  let progressing: string | undefined;
  let degraded: string | undefined;
  for (const { key } of desired.objects) {
    const live = facts.liveOf(key);
    if (live === undefined) {
      progressing ??= `Waiting to see ${nameSome([key])}.`;
      continue;
    }
    const { status, message } = live.health;
    if (status === 'Degraded' || status === 'Missing') degraded ??= `${nameSome([key])}: ${message}`;
    else if (status === 'Progressing' || status === 'Unknown') progressing ??= `${nameSome([key])}: ${message}`;
  }
  if (degraded !== undefined) return rest('Degraded', degraded);
  if (progressing !== undefined) return rest('Syncing', progressing);
  const message = `${desired.objects.length === 1 ? '1 object is' : `${desired.objects.length} objects are`} as Git wants.`;
  if (facts.openRelease !== undefined) return { do: 'conclude', outcome: 'healthy', message };
  return rest('Healthy', message);
}

/** The first error with its place, and how many there are besides. */
function sentence(errors: readonly PlumbError[], since?: string): string {
  const first = errors[0];
  if (first === undefined) return '';
  const place = first.where?.line === undefined ? '' : `${formatWhere(first.where)}: `;
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  return `${place}${first.message}${more}${since === undefined ? '' : `, since ${since}`}`;
}

function nameSome(keys: readonly ObjectKey[]): string {
  const names = keys.slice(0, 3).map(shortNameOf);
  return keys.length > 3 ? `${names.join(', ')} and ${keys.length - 3} more` : names.join(', ');
}

function commandName(target: TargetKey): string {
  const [namespace, application, environment] = target.split('/');
  const inNamespace = namespace === 'default' ? '' : ` -n ${namespace}`;
  return `${application}${inNamespace}${environment === undefined ? '' : ` -e ${environment}`}`;
}
