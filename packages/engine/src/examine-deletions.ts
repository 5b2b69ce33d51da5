import {
  deletionId,
  PlumbError,
  shortNameOf,
  type Clock,
  type Examination,
  type LiveObject,
  type Step,
  type TargetKey,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import type { Ledger } from '@plumb/ledger';
import { backoffMs } from './backoff.ts';
import type { Claims } from './claims.ts';
import { keysOf } from './desired-parts.ts';
import { drawTarget, type DrawContext } from './draw-target.ts';
import { examine, removersOf } from './examine.ts';
import type { Sources } from './source.ts';
import type { TargetMemory } from './target-memory.ts';
import type { TargetSpec } from './targets.ts';

export interface ExamineContext extends DrawContext {
  readonly client: KubeClient;
  readonly ledger: Ledger;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly claims: Claims;
  /** Look at these targets (again). */
  wake(targets: readonly TargetKey[]): void;
}

/** How long what was found out before a deletion is believed. */
const EXAMINED_MS = 60_000;

/** What was found out about these, as long as it is believed. */
export function examinationOf(
  memory: TargetMemory,
  objects: readonly LiveObject[],
  now: number,
): Examination | undefined {
  const { examined } = memory;
  if (examined === undefined || examined.digest !== (memory.desired?.digest ?? '')) return undefined;
  const { doubt } = examined.found;
  if (doubt !== undefined) return now < doubt.retryAt ? examined.found : undefined;
  const { ids } = examined;
  const isKnown = ids === undefined || objects.every((live) => ids.has(deletionId(live)));
  return isKnown && now < examined.at + EXAMINED_MS ? examined.found : undefined;
}

/** Finds out what has to be known before these go, and whether they are not wanted indeed. */
export async function examineDeletions(
  step: Extract<Step, { do: 'examine' }>,
  spec: TargetSpec,
  memory: TargetMemory,
  context: ExamineContext,
): Promise<void> {
  const { client, ledger, sources, clock, signal } = context;
  const { target } = spec;
  const doubt = step.confirm ? await confirmRender(spec, memory, context) : undefined;
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
async function confirmRender(
  spec: TargetSpec,
  memory: TargetMemory,
  context: ExamineContext,
): Promise<Examination['doubt']> {
  const { sources, clock, claims, wake } = context;
  const { desired } = memory;
  const source = sources.sourceOf(spec);
  const isCurrent = source.state === 'ready' && source.inputs === desired?.inputs;
  const drawn = isCurrent ? await drawTarget(spec, source, { isFresh: true }, context) : undefined;
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
