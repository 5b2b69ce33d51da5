import {
  diffObjects,
  keyOf,
  withPlainData,
  type FieldChange,
  type KubeObject,
  type Origin,
  type TargetKey,
} from '@plumb/core';
import { releaseName, type LedgerReader, type Release } from '@plumb/ledger';

/** What changed an object last, told from the releases of its target. */
export interface ObjectOrigin {
  /** The first release in which the object is as it is now. */
  readonly release: Release;
  /** The one before it; undefined where it is not known any more, or there is none. */
  readonly previous: Release | undefined;
  /** Where the object lies in that release's commit. */
  readonly origin: Origin | undefined;
  /** The last healthy release before the current one. */
  readonly good: Release | undefined;
  /** What differs from the good release; undefined where that is not known, empty where nothing does. */
  readonly changes: readonly FieldChange[] | undefined;
  /** The good release has no such object. */
  readonly isNew: boolean;
  /** The current release was healthy once: what is wrong came after it. */
  readonly wasHealthy: boolean;
}

const MAX_RELEASES = 50;

/** Reads it off the ledger. A text says why it is not known. Errors: `LedgerUnavailable`. */
export async function readOrigin(
  ledger: LedgerReader,
  target: TargetKey,
  object: KubeObject,
): Promise<ObjectOrigin | string> {
  const releases = await ledger.releases(target, { limit: MAX_RELEASES });
  const [current] = releases;
  if (current === undefined) return 'nothing was released yet';
  const entryIn = async ({ number }: Release) => {
    const entries = await ledger.releaseObjects(target, number);
    const entry = entries?.find((one) => keyOf(one.object) === keyOf(object));
    // Older releases have a Secret as Git says it.
    return { isKept: entries !== undefined, entry: entry && { ...entry, object: withPlainData(entry.object) } };
  };
  const { entry: now } = await entryIn(current);
  if (now === undefined) return `it is not part of ${releaseName(current.number)}`;
  const good = releases.find(({ outcome, number }) => outcome === 'healthy' && number < current.number);
  const before = good === undefined ? undefined : await entryIn(good);
  let first = { release: current, entry: now };
  for (const release of releases.slice(1)) {
    if (release.number <= (good?.number ?? 0)) break;
    const { entry } = await entryIn(release);
    if (entry === undefined || diffObjects(entry.object, now.object).length > 0) break;
    first = { release, entry };
  }
  return {
    release: first.release,
    previous: releases.find(({ number }) => number < first.release.number),
    origin: first.entry.origin,
    good,
    changes: before?.isKept === true ? diffObjects(before.entry?.object, now.object) : undefined,
    isNew: before?.isKept === true && before.entry === undefined,
    wasHealthy: current.outcome === 'healthy',
  };
}

/** The changes that the cause names come first: an image that cannot be pulled is the image that changed. Pure. */
export function mostTellingFirst(changes: readonly FieldChange[], cause: string): readonly FieldChange[] {
  const isNamed = ({ after }: FieldChange): boolean =>
    typeof after === 'string' && after.length > 2 && cause.includes(after);
  return [...changes.filter(isNamed), ...changes.filter((change) => !isNamed(change))];
}
