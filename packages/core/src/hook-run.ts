import { isProtectedKind } from './deletion.ts';
import type { DesiredHook } from './desired.ts';
import { PlumbError } from './error.ts';
import { hookRunMark, runsOnce, type HookPhase } from './hook.ts';
import { shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';

/** What the ledger knows of one run of a hook. Once it has ended, its end is never judged again. */
export interface HookRun {
  readonly state: 'started' | 'succeeded' | 'failed';
  /** Of the object that was made for it. */
  readonly uid: string;
  /** How it ended, in one sentence; empty while it runs. */
  readonly message: string;
}

/** A hook to be started, with the mark of the run (see `HOOK_RUN_ANNOTATION`). */
export interface HookStart {
  readonly hook: DesiredHook;
  readonly mark: string;
}

export interface HookEnd {
  readonly key: ObjectKey;
  readonly mark: string;
  readonly state: 'succeeded' | 'failed';
  readonly uid: string;
  readonly message: string;
}

export type HookStep =
  | { readonly do: 'start-hooks'; readonly starts: readonly HookStart[] }
  /** Make the ends durable, before anything is done about them. */
  | { readonly do: 'record-hooks'; readonly ends: readonly HookEnd[] }
  /** What a delete policy or the next run takes away. */
  | { readonly do: 'clear-hooks'; readonly objects: readonly LiveObject[] };

export type HookProgress =
  | { readonly state: 'done' }
  | { readonly state: 'step'; readonly step: HookStep }
  /** `on` names what is waited for, the same as long as it is the same. */
  | {
      readonly state: 'waiting';
      readonly on: ObjectKey;
      readonly message: string;
      readonly wakeAt?: number | undefined;
    }
  | { readonly state: 'failed'; readonly errors: readonly PlumbError[] };

export interface HookFacts {
  readonly target: TargetKey;
  readonly hooks: readonly DesiredHook[];
  readonly release: number;
  /** Counts the times that somebody asked to run the hooks of this release, from 1. */
  readonly attempt: number;
  /** By `hookRunId`. */
  readonly runs: ReadonlyMap<string, HookRun>;
  liveOf(key: ObjectKey): LiveObject | undefined;
  /** Why the hook could not be started, and when that is tried again (monotonic milliseconds). */
  failureOf(start: HookStart): HookFailure | undefined;
  /** Why what is left of a run could not be deleted. */
  clearFailureOf(key: ObjectKey): HookFailure | undefined;
}

interface HookFailure {
  readonly error: PlumbError;
  /** Monotonic milliseconds; undefined where only new input can help. */
  readonly retryAt: number | undefined;
  readonly isDue: boolean;
}

export function hookRunId(key: ObjectKey, mark: string): string {
  return `${mark} ${key}`;
}

/**
 * How far the hooks of one phase are, and what is next about them; `wave` limits it to the hooks of one wave. Waves go one
 * after another; in a wave the kinds go in their order (an account before the Job that uses it), else side by side.
 *
 * A run is known by its mark: the object in the cluster bears it, and the ledger has its end. So a hook is started exactly
 * once for each attempt of a release, whatever crashes, and what is left of an earlier run never counts. A Job that still
 * runs for an earlier release is waited for and not killed.
 */
export function advanceHooks(facts: HookFacts, phase: HookPhase, wave?: number): HookProgress {
  const mark = hookRunMark(facts.release, facts.attempt, phase);
  const hooks = facts.hooks.filter(
    (hook) => hook.hook.phases.includes(phase) && (wave === undefined || hook.wave === wave),
  );
  let failed = false;
  for (const group of groupsOf(hooks)) {
    const progress = advanceGroup(facts, group, mark);
    if (progress.state === 'failed') failed = true;
    else if (progress.state !== 'done') return progress;
    if (failed) break;
  }
  const ended = (hook: DesiredHook): HookRun | undefined => facts.runs.get(hookRunId(hook.key, mark));
  const objects = hooks.flatMap((hook) => {
    const state = ended(hook)?.state;
    const isOver = (state === 'succeeded' || state === 'failed') && hook.hook.deleteOn.includes(state);
    const live = isOver && !isProtectedKind(hook.key) ? facts.liveOf(hook.key) : undefined;
    return live?.hookRun === mark && !live.deleting && live.uid === ended(hook)?.uid ? live : [];
  });
  if (objects.length > 0) return clear(facts, objects);
  if (!failed) return { state: 'done' };
  const errors = hooks.flatMap((hook) => {
    const run = ended(hook);
    if (run?.state === 'failed') return hookFailed(hook, phase, run.message);
    const failure = facts.failureOf({ hook, mark });
    return failure === undefined || failure.isDue ? [] : failure.error;
  });
  return { state: 'failed', errors };
}

/** Hooks that start together: of one wave and one phase of kinds. */
function* groupsOf(hooks: readonly DesiredHook[]): Generator<readonly DesiredHook[]> {
  for (let from = 0; from < hooks.length;) {
    const first = hooks[from];
    let to = from;
    while (to < hooks.length && hooks[to]?.wave === first?.wave && hooks[to]?.phase === first?.phase) to += 1;
    yield hooks.slice(from, to);
    from = to;
  }
}

function advanceGroup(facts: HookFacts, hooks: readonly DesiredHook[], mark: string): HookProgress {
  const starts: HookStart[] = [];
  const ends: HookEnd[] = [];
  const old: LiveObject[] = [];
  let waiting: HookProgress | undefined;
  let failed = false;
  const wait = (on: ObjectKey, message: string, wakeAt?: number): void => {
    waiting ??= { state: 'waiting', on, message, wakeAt };
  };
  for (const hook of hooks) {
    const { key } = hook;
    const name = shortNameOf(key);
    const run = facts.runs.get(hookRunId(key, mark));
    if (run?.state === 'succeeded') continue;
    if (run?.state === 'failed') {
      failed = true;
      continue;
    }
    const live = facts.liveOf(key);
    if (live !== undefined && live.hookRun === mark && live.target === facts.target) {
      const { status, message } = live.health;
      const end = { key, mark, uid: live.uid, message };
      if (status === 'Healthy') ends.push({ ...end, state: 'succeeded' });
      else if (status === 'Degraded') ends.push({ ...end, state: 'failed' });
      else wait(key, `Waiting for the hook ${name}: ${message}`);
      continue;
    }
    if (run !== undefined) {
      // It was started, and is not there: whether it did its work cannot be known, so it is not done twice by itself.
      ends.push({ key, mark, state: 'failed', uid: run.uid, message: 'is gone, and nobody saw how it ended' });
      continue;
    }
    const failure = facts.failureOf({ hook, mark });
    if (failure !== undefined && !failure.isDue) {
      if (failure.error.facts.retry === 'change') failed = true;
      else wait(key, `The hook ${name} could not be started: ${failure.error.message}`, failure.retryAt);
      continue;
    }
    if (live === undefined) starts.push({ hook, mark });
    else if (live.target !== facts.target)
      wait(key, `${name} is there already, and belongs to ${live.target ?? 'nobody'}.`);
    else if (live.deleting) wait(key, `Waiting until ${name} of an earlier run is gone.`);
    else if (!runsOnce(key)) starts.push({ hook, mark });
    else if (live.health.status !== 'Healthy' && live.health.status !== 'Degraded') {
      wait(key, `Waiting until ${name} of ${live.hookRun ?? 'before'} has ended: ${live.health.message}`);
    } else old.push(live);
  }
  if (ends.length > 0) return { state: 'step', step: { do: 'record-hooks', ends } };
  if (old.length > 0) return clear(facts, old);
  if (starts.length > 0 && !failed) return { state: 'step', step: { do: 'start-hooks', starts } };
  // One that failed stops what comes after it, and what runs beside it is let end.
  if (waiting !== undefined) return waiting;
  return failed ? { state: 'failed', errors: [] } : { state: 'done' };
}

/** One that could not be deleted is tried again in its time, and waited for. */
function clear(facts: HookFacts, objects: readonly LiveObject[]): HookProgress {
  const due = objects.filter(({ key }) => facts.clearFailureOf(key)?.isDue !== false);
  if (due.length > 0) return { state: 'step', step: { do: 'clear-hooks', objects: due } };
  const on = objects[0]?.key ?? ('' as ObjectKey);
  const failure = facts.clearFailureOf(on);
  const message = `The hook ${shortNameOf(on)} could not be deleted: ${failure?.error.message ?? ''}`;
  return { state: 'waiting', on, message, wakeAt: failure?.retryAt };
}

function hookFailed({ key, origin }: DesiredHook, phase: HookPhase, message: string): PlumbError {
  const subject = shortNameOf(key);
  return new PlumbError('HookFailed', `The ${phase} hook ${subject} ${message}`, { where: origin, subject });
}
