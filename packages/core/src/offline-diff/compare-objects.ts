import type { FieldChange } from '../diff.ts';
import { formatFieldPath, valueAt, type FieldPath } from '../field-path.ts';
import { isJsonObject, type Json, type JsonObject, type KubeObject } from '../object.ts';
import { FIELD_MANAGER } from '../tracking.ts';
import { asRead, asStored, comparable, withoutNulls } from './comparable.ts';
import { compareValues, type Difference } from './compare-values.ts';
import { fieldNode, itemNode } from './field-tree.ts';
import { leftOut, type LeftOutReason } from './left-out.ts';
import { predictApply, type Owner, type Prediction } from './predict.ts';
import type { SecretMask } from '../secret-tag.ts';

export interface OfflineChange extends FieldChange {
  /** Other managers that own the field too, and would lose it or keep it as they have it. */
  readonly owners?: readonly string[];
}

export interface Normalised {
  readonly path: string;
  readonly reason: LeftOutReason;
  /** Of the reason `owner`. */
  readonly managers?: readonly string[];
}

export interface ObjectComparison {
  readonly changes: readonly OfflineChange[];
  /** Differences of the two files that are no change. */
  readonly normalised: readonly Normalised[];
  /** Whether the live object says who owns what. */
  readonly hasOwners: boolean;
}

export interface CompareOptions {
  /** Whose fields are ours. Default `FIELD_MANAGER`. */
  readonly manager?: string | undefined;
  readonly mask: SecretMask;
}

/**
 * What a server-side apply of the desired object would change in the live one, and what differs between the two without
 * being a change, both without a server. Values are as they were written, those of Secrets masked.
 */
export function compareObjects(given: KubeObject, desired: KubeObject, options: CompareOptions): ObjectComparison {
  const live = asRead(given);
  const prediction = predictApply(live, desired, options.manager ?? FIELD_MANAGER);
  const { before, after, type, fill, others } = prediction;
  const differences = compareValues(fill(before), fill(after), type);
  return {
    changes: differences.map((difference) => {
      const owners = difference.isOrder === true ? [] : ownersAt(others, difference.path);
      return {
        ...written(difference, prediction, isSecret(live) ? options.mask : undefined),
        ...(difference.isOrder === true ? { isOrder: true as const } : {}),
        ...(owners.length === 0 ? {} : { owners }),
      };
    }),
    normalised: leftOut(live, desired, prediction, differences).map(({ path, ...facts }) => ({
      path: formatFieldPath(path),
      ...facts,
    })),
    hasOwners: prediction.hasOwners,
  };
}

/** All that an object says, as changes from nothing. */
export function createdFields(desired: KubeObject, { mask }: CompareOptions): readonly OfflineChange[] {
  const content = withoutNulls(comparable(asStored(desired, undefined)));
  const all = isJsonObject(content) ? { metadata: {}, ...content } : {};
  const differences = compareValues({ metadata: {} }, all, { form: 'leaf', leaf: 'j' });
  return differences.map(({ path, after }) => toChange(path, undefined, after, isSecret(desired) ? mask : undefined));
}

function isSecret({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === 'v1' && kind === 'Secret';
}

/** The values as they stand in the files. What only a default says is no value of the live object. */
function written(difference: Difference, { before, after }: Prediction, mask: SecretMask | undefined): FieldChange {
  const { path } = difference;
  const left = difference.before === undefined ? undefined : valueAt(before, path);
  const right = difference.after === undefined ? undefined : (valueAt(after, path) ?? difference.after);
  return toChange(path, left, right, mask);
}

function toChange(
  path: FieldPath,
  before: Json | undefined,
  after: Json | undefined,
  mask: SecretMask | undefined,
): FieldChange {
  const [first] = path;
  const isData = first !== undefined && 'field' in first && (first.field === 'data' || first.field === 'stringData');
  const show = (value: Json): Json => (isData && mask !== undefined ? mask(value) : value);
  return {
    path: formatFieldPath(path),
    ...(before === undefined ? {} : { before: show(before) }),
    ...(after === undefined ? {} : { after: show(after) }),
  };
}

function ownersAt(owners: readonly Owner[], path: FieldPath): readonly string[] {
  const names = owners.flatMap(({ manager, fields }) => {
    let node: JsonObject | undefined = fields;
    for (const element of path) {
      if (node === undefined) break;
      node = 'field' in element ? fieldNode(node, element.field) : itemNode(node, element);
    }
    return node === undefined ? [] : [manager];
  });
  return [...new Set(names)];
}
