import { equalJson, isJsonArray } from '../canonical.ts';
import type { FieldPath } from '../field-path.ts';
import { fieldAt, isJsonObject, type Json, type JsonObject } from '../object.ts';
import { FaultList, itemStep } from './field-fault.ts';

const MAX_PATTERN_LENGTH = 500;
const MAX_MATCHED_LENGTH = 256;
/** A repetition of a repetition may take for ever in JavaScript, where RE2 would not: such a pattern is left to the server. */
const NESTED_REPETITION = /\([^()]*[*+{|][^()]*\)\s*[*+{]/;

interface Surroundings {
  /** Whose fields they are: `Widget`. */
  readonly owner: string;
  readonly list: FaultList;
  /** Within `anyOf` and its likes only values count: the fields are declared outside. */
  readonly isValuesOnly?: boolean;
}

/** Whatever the schema says of the outermost object, these are the server's. */
const OF_EVERY_OBJECT: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status']);

/**
 * Holds an object against the `openAPIV3Schema` of its definition (a structural schema): types, required and unknown fields,
 * enumerations, patterns, bounds and sizes. Left out, because only the server can tell or it needs its CEL: formats,
 * `x-kubernetes-validations`, and `status`.
 */
export function checkStructural(object: JsonObject, schema: Json | undefined, owner: string, list: FaultList): void {
  if (isJsonObject(schema)) checkValue(object, schema, [], { owner, list });
}

function checkValue(value: Json, schema: JsonObject, path: FieldPath, surroundings: Surroundings): void {
  const { list } = surroundings;
  if (value === null) return;
  const wanted = wantedType(schema);
  if (wanted !== undefined && !hasType(value, wanted)) {
    list.wrongType(path, value, TYPE_NAMES[wanted] ?? wanted);
    return;
  }
  checkEnum(value, schema, path, list);
  if (typeof value === 'string') checkText(value, schema, path, list);
  else if (typeof value === 'number') checkNumber(value, schema, path, list);
  else if (isJsonArray(value)) checkList(value, schema, path, surroundings);
  else if (isJsonObject(value)) checkMap(value, schema, path, surroundings);
  checkJunctors(value, schema, path, surroundings);
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: 'a map',
  array: 'a list',
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  'int-or-string': 'a number or a text',
};

function wantedType(schema: JsonObject): string | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return 'int-or-string';
  return typeof schema['type'] === 'string' ? schema['type'] : undefined;
}

function hasType(value: Json, type: string): boolean {
  switch (type) {
    case 'object':
      return isJsonObject(value);
    case 'array':
      return isJsonArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    case 'int-or-string':
      return typeof value === 'string' || Number.isInteger(value);
    default:
      return true;
  }
}

function checkEnum(value: Json, schema: JsonObject, path: FieldPath, list: FaultList): void {
  const allowed = schema['enum'];
  if (!isJsonArray(allowed) || allowed.some((one) => equalJson(one, value))) return;
  const words = allowed.slice(0, 10).map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  list.invalid(path, 'is none of the values that are allowed', `Write one of ${words.join(', ')}.`);
}

function checkText(value: string, schema: JsonObject, path: FieldPath, list: FaultList): void {
  const length = Array.from(value).length;
  checkSize(length, ['minLength', 'maxLength'], 'characters', schema, path, list);
  const { pattern } = schema;
  if (typeof pattern !== 'string' || pattern.length > MAX_PATTERN_LENGTH || length > MAX_MATCHED_LENGTH) return;
  if (NESTED_REPETITION.test(pattern)) return;
  let matcher: RegExp;
  try {
    matcher = new RegExp(pattern, 'u');
  } catch {
    // Go has other patterns than JavaScript: the server has the last word.
    return;
  }
  if (!matcher.test(value)) list.invalid(path, `does not match ${pattern}`, 'Correct the value.');
}

function checkNumber(value: number, schema: JsonObject, path: FieldPath, list: FaultList): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (typeof minimum === 'number' && (value < minimum || (exclusiveMinimum === true && value === minimum))) {
    list.invalid(path, `is ${value}, below ${minimum}`, 'Correct the value.');
  }
  if (typeof maximum === 'number' && (value > maximum || (exclusiveMaximum === true && value === maximum))) {
    list.invalid(path, `is ${value}, above ${maximum}`, 'Correct the value.');
  }
  if (typeof multipleOf === 'number' && Number.isInteger(multipleOf) && multipleOf > 0 && value % multipleOf !== 0) {
    list.invalid(path, `is ${value}, no multiple of ${multipleOf}`, 'Correct the value.');
  }
}

function checkSize(
  size: number,
  [min, max]: readonly [string, string],
  unit: string,
  schema: JsonObject,
  path: FieldPath,
  list: FaultList,
): void {
  const [least, most] = [schema[min], schema[max]];
  if (typeof least === 'number' && size < least) {
    list.invalid(path, `has ${size} ${unit}, at least ${least} are needed`, 'Correct the value.');
  }
  if (typeof most === 'number' && size > most) {
    list.invalid(path, `has ${size} ${unit}, at most ${most} are allowed`, 'Correct the value.');
  }
}

function checkList(value: readonly Json[], schema: JsonObject, path: FieldPath, surroundings: Surroundings): void {
  checkSize(value.length, ['minItems', 'maxItems'], 'items', schema, path, surroundings.list);
  const { items } = schema;
  if (!isJsonObject(items)) return;
  const mapKeys = schema['x-kubernetes-list-map-keys'];
  const keys = isJsonArray(mapKeys) ? mapKeys.filter((key) => typeof key === 'string') : [];
  for (const [index, item] of value.entries()) {
    checkValue(item, items, [...path, itemStep(value, index, keys)], surroundings);
  }
}

function checkMap(value: JsonObject, schema: JsonObject, path: FieldPath, surroundings: Surroundings): void {
  const { list, owner, isValuesOnly = false } = surroundings;
  checkSize(Object.keys(value).length, ['minProperties', 'maxProperties'], 'fields', schema, path, list);
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const others = schema['additionalProperties'];
  const isOutermost = path.length === 0;
  const isEmbedded = isOutermost || schema['x-kubernetes-embedded-resource'] === true;
  const isOpen = isValuesOnly || schema['x-kubernetes-preserve-unknown-fields'] === true || others === true;
  for (const [field, child] of Object.entries(value)) {
    if (isEmbedded && OF_EVERY_OBJECT.has(field)) continue;
    const declared = Object.hasOwn(properties, field) ? properties[field] : others;
    if (isJsonObject(declared)) checkValue(child, declared, [...path, { field }], surroundings);
    else if (!isOpen && declared === undefined && !isFreeForm(schema)) {
      const outer = path.at(-1);
      const name = outer !== undefined && 'field' in outer ? outer.field : owner;
      list.unknownField(path, field, name, Object.keys(properties));
    }
  }
  const { required } = schema;
  for (const field of isJsonArray(required) ? required : []) {
    if (typeof field !== 'string' || (value[field] ?? null) !== null || isDefaulted(properties[field])) continue;
    if (isEmbedded && OF_EVERY_OBJECT.has(field)) continue;
    list.add({
      rule: 'missing-field',
      path: [...path, { field }],
      message: `${pathText(path, field)} is missing`,
      fix: `Set ${field}.`,
    });
  }
}

function pathText(path: FieldPath, field: string): string {
  const outer = path.at(-1);
  return outer !== undefined && 'field' in outer ? `${field} of ${outer.field}` : field;
}

/** A map of which nothing is declared: the server would empty it, which is no fault that it names. */
function isFreeForm(schema: JsonObject): boolean {
  return schema['properties'] === undefined && schema['additionalProperties'] === undefined;
}

function isDefaulted(schema: Json | undefined): boolean {
  return fieldAt(schema, 'default') !== undefined;
}

function checkJunctors(value: Json, schema: JsonObject, path: FieldPath, surroundings: Surroundings): void {
  const { list, owner } = surroundings;
  const inner: Surroundings = { owner, list, isValuesOnly: true };
  for (const part of schemasIn(schema['allOf'])) checkValue(value, part, path, inner);
  const fitting = (parts: readonly JsonObject[]): number =>
    parts.filter((part) => {
      const tried = new FaultList(1);
      checkValue(value, part, path, { ...inner, list: tried });
      return tried.faults.length === 0;
    }).length;
  const anyOf = schemasIn(schema['anyOf']);
  if (anyOf.length > 0 && fitting(anyOf) === 0) {
    list.invalid(path, 'fits none of the forms that are allowed (anyOf)', 'See the definition of the kind.');
  }
  const oneOf = schemasIn(schema['oneOf']);
  if (oneOf.length > 0 && fitting(oneOf) !== 1) {
    list.invalid(path, 'has to fit exactly one of the forms (oneOf)', 'See the definition of the kind.');
  }
  const not = schema['not'];
  if (isJsonObject(not) && fitting([not]) === 1) {
    list.invalid(path, 'has a form that is not allowed (not)', 'See the definition of the kind.');
  }
}

function schemasIn(value: Json | undefined): readonly JsonObject[] {
  return isJsonArray(value) ? value.filter(isJsonObject) : [];
}
