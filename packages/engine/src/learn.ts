import {
  DELETION,
  hookAttempt,
  type Clock,
  type HookStart,
  type LiveObject,
  type ObjectKey,
  type PlumbError,
  type Replacement,
  type TargetKey,
  type Write,
} from '@plumb/core';
import type { WriteResult } from './apply.ts';
import { backoffMs } from './backoff.ts';
import type { HookStarted } from './hooks.ts';
import type { LiveIndex } from './observe.ts';
import type { RehearsalAnswer } from './rehearse.ts';
import type { FailedWrite, TargetEvent } from './target-event.ts';
import type { TargetMemory } from './target-memory.ts';

export interface LearnContext {
  readonly clock: Clock;
  readonly live: Pick<LiveIndex, 'removed' | 'leaving'>;
  narrate(event: TargetEvent): void;
}

/** What only a person can mend is tried again all the same, at long intervals: the world changes unseen. */
const STUCK_RETRY_MS = 10 * 60_000;

/** Takes in the answers to writes; returns what went wrong. */
export function learnWrites(
  results: readonly WriteResult[],
  writes: readonly Write[],
  memory: TargetMemory,
  context: LearnContext,
): readonly FailedWrite[] {
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
      noteFailure(memory, result.key, { hash: write.desired.hash, error: result.error }, context);
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
    memory.written.set(result.key, { version, sinceMs: context.clock.now() });
  }
  return failed;
}

export function learnRehearsal(
  answers: readonly RehearsalAnswer[],
  target: TargetKey,
  memory: TargetMemory,
  context: LearnContext,
): void {
  const digest = memory.desired?.digest ?? '';
  if (memory.rehearsal.digest !== digest) memory.rehearsal = { digest, answers: new Map() };
  const known = memory.rehearsal.answers;
  const isNews = answers.some(({ key, error }) => error !== undefined && known.get(key)?.error?.code !== error.code);
  for (const { key, ...answer } of answers) {
    const before = known.get(key);
    const attempts = before?.error === undefined ? 1 : before.attempts + 1;
    const retryAt = answer.error === undefined ? undefined : retryAtOf(answer.error, attempts, context);
    known.set(key, { ...answer, attempts, retryAt });
  }
  const errors = answers.flatMap(({ error }) => error ?? []);
  if (isNews) context.narrate({ type: 'stopped', target, errors });
}

export function learnStarts(
  started: readonly HookStarted[],
  starts: readonly HookStart[],
  memory: TargetMemory,
  context: LearnContext,
): void {
  for (const [index, { key, error }] of started.entries()) {
    const start = starts[index];
    if (error === undefined || start === undefined) memory.failures.delete(key);
    else noteFailure(memory, key, { hash: hookAttempt(start.hook, start.mark), error }, context);
  }
}

export function learnReplacements(
  results: readonly WriteResult[],
  replacements: readonly Replacement[],
  memory: TargetMemory,
  context: LearnContext,
): ReadonlyMap<ObjectKey, PlumbError> {
  const failed = new Map<ObjectKey, PlumbError>();
  for (const [index, { desired, live }] of replacements.entries()) {
    const result = results[index];
    if (result?.ok === false) {
      noteFailure(memory, result.key, { hash: desired.hash, error: result.error }, context);
      failed.set(result.key, result.error);
    } else if (result !== undefined) learnDeletions([result], [live], memory, context);
  }
  return failed;
}

export function learnDeletions(
  results: readonly WriteResult[],
  objects: readonly LiveObject[],
  memory: TargetMemory,
  context: LearnContext,
  attempt: string = DELETION,
): void {
  for (const [index, result] of results.entries()) {
    const object = objects[index];
    if (object === undefined) continue;
    if (!result.ok) {
      noteFailure(memory, result.key, { hash: attempt, error: result.error }, context);
      continue;
    }
    memory.failures.delete(result.key);
    // What waits for its finalizers is still there: it leaves the inventory when it is seen to be gone.
    if (result.gone) memory.applied.delete(result.key);
    if (result.gone) context.live.removed(result.key, object.uid);
    else context.live.leaving(result.key, object.uid);
  }
}

function noteFailure(
  memory: TargetMemory,
  key: ObjectKey,
  { hash, error }: { readonly hash: string; readonly error: PlumbError },
  context: LearnContext,
): void {
  // It was not tried: without the lease nothing is, and with it again everything is looked at anew.
  if (error.code === 'EngineBusy') return;
  const before = memory.failures.get(key);
  const attempts = before?.hash === hash ? before.attempts + 1 : 1;
  memory.failures.set(key, { hash, error, attempts, retryAt: retryAtOf(error, attempts, context) });
}

function retryAtOf(error: PlumbError, attempts: number, { clock }: LearnContext): number {
  const waitMs =
    error.facts.retry === 'backoff' ? Math.max(error.retryAfterMs ?? 0, backoffMs(attempts)) : STUCK_RETRY_MS;
  return clock.monotonic() + waitMs;
}
