import { PlumbError } from '@plumb/core';
import type { ChartCredentials } from './credentials.ts';
import type { ChartPlace } from './source.ts';
import { newestFirst, pickVersion, type VersionRange } from './version-range.ts';

/** What both kinds of hosts are asked. */
export interface ChartRequest {
  readonly place: ChartPlace;
  readonly range: VersionRange;
  readonly credentials: ChartCredentials;
  /** How old the list of versions may be. */
  readonly maxAgeMs: number;
}

/** A version that was chosen, before its bytes are here: the cache may have them. */
export interface LocatedChart {
  /** As the host writes it. */
  readonly version: string;
  /** `sha256:…`, where the host has promised one so far. */
  readonly digest: string | undefined;
  /** The archive, checked. */
  download(options: { readonly signal: AbortSignal }): Promise<Buffer>;
}

/** What a host lists of a chart, and whether it was asked just now. */
export interface Listing<Entry> {
  readonly entries: readonly Entry[];
  readonly isFresh: boolean;
}

/**
 * Chooses among the versions that a host lists. A list that was kept and lacks what is asked for is asked for anew, since
 * who has just published a version does not wait for a list to grow old.
 *
 * @param list with `maxAgeMs` 0 the host is asked in any case
 * @throws {PlumbError} `ChartVersionMissing`, naming the newest versions that there are
 */
export async function choose<Entry extends { readonly version: string }>(
  request: ChartRequest,
  list: (maxAgeMs: number) => Promise<Listing<Entry>>,
): Promise<Entry> {
  const { place, range } = request;
  const kept = await list(request.maxAgeMs);
  const known = pick(range, kept.entries);
  if (known !== undefined) return known;
  const { entries } = kept.isFresh ? kept : await list(0);
  const chosen = pick(range, entries);
  if (chosen !== undefined) return chosen;

  const newest = newestFirst(entries.map(({ version }) => version)).slice(0, 5);
  const wanted = range.text === '' || range.text === '*' ? 'no release' : `no version that matches "${range.text}"`;
  const there = newest.length === 0 ? 'it has no version at all' : `the newest are ${newest.join(', ')}`;
  throw new PlumbError('ChartVersionMissing', `${place.shown} has ${wanted}: ${there}`);
}

function pick<Entry extends { readonly version: string }>(
  range: VersionRange,
  entries: readonly Entry[],
): Entry | undefined {
  const picked = pickVersion(
    range,
    entries.map(({ version }) => version),
  );
  return entries.find(({ version }) => version === picked);
}
