import { parseJson } from '../canonical.ts';
import type { Json } from '../object.ts';
import { KIND_LINES, TYPE_LINES } from './kind-types.ts';

/** What a field of a built-in kind holds, as far as the server treats two forms of it as one. */
export type FieldType = LeafType | StructType | MapType | ListType;

interface LeafType {
  readonly form: 'leaf';
  readonly leaf: Leaf;
}

/** As in `TYPE_LINES`; `Q` is a quantity of a resource, which the server rounds up to thousandths. */
export type Leaf = 's' | 'i' | 'n' | 'b' | 'q' | 'Q' | 'x' | 't' | 'y' | 'j';

export interface StructType {
  readonly form: 'struct';
  /** `core/v1.Container`; empty for what is not built in. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, Slot>;
  readonly isAtomic: boolean;
}

interface MapType {
  readonly form: 'map';
  readonly value: Slot;
  readonly isAtomic: boolean;
}

export interface ListType {
  readonly form: 'list';
  readonly relation: 'atomic' | 'set' | 'keyed';
  /** Of a keyed list only. */
  readonly keys: readonly string[];
  readonly item: Slot;
}

/** The place of a value: whether nothing and zero are two things there, and what the server puts where nothing is. */
export interface Slot {
  readonly type: FieldType;
  /** Nothing and the zero value differ: `replicas: 0`. */
  readonly isPointer: boolean;
  readonly default?: Json;
}

export interface KindSchema {
  readonly type: StructType;
  readonly isClusterScoped: boolean;
}

const ANYTHING: LeafType = { form: 'leaf', leaf: 'j' };

/** Where nothing is known: a map is merged field by field, everything else is one value, and zero is not nothing. */
export const UNKNOWN: Slot = { type: ANYTHING, isPointer: true };

/** The schema of a built-in kind in one of its stable versions; undefined for every other. */
export function schemaOf(apiVersion: string, kind: string): KindSchema | undefined {
  const entry = kinds().get(`${apiVersion} ${kind}`);
  return entry === undefined ? undefined : { type: structNamed(entry.type), isClusterScoped: entry.isClusterScoped };
}

/** Whether a kind is known to have no namespace, whatever version it is written in. */
export function isClusterScoped(group: string, kind: string): boolean {
  const prefix = group === '' ? '' : `${group}/`;
  return ['v1', 'v2'].some((version) => kinds().get(`${prefix}${version} ${kind}`)?.isClusterScoped === true);
}

/** Each built-in `apiVersion` in its stable versions, with its kinds. */
export function knownVersions(): ReadonlyMap<string, readonly string[]> {
  const versions = new Map<string, string[]>();
  for (const entry of kinds().keys()) {
    const [apiVersion = '', kind = ''] = entry.split(' ');
    const known = versions.get(apiVersion);
    if (known === undefined) versions.set(apiVersion, [kind]);
    else known.push(kind);
  }
  return versions;
}

/** The fields that every object has, around what nothing is known of. */
export function metadataType(): StructType {
  return structNamed('meta/v1.ObjectMeta');
}

/** The place of a field in a value of this type. */
export function slotOf(type: FieldType, field: string): Slot {
  if (type.form === 'map') return type.value;
  if (type.form === 'struct') return type.fields.get(field) ?? UNKNOWN;
  return UNKNOWN;
}

/** Whether the server has one owner for all of it. */
export function isAtomic(type: FieldType): boolean {
  return type.form === 'list' ? type.relation === 'atomic' : type.form !== 'leaf' && type.isAtomic;
}

interface KindEntry {
  readonly type: string;
  readonly isClusterScoped: boolean;
}

let knownKinds: ReadonlyMap<string, KindEntry> | undefined;
let typeLines: ReadonlyMap<string, readonly string[]> | undefined;
const structs = new Map<string, StructType>();

// The table is read with the first use: most commands need none of it.
function kinds(): ReadonlyMap<string, KindEntry> {
  knownKinds ??= new Map(
    KIND_LINES.trim()
      .split('\n')
      .map((line) => {
        const [apiVersion = '', kind = '', type = '', scope] = line.split(' ');
        return [`${apiVersion} ${kind}`, { type, isClusterScoped: scope === 'cluster' }];
      }),
  );
  return knownKinds;
}

function structNamed(name: string): StructType {
  const known = structs.get(name);
  if (known !== undefined) return known;
  typeLines ??= new Map(
    TYPE_LINES.trim()
      .split('\n')
      .map((line) => {
        const [type = '', ...fields] = line.split(' ');
        return [type, fields];
      }),
  );
  const fields = new Map<string, Slot>();
  const struct: StructType = { form: 'struct', name, fields, isAtomic: false };
  // Before its fields: a type may hold itself (the schema of a definition).
  structs.set(name, struct);
  for (const field of typeLines.get(name) ?? []) {
    const colon = field.indexOf(':');
    fields.set(field.slice(0, colon), readSlot(field.slice(colon + 1)));
  }
  return struct;
}

function readSlot(code: string): Slot {
  const equals = code.indexOf('=');
  const given = equals < 0 ? undefined : parseJson(code.slice(equals + 1));
  const text = (equals < 0 ? code : code.slice(0, equals)).replace(/^!/, '');
  const isPointer = text.startsWith('*');
  const type = readType(isPointer ? text.slice(1) : text);
  return { type, isPointer, ...(given === undefined ? {} : { default: given }) };
}

function readType(code: string): FieldType {
  const rest = code.slice(1);
  switch (code[0]) {
    case '^': {
      const type = readType(rest);
      return type.form === 'struct' || type.form === 'map' ? { ...type, isAtomic: true } : type;
    }
    case '[':
      return { form: 'list', relation: 'atomic', keys: [], item: itemSlot(rest) };
    case '{':
      return { form: 'list', relation: 'set', keys: [], item: itemSlot(rest) };
    case '(': {
      const end = code.indexOf(')');
      return {
        form: 'list',
        relation: 'keyed',
        keys: code.slice(1, end).split(','),
        item: itemSlot(code.slice(end + 1)),
      };
    }
    case '<':
      return { form: 'map', value: itemSlot(rest === 'q' ? 'Q' : rest), isAtomic: false };
    default:
      return code.length === 1 ? { form: 'leaf', leaf: code as Leaf } : structNamed(code);
  }
}

/** An item is there or not: its zero value is something. */
function itemSlot(code: string): Slot {
  return { ...readSlot(code), isPointer: true };
}
