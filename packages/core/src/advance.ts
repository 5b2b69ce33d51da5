import { approvalGate } from './approval-gate.ts';
import { asksConsent, withConsent } from './consent.ts';
import { decide, type Decision } from './decide.ts';
import type { DesiredObject, DesiredSet } from './desired.ts';
import {
  goneOf,
  hindranceOf,
  judge,
  judged,
  leavingOf,
  pruneNext,
  unwantedOf,
  EXAMINE_AGAIN_MS,
  NOTHING_GOES,
} from './due-deletions.ts';
import { retireTarget } from './end-target.ts';
import { PlumbError } from './error.ts';
import { parseObjectKey, type ObjectKey, type TargetKey } from './key.ts';
import { kindName, type GroupKind } from './object.ts';
import { definitionsIn } from './order-graph.ts';
import { waitingUntilGone } from './phrases.ts';
import { rehearsalOf } from './rehearsal.ts';
import { failRelease, restByHealth, waitFor } from './release-outcome.ts';
import { settleDrift } from './drift/settle-drift.ts';
import { restWithDrift, withoutGone } from './drift/rest-with-drift.ts';
import { rolloutOf, writesDue, type Waiting } from './rollout.ts';
import { earliest, rest, sentence } from './rest.ts';
import type { Rest, Step } from './step.ts';
import type { TargetFacts } from './target-facts.ts';

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

export function nextStep(facts: TargetFacts): Step {
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

  const awaited = awaitedKinds(facts, desired);
  if (awaited.isThere && current) return { do: 'render' };
  if (awaited.start.length > 0) return { do: 'watch', kinds: awaited.start };
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
  if (opening && desired.objects.length === 0 && desired.awaiting.length === 0) {
    const { deletions: judgement } = current && watches.complete ? judge(facts, desired) : NOTHING_GOES;
    const deletions = withConsent(facts.gate, desired.digest, judgement);
    if (deletions === 'plan') return { do: 'plan' };
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
      takesFields: facts.policy.conflicts === 'force',
      liveOf: (key) => facts.liveOf(key),
    });
    const { writes, errors, wakeAt } = rehearsal;
    if (writes.length > 0 || rehearsal.deletions.length > 0) return { do: 'rehearse', ...rehearsal };
    if (errors.length > 0) return keepLast(facts, errors, { wakeAt });
    if (facts.gate === undefined) return { do: 'release' };
    const gate = approvalGate({
      ...facts.gate,
      target: facts.target,
      desired: desired.digest,
      asksConsent: asksConsent(facts.gate, decisions, deletions),
    });
    if (gate.next === 'plan') return { do: 'plan' };
    if (gate.next === 'closed') return keepLast(facts, gate.errors, { state: gate.state });
    return { do: 'release', ...(gate.isConsented ? { isConsented: true } : {}) };
  }

  const wantedKinds = kindsOf([...desired.objects, ...desired.hooks, ...facts.members], facts.siblingKinds);
  const parentKinds = kindsOf([], facts.parentKinds);
  if ([...wantedKinds.keys()].some((name) => !parentKinds.has(name))) {
    return { do: 'membership', kinds: [...new Map([...parentKinds, ...wantedKinds]).values()] };
  }

  const drift = settleDrift(facts, decisions);
  if (drift.inspect.length > 0) return { do: 'inspect', writes: drift.inspect };
  const present = withoutGone(desired, drift);
  const rollout = rolloutOf(facts, present, drift.decisions);
  const progress = writesDue(facts, drift.decisions, rollout.wave);
  if (progress.writes.length > 0) return { do: 'write', writes: progress.writes };
  if (progress.replacements.length > 0) return { do: 'replace', replacements: progress.replacements };
  if (rollout.hooks?.state === 'step') return rollout.hooks.step;
  if (rollout.hooks?.state === 'failed') return failRelease(facts, desired, rollout.hooks.errors);

  const failures = [...inputErrors, ...progress.failures, ...watches.unread];
  const isWaiting = progress.waiting !== undefined || rollout.waiting !== undefined || desired.awaiting.length > 0;
  const settled = failures.length === 0 && !isWaiting && drift.fights.length === 0;
  // A failed or incomplete read never deletes: deletions need today's render, all watches, and all writes done.
  const {
    deletions: judgement,
    kept,
    again,
  } = current && settled && watches.complete ? judge(facts, desired) : NOTHING_GOES;
  const deletions = withConsent(facts.gate, desired.digest, judgement);
  if (deletions === 'plan') return { do: 'plan' };
  if (deletions.verdict === 'unexamined') return { do: 'examine', objects: deletions.objects, confirm: true };
  if (deletions.verdict === 'allowed') {
    // An object that moves from one application to another is handed over: who gets it has to say so first.
    const behind = facts.behind('deletion');
    if (behind !== undefined) return restBehind(behind);
    const { objects, by } = deletions;
    const leaving = leavingOf(facts, desired);
    return pruneNext(facts, { objects, leaving, reason: by === 'approval' ? 'approved' : 'removed' });
  }
  if (current && settled && watches.complete) {
    const gone = goneOf(facts, desired);
    if (gone.length > 0) return { do: 'strike', keys: gone };
  }
  if (current && settled && watches.complete && parentKinds.size > wantedKinds.size) {
    return { do: 'membership', kinds: [...wantedKinds.values()] };
  }

  const wakeAt = earliest([progress.wakeAt, drift.wakeAt]);
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
  const { fights } = drift;
  if (fights.length > 0) return rest('Drifted', fights[0]?.message ?? '', { failures: fights, wakeAt });
  const waiting =
    rollout.waiting ??
    (progress.waiting === undefined ? undefined : { on: progress.waiting, message: progress.waiting }) ??
    awaited.waiting;
  if (waiting !== undefined) return waitFor(facts, desired, waiting, wakeAt);

  // What Git says now may be something else: until it has been asked nothing is called done.
  if (source.state === 'waiting') return rest('Pending', 'Waiting for the first look at the repository.');
  return restWithDrift(facts, drift, restByHealth(facts, present), wakeAt);
}

/** The change is stopped whole, before its first write; what was released last goes on being healed. */
export function keepLast(
  facts: TargetFacts,
  errors: readonly PlumbError[],
  { state = 'Failed', wakeAt }: { readonly state?: 'Pending' | 'Failed'; readonly wakeAt?: number | undefined } = {},
): Step {
  const [error] = errors;
  const stopped = rest(state, sentence(errors), { failures: errors, wakeAt });
  const { released } = facts;
  if (released === undefined || released.digest !== facts.releasedDigest || error === undefined) return stopped;
  const step = nextStep({ ...facts, desired: released, source: { state: 'failed', error } });
  if (step.do !== 'rest') return step;
  const failures = [...errors, ...step.failures.filter((failure) => !errors.includes(failure))];
  return { ...stopped, failures, wakeAt: earliest([wakeAt, step.wakeAt]), waitsOn: step.waitsOn };
}

export function restBehind(behind: TargetKey): Rest {
  return rest('Syncing', `Waiting until ${behind} can say what it wants of the same commit.`, { waitsFor: behind });
}

export interface AwaitedKinds {
  /** Whether the cluster has one of them by now. */
  readonly isThere: boolean;
  readonly start: readonly GroupKind[];
  readonly waiting: Waiting | undefined;
}

/** The watch of a kind that is not there yet is tried again by itself, and tells when it is. */
function awaitedKinds(facts: TargetFacts, { awaiting }: DesiredSet): AwaitedKinds {
  const states = awaiting.map(({ kind }) => ({ kind, state: facts.watchOf(kind).state }));
  const [first] = awaiting;
  const more = awaiting.length > 1 ? ` and ${awaiting.length - 1} more` : '';
  return {
    isThere: states.some(({ state }) => state === 'synced'),
    start: states.flatMap(({ kind, state }) => (state === 'missing' ? kind : [])),
    waiting:
      first === undefined
        ? undefined
        : {
            on: kindName(first.kind),
            message: `Waiting until the cluster has the kind ${kindName(first.kind)}, for ${first.subject}${more}`,
          },
  };
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

export function watchesFor(facts: TargetFacts, desired: DesiredSet): Watches {
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

export function kindsOf(
  objects: readonly { readonly key: ObjectKey }[],
  more: readonly GroupKind[],
): Map<string, GroupKind> {
  const kinds = new Map<string, GroupKind>();
  for (const kind of more) kinds.set(kindName(kind), kind);
  for (const { key } of objects) {
    const ref = parseObjectKey(key);
    if (ref !== undefined) kinds.set(kindName(ref), { group: ref.group, kind: ref.kind });
  }
  return kinds;
}

/** By the name of the kind: the definition in the set that brings it. */
export function definitionsOf(desired: DesiredSet): ReadonlyMap<string, ObjectKey> {
  return definitionsIn([...desired.objects, ...desired.hooks]);
}

export function decideObject(
  facts: TargetFacts,
  desired: DesiredObject,
  failed: ReadonlyMap<string, PlumbError>,
): Decision {
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
    replaceable: facts.replaceable,
    policy: facts.policy,
  });
}
