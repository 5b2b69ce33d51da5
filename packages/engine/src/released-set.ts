import { arrange, isDeletionRun, withPlainData, type DesiredSet, type PlacedObject } from '@plumb/core';
import type { HookRunRecord, ReleaseObject } from '@plumb/ledger';
import { everythingIn } from './desired-parts.ts';

export function placedOf(stored: readonly ReleaseObject[]): readonly PlacedObject[] {
  return stored.map(({ object, origin }) => ({ object, origin: origin ?? { file: '' } }));
}

/**
 * What was released, as it is sent now: a former Plumb sent Secrets as Git says them. Their hashes are others then, so that
 * each is sent once more, and no release is made of it.
 */
export function asSentNow(recorded: DesiredSet): DesiredSet {
  const placed = everythingIn(recorded).map(({ object, origin }) => ({ object: withPlainData(object), origin }));
  const isSame = everythingIn(recorded).every(({ object }, index) => object === placed[index]?.object);
  return isSame ? recorded : arrange(placed, []);
}

export function hasRunForDeletion(runs: readonly HookRunRecord[]): boolean {
  return runs.some(({ mark }) => isDeletionRun(mark));
}
