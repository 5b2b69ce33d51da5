import type { DesiredSet } from './desired.ts';
import { PlumbError } from './error.ts';
import { nameSome } from './phrases.ts';
import { hookProgress, type Waiting } from './rollout.ts';
import { earliest, rest, sentence } from './rest.ts';
import type { Rest, Step } from './step.ts';
import type { TargetFacts } from './target-facts.ts';

/** The release has failed: its `SyncFail` hooks run, its outcome is recorded, and what is wrong is said. */
export function failRelease(facts: TargetFacts, desired: DesiredSet, errors: readonly PlumbError[]): Step {
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
export function waitFor(
  facts: TargetFacts,
  desired: DesiredSet,
  { on, message, wakeAt }: Waiting,
  otherwise?: number,
): Step {
  if (facts.openRelease === undefined) return rest('Syncing', message, { wakeAt: earliest([wakeAt, otherwise]) });
  const waiting = restWaiting(facts, { on, message, wakeAt: earliest([wakeAt, otherwise]) });
  if (waiting.state !== 'Failed') return waiting;
  const step = failRelease(facts, desired, waiting.failures);
  return step.do === 'rest' ? { ...step, waitsOn: on, wakeAt: earliest([step.wakeAt, waiting.wakeAt]) } : step;
}

/** Waits for one thing, and says since when; `Failed` once that takes longer than it may, and it is waited for still. */
export function restWaiting(facts: TargetFacts, { on, message, wakeAt }: Waiting): Rest {
  const wait = deadlineOf(facts, on);
  const said = `${message} (since ${timeText(wait.sinceTime)})`;
  if (!wait.isOver) return rest('Syncing', said, { waitsOn: on, wakeAt: earliest([wait.until, wakeAt]) });
  const error = new PlumbError('WaitTimeout', `${said}: that is longer than ${durationText(facts.deadlineMs)}`, {
    fix: 'Look at what it waits for: it goes on by itself once that is healthy. spec.timeout sets how long it waits.',
  });
  return rest('Failed', error.message, { failures: [error], waitsOn: on, wakeAt });
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

export function restByHealth(facts: TargetFacts, desired: DesiredSet): Step {
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
