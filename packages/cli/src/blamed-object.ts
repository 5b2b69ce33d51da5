import {
  blameFields,
  keyOf,
  parseFieldPath,
  PlumbError,
  valueAt,
  TOUCHED_BY_ANNOTATION,
  type BlamedField,
  type KubeObject,
  type Origin,
  type TargetKey,
  type Where,
} from '@plumb/core';
import { EDIT_STAMP_NAME } from '@plumb/api/light';
import type { KubeClient } from '@plumb/kube';
import type { LedgerReader, Release } from '@plumb/ledger';
import type { Place } from '@plumb/render';
import type { Author, FieldAuthors } from './field-authors.ts';

/** A field with the line of the repository that Git's value of it is from. */
export interface PlacedField extends BlamedField {
  readonly place?: Where;
  /** Who wrote that line; asked for where few lines are shown. */
  readonly author?: Author;
}

export interface BlamedObject {
  readonly object: KubeObject;
  /** The release that it is held against; undefined where there is none, or it is not known. */
  readonly release: Release | undefined;
  readonly fields: readonly PlacedField[];
  /** What could not be found out, and why. */
  readonly unknown: readonly string[];
}

/** What an application tells of its objects. */
export interface BlameRecords {
  readonly target: TargetKey;
  /** Where an engine keeps its records on this machine, or why they cannot be read. */
  readonly ledger: LedgerReader | PlumbError;
  readonly authors: FieldAuthors;
}

export interface BlameWish {
  readonly client: KubeClient;
  /** Undefined of an object without an application. */
  readonly records: BlameRecords | undefined;
  readonly withStatus: boolean;
  readonly isShown: (path: string) => boolean;
  readonly signal: AbortSignal;
}

/** A line costs a walk through the history: they are asked about where a person has asked for few. */
const MAX_AUTHORS = 5;

/** What is known of the fields of an object: owners from the object, Git's values from the last release, lines from the repository. */
export async function blameObject(
  object: KubeObject,
  { client, records, withStatus, isShown, signal }: BlameWish,
): Promise<BlamedObject> {
  const found = records === undefined ? undefined : await releasedAs(records, object);
  const released = typeof found === 'object' ? found : undefined;
  const bearsStamp = object.metadata.annotations?.[TOUCHED_BY_ANNOTATION] !== undefined;
  const options = { withStatus, isStamped: bearsStamp && (await hasPolicy(client, signal)) };
  const fields = blameFields(object, released?.object, options).filter(({ path }) => isShown(path));
  const base = { object, release: released?.release, fields, unknown: typeof found === 'string' ? [found] : [] };
  if (released?.origin === undefined || records === undefined) return base;
  try {
    return { ...base, fields: await placed(fields, { ...released, origin: released.origin }, records) };
  } catch (thrown) {
    if (!(thrown instanceof PlumbError)) throw thrown;
    return { ...base, unknown: [`the lines of the fields: ${thrown.message}`] };
  }
}

interface Released {
  readonly release: Release;
  readonly object: KubeObject;
  readonly origin: Origin | undefined;
}

/** A text says why it is not known. */
async function releasedAs({ ledger, target }: BlameRecords, object: KubeObject): Promise<Released | string> {
  if (ledger instanceof PlumbError) return `what Git says: ${ledger.message} (the ledger lies where the engine runs)`;
  const [release] = await ledger.releases(target, { limit: 1 });
  if (release === undefined) return 'what Git says: nothing was released yet';
  const entry = (await ledger.releaseObjects(target, release.number))?.find(
    (one) => keyOf(one.object) === keyOf(object),
  );
  if (entry === undefined) return 'what Git says: the object is not part of the last release';
  return { release, object: entry.object, origin: entry.origin };
}

/** Where the policy is not there, stamps are old, or anybody's. So it is where it may not be read. */
async function hasPolicy(client: KubeClient, signal: AbortSignal): Promise<boolean> {
  try {
    const kind = { group: 'admissionregistration.k8s.io', kind: 'MutatingAdmissionPolicyBinding', version: 'v1' };
    const resource = await client.resource(kind, { signal });
    return (await client.get(resource, { name: EDIT_STAMP_NAME }, { signal })) !== undefined;
  } catch (thrown) {
    if (thrown instanceof PlumbError && (thrown.code === 'KindMissing' || thrown.code === 'Forbidden')) return false;
    throw thrown;
  }
}

async function placed(
  fields: readonly BlamedField[],
  { release, object, origin }: Released & { readonly origin: Origin },
  { target, authors }: BlameRecords,
): Promise<readonly PlacedField[]> {
  const at = { commit: release.commit, before: undefined };
  const said = fields.map(({ path }) => {
    const parsed = parseFieldPath(path);
    const value = parsed === undefined ? undefined : valueAt(object, parsed);
    return { path, ...(value === undefined ? {} : { after: value }) };
  });
  const { changes } = await authors.find({ target, ...at, origin, changes: said });
  const places = new Map<string, Place>();
  for (const { place } of changes)
    if (place?.line !== undefined) places.set(placeKey(place), { ...place, line: place.line });
  const wrote = new Map<string, Author>();
  if (places.size <= MAX_AUTHORS) {
    for (const [key, place] of places) {
      const author = await authors.authorAt(at, place);
      if (author !== undefined) wrote.set(key, author);
    }
  }
  return fields.map((field, index): PlacedField => {
    const place = changes[index]?.place;
    const author = place === undefined ? undefined : wrote.get(placeKey(place));
    return { ...field, ...(place === undefined ? {} : { place }), ...(author === undefined ? {} : { author }) };
  });
}

function placeKey({ file, line }: Where): string {
  return `${file}:${line ?? ''}`;
}
