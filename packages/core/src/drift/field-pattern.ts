import { equalJson, isJsonArray, parseJson } from '../canonical.ts';
import { parseFieldPath, valueAt, type FieldPath, type PathElement } from '../field-path.ts';
import { fieldAt, type Json } from '../object.ts';

/** One step of a pattern: an element of a path, any element, or a list item by fields that need not be its keys. */
type PatternElement = PathElement | { readonly any: true } | { readonly where: readonly (readonly [string[], Json])[] };

/** Fields that belong together: those at the pattern, and all that is in them. */
export interface FieldPattern {
  /** As it was written. */
  readonly text: string;
  readonly elements: readonly PatternElement[];
}

/**
 * Reads a pattern, or undefined where it is none. Three spellings are known, told apart by how they begin:
 *
 * - `spec.template.spec.containers[name="api"].image`: a path as Plumb writes it, with `[*]` for every item;
 * - `/spec/template/spec/containers/0/image`: a JSON pointer (RFC 6901), as in `ignoreDifferences` of Argo CD;
 * - `.spec.containers[] | select(.name == "api") | .image`: of jq the paths, with `select` by equality. Nothing is run.
 */
export function parseFieldPattern(text: string): FieldPattern | undefined {
  const elements = text.startsWith('/') ? parsePointer(text) : text.startsWith('.') ? parseJq(text) : parsePath(text);
  return elements === undefined || elements.length === 0 ? undefined : { text, elements };
}

/** `*` may stand wherever a name may. */
function parsePath(text: string): readonly PatternElement[] | undefined {
  const path = parseFieldPath(text.replaceAll('[*]', ANY_MARK));
  return path?.map((element) => ('value' in element && element.value === ANY_VALUE ? { any: true as const } : element));
}

const ANY_VALUE = '\u0000any';
const ANY_MARK = `[=${JSON.stringify(ANY_VALUE)}]`;

function parsePointer(text: string): readonly PatternElement[] | undefined {
  if (/~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^(0|[1-9]\d*)$/.test(part) ? { index: Number(part) } : { field: part }));
}

const JQ_FIELD = /^\.([A-Za-z_]\w*)\??/;
const JQ_QUOTED = /^\.?\[\s*("(?:[^"\\]|\\.)*")\s*\]\??|^\.("(?:[^"\\]|\\.)*")\??/;
const JQ_INDEX = /^\.?\[\s*(\d+)\s*\]\??/;
const JQ_EACH = /^\.?\[\s*\]\??/;
const JQ_SELECT = /^\|?\s*select\(([^()]*)\)/;

/** Of jq what names fields; undefined for anything that would have to be computed. */
function parseJq(text: string): readonly PatternElement[] | undefined {
  const elements: PatternElement[] = [];
  let rest = text.trim();
  while (rest !== '' && rest !== '.') {
    const select = JQ_SELECT.exec(rest);
    if (select !== null) {
      const where = parseConditions(select[1] ?? '');
      const last = elements.at(-1);
      if (where === undefined || last === undefined || !('any' in last)) return undefined;
      elements.splice(-1, 1, { where });
      rest = rest.slice(select[0].length).trimStart();
      continue;
    }
    if (rest.startsWith('|')) {
      rest = rest.slice(1).trimStart();
      continue;
    }
    const step = parseJqStep(rest);
    if (step === undefined) return undefined;
    elements.push(step.element);
    rest = rest.slice(step.length).trimStart();
  }
  return elements;
}

function parseJqStep(text: string): { readonly element: PatternElement; readonly length: number } | undefined {
  const each = JQ_EACH.exec(text);
  if (each !== null) return { element: { any: true }, length: each[0].length };
  const index = JQ_INDEX.exec(text);
  if (index !== null) return { element: { index: Number(index[1]) }, length: index[0].length };
  const quoted = JQ_QUOTED.exec(text);
  if (quoted !== null) {
    const field = parseJson(quoted[1] ?? quoted[2] ?? '');
    return typeof field === 'string' ? { element: { field }, length: quoted[0].length } : undefined;
  }
  const field = JQ_FIELD.exec(text);
  return field === null ? undefined : { element: { field: field[1] ?? '' }, length: field[0].length };
}

/** `.name == "api" and .kind == "x"`. */
function parseConditions(text: string): readonly (readonly [string[], Json])[] | undefined {
  const conditions: (readonly [string[], Json])[] = [];
  for (const part of text.split(/\band\b/)) {
    const match = /^\s*((?:\.[A-Za-z_]\w*\??)+)\s*==\s*("(?:[^"\\]|\\.)*"|-?\d+|true|false|null)\s*$/.exec(part);
    if (match === null) return undefined;
    const path = (match[1] ?? '').replaceAll('?', '').split('.').slice(1);
    const value = parseJson(match[2] ?? '');
    if (value === undefined) return undefined;
    conditions.push([path, value]);
  }
  return conditions;
}

/**
 * Whether the pattern covers a field: it names the field, or something that the field is in. Positions and conditions are
 * looked up in the object, since paths name list items by their keys.
 */
export function coversField({ elements }: FieldPattern, path: FieldPath, object: unknown): boolean {
  if (elements.length > path.length) return false;
  return elements.every((element, at) => {
    const own = path[at];
    return own !== undefined && isSameStep(element, own, () => stepsAt(object, path, at));
  });
}

interface Steps {
  readonly list: Json | undefined;
  readonly item: Json | undefined;
}

function stepsAt(object: unknown, path: FieldPath, at: number): Steps {
  return { list: valueAt(object, path.slice(0, at)), item: valueAt(object, path.slice(0, at + 1)) };
}

function isSameStep(element: PatternElement, own: PathElement, steps: () => Steps): boolean {
  if ('any' in element) return true;
  if ('where' in element) {
    const { item } = steps();
    return element.where.every(([path, value]) => {
      const [name = ''] = path;
      const inKey = path.length === 1 && 'key' in own ? own.key[name] : undefined;
      return equalJson(inKey ?? fieldAt(item, ...path), value);
    });
  }
  if ('field' in element) return 'field' in own && own.field === element.field;
  if ('index' in element) {
    if ('index' in own) return own.index === element.index;
    // A pointer cannot tell a number from a name that looks like one.
    if ('field' in own) return own.field === String(element.index);
    const { list, item } = steps();
    return isJsonArray(list) && item !== undefined && equalJson(list[element.index], item);
  }
  if ('value' in element) return 'value' in own && equalJson(own.value, element.value);
  return 'key' in own && Object.entries(element.key).every(([name, value]) => equalJson(own.key[name], value));
}
