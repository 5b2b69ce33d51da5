import { isJsonArray } from '../canonical.ts';
import type { FieldPath } from '../field-path.ts';
import { closest } from '../name-suggestion.ts';
import { isJsonObject, type Json, type JsonObject, type KubeObject } from '../object.ts';
import {
  knownVersions,
  metadataType,
  schemaOf,
  type FieldType,
  type Leaf,
  type StructType,
} from '../offline-diff/kind-schema.ts';
import { parseQuantity } from '../quantity.ts';
import { itemStep, type FaultList } from './field-fault.ts';
import { removedVersion } from './removed-versions.ts';

/** What every object may say of itself, an object within an object too. */
const OF_EVERY_OBJECT: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status']);

/** Whether the kind is built in; what is wrong with its fields is put on the list. */
export function checkBuiltIn(object: KubeObject, list: FaultList): boolean {
  const { apiVersion, kind } = object;
  const schema = schemaOf(apiVersion, kind);
  if (schema !== undefined) {
    checkFields(object as unknown as JsonObject, schema.type, kind, [], list);
    return true;
  }
  const removed = removedVersion(apiVersion, kind);
  if (removed !== undefined) {
    const { since, instead } = removed;
    list.add({
      rule: 'removed-version',
      path: [{ field: 'apiVersion' }],
      message: `${apiVersion} of ${kind} is gone since Kubernetes ${since}`,
      fix: instead === '' ? 'Remove the object: nothing took its place.' : `Write it as ${instead}.`,
    });
    return true;
  }
  return checkKind(apiVersion, kind, list);
}

/** Of a version that is built in, every kind is known but those that nobody writes into files. */
function checkKind(apiVersion: string, kind: string, list: FaultList): boolean {
  const known = knownVersions();
  const kinds = known.get(apiVersion);
  if (kinds === undefined) return false;
  const elsewhere = [...known].find(([, others]) => others.includes(kind))?.[0];
  const near = closest(kind, kinds);
  if (elsewhere === undefined && near === undefined) return false;
  const message = `${apiVersion} has no kind ${kind}`;
  if (elsewhere === undefined) {
    list.add({ rule: 'unknown-kind', path: [{ field: 'kind' }], message, fix: `Did you mean ${near ?? ''}?` });
  } else {
    list.add({
      rule: 'unknown-kind',
      path: [{ field: 'apiVersion' }],
      message,
      fix: `Write apiVersion: ${elsewhere}.`,
    });
  }
  return true;
}

/** The metadata of any kind. */
export function checkMetadata(object: KubeObject, list: FaultList): void {
  checkValue(object.metadata as unknown as Json, metadataType(), object.kind, [{ field: 'metadata' }], list);
}

function checkFields(value: JsonObject, type: StructType, kind: string, path: FieldPath, list: FaultList): void {
  // A type without fields is declared as a map of anything: `subresources.status` of a definition.
  if (type.fields.size === 0) return;
  const isObject = type.fields.has('metadata');
  for (const [field, child] of Object.entries(value)) {
    const slot = type.fields.get(field);
    if (slot !== undefined) checkValue(child, slot.type, kind, [...path, { field }], list);
    else if (!isObject || !OF_EVERY_OBJECT.has(field)) {
      const owner = path.length === 0 ? kind : (type.name.split('.').at(-1) ?? kind);
      list.unknownField(path, field, owner, type.fields.keys());
    }
  }
}

function checkValue(value: Json, type: FieldType, kind: string, path: FieldPath, list: FaultList): void {
  // Nothing stands for a field that is not there.
  if (value === null) return;
  switch (type.form) {
    case 'leaf':
      checkLeaf(value, type.leaf, path, list);
      return;
    case 'struct':
      if (isJsonObject(value)) checkFields(value, type, kind, path, list);
      else list.wrongType(path, value, 'a map');
      return;
    case 'map':
      if (!isJsonObject(value)) list.wrongType(path, value, 'a map');
      // Labels and annotations are held against their rules when the object is read.
      else if (!isMarks(path)) {
        for (const [field, child] of Object.entries(value)) {
          checkValue(child, type.value.type, kind, [...path, { field }], list);
        }
      }
      return;
    case 'list':
      if (!isJsonArray(value)) {
        list.wrongType(path, value, 'a list');
        return;
      }
      for (const [index, item] of value.entries()) {
        checkValue(item, type.item.type, kind, [...path, itemStep(value, index, type.keys)], list);
      }
  }
}

function isMarks(path: FieldPath): boolean {
  const [first, second] = path;
  if (path.length !== 2 || first === undefined || second === undefined) return false;
  return (
    'field' in first && first.field === 'metadata' && 'field' in second && /^(labels|annotations)$/.test(second.field)
  );
}

function checkLeaf(value: Json, leaf: Leaf, path: FieldPath, list: FaultList): void {
  if (leaf === 'j') return;
  if (leaf === 'q' || leaf === 'Q') {
    if (typeof value !== 'string' && typeof value !== 'number') list.wrongType(path, value, 'a quantity');
    else if (parseQuantity(String(value)) === undefined) {
      list.invalid(path, `is no quantity: ${JSON.stringify(value)}`, quantityFix(String(value)));
    }
    return;
  }
  const [wanted, fits] = LEAF_CHECKS[leaf];
  if (!fits(value)) list.wrongType(path, value, wanted);
}

const isText = (value: Json): boolean => typeof value === 'string';
const isNumber = (value: Json): boolean => typeof value === 'number';

const LEAF_CHECKS: Readonly<Record<Exclude<Leaf, 'j' | 'q' | 'Q'>, readonly [string, (value: Json) => boolean]>> = {
  s: ['a text', isText],
  t: ['a text', isText],
  y: ['a text', isText],
  b: ['true or false', (value) => typeof value === 'boolean'],
  n: ['a number', isNumber],
  i: ['a whole number', (value) => Number.isInteger(value)],
  x: ['a number or a text', (value) => isText(value) || isNumber(value)],
};

/** `512MB` and `1GB` are how everybody else writes it. */
function quantityFix(text: string): string {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgtpe])i?b?\s*$/i.exec(text);
  if (match === null) return 'Write it as 500m, 512Mi or 2Gi.';
  const [, digits = '', letter = ''] = match;
  return `Did you mean ${digits}${letter.toUpperCase() === 'K' ? 'Ki' : `${letter.toUpperCase()}i`}?`;
}
