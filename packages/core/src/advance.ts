import { decide, type AppliedObject, type Decision, type DecisionPolicy } from './decide.ts';
import type { DesiredObject, DesiredSet } from './desired.ts';
import { firstToGo } from './delete-order.ts';
import {
  judgeDeletions,
  withhold,
  type BlockedDeletion,
  type DeletionBudget,
  type DeletionFacts,
  type DeletionVerdict,
  type Findings,
} from './deletion.ts';
import { formatWhere, PlumbError } from './error.ts';
import type { HookPhase } from './hook.ts';
import { advanceHooks, type HookProgress, type HookRun, type HookStep } from './hook-run.ts';
import { parseObjectKey, shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';
import { kindName, type GroupKind } from './object.ts';
import { BEFORE_HOOKS, definitionsIn, type Need } from './order-graph.ts';
import { commandName, nameSome, waitingUntilGone } from './phrases.ts';
import { DELETION, isWrite, rehearsalOf, type Rehearsed, type Write } from './rehearsal.ts';
import { retire, type Retirement } from './retire.ts';

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

/** Stands for the desired hash where the attempt was to take our marks off. */
export const DISOWNING = 'disowning';

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
  readonly deletions: DeletionFacts;
  /** Set where the target is to end. */
  readonly retirement?: Retirement | undefined;
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
  /** The last complete desired set, and the inputs it came from. */
  readonly desired: (DesiredSet & { readonly inputs: string; readonly commit: string }) | undefined;
  /** What was released last, while `desired` may already be the next: it goes on being healed where that cannot be done. */
  readonly released: TargetFacts['desired'];
  /** What dry-runs of `desired` have said. */
  readonly rehearsed: ReadonlyMap<ObjectKey, Rehearsed>;
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
  /** Until when healing the object is put off, because that manager keeps changing it back; 0 for not at all. */
  healAfter(key: ObjectKey, manager: string): number;
  /** The release that is being rolled out, until its outcome is known. */
  readonly openRelease: OpenRelease | undefined;
  /** Whether the applications that this one depends on are healthy, with what the same commit gave them. */
  dependencies(): DependencyFact;
  /** What the last look waited for, and since when. */
  readonly wait: { readonly on: string; readonly since: number; readonly sinceTime: number } | undefined;
  /** Epoch milliseconds: `now` is of a clock that only measures. */
  readonly time: number;
  /** How long one thing may be waited for before the release counts as failed, in milliseconds. */
  readonly deadlineMs: number;
  /** Digest of the last release, open or not. */
  readonly releasedDigest: string | undefined;
}

export interface OpenRelease {
  readonly number: number;
  readonly hasFailed: boolean;
  /** Counts the times that somebody asked for its hooks to be run, from 1. */
  readonly attempt: number;
  /** What is known of its hooks, by `hookRunId`. */
  readonly runs: ReadonlyMap<string, HookRun>;
}

export type DependencyFact =
  | { readonly state: 'ready' }
  /** Woken when that target comes to rest. */
  | { readonly state: 'waiting'; readonly target: TargetKey; readonly message: string }
  | { readonly state: 'failed'; readonly error: PlumbError };

export type Replacement = Extract<Decision, { readonly action: 'replace' }>;

export interface Rest {
  readonly do: 'rest';
  readonly state: HeadlineState;
  /** One sentence with the cause. */
  readonly message: string;
  /** The cause in one word, where no failure names it. */
  readonly reason?: string;
  readonly failures: readonly PlumbError[];
  readonly deletions: DeletionVerdict;
  /** Look again then (monotonic milliseconds), even if nothing happens. */
  readonly wakeAt: number | undefined;
  /** Look again when this target has come to rest. */
  readonly waitsFor?: TargetKey | undefined;
  /** Names what is waited for: as long as it is the same, its deadline runs. */
  readonly waitsOn?: string | undefined;
}

/** The next step of a target. Repeating any of them is harmless. */
export type Step =
  | { readonly do: 'render' }
  /** Start the watches of these kinds and come back when they have synced. */
  | { readonly do: 'watch'; readonly kinds: readonly GroupKind[] }
  /** Write the kinds to the parent's annotation: widened before the first apply, narrowed after the last deletion. */
  | { readonly do: 'membership'; readonly kinds: readonly GroupKind[] }
  /** Try what a new release would write, without effect: see `rehearsal.ts`. */
  | { readonly do: 'rehearse'; readonly writes: readonly Write[]; readonly deletions: readonly LiveObject[] }
  /** Record the new release, before its first write. */
  | { readonly do: 'release' }
  | { readonly do: 'write'; readonly writes: readonly Write[] }
  /** Delete these, once it is sure that they can be made anew; that they are gone is then a reason to create them. */
  | { readonly do: 'replace'; readonly replacements: readonly Replacement[] }
  /** Find out what has to be known of these objects before they may go; `confirm` renders once more. */
  | { readonly do: 'examine'; readonly objects: readonly LiveObject[]; readonly confirm: boolean }
  | {
      readonly do: 'prune';
      readonly objects: readonly LiveObject[];
      readonly reason: 'removed' | 'approved' | 'decommissioned';
      /** All that was allowed to go, of which these are the first. */
      readonly set: readonly LiveObject[];
    }
  /** Take our marks off these objects, and leave them as they are. */
  | { readonly do: 'disown'; readonly objects: readonly LiveObject[] }
  /** These are gone, or another target's: they are no longer in the inventory. */
  | { readonly do: 'strike'; readonly keys: readonly ObjectKey[] }
  /** Nothing of the target is left to remember. */
  | { readonly do: 'retired' }
  | HookStep
  | { readonly do: 'conclude'; readonly outcome: 'healthy' | 'failed'; readonly message: string }
  | Rest;

/**
 * What to do next about a target: a pure function of the facts.
 *
 *   source ─► render ─► watch ─► depend ─► rehearse ─► release ─► widen ─► PreSync ─► write, wave by wave
 *     ─► examine ─► prune, from the last wave to the first ─► narrow ─► health ─► PostSync ─► conclude ─► rest
 *
 * What failed before does not hide what can still be done: with a broken render, or a change that the API server would
 * refuse, the last set is kept healed, and with one object that fails the others are written. Only deletions wait until
 * everything else is in order.
 */
export function advance(facts: TargetFacts): Step {
  const step = nextStep(facts);
  if (step.do !== 'rest' || step.state === 'Suspended') return step;
  // Whatever else it rests for: a render that is to be tried again is not forgotten.
  return { ...step, wakeAt: earliest([step.wakeAt, facts.renderFailure?.retryAt]) };
}

function nextStep(facts: TargetFacts): Step {
  const { source, desired, now } = facts;
  if (facts.retirement !== undefined) return retireTarget(facts, facts.retirement);
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
    return keepLast(facts, [...errors, ...inputErrors]);
  }
  if (opening && desired.objects.length === 0) {
    const { deletions } = current && watches.complete ? judge(facts, desired) : NOTHING_GOES;
    const hindrance = hindranceOf(facts, deletions);
    if (hindrance !== undefined) return hindrance;
    if (deletions.verdict === 'none') {
      const error = new PlumbError('SuspiciouslyEmpty', `The source of ${facts.target} holds no manifests`);
      return rest('Failed', error.message, { failures: [...inputErrors, error] });
    }
  }
  if (opening && !current) {
    // It was rendered and never released, and now it is not even what Git says.
    if (inputErrors.length > 0) return rest('Failed', sentence(inputErrors, since), { failures: inputErrors });
    return rest('Pending', 'Waiting for the repository.');
  }
  if (opening) {
    const dependencies = facts.dependencies();
    if (dependencies.state === 'failed') {
      return rest('Failed', dependencies.error.message, { failures: [...inputErrors, dependencies.error] });
    }
    if (dependencies.state === 'waiting') {
      return rest('Pending', dependencies.message, { waitsFor: dependencies.target });
    }
    // Not examined yet: the question is only whether the API server would let them go.
    const deletions = watches.complete ? judged(facts, desired, unwantedOf(facts, desired)) : NOTHING_GOES.deletions;
    const rehearsal = rehearsalOf({
      decisions,
      deletions: deletions.verdict === 'allowed' ? deletions.objects : [],
      answers: facts.rehearsed,
      now,
      liveOf: (key) => facts.liveOf(key),
    });
    const { writes, errors, wakeAt } = rehearsal;
    if (writes.length > 0 || rehearsal.deletions.length > 0) return { do: 'rehearse', ...rehearsal };
    return errors.length > 0 ? keepLast(facts, errors, wakeAt) : { do: 'release' };
  }

  const wantedKinds = kindsOf([...desired.objects, ...desired.hooks, ...facts.members], facts.siblingKinds);
  const parentKinds = kindsOf([], facts.parentKinds);
  if ([...wantedKinds.keys()].some((name) => !parentKinds.has(name))) {
    return { do: 'membership', kinds: [...new Map([...parentKinds, ...wantedKinds]).values()] };
  }

  const rollout = rolloutOf(facts, desired, decisions);
  const progress = writesDue(facts, decisions, rollout.wave);
  if (progress.writes.length > 0) return { do: 'write', writes: progress.writes };
  if (progress.replacements.length > 0) return { do: 'replace', replacements: progress.replacements };
  if (rollout.hooks?.state === 'step') return rollout.hooks.step;
  if (rollout.hooks?.state === 'failed') return failRelease(facts, desired, rollout.hooks.errors);

  const failures = [...inputErrors, ...progress.failures, ...watches.unread];
  const settled = failures.length === 0 && progress.waiting === undefined && rollout.waiting === undefined;
  // A failed or incomplete read never deletes: deletions need today's render, all watches, and all writes done.
  const { deletions, kept, again } = current && settled && watches.complete ? judge(facts, desired) : NOTHING_GOES;
  if (deletions.verdict === 'unexamined') return { do: 'examine', objects: deletions.objects, confirm: true };
  if (deletions.verdict === 'allowed') {
    // An object that moves from one application to another is handed over: who gets it has to say so first.
    const behind = facts.behind('deletion');
    if (behind !== undefined) return restBehind(behind);
    return pruneNext(facts, deletions, leavingOf(facts, desired), deletions.by === 'approval' ? 'approved' : 'removed');
  }
  if (current && settled && watches.complete) {
    const gone = goneOf(facts, desired);
    if (gone.length > 0) return { do: 'strike', keys: gone };
  }
  if (current && settled && watches.complete && parentKinds.size > wantedKinds.size) {
    return { do: 'membership', kinds: [...wantedKinds.values()] };
  }

  const wakeAt = progress.wakeAt;
  if (progress.failures.length > 0) {
    if (facts.openRelease?.hasFailed === false && progress.failures.every((error) => error.facts.retry === 'change')) {
      return failRelease(facts, desired, progress.failures);
    }
    return rest('Failed', sentence(failures), { failures, wakeAt });
  }
  if (inputErrors.length > 0 && !outage) {
    return rest('Failed', sentence(inputErrors, since), { failures: inputErrors });
  }
  if (watches.unread.length > 0) return rest('Failed', sentence(failures), { failures });
  const hindrance = hindranceOf(facts, deletions);
  if (hindrance !== undefined) return hindrance;
  const leaving = leavingOf(facts, desired);
  if (leaving.length > 0) return rest('Syncing', waitingUntilGone(leaving));
  if (kept.length > 0)
    return rest('Failed', sentence(kept), { failures: kept, wakeAt: again ?? now + EXAMINE_AGAIN_MS });
  const { fights } = progress;
  if (fights.length > 0) return rest('Drifted', fights[0]?.message ?? '', { failures: fights, wakeAt });
  const waiting =
    rollout.waiting ??
    (progress.waiting === undefined ? undefined : { on: progress.waiting, message: progress.waiting });
  if (waiting !== undefined) return waitFor(facts, desired, waiting, wakeAt);

  // What Git says now may be something else: until it has been asked nothing is called done.
  if (source.state === 'waiting') return rest('Pending', 'Waiting for the first look at the repository.');
  return restByHealth(facts, desired);
}

/** The change is stopped whole, before its first write; what was released last goes on being healed. */
function keepLast(facts: TargetFacts, errors: readonly PlumbError[], wakeAt?: number): Step {
  const [error] = errors;
  const stopped = rest('Failed', sentence(errors), { failures: errors, wakeAt });
  const { released } = facts;
  if (released === undefined || released.digest !== facts.releasedDigest || error === undefined) return stopped;
  const step = nextStep({ ...facts, desired: released, source: { state: 'failed', error } });
  if (step.do !== 'rest') return step;
  const failures = [...errors, ...step.failures.filter((failure) => !errors.includes(failure))];
  return { ...stopped, failures, wakeAt: earliest([wakeAt, step.wakeAt]), waitsOn: step.waitsOn };
}

function rest(state: HeadlineState, message: string, more: Partial<Omit<Rest, 'do' | 'state' | 'message'>> = {}): Rest {
  return { do: 'rest', state, message, failures: [], deletions: { verdict: 'none' }, wakeAt: undefined, ...more };
}

function restBehind(behind: TargetKey): Rest {
  return rest('Syncing', `Waiting until ${behind} can say what it wants of the same commit.`, { waitsFor: behind });
}

interface Judged {
  readonly deletions: DeletionVerdict;
  /** What is not deleted in any case, with the reason. */
  readonly kept: readonly PlumbError[];
  /** When that is looked at again, where it is known. */
  readonly again?: number;
}

const NOTHING_GOES: Judged = { deletions: { verdict: 'none' }, kept: [] };

/** What hinders a deletion changes unseen: it is looked at again now and then. */
const EXAMINE_AGAIN_MS = 5 * 60_000;

/** Why the deletions do not go on; undefined where there are none, or nothing stands in their way. */
function hindranceOf(facts: TargetFacts, deletions: DeletionVerdict): Step | undefined {
  if (deletions.verdict === 'unexamined') return { do: 'examine', objects: deletions.objects, confirm: true };
  return deletions.verdict === 'blocked' ? restBlocked(facts, deletions) : undefined;
}

function restBlocked(facts: TargetFacts, deletions: BlockedDeletion): Rest {
  const command = `plumb sync ${commandName(facts.target)} --approve-deletion ${deletions.digest}`;
  return restUntilApproved(facts, deletions, `Restore them in Git, or approve exactly this set: ${command}`);
}

function restUntilApproved(facts: TargetFacts, deletions: BlockedDeletion, fix: string): Rest {
  const { objects, reason, pause, findings } = deletions;
  const names = nameSome(objects.map(({ key }) => key).sort());
  const error = new PlumbError('DeletionBlocked', `Deleting ${names} is blocked: ${reason}`, {
    fix: pause?.isFrozen === true ? 'Wait: it is looked at again by itself.' : fix,
  });
  // Numbers in it grow old.
  const isCounted = [...findings.values()].some(({ instances }) => instances !== undefined);
  const again = isCounted ? facts.now + EXAMINE_AGAIN_MS : undefined;
  return rest('Failed', error.message, { failures: [error], deletions, wakeAt: earliest([pause?.until, again]) });
}

/** Of a set that may go: what goes first, or what it waits for. */
function pruneNext(
  facts: TargetFacts,
  { objects }: { readonly objects: readonly LiveObject[] },
  leaving: readonly LiveObject[],
  reason: Extract<Step, { do: 'prune' }>['reason'],
): Step {
  const first = firstToGo([...objects, ...leaving]);
  const waiting = first.filter(({ deleting }) => !deleting);
  if (waiting.length === 0) return rest('Syncing', waitingUntilGone(first));
  const due = waiting.filter(({ key }) => isDue(facts.failures.get(key), DELETION, facts.now));
  if (due.length > 0) return { do: 'prune', objects: due, reason, set: objects };
  const failed = waiting.flatMap(({ key }) => facts.failures.get(key) ?? []);
  const errors = failed.map(({ error }) => error);
  return rest('Failed', sentence(errors), {
    failures: errors,
    wakeAt: earliest(failed.map(({ retryAt }) => retryAt)),
  });
}

/** Objects that Git does not want and that are on their way out. */
function leavingOf(facts: TargetFacts, desired: DesiredSet): readonly LiveObject[] {
  const wanted = wantedKeys(desired);
  return facts.members.filter((live) => live.deleting && live.hookRun === undefined && !wanted.has(live.key));
}

/** What was applied, is not wanted any more, and is seen to be gone or another's: only that leaves the inventory. */
function goneOf(facts: TargetFacts, desired: DesiredSet): readonly ObjectKey[] {
  const wanted = wantedKeys(desired);
  return [...facts.applied].flatMap(([key, { uid }]) => {
    if (wanted.has(key)) return [];
    const live = facts.liveOf(key);
    return live === undefined || live.uid !== uid || live.target !== facts.target ? [key] : [];
  });
}

function wantedKeys(desired: DesiredSet): ReadonlySet<ObjectKey> {
  return new Set([...desired.objects, ...desired.hooks].map(({ key }) => key));
}

/** Ends the target, as a person asked for it. */
function retireTarget(facts: TargetFacts, retirement: Retirement): Step {
  const isRecalled = facts.desired !== undefined || facts.openRelease !== undefined;
  const step = retire({ ...facts, retirement, isRecalled });
  const isForgotten = retirement.how === 'forget';
  switch (step.next) {
    case 'watch':
      return { do: 'watch', kinds: step.kinds };
    case 'read':
      return rest('Syncing', 'Reading what is in the cluster.');
    case 'unreadable':
      return rest('Failed', step.error.message, { failures: [step.error] });
    case 'examine':
      return { do: 'examine', objects: step.objects, confirm: false };
    case 'blocked': {
      const command = `plumb decommission ${commandName(facts.target)} --approve-deletion ${step.deletion.digest}`;
      return restUntilApproved(facts, step.deletion, `Approve exactly this set: ${command}`);
    }
    case 'delete':
      return pruneNext(facts, step, step.leaving, 'decommissioned');
    case 'disown': {
      const due = step.objects.filter(({ key }) => isDue(facts.failures.get(key), DISOWNING, facts.now));
      if (due.length > 0) return { do: 'disown', objects: due };
      const failed = step.objects.flatMap(({ key }) => facts.failures.get(key) ?? []);
      const errors = failed.map(({ error }) => error);
      const wakeAt = earliest(failed.map(({ retryAt }) => retryAt));
      return rest('Failed', sentence(errors), { failures: errors, wakeAt });
    }
    case 'narrow':
      return { do: 'membership', kinds: step.kinds };
    case 'forget':
      return { do: 'retired' };
    case 'done':
      if (step.kept.length > 0) {
        return rest('Failed', sentence(step.kept), { failures: step.kept, wakeAt: facts.now + EXAMINE_AGAIN_MS });
      }
      return rest(
        'Suspended',
        isForgotten
          ? 'Forgotten: its objects stay as they are, and are no longer managed.'
          : 'Decommissioned: its objects are deleted.',
        { reason: isForgotten ? 'Forgotten' : 'Decommissioned' },
      );
  }
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
  const wanted = kindsOf([...desired.objects, ...desired.hooks], []);
  const definitions = definitionsOf(desired);
  const start: GroupKind[] = [];
  const failed = new Map<string, PlumbError>();
  const unread: PlumbError[] = [];
  let waiting = false;
  let complete = true;
  for (const [name, kind] of kindsOf([...desired.objects, ...desired.hooks], facts.parentKinds)) {
    const watch = facts.watchOf(kind);
    if (watch.state === 'synced') continue;
    const isMissing = watch.state === 'failed' && watch.error.code === 'KindMissing';
    // A kind that is no more has no objects: they went with its definition.
    if (isMissing && !wanted.has(name)) continue;
    complete = false;
    const definition = definitions.get(name);
    const isEstablished = definition !== undefined && facts.liveOf(definition)?.health.status === 'Healthy';
    if (watch.state === 'missing' && (definition === undefined || isEstablished)) start.push(kind);
    else if (watch.state === 'starting' || (isMissing && definition !== undefined)) waiting = true;
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

/** By the name of the kind: the definition in the set that brings it. */
function definitionsOf(desired: DesiredSet): ReadonlyMap<string, ObjectKey> {
  return definitionsIn([...desired.objects, ...desired.hooks]);
}

function decideObject(facts: TargetFacts, desired: DesiredObject, failed: ReadonlyMap<string, PlumbError>): Decision {
  const { key } = desired;
  const ref = parseObjectKey(key);
  const unreadable = ref === undefined ? undefined : failed.get(kindName(ref));
  if (unreadable !== undefined) return { action: 'blocked', key, desired, error: unreadable };
  const failure = facts.failures.get(key);
  return decide({
    target: facts.target,
    key,
    desired,
    live: facts.liveOf(key),
    applied: facts.applied.get(key),
    owner: facts.ownerOf(key),
    refusal: failure?.hash === desired.hash ? failure.error : undefined,
    policy: facts.policy,
  });
}

interface WriteProgress {
  readonly writes: readonly Write[];
  readonly replacements: readonly Replacement[];
  readonly failures: readonly PlumbError[];
  readonly waiting: string | undefined;
  /** Objects that others keep changing back, and that are healed later. */
  readonly fights: readonly PlumbError[];
  readonly wakeAt: number | undefined;
}

/**
 * The writes of the lowest wave and phase that have any, up to the wave that the rollout has come to. What needs another
 * object of the set waits for it; what was there before and is only restored does not ask how healthy the others are.
 */
function writesDue(facts: TargetFacts, decisions: readonly Decision[], wave: number): WriteProgress {
  const failures: PlumbError[] = [];
  const due: Write[] = [];
  const replacements: Replacement[] = [];
  let waiting: string | undefined;
  const fights: PlumbError[] = [];
  const wakes: (number | undefined)[] = [];
  const unwritten = new Set(decisions.flatMap(({ action, key }) => (action === 'keep' ? [] : key)));
  for (const decision of decisions) {
    if (decision.action === 'blocked') failures.push(decision.error);
    if (decision.action === 'keep' && decision.waitsFor === 'deletion') {
      waiting ??= `Waiting until ${nameSome([decision.key])} is gone, to create it again.`;
    }
    // It was written when its turn had come, and refused.
    if (decision.action === 'replace') replacements.push(decision);
    if (!isWrite(decision)) continue;
    const failure = facts.failures.get(decision.key);
    if (failure !== undefined && !isDue(failure, decision.desired.hash, facts.now)) {
      failures.push(failure.error);
      wakes.push(failure.retryAt);
      continue;
    }
    // The same wish once more: somebody undid it, and undoes it again. Whatever the reason, that is no race to win.
    const isRepeat = facts.applied.get(decision.key)?.desiredHash === decision.desired.hash;
    const healAfter = isRepeat ? facts.healAfter(decision.key, decision.editor?.manager ?? '') : 0;
    if (healAfter > facts.now) {
      const subject = shortNameOf(decision.key);
      const message = `${subject} keeps being changed by ${decision.editor?.manager ?? 'somebody else'}; it is healed again later.`;
      fights.push(new PlumbError('Fighting', message, { subject, where: decision.desired.origin }));
      waiting ??= message;
      wakes.push(healAfter);
      continue;
    }
    if (!isRepeat && decision.desired.wave > wave) continue;
    const missing = decision.desired.needs?.find((need) => !isMet(facts, need, isRepeat, unwritten));
    if (missing !== undefined) {
      waiting ??= `${nameSome([decision.key])} waits until ${nameSome([missing.key])} is ${missing.until}.`;
      continue;
    }
    due.push(decision);
  }
  const first = due[0]?.desired;
  return {
    writes: due.filter(({ desired: { wave: at, phase } }) => at === first?.wave && phase === first.phase),
    replacements,
    failures,
    waiting,
    fights,
    wakeAt: earliest(wakes),
  };
}

function isMet(
  facts: TargetFacts,
  { key, until }: Need,
  isRepeat: boolean,
  unwritten: ReadonlySet<ObjectKey>,
): boolean {
  const live = facts.liveOf(key);
  if (live === undefined || live.deleting) return false;
  if (until === 'established') return isFine(live);
  if (isRepeat) return true;
  return !unwritten.has(key) && (until === 'written' || isFine(live));
}

/** What may be built upon: it works, or somebody wants it to stand still. */
function isFine({ health: { status } }: LiveObject): boolean {
  return status === 'Healthy' || status === 'Suspended';
}

interface Waiting {
  /** The same as long as the same is waited for, whatever its health says meanwhile. */
  readonly on: string;
  readonly message: string;
  readonly wakeAt?: number | undefined;
}

interface Rollout {
  /** Objects of later waves are not written yet. */
  readonly wave: number;
  /** The hooks whose turn it is, where they are not done. */
  readonly hooks?: HookProgress | undefined;
  readonly waiting?: Waiting | undefined;
}

/**
 * How far the open release has come: through what `PreSync` hooks need, the `PreSync` hooks, and the waves, each with its
 * `Sync` hooks. A wave is over when all its objects are written and healthy. Without an open release nothing is held back.
 */
function rolloutOf(facts: TargetFacts, desired: DesiredSet, decisions: readonly Decision[]): Rollout {
  if (facts.openRelease === undefined) return { wave: Infinity };
  const hooks = desired.hooks.filter(({ hook }) => hook.phases.includes('Sync'));
  const hasPreSync = desired.hooks.some(({ hook }) => hook.phases.includes('PreSync'));
  const waves = new Set([...desired.objects, ...hooks].map(({ wave }) => wave));
  if (hasPreSync) waves.add(BEFORE_HOOKS);
  if (waves.size <= 1 && desired.hooks.length === 0) return { wave: Infinity };
  const stages = [...waves].sort((a, b) => a - b);
  const decided = new Map(decisions.map((decision) => [decision.key, decision]));
  for (const [index, wave] of stages.entries()) {
    const isLast = index === stages.length - 1;
    const inWave = hooks.some((hook) => hook.wave === wave);
    const waiting = isLast && !inWave ? undefined : waitingInWave(facts, desired, decided, wave, wave === BEFORE_HOOKS);
    if (waiting === 'unwritten') return { wave };
    if (waiting !== undefined) return { wave, waiting };
    const phase = wave === BEFORE_HOOKS ? 'PreSync' : 'Sync';
    const progress = hookProgress(facts, desired, phase, phase === 'Sync' ? wave : undefined);
    if (progress.state === 'waiting') return { wave, hooks: progress, waiting: progress };
    if (progress.state !== 'done') return { wave, hooks: progress };
  }
  return { wave: Infinity };
}

/** What keeps a wave from being over; `unwritten` where writes say so themselves. */
function waitingInWave(
  facts: TargetFacts,
  desired: DesiredSet,
  decided: ReadonlyMap<ObjectKey, Decision>,
  wave: number,
  isBeforeHooks: boolean,
): Waiting | 'unwritten' | undefined {
  let waiting: Waiting | undefined;
  for (const object of desired.objects) {
    if (object.wave !== wave) continue;
    const decision = decided.get(object.key);
    if (decision?.action !== 'keep' || decision.waitsFor !== undefined) return 'unwritten';
    const live = facts.liveOf(object.key);
    if (live !== undefined && isFine(live)) continue;
    const what = isBeforeHooks ? 'the PreSync hooks' : `what comes after wave ${wave}`;
    const health = live?.health.message ?? 'has not been seen yet';
    waiting ??= { on: object.key, message: `Before ${what}: ${shortNameOf(object.key)} ${health}` };
  }
  return waiting;
}

function hookProgress(facts: TargetFacts, desired: DesiredSet, phase: HookPhase, wave?: number): HookProgress {
  const open = facts.openRelease;
  if (open === undefined) return { state: 'done' };
  return advanceHooks(
    {
      target: facts.target,
      hooks: desired.hooks,
      release: open.number,
      attempt: open.attempt,
      runs: open.runs,
      liveOf: (key) => facts.liveOf(key),
      failureOf: ({ hook, mark }) => {
        const failure = facts.failures.get(hook.key);
        if (failure === undefined) return undefined;
        const { error, retryAt } = failure;
        return { error, retryAt, isDue: isDue(failure, hookAttempt(hook, mark), facts.now) };
      },
    },
    phase,
    wave,
  );
}

/** Stands for the desired hash where the attempt was to start a hook: each run is an attempt of its own. */
export function hookAttempt({ hash }: DesiredObject, mark: string): string {
  return `${hash} ${mark}`;
}

/** The release has failed: its `SyncFail` hooks run, its outcome is recorded, and what is wrong is said. */
function failRelease(facts: TargetFacts, desired: DesiredSet, errors: readonly PlumbError[]): Step {
  const message = sentence(errors);
  if (facts.openRelease?.hasFailed === false) {
    const progress = hookProgress(facts, desired, 'SyncFail');
    if (progress.state === 'step') return progress.step;
    if (progress.state === 'waiting') {
      const wait = deadlineOf(facts, progress.on);
      if (!wait.isOver) return rest('Failed', message, { failures: errors, waitsOn: progress.on, wakeAt: wait.until });
    }
    return { do: 'conclude', outcome: 'failed', message };
  }
  return rest('Failed', message, { failures: errors });
}

/** Waits for one thing, and says since when; past the deadline the release counts as failed, and is waited for still. */
function waitFor(facts: TargetFacts, desired: DesiredSet, { on, message, wakeAt }: Waiting, otherwise?: number): Step {
  if (facts.openRelease === undefined) return rest('Syncing', message, { wakeAt: earliest([wakeAt, otherwise]) });
  const wait = deadlineOf(facts, on);
  const said = `${message} (since ${timeText(wait.sinceTime)})`;
  if (!wait.isOver) {
    return rest('Syncing', said, { waitsOn: on, wakeAt: earliest([wait.until, wakeAt, otherwise]) });
  }
  const error = new PlumbError('WaitTimeout', `${said}: that is longer than ${durationText(facts.deadlineMs)}`, {
    fix: 'Look at what it waits for: it goes on by itself once that is healthy. spec.timeout sets how long it waits.',
  });
  const step = failRelease(facts, desired, [error]);
  return step.do === 'rest' ? { ...step, waitsOn: on, wakeAt: earliest([step.wakeAt, wakeAt, otherwise]) } : step;
}

function deadlineOf(
  facts: TargetFacts,
  on: string,
): { readonly sinceTime: number; readonly until: number; readonly isOver: boolean } {
  const since = facts.wait?.on === on ? facts.wait.since : facts.now;
  const until = since + facts.deadlineMs;
  return { sinceTime: facts.wait?.on === on ? facts.wait.sinceTime : facts.time, until, isOver: facts.now >= until };
}

function timeText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

function durationText(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${Math.round(ms / 1_000)} s`;
}

/** Whether an attempt is to be made: nothing failed yet, the wish is another one now, or it is time to try again. */
function isDue(failure: WriteFailure | undefined, hash: string, now: number): boolean {
  return failure === undefined || failure.hash !== hash || (failure.retryAt !== undefined && failure.retryAt <= now);
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function unwantedOf(facts: TargetFacts, desired: DesiredSet): readonly LiveObject[] {
  const wanted = wantedKeys(desired);
  return facts.members.filter((live) => {
    // What was run is taken away by its own policy, or with the application.
    if (wanted.has(live.key) || live.hookRun !== undefined) return false;
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

function judged(
  facts: TargetFacts,
  desired: DesiredSet,
  candidates: readonly LiveObject[],
  findings?: Findings,
): DeletionVerdict {
  return judgeDeletions({
    candidates,
    memberCount: facts.members.length,
    desiredCount: desired.objects.length,
    budget: facts.budget,
    approved: facts.approvedDeletion,
    findings,
    facts: facts.deletions,
  });
}

function judge(facts: TargetFacts, desired: DesiredSet): Judged {
  const unwanted = unwantedOf(facts, desired);
  if (unwanted.length === 0) return NOTHING_GOES;
  const examination = facts.deletions.examined(unwanted);
  if (examination === undefined) return { deletions: { verdict: 'unexamined', objects: unwanted }, kept: [] };
  const { findings, doubt } = examination;
  if (doubt !== undefined) {
    return { deletions: { verdict: 'none' }, kept: [doubt.error], again: doubt.retryAt };
  }
  const { candidates, kept } = withhold(unwanted, findings);
  const deletions = judged(facts, desired, candidates, findings);
  return { deletions, kept };
}

function restByHealth(facts: TargetFacts, desired: DesiredSet): Step {
  let progressing: Waiting | undefined;
  let degraded: Waiting | undefined;
  for (const { key } of desired.objects) {
    const live = facts.liveOf(key);
    if (live === undefined) {
      progressing ??= { on: key, message: `Waiting to see ${nameSome([key])}.` };
      continue;
    }
    const { status, message } = live.health;
    const waiting = { on: key, message: `${nameSome([key])}: ${message}` };
    if (status === 'Degraded' || status === 'Missing') degraded ??= waiting;
    else if (status === 'Progressing' || status === 'Unknown') progressing ??= waiting;
  }
  if (degraded !== undefined || progressing !== undefined) {
    const message = degraded?.message ?? progressing?.message ?? '';
    const state = degraded === undefined ? 'Syncing' : 'Degraded';
    if (facts.openRelease?.hasFailed !== false) return rest(state, message);
    const on = degraded?.on ?? progressing?.on ?? '';
    const wait = deadlineOf(facts, on);
    if (!wait.isOver) return rest(state, message, { waitsOn: on, wakeAt: wait.until });
    const error = new PlumbError('Unhealthy', `${message} (since ${timeText(wait.sinceTime)})`);
    const step = failRelease(facts, desired, [error]);
    return step.do === 'rest' ? { ...step, waitsOn: on } : step;
  }
  const count = desired.objects.length === 1 ? '1 object is' : `${desired.objects.length} objects are`;
  const message = `${count} as Git wants.${keptText(facts, desired)}`;
  if (facts.openRelease === undefined) return rest('Healthy', message);
  const hooks = hookProgress(facts, desired, 'PostSync');
  if (hooks.state === 'step') return hooks.step;
  if (hooks.state === 'failed') return failRelease(facts, desired, hooks.errors);
  if (hooks.state === 'waiting') return waitFor(facts, desired, hooks);
  return { do: 'conclude', outcome: 'healthy', message };
}

/** What Git has let go of and an annotation keeps: nobody is to think that it has gone. */
function keptText(facts: TargetFacts, desired: DesiredSet): string {
  const wanted = new Set(desired.objects.map(({ key }) => key));
  const kept = facts.members.filter(({ key, keep, hookRun }) => {
    return keep !== undefined && hookRun === undefined && !wanted.has(key);
  });
  const [first] = kept.sort((a, b) => (a.key < b.key ? -1 : 1));
  if (first === undefined) return '';
  const names = nameSome(kept.map(({ key }) => key));
  return ` Not in Git and kept: ${names} (${first.keep}${kept.length > 1 ? ', …' : ''}).`;
}

/** The first error with its place, and how many there are besides. */
function sentence(errors: readonly PlumbError[], since?: string): string {
  const first = errors[0];
  if (first === undefined) return '';
  const place = first.where?.line === undefined ? '' : `${formatWhere(first.where)}: `;
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  return `${place}${first.message}${more}${since === undefined ? '' : `, since ${since}`}`;
}
