import {
  judgeDrift,
  type AppliedObject,
  type Clock,
  type DesiredObject,
  type Drift,
  type DriftWishes,
  type LiveObject,
  type TargetKey,
} from '@plumb/core';
import { everythingIn } from './desired-parts.ts';
import type { DriftBook } from './drift-book.ts';
import type { Inspected } from './inspect.ts';
import type { LiveIndex } from './observe.ts';
import type { TargetEvent } from './target-event.ts';
import type { TargetMemory } from './target-memory.ts';

interface DriftContext {
  readonly drifts: DriftBook;
  readonly clock: Clock;
  readonly wishes: DriftWishes;
}

/** Keeps what was found, with what becomes of it. */
export async function recordDrifts(
  target: TargetKey,
  memory: TargetMemory,
  inspected: readonly Inspected[],
  { drifts, clock, narrate, wishes }: DriftContext & { narrate(event: TargetEvent): void },
): Promise<void> {
  const found = inspected.map((one) => {
    return { inspected: one, judged: judgeDrift(one.drift, one.evidence.desired.object, wishes, clock.now()) };
  });
  const fresh = await drifts.found(target, memory.release ?? 0, found);
  if (fresh.length > 0) narrate({ type: 'drifted', target, drifts: fresh });
}

/** What is open may have ended by itself, or stand by another decision now. */
export async function reviewDrifts(
  target: TargetKey,
  memory: TargetMemory,
  { drifts, live, clock, wishes }: DriftContext & { readonly live: Pick<LiveIndex, 'liveOf'> },
): Promise<void> {
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
  const time = clock.now();
  await drifts.stands(
    target,
    standing.map(({ drift, desired }) => judgeDrift(drift, desired.object, wishes, time)),
  );
}

interface StandingAgain {
  readonly drift: Drift;
  readonly desired: DesiredObject;
}

function isAsApplied(live: LiveObject | undefined, applied: AppliedObject | undefined, target: TargetKey): boolean {
  if (live === undefined || applied === undefined || live.uid !== applied.uid || live.target !== target) return false;
  return live.fieldsHash === applied.fieldsHash || live.fieldsHashBeforeScaling === applied.fieldsHash;
}
