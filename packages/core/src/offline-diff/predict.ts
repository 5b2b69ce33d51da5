import { equalJson, parseJson } from '../canonical.ts';
import { isNeverFought, withoutFields } from '../field-conflict.ts';
import { formatFieldPath, valueAt, type FieldPath } from '../field-path.ts';
import { ownedPaths } from '../managed-fields.ts';
import { isJsonObject, type Json, type JsonObject, type KubeObject, type ManagedFieldsEntry } from '../object.ts';
import { LAST_APPLIED_ANNOTATION, unionOfFields, wishesOfFormer, type FormerWishes } from '../take-over.ts';
import { comparable, asStored, withoutNulls } from './comparable.ts';
import { convertTo } from './conversion.ts';
import { withDefaults } from './defaults.ts';
import { learnType, treeOf, treeOfPaths, type FieldTree } from './field-tree.ts';
import { schemaOf, type StructType } from './kind-schema.ts';
import { mergeApplied } from './merge-applied.ts';
import { pruneApplied } from './prune-applied.ts';
import { withServiceValues } from './service-values.ts';

/** What a server-side apply would make of a live object, worked out without a server. */
export interface Prediction {
  readonly type: StructType;
  /** Puts the defaults of the kind in, as far as it is known. */
  readonly fill: (content: JsonObject) => Json;
  /** The live object and what it would be, without what does not count. */
  readonly before: JsonObject;
  readonly after: JsonObject;
  /** What was applied: `after` without what others have put there. */
  readonly wanted: JsonObject;
  /** The desired object as it was written, in the version of the live one. */
  readonly written: JsonObject;
  /** Who else owns fields, by name. */
  readonly others: readonly Owner[];
  /** False where nobody is on record as the owner of anything. */
  readonly hasOwners: boolean;
}

export interface Owner {
  readonly manager: string;
  readonly fields: FieldTree;
}

/**
 * Lays the desired object over the live one as `manager` would by server-side apply: fields that it names are set, fields
 * that it had applied before and does not name now go unless somebody else owns them too, and all others stay. What a
 * former tool had wished for counts as ours (see `takeOver`), and what a controller owns that is never fought as its own.
 * Where nobody is on record, what kubectl noted in its annotation is what had been applied.
 */
export function predictApply(live: KubeObject, desired: KubeObject, manager: string): Prediction {
  const converted = convertTo(live.apiVersion, desired);
  const inVersion = converted ?? desired;
  // Versions that are not known are nearly always spelled as the one that is.
  const schema = schemaOf(live.apiVersion, live.kind) ?? schemaOf(inVersion.apiVersion, inVersion.kind);
  const entries = live.metadata.managedFields ?? [];
  const own = entries.filter((entry) => isOwn(entry, manager));
  const former = own.length > 0 ? NO_WISHES : wishesOfFormer(live, live.apiVersion);
  const others = entries.filter((entry) => !own.includes(entry) && !former.entries.includes(entry));
  const type = schema?.type ?? learnType(treesOf(entries));

  const before = comparable(asStored(live, undefined));
  const written = comparable(inVersion);
  const stored = withoutNulls(asStored(inVersion, live) as unknown as JsonObject) as unknown as KubeObject;
  const admitted = changedByAdmission(live, stored, former);
  const left = [...leftToOthers(live, stored, others), ...admitted].map(formatFieldPath);
  const wanted = comparable(withoutFields(stored, left));
  const applied = own.reduce<FieldTree>((fields, { fieldsV1 = {} }) => unionOfFields(fields, fieldsV1), former.fields);

  const merged = mergeApplied(before, wanted, type) ?? {};
  const after = pruneApplied(merged, wanted, type, {
    last: entries.length > 0 ? applied : lastAppliedTree(live, type),
    others: [...treesOf(others), treeOfPaths(admitted)],
  });
  const isService = live.apiVersion === 'v1' && live.kind === 'Service';
  const settled = isJsonObject(after) ? after : {};
  return {
    type,
    fill: (content) => (schema === undefined ? content : withDefaults(withName(content, live), type)),
    before,
    after: isService ? withServiceValues(before, settled) : settled,
    wanted,
    written,
    others: others.flatMap(({ manager: name = '', fieldsV1 }) =>
      fieldsV1 === undefined ? [] : [{ manager: name, fields: fieldsV1 }],
    ),
    hasOwners: entries.length > 0,
  };
}

/** Defaults of a namespace depend on its name. */
function withName(content: JsonObject, { metadata }: KubeObject): JsonObject {
  const fields = content['metadata'];
  return { ...content, metadata: { ...(isJsonObject(fields) ? fields : {}), name: metadata.name } };
}

function treesOf(entries: readonly ManagedFieldsEntry[]): readonly FieldTree[] {
  return entries.map(({ fieldsV1 }) => fieldsV1).filter((fields) => fields !== undefined);
}

const NO_WISHES: FormerWishes = { entries: [], fields: {} };

function isOwn({ manager = '', operation, subresource }: ManagedFieldsEntry, own: string): boolean {
  const isName = manager === own || manager.startsWith(`${own}/`);
  return isName && operation === 'Apply' && (subresource === undefined || subresource === '');
}

/** Fields whose owner is never fought, and has put something else there. */
function leftToOthers(
  live: KubeObject,
  desired: KubeObject,
  others: readonly ManagedFieldsEntry[],
): readonly FieldPath[] {
  return others.flatMap((entry) => {
    const { manager = '', subresource } = entry;
    return ownedPaths(entry).filter(
      (path) =>
        valueAt(desired, path) !== undefined &&
        valueAt(live, path) !== undefined &&
        isNeverFought({ manager, subresource, field: formatFieldPath(path) }),
    );
  });
}

/**
 * Fields that kubectl applied as they are still desired, that are something else now, and that nobody has set since: a
 * webhook changes them on their way in, and would again. kubectl alone notes what it has sent.
 */
function changedByAdmission(live: KubeObject, desired: KubeObject, { entries }: FormerWishes): readonly FieldPath[] {
  const applied = lastApplied(live);
  if (applied === undefined) return [];
  const isAsSent = (path: FieldPath): boolean => {
    const sent = valueAt(applied, path);
    return sent !== undefined && equalJson(sent, valueAt(desired, path)) && !equalJson(sent, valueAt(live, path));
  };
  return entries
    .filter(({ operation }) => operation === 'Update')
    .flatMap((entry) => ownedPaths(entry).filter(isAsSent));
}

function lastApplied({ metadata }: KubeObject): JsonObject | undefined {
  const noted = metadata.annotations?.[LAST_APPLIED_ANNOTATION];
  const applied = noted === undefined ? undefined : parseJson(noted);
  return isJsonObject(applied) ? applied : undefined;
}

function lastAppliedTree(live: KubeObject, type: StructType): FieldTree | undefined {
  const applied = lastApplied(live);
  if (applied === undefined) return undefined;
  const object = { ...applied, metadata: isJsonObject(applied['metadata']) ? applied['metadata'] : {} };
  return treeOf(comparable(object as unknown as KubeObject), type);
}
