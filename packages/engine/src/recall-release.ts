import { arrange, type TargetKey } from '@plumb/core';
import type { Ledger } from '@plumb/ledger';
import { openReleaseOf } from './hooks.ts';
import { asSentNow, hasRunForDeletion, placedOf } from './released-set.ts';
import type { TargetMemory } from './target-memory.ts';

export interface RecallOptions {
  readonly ledger: Pick<
    Ledger,
    'latestRelease' | 'releaseObjects' | 'applied' | 'hookRuns' | 'allowedReplacements' | 'allowedDeletion'
  >;
  /** Epoch milliseconds of the creation of the target's application. */
  createdAt(target: TargetKey): number;
  /** Whether it is being taken down. */
  isRetired(): boolean;
}

/** Takes into memory what the ledger knows of the last release of a target, as far as it is this very target's. */
export async function recallRelease(target: TargetKey, memory: TargetMemory, options: RecallOptions): Promise<void> {
  const { ledger, createdAt } = options;
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
  // Asked now: it may have become so meanwhile.
  const isRetired = options.isRetired();
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
}
