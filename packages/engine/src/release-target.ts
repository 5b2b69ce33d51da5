import {
  deletionId,
  lossesOf,
  type AllowedDeletion,
  type DesiredSet,
  type LiveObject,
  type Plan,
  type TargetKey,
} from '@plumb/core';
import type { Ledger } from '@plumb/ledger';
import type { DeletionBreaker } from './deletion-breaker.ts';
import { everythingIn, keysOf } from './desired-parts.ts';
import type { Externals } from './externals.ts';
import { openReleaseOf } from './hooks.ts';
import type { Sources } from './source.ts';
import type { TargetEvent } from './target-event.ts';
import { NOT_REHEARSED, type TargetMemory } from './target-memory.ts';
import type { TargetSpec } from './targets.ts';

export interface ReleaseContext {
  readonly ledger: Ledger;
  readonly sources: Pick<Sources, 'commitOf' | 'repository'>;
  narrate(event: TargetEvent): void;
  readonly signal: AbortSignal;
}

/** Stores what Git wants as a release, before any of it is written; from here on memory is about that one. */
export async function releaseTarget(
  spec: TargetSpec,
  memory: TargetMemory,
  { isConsented }: { readonly isConsented: boolean },
  { ledger, sources, narrate, signal }: ReleaseContext,
): Promise<void> {
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
  await takeBack(spec.target, memory, desired, ledger);
  await letLose(spec.target, memory, plan, ledger);
  narrate({
    type: 'released',
    target: spec.target,
    release: release.number,
    commit: desired.commit,
    subject: commit.subject,
  });
}

/** What Git wants again has to be allowed anew, should it be removed another time. */
async function takeBack(
  target: TargetKey,
  memory: TargetMemory,
  desired: DesiredSet,
  ledger: ReleaseContext['ledger'],
): Promise<void> {
  const { allowed } = memory;
  if (allowed === undefined) return;
  const wanted = new Set<string>(keysOf(desired));
  const ids = [...allowed.ids].filter((id) => !wanted.has(id.slice(0, id.lastIndexOf(' '))));
  if (ids.length === allowed.ids.size) return;
  memory.allowed = { by: allowed.by, ids: new Set(ids) };
  await ledger.allowDeletion(target, memory.allowed);
}

/** What people have approved with the plan of a release may go in the course of it; what the last one had is over. */
async function letLose(
  target: TargetKey,
  memory: TargetMemory,
  plan: Plan | undefined,
  ledger: ReleaseContext['ledger'],
): Promise<void> {
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

/** The set may go, from now on until it is gone: its first step is about to be made. */
export async function allowDeletions(
  set: readonly LiveObject[],
  by: AllowedDeletion['by'],
  target: TargetKey,
  memory: TargetMemory,
  { ledger, breaker }: { readonly ledger: Pick<Ledger, 'allowDeletion'>; readonly breaker: DeletionBreaker },
): Promise<void> {
  const ids = set.map(deletionId);
  if (ids.every((id) => memory.allowed?.ids.has(id))) return;
  memory.allowed = { by, ids: new Set(ids) };
  if (by === 'budget') breaker.took(ids.length);
  await ledger.allowDeletion(target, memory.allowed);
}

function chartText({ name, version, digest }: NonNullable<Externals['chart']>): string {
  return `${name} ${version} ${digest}`;
}
