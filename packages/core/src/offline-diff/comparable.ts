import { isJsonArray } from '../canonical.ts';
import { IGNORED_MARKS, SERVER_METADATA } from '../diff.ts';
import {
  fieldAt,
  isJsonObject,
  type Json,
  type JsonObject,
  type KubeObject,
  type ManagedFieldsEntry,
} from '../object.ts';

/** What an object says about itself: without its name, what the server writes, and our own marks. */
export function comparable(object: KubeObject): JsonObject {
  const kept: [string, Json][] = [];
  for (const [field, value] of Object.entries(object as unknown as JsonObject)) {
    if (NOT_CONTENT.has(field)) continue;
    const content = field === 'metadata' ? metadataContent(value) : value;
    if (content !== undefined) kept.push([field, content]);
  }
  return Object.fromEntries(kept);
}

const NOT_CONTENT: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'status']);
const IDENTITY: ReadonlySet<string> = new Set(['name', 'namespace', 'generateName']);

function metadataContent(metadata: Json): Json | undefined {
  if (!isJsonObject(metadata)) return undefined;
  const kept: [string, Json][] = [];
  for (const [field, value] of Object.entries(metadata)) {
    if (SERVER_METADATA.has(field) || IDENTITY.has(field)) continue;
    const isMarks = (field === 'labels' || field === 'annotations') && isJsonObject(value);
    if (!isMarks) kept.push([field, value]);
    else {
      const marks = Object.entries(value).filter(([name]) => !IGNORED_MARKS.has(name));
      // A map of our marks alone is none; one that was empty already is left as it is.
      if (marks.length > 0 || Object.keys(value).length === 0) kept.push([field, Object.fromEntries(marks)]);
    }
  }
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** The object without the fields that are null: nobody means anything by them, and charts leave many behind. */
export function withoutNulls(value: Json): Json {
  if (isJsonArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([field, child]) => (child === null ? [] : [[field, withoutNulls(child)]])),
  );
}

/** A live object as a server would give it: files are written by anybody, and owners that make no sense are none. */
export function asRead(object: KubeObject): KubeObject {
  const { metadata, ...rest } = withoutNulls(object as unknown as JsonObject) as unknown as KubeObject;
  const { managedFields, ...facts } = metadata;
  const entries = Array.isArray(managedFields) ? managedFields.filter(isEntry) : [];
  return { ...rest, metadata: { ...facts, ...(entries.length === 0 ? {} : { managedFields: entries }) } };
}

function isEntry(entry: unknown): entry is ManagedFieldsEntry {
  if (!isJsonObject(entry)) return false;
  return entry['fieldsV1'] === undefined || isJsonObject(entry['fieldsV1']);
}

/** What the server makes of some fields on their way in, and where nobody is to blame for the difference. */
export function asStored(object: KubeObject, live: KubeObject | undefined): KubeObject {
  const { apiVersion, kind } = object;
  if (apiVersion === 'v1' && kind === 'Secret') return withPlainData(object);
  if (apiVersion === 'v1' && kind === 'Pod') return withPodTolerations(object, live);
  if (kind === 'ClusterRole' && object['aggregationRule'] !== undefined) {
    // A controller fills them in from other roles.
    const { rules: _rules, ...rest } = object;
    return rest;
  }
  return object;
}

/**
 * A Secret as the server keeps it: `stringData` goes over `data`, and is not there any more when the Secret is read. What is
 * kept so already, and any other object, is returned as it is.
 */
export function withPlainData(object: KubeObject): KubeObject {
  const { stringData, ...rest } = object;
  if (object.apiVersion !== 'v1' || object.kind !== 'Secret' || !isJsonObject(stringData)) return object;
  const plain = Object.entries(stringData).map(([key, value]) => [
    key,
    typeof value === 'string' ? Buffer.from(value, 'utf8').toString('base64') : value,
  ]);
  if (plain.length === 0) return rest;
  const data = isJsonObject(object['data']) ? object['data'] : {};
  return { ...rest, data: { ...data, ...(Object.fromEntries(plain) as JsonObject) } };
}

/** Admission adds tolerations of the state of nodes to every Pod, in a list that has one owner. */
function withPodTolerations(object: KubeObject, live: KubeObject | undefined): KubeObject {
  const wanted = fieldAt(object, 'spec', 'tolerations');
  const found = fieldAt(live, 'spec', 'tolerations');
  const spec = object['spec'];
  if (!isJsonArray(wanted) || !isJsonArray(found) || !isJsonObject(spec)) return object;
  const keys = new Set(wanted.map((item) => fieldAt(item, 'key')));
  const added = found.filter((item) => {
    const key = fieldAt(item, 'key');
    return typeof key === 'string' && key.startsWith('node.kubernetes.io/') && !keys.has(key);
  });
  return { ...object, spec: { ...spec, tolerations: [...wanted, ...added] } };
}
