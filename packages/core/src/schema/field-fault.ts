import { formatFieldPath, type FieldPath, type PathElement } from '../field-path.ts';
import { closest } from '../name-suggestion.ts';
import { isJsonObject, type Json } from '../object.ts';

/** What is certainly wrong with one field: the API server would refuse it. Values are not quoted where they may be secret. */
export interface FieldFault {
  readonly rule:
    | 'unknown-field'
    | 'wrong-type'
    | 'invalid-value'
    | 'missing-field'
    | 'unknown-kind'
    | 'removed-version';
  readonly path: FieldPath;
  /** `spec.replica is not a field of Deployment`. */
  readonly message: string;
  readonly fix: string;
}

/** Takes what is wrong, up to a number that a person would still read. */
export class FaultList {
  readonly faults: FieldFault[] = [];
  readonly #max: number;

  constructor(max = 20) {
    this.#max = max;
  }

  add(fault: FieldFault): void {
    if (this.faults.length < this.#max) this.faults.push(fault);
  }

  wrongType(path: FieldPath, value: Json, wanted: string): void {
    const fix = wanted === 'a text' && typeof value !== 'object' ? 'Put it in quotes.' : `Make it ${wanted}.`;
    this.add({
      rule: 'wrong-type',
      path,
      message: `${formatFieldPath(path)} is ${typeName(value)}, not ${wanted}`,
      fix,
    });
  }

  unknownField(path: FieldPath, field: string, owner: string, known: Iterable<string>): void {
    const near = closest(field, known);
    const fix = near === undefined ? 'Remove it, or put it where it belongs.' : `Did you mean ${near}?`;
    const message = `${formatFieldPath([...path, { field }])} is not a field of ${owner}`;
    this.add({ rule: 'unknown-field', path: [...path, { field }], message, fix });
  }

  invalid(path: FieldPath, why: string, fix: string): void {
    this.add({ rule: 'invalid-value', path, message: `${formatFieldPath(path)} ${why}`, fix });
  }
}

function typeName(value: Json): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return { string: 'a text', number: 'a number', boolean: 'true or false' }[typeof value as string] ?? 'a map';
}

/** The step into an item: by its keys where they tell it apart, otherwise by its place. */
export function itemStep(items: readonly Json[], index: number, keys: readonly string[]): PathElement {
  const item = items[index];
  if (keys.length === 0 || !isJsonObject(item)) return { index };
  const key = keys.flatMap((name) => {
    const value = item[name];
    return typeof value === 'string' || typeof value === 'number' ? [[name, value] as const] : [];
  });
  if (key.length === 0) return { index };
  const isTold = items.every(
    (other, at) => at === index || !isJsonObject(other) || key.some(([name, value]) => other[name] !== value),
  );
  return isTold ? { key: Object.fromEntries(key) } : { index };
}
