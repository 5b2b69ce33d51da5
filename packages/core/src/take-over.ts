import { equalJson, isJsonArray, parseJson } from './canonical.ts';
import { formatFieldPath } from './field-path.ts';
import { ownedPaths, ownEntry } from './managed-fields.ts';
import { isJsonObject, type Json, type JsonObject, type KubeObject, type ManagedFieldsEntry } from './object.ts';

/** The annotation in which kubectl, and Argo CD without server-side apply, keep what they applied. */
export const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/** The tools that an application may have been managed by before, by the names they write under. */
const FORMER_MANAGERS: ReadonlySet<string> = new Set([
  'argocd-controller',
  'before-first-apply',
  'helm',
  'helm-controller',
  'kubectl',
  'kubectl-client-side-apply',
  'kubectl-create',
  'kustomize-controller',
]);

/** `kubectl apply --server-side` writes as `kubectl`; its Update entries are of `kubectl edit` in old versions. */
const APPLIES_ONLY: ReadonlySet<string> = new Set(['kubectl']);

export interface TakeOver {
  /** RFC 6902; guarded by the resource version, so that it only meets the object that was looked at. */
  readonly patch: readonly JsonObject[];
  /** Who hands over. */
  readonly managers: readonly string[];
  /** What the former tool had put there and Git does not name: it goes with the next apply. As `formatFieldPath`. */
  readonly leftovers: readonly string[];
}

/**
 * The end of a former tool's hold on an object that we have just applied: as long as its entry in managedFields owns a
 * field too, a field that leaves Git stays on the object. Its entries are taken out, and what it had wished for is added
 * to our entry, so that the next apply removes what Git does not name: as the tool itself would have done. Undefined
 * where there is nothing to take over.
 *
 * | entry of a former tool | what it wished for |
 * | --- | --- |
 * | Apply | all of it |
 * | Update, with the last-applied annotation | what is in both: the entry also has defaults that nobody wished for |
 * | Update without it (Helm 3) | its marks in metadata: what else it owned stays and is nobody's |
 *
 * `spec.replicas` is never a leftover: Git leaves it out so that something else may set it.
 */
export function takeOver(object: KubeObject): TakeOver | undefined {
  const { annotations = {}, managedFields = [], resourceVersion } = object.metadata;
  const own = ownEntry(object);
  if (own === undefined || resourceVersion === undefined) return undefined;
  const { entries: former, fields: wishes } = wishesOfFormer(object, own.apiVersion);
  const lastApplied = annotations[LAST_APPLIED_ANNOTATION];
  if (former.length === 0 && lastApplied === undefined) return undefined;

  const fields = unionOfFields(own.fieldsV1 ?? {}, wishes);
  const kept = managedFields
    .filter((entry) => !former.includes(entry))
    .map((entry) => (entry === own ? { ...entry, fieldsV1: fields } : entry));
  const before = new Set(ownedPaths(own).map(formatFieldPath));
  return {
    patch: [
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
      { op: 'replace', path: '/metadata/managedFields', value: kept as unknown as Json },
      ...(lastApplied === undefined
        ? []
        : [{ op: 'remove', path: `/metadata/annotations/${LAST_APPLIED_ANNOTATION.replaceAll('/', '~1')}` }]),
    ],
    managers: [...new Set(former.flatMap(({ manager }) => manager ?? []))],
    leftovers: ownedPaths({ ...own, fieldsV1: fields })
      .map(formatFieldPath)
      .filter((path) => !before.has(path)),
  };
}

export interface FormerWishes {
  readonly entries: readonly ManagedFieldsEntry[];
  /** A set of fields, as in `fieldsV1`. */
  readonly fields: JsonObject;
}

/**
 * The entries of former tools on an object, and what they had wished for in this version. Paths of another version may
 * have other names: what only they own is nobody's from now on.
 */
export function wishesOfFormer({ metadata }: KubeObject, apiVersion: string | undefined): FormerWishes {
  const { annotations = {}, managedFields = [] } = metadata;
  const lastApplied = annotations[LAST_APPLIED_ANNOTATION];
  const wished = lastApplied === undefined ? undefined : parseJson(lastApplied);
  const entries = managedFields.filter(isFormer);
  let fields: JsonObject = {};
  for (const entry of entries) {
    if (entry.apiVersion === apiVersion) fields = unionOfFields(fields, withoutReplicas(wishOf(entry, wished)));
  }
  return { entries, fields };
}

function isFormer({ manager = '', operation, subresource }: ManagedFieldsEntry): boolean {
  if (subresource !== undefined && subresource !== '') return false;
  return FORMER_MANAGERS.has(manager) && (operation === 'Apply' || !APPLIES_ONLY.has(manager));
}

function wishOf({ operation, fieldsV1 = {} }: ManagedFieldsEntry, lastApplied: Json | undefined): JsonObject {
  if (operation === 'Apply') return fieldsV1;
  if (lastApplied !== undefined) return withoutCopy(intersect(fieldsV1, lastApplied));
  const metadata = fieldsV1['f:metadata'];
  return withoutCopy(metadata === undefined ? {} : { 'f:metadata': metadata });
}

/** The part of a set of fields that a value has. */
function intersect(fields: JsonObject, value: Json | undefined): JsonObject {
  const common: Record<string, Json> = {};
  for (const [name, below] of Object.entries(fields)) {
    if (name === '.') {
      common[name] = below;
      continue;
    }
    const child = childOf(value, name);
    if (child === undefined || !isJsonObject(below)) continue;
    const isLeaf = Object.keys(below).length === 0;
    const part = intersect(below, child);
    if (isLeaf || Object.keys(part).length > 0) common[name] = part;
  }
  return common;
}

function childOf(value: Json | undefined, name: string): Json | undefined {
  const rest = name.slice(2);
  if (name.startsWith('f:')) return isJsonObject(value) && Object.hasOwn(value, rest) ? value[rest] : undefined;
  if (!isJsonArray(value)) return undefined;
  const wanted = parseJson(rest);
  if (name.startsWith('v:')) return value.find((item) => equalJson(item, wanted));
  if (!name.startsWith('k:') || !isJsonObject(wanted)) return undefined;
  // A key that the server fills in (a protocol) may be missing in what was written.
  return value.find(
    (item) =>
      isJsonObject(item) &&
      Object.entries(wanted).every(([key, part]) => item[key] === undefined || equalJson(item[key], part)) &&
      Object.keys(wanted).some((key) => item[key] !== undefined),
  );
}

export function unionOfFields(left: JsonObject, right: JsonObject): JsonObject {
  const both: Record<string, Json> = { ...left };
  for (const [name, below] of Object.entries(right)) {
    const known = both[name];
    // Who owns a list or a map as a whole owns what is in it.
    const isWhole = isJsonObject(known) && Object.keys(known).length === 0 && name !== '.';
    if (isWhole) continue;
    both[name] = isJsonObject(known) && isJsonObject(below) ? unionOfFields(known, below) : below;
  }
  return both;
}

function withoutReplicas(fields: JsonObject): JsonObject {
  const spec = fields['f:spec'];
  if (!isJsonObject(spec) || spec['f:replicas'] === undefined) return fields;
  const { 'f:replicas': _replicas, ...rest } = spec;
  return { ...fields, 'f:spec': rest };
}

/** The copy that the tool keeps of the whole object goes by the patch itself. */
function withoutCopy(fields: JsonObject): JsonObject {
  const metadata = fields['f:metadata'];
  const annotations = isJsonObject(metadata) ? metadata['f:annotations'] : undefined;
  if (!isJsonObject(metadata) || !isJsonObject(annotations)) return fields;
  const { [`f:${LAST_APPLIED_ANNOTATION}`]: _copy, ...rest } = annotations;
  return { ...fields, 'f:metadata': { ...metadata, 'f:annotations': rest } };
}
