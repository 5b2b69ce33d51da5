import {
  fieldAt,
  formatFieldPath,
  isJsonArray,
  isJsonObject,
  PlumbError,
  type DocumentAt,
  type ErrorCode,
  type Json,
  type JsonObject,
  type Origin,
} from '@plumb/core';
import { OUT_OF_RANGE, resolvePlain } from './yaml/scalar.ts';

/**
 * Variables in rendered documents, with the expressions of Flux's post-build substitution, which are those of
 * drone/envsubst: `${NAME}`, `${NAME:-default}`, `${NAME%.*}` and so on.
 *
 * Flux substitutes in YAML text, where a value with a newline or a colon adds fields or whole objects. Here the
 * documents are parsed already: a value becomes a scalar or a part of one, whatever is in it, and is never searched for
 * variables itself.
 */
export interface Substitution {
  readonly variables: Readonly<Record<string, string>>;
  /** Whether a variable that is not set and has no default is an error. Default false: it is empty, as in Flux. */
  readonly strict?: boolean;
}

/** For the value of a variable, and for a text once its variables are replaced. */
const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;
/** Characters read and compared in all, seconds at worst: many small expressions on one large value add up. */
const MAX_STEPS = 100_000_000;
const MAX_PATTERN_LENGTH = 1024;
/** Expressions inside of one another. */
const MAX_DEPTH = 10;
/** The renderer shows no more, and a file of nothing but mistakes must not fill the memory. */
const MAX_ERRORS = 20;

/**
 * The documents with their variables replaced; what holds no expression is returned as the very same value. What is
 * wrong goes to `errors`, and the text in question stays as it was. No message holds the value of a variable.
 */
export function substitute(
  documents: readonly DocumentAt[],
  substitution: Substitution,
  errors: PlumbError[],
): readonly DocumentAt[] {
  const context: Context = { expander: new Expander(substitution), errors, maxErrors: errors.length + MAX_ERRORS };
  const substituted = documents.map((document) => {
    const { value, origin } = document;
    const changed = substituteObject(value, { origin, path: [] }, context);
    return changed === value ? document : { ...document, value: changed };
  });
  return sameIfEqual(documents, substituted);
}

interface Context {
  readonly expander: Expander;
  readonly errors: PlumbError[];
  readonly maxErrors: number;
}

/** Where an object stands: in a document itself, or among the items of a list there. */
interface Place {
  readonly origin: Origin;
  readonly path: Path;
  /** What the items of a typed list (`ConfigMapList`) leave out. */
  readonly kind?: string;
}

/** The field names and positions that lead somewhere. */
type Path = readonly (string | number)[];

/** Labels or annotations that say so; the first is the one of Flux. */
const DISABLED_BY = ['kustomize.toolkit.fluxcd.io/substitute', 'plumb.dev/substitute'];

function substituteObject(object: JsonObject, place: Place, context: Context): JsonObject {
  const isDisabled = DISABLED_BY.some((mark) =>
    ['labels', 'annotations'].some((marks) => fieldAt(object, 'metadata', marks, mark) === 'disabled'),
  );
  return isDisabled ? object : new ObjectWalk(object, place, context).substitute();
}

/** Goes through one object: it is named in every error, and its kind says what must stay text. */
class ObjectWalk {
  readonly #object: JsonObject;
  readonly #place: Place;
  readonly #context: Context;
  readonly #kind: string;
  readonly #subject: string;
  /** Where the walk is, from the object on. */
  readonly #path: (string | number)[] = [];
  /** One error for each variable is enough, however often the object uses it. */
  readonly #unset = new Set<string>();

  constructor(object: JsonObject, place: Place, context: Context) {
    this.#object = object;
    this.#place = place;
    this.#context = context;
    const { kind = place.kind } = object;
    const name = fieldAt(object, 'metadata', 'name');
    this.#kind = typeof kind === 'string' ? kind : '';
    this.#subject = [this.#kind, name].filter((part) => typeof part === 'string' && part !== '').join('/');
  }

  substitute(): JsonObject {
    return this.#map(this.#object);
  }

  #value(value: Json): Json {
    if (typeof value === 'string') return this.#scalar(value);
    if (isJsonArray(value)) return this.#list(value);
    return isJsonObject(value) ? this.#map(value) : value;
  }

  #map(map: JsonObject): JsonObject {
    const entries = Object.entries(map);
    let isChanged = false;
    const substituted = entries.map(([key, value]) =>
      this.#at(key, () => {
        const entry = [this.#key(key), this.#value(value)] as const;
        isChanged ||= entry[0] !== key || entry[1] !== value;
        return entry;
      }),
    );
    if (!isChanged) return map;
    const written = new Map<string, string>();
    for (const [index, [key]] of substituted.entries()) {
      const now = entries[index]?.[0] ?? '';
      const before = written.get(key);
      if (before !== undefined) {
        this.#reportSameKey(before, now);
        return map;
      }
      written.set(key, now);
    }
    return Object.fromEntries(substituted);
  }

  #list(list: readonly Json[]): readonly Json[] {
    const holdsObjects = this.#kind.endsWith('List') && this.#path.length === 1 && this.#path[0] === 'items';
    const substituted = list.map((item, index) =>
      this.#at(index, () => (holdsObjects && isJsonObject(item) ? this.#listedObject(item) : this.#value(item))),
    );
    return sameIfEqual(list, substituted);
  }

  #listedObject(object: JsonObject): JsonObject {
    const { origin, path } = this.#place;
    const kind = this.#kind.slice(0, -'List'.length);
    return substituteObject(object, { origin, path: [...path, ...this.#path], kind }, this.#context);
  }

  #scalar(text: string): Json {
    const expanded = this.#expand(text);
    if (expanded === undefined) return text;
    return expanded.isSole && !staysText(this.#kind, this.#path) ? asPlainScalar(expanded.text) : expanded.text;
  }

  #key(key: string): string {
    return this.#expand(key)?.text ?? key;
  }

  /** Undefined where there is nothing to replace, or something is wrong and was reported. */
  #expand(text: string): Expanded | undefined {
    const { expander, errors, maxErrors } = this.#context;
    if (!text.includes('$') || expander.isSpent || errors.length >= maxErrors) return undefined;
    const unset = new Set<string>();
    try {
      const expanded = expander.expand(text, unset);
      if (unset.size === 0) return expanded;
    } catch (thrown) {
      if (!(thrown instanceof PlumbError)) throw thrown;
      if (unset.size === 0) this.#report(thrown.code, thrown.message, thrown.fix);
    }
    for (const name of unset) {
      if (!this.#unset.has(name)) this.#report('UnsetVariable', `the variable ${name} is not set`);
      this.#unset.add(name);
    }
    return undefined;
  }

  /** Names the keys as they were written: what they became may be the value of a Secret. */
  #reportSameKey(one: string, other: string): void {
    const message = `the keys ${JSON.stringify(one)} and ${JSON.stringify(other)} become the same`;
    this.#report('SubstitutionInvalid', message, 'Give the variables in the keys different values.');
  }

  #report(code: ErrorCode, message: string, fix?: string): void {
    const { errors, maxErrors } = this.#context;
    if (errors.length >= maxErrors) return;
    const { origin, path } = this.#place;
    const steps = [...path, ...this.#path].map((step) =>
      typeof step === 'number' ? { index: step } : { field: step },
    );
    const field = formatFieldPath(steps);
    const text = this.#subject === '' ? message : `${this.#subject}: ${message}`;
    errors.push(new PlumbError(code, text, { where: origin, subject: this.#subject || undefined, field, fix }));
  }

  #at<T>(step: string | number, walk: () => T): T {
    this.#path.push(step);
    const result = walk();
    this.#path.pop();
    return result;
  }
}

/** What did not change keeps its identity, so that nothing later works on it again. */
function sameIfEqual<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  return after.every((item, index) => item === before[index]) ? before : after;
}

/** Fields whose maps hold only text, wherever they stand. */
const TEXT_MAPS: ReadonlySet<string | number> = new Set([
  'annotations',
  'labels',
  'matchLabels',
  'metadata',
  'nodeSelector',
  'selector',
]);
const TEXT_LISTS: ReadonlySet<string | number | undefined> = new Set(['args', 'command']);
/** Fields of an object that hold only text. */
const TEXT_FIELDS: ReadonlyMap<string, readonly (string | number | undefined)[]> = new Map([
  ['ConfigMap', ['data', 'binaryData']],
  ['Secret', ['data', 'stringData']],
]);

/** Whether Kubernetes takes text only at this place of an object, so that "3" must not become a number. */
function staysText(kind: string, path: Path): boolean {
  if (TEXT_FIELDS.get(kind)?.includes(path[0]) === true) return true;
  if (path.some((step, index) => TEXT_MAPS.has(step) && typeof path[index + 1] === 'string')) return true;
  const [grandparent, parent, last] = [path.at(-3), path.at(-2), path.at(-1)];
  if (typeof last === 'number') return TEXT_LISTS.has(parent);
  return last === 'value' && typeof parent === 'number' && grandparent === 'env';
}

/** What YAML would read if the text stood there without quotes; never more than a scalar. */
function asPlainScalar(text: string): Json {
  const value = resolvePlain(text.trim());
  return value === OUT_OF_RANGE || typeof value === 'string' ? text : value;
}

interface Expanded {
  readonly text: string;
  /** Whether the whole text was one expression, so that the result may be something else than text. */
  readonly isSole: boolean;
}

/** Replaces expressions in texts, within limits that count for all of them together. */
class Expander {
  readonly #variables: Readonly<Record<string, string>>;
  readonly #isStrict: boolean;
  #bytes = 0;
  #steps = 0;

  constructor({ variables, strict = false }: Substitution) {
    this.#variables = variables;
    this.#isStrict = strict;
  }

  /** Whether a limit for all texts was reached: everything after would fail for the same reason. */
  get isSpent(): boolean {
    return this.#bytes > MAX_TOTAL_BYTES || this.#steps > MAX_STEPS;
  }

  /** Adds to `unset` what is missing in strict mode; throws a `PlumbError` without a place on what is wrong otherwise. */
  expand(text: string, unset: Set<string>): Expanded {
    const parts = new ExpressionReader(text).read();
    const expressions = parts.filter((part) => typeof part !== 'string');
    if (expressions.length === 0) return { text: parts.join(''), isSole: false };
    const expanded = this.#join(parts, unset);
    this.#bytes += Buffer.byteLength(expanded);
    if (this.#bytes > MAX_TOTAL_BYTES) throw tooLarge('all texts with variables together have more than 64 MiB');
    return { text: expanded, isSole: parts.length === 1 };
  }

  #join(parts: readonly Part[], unset: Set<string>): string {
    let text = '';
    for (const part of parts) {
      text += typeof part === 'string' ? part : this.#evaluate(part, unset);
      if (text.length > MAX_TEXT_BYTES) break;
    }
    if (isTooLarge(text)) throw tooLarge(TEXT_TOO_LARGE);
    return text;
  }

  #evaluate(expression: Expression, unset: Set<string>): string {
    const { name, operator, operands } = expression;
    const operand = (index: number) => this.#join(operands[index] ?? [], unset);
    const set = this.#read(name);
    if (operator === '-') return set ?? operand(0);
    if (operator === ':-' || operator === ':=' || operator === '=') {
      // A shell takes "=" for a variable that is not set at all; Flux takes it for an empty one too.
      return set === undefined || set === '' ? operand(0) : set;
    }
    if (set === undefined && this.#isStrict) unset.add(name);
    const value = set ?? '';
    switch (operator) {
      case '':
        return value;
      case 'length':
        return String(charactersOf(value).length);
      case '^^':
        return value.toUpperCase();
      case ',,':
        return value.toLowerCase();
      case '^':
      case ',': {
        const [first = ''] = value;
        return (operator === '^' ? first.toUpperCase() : first.toLowerCase()) + value.slice(first.length);
      }
      case ':':
        return substring(expression, value, operand(0), operands.length > 1 ? operand(1) : undefined);
      case '#':
      case '##':
      case '%':
      case '%%':
        return trim(operator, value, this.#pattern(expression, value, operand(0)));
      case '/':
      case '//':
      case '/#':
      case '/%':
        return replace(operator, value, this.#pattern(expression, value, operand(0)), operand(1));
    }
  }

  /** Own properties only: `${constructor}` is no variable. */
  #read(name: string): string | undefined {
    const value = Object.hasOwn(this.#variables, name) ? this.#variables[name] : undefined;
    if (value === undefined) return undefined;
    if (isTooLarge(value)) throw tooLarge(`the value of the variable ${name} has more than 1 MiB`);
    this.#spend(value.length);
    return value;
  }

  /** A search compares no character of the value more than once with each of the pattern. */
  #pattern(expression: Expression, value: string, pattern: string): string {
    if (pattern.length > MAX_PATTERN_LENGTH) {
      throw refusal(expression, `has a pattern of more than ${MAX_PATTERN_LENGTH} characters`);
    }
    this.#spend(value.length * pattern.length);
    return pattern;
  }

  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MAX_STEPS) throw tooLarge('all expressions together take too long');
  }
}

const TEXT_TOO_LARGE = 'the text has more than 1 MiB once its variables are replaced';

function isTooLarge(text: string): boolean {
  // One to three bytes for each UTF-16 unit: most texts need no counting.
  if (text.length > MAX_TEXT_BYTES) return true;
  return text.length * 3 > MAX_TEXT_BYTES && Buffer.byteLength(text) > MAX_TEXT_BYTES;
}

function tooLarge(message: string): PlumbError {
  return new PlumbError('SubstitutionInvalid', message, { fix: 'Use smaller values, or fewer expressions.' });
}

/** The characters that a person counts, as far as that is cheap: code points. A list only where a string will not do. */
function charactersOf(text: string): string | readonly string[] {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
}

function joined(characters: string | readonly string[]): string {
  return typeof characters === 'string' ? characters : characters.join('');
}

const WHOLE_NUMBER = /^\s*[-+]?[0-9]+\s*$/;

/** A negative position or length counts from the end. */
function substring(expression: Expression, value: string, position: string, length: string | undefined): string {
  if (![position, length ?? '0'].every((text) => WHOLE_NUMBER.test(text))) {
    throw refusal(expression, 'needs whole numbers: the position, and after a colon the length');
  }
  const characters = charactersOf(value);
  const start = Number(position) < 0 ? Math.max(0, characters.length + Number(position)) : Number(position);
  if (length === undefined) return joined(characters.slice(start));
  const end = (Number(length) < 0 ? characters.length : start) + Number(length);
  return joined(characters.slice(start, Math.max(start, end)));
}

/** Takes the shortest or, with the sign doubled, the longest match from the start (`#`) or from the end (`%`). */
function trim(operator: '#' | '##' | '%' | '%%', value: string, pattern: string): string {
  const characters = charactersOf(value);
  const { length } = characters;
  const isLongest = operator.length === 2;
  const segments = compilePattern(pattern);
  if (operator.startsWith('#')) {
    const taken = matchStart(segments, length, (index) => characters[index] ?? '', isLongest);
    return taken === undefined ? value : joined(characters.slice(taken));
  }
  // The end is the start of the mirror image.
  const mirrored = segments.map((segment) => segment.toReversed()).toReversed();
  const taken = matchStart(mirrored, length, (index) => characters[length - 1 - index] ?? '', isLongest);
  return taken === undefined ? value : joined(characters.slice(0, length - taken));
}

/** Takes the text to be replaced as it is: in Flux it is no pattern either. */
function replace(operator: '/' | '//' | '/#' | '/%', value: string, from: string, to: string): string {
  switch (operator) {
    case '/#':
      return value.startsWith(from) ? to + value.slice(from.length) : value;
    case '/%':
      return value.endsWith(from) ? value.slice(0, value.length - from.length) + to : value;
    case '/':
      // As a function, because "$&" in a replacement text would mean something to JavaScript.
      return from === '' ? value : value.replace(from, () => to);
    case '//': {
      const pieces = from === '' ? [value] : value.split(from);
      // Known before it is built: a megabyte in place of each of a million characters would not fit in memory.
      if (value.length + (pieces.length - 1) * (to.length - from.length) > MAX_TEXT_BYTES) {
        throw tooLarge(TEXT_TOO_LARGE);
      }
      return pieces.join(to);
    }
  }
}

type Matcher = (character: string) => boolean;
/** What stands between two stars of a pattern: so many characters, each with its condition. */
type Segment = readonly Matcher[];

/** `*`, `?`, `[a-z]`, `[^a-z]` and `\` before a sign that stands for itself. A slash is like any other character. */
function compilePattern(pattern: string): readonly Segment[] {
  const characters = Array.from(pattern);
  let segment: Matcher[] = [];
  const segments = [segment];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const setEnd = character === '[' ? endOfSet(characters, at) : -1;
    if (character === '*') {
      segment = [];
      segments.push(segment);
    } else if (character === '?') segment.push(() => true);
    else if (setEnd > 0) {
      segment.push(compileSet(characters.slice(at + 1, setEnd)));
      at = setEnd;
    } else {
      const literal = character === '\\' ? (characters[++at] ?? character) : character;
      segment.push((other) => other === literal);
    }
  }
  return segments;
}

/** The place of the `]`, or -1: then the `[` stands for itself. A `]` right at the start is one of the set. */
function endOfSet(characters: readonly string[], start: number): number {
  return characters.indexOf(']', start + (isNegation(characters[start + 1]) ? 3 : 2));
}

function isNegation(character: string | undefined): boolean {
  return character === '^' || character === '!';
}

function compileSet(members: readonly string[]): Matcher {
  const isNegated = isNegation(members[0]);
  const ranges: (readonly [string, string])[] = [];
  for (let at = isNegated ? 1 : 0; at < members.length; at++) {
    const low = members[at] ?? '';
    const high = members[at + 1] === '-' ? members[at + 2] : undefined;
    ranges.push([low, high ?? low]);
    if (high !== undefined) at += 2;
  }
  return (character) => ranges.some(([low, high]) => character >= low && character <= high) !== isNegated;
}

/**
 * How many characters from the start the pattern takes, or undefined where it fits nowhere. Each segment goes to its first
 * place after the one before, which leaves most to the others; for the longest match the last one goes to its last place.
 * So no place is tried twice, whatever the pattern.
 */
function matchStart(
  segments: readonly Segment[],
  length: number,
  characterAt: (index: number) => string,
  isLongest: boolean,
): number | undefined {
  const fits = (segment: Segment, start: number) =>
    start + segment.length <= length && segment.every((matches, index) => matches(characterAt(start + index)));

  const [first = [], ...others] = segments;
  if (!fits(first, 0)) return undefined;
  let end = first.length;
  for (const [index, segment] of others.entries()) {
    const lastStart = length - segment.length;
    const isBackwards = isLongest && index === others.length - 1;
    let start = isBackwards ? lastStart : end;
    while (start >= end && start <= lastStart && !fits(segment, start)) start += isBackwards ? -1 : 1;
    if (start < end || start > lastStart) return undefined;
    end = start + segment.length;
  }
  return end;
}

/** What begins with another one stands after it. */
const OPERATORS = [
  ...([':-', ':=', '-', '=', '^^', '^', ',,', ','] as const),
  ...(['##', '#', '%%', '%', '//', '/#', '/%', '/', ':'] as const),
] as const;
/** Shells have them; Flux refuses them or, worse, takes them for defaults. */
const UNSUPPORTED = [':+', ':?', '+', '?'] as const;

type Operator = (typeof OPERATORS)[number];

interface Expression {
  readonly name: string;
  /** '' is the value itself. */
  readonly operator: Operator | '' | 'length';
  readonly operands: readonly (readonly Part[])[];
}

type Part = string | Expression;

/** Names an expression without its operands: they may hold what nobody should read. */
function refusal(
  { name, operator }: { readonly name: string; readonly operator: string },
  message: string,
): PlumbError {
  return new PlumbError('SubstitutionInvalid', `\${${name}${operator}…} ${message}`);
}

const NEVER_CLOSED = 'is never closed';

/** What ends a stretch of text, and which signs a backslash makes ordinary there. */
interface Scope {
  readonly ends: string;
  readonly escapes: string;
}

const WHOLE_TEXT: Scope = { ends: '', escapes: '' };
const OPERAND: Scope = { ends: '}', escapes: '' };
const POSITION: Scope = { ends: ':}', escapes: '' };
const REPLACED: Scope = { ends: '/}', escapes: '/\\' };
const REPLACEMENT: Scope = { ends: '}', escapes: '/\\' };

const NAME = /[_a-zA-Z][_a-zA-Z0-9]*/y;
/** Signs that mean nothing in any scope, or else one sign. */
const RUN = /[^$}:/\\]+|[^]/y;

/** Reads a text into what stays and what is to be replaced. Nothing is read more than twice. */
class ExpressionReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): readonly Part[] {
    return this.#parts(WHOLE_TEXT);
  }

  /** Up to what ends the scope, or to the end of the text. */
  #parts({ ends, escapes }: Scope): readonly Part[] {
    const parts: Part[] = [];
    let plain = '';
    for (let char = this.#peek(); char !== '' && !ends.includes(char); char = this.#peek()) {
      const next = this.#peek(1);
      const expression = char === '$' && next === '{' ? this.#expression() : undefined;
      if (expression !== undefined) {
        if (plain !== '') parts.push(plain);
        parts.push(expression);
        plain = '';
      } else if (next !== '' && ((char === '$' && next === '$') || (char === '\\' && escapes.includes(next)))) {
        plain += next;
        this.#at += 2;
      } else plain += this.#take(RUN) ?? '';
    }
    if (plain !== '') parts.push(plain);
    return parts;
  }

  /** Undefined, with nothing read, for braces that name no variable and are left alone: `${1}`, `${{ x }}`, `${a.b}`. */
  #expression(): Expression | undefined {
    const start = this.#at;
    this.#at += 2;
    const expression = this.#named();
    if (expression !== undefined) return expression;
    // Its brace would close the expression around it.
    if (this.#depth > 0) {
      throw new PlumbError('SubstitutionInvalid', 'a "${" inside of an expression names no variable');
    }
    this.#at = start;
    return undefined;
  }

  #named(): Expression | undefined {
    const isLength = this.#skip('#');
    const name = this.#take(NAME);
    if (name === undefined) return undefined;
    if (this.#peek() === '') throw refusal({ name, operator: '' }, NEVER_CLOSED);
    if (this.#skip('}')) return { name, operator: isLength ? 'length' : '', operands: [] };
    if (isLength) return undefined;
    const unsupported = UNSUPPORTED.find((sign) => this.#skip(sign));
    if (unsupported !== undefined) throw refusal({ name, operator: unsupported }, 'is not supported');
    const operator = OPERATORS.find((sign) => this.#skip(sign));
    return operator === undefined ? undefined : this.#operation(name, operator);
  }

  #operation(name: string, operator: Operator): Expression {
    if (this.#depth === MAX_DEPTH) throw refusal({ name, operator }, `stands inside of ${MAX_DEPTH} others`);
    this.#depth++;
    const expression = { name, operator, operands: this.#operands(operator) };
    this.#depth--;
    if (this.#skip('}')) {
      if (operator.startsWith('/') && expression.operands.length < 2) {
        throw refusal(expression, 'needs a second slash, and after it the replacement');
      }
      return expression;
    }
    throw refusal(expression, this.#peek() === '' ? NEVER_CLOSED : 'takes nothing after its sign');
  }

  #operands(operator: Operator): Expression['operands'] {
    switch (operator) {
      case '^':
      case '^^':
      case ',':
      case ',,':
        return [];
      case ':': {
        const position = this.#parts(POSITION);
        return this.#skip(':') ? [position, this.#parts(OPERAND)] : [position];
      }
      case '/':
      case '//':
      case '/#':
      case '/%': {
        const replaced = this.#parts(REPLACED);
        return this.#skip('/') ? [replaced, this.#parts(REPLACEMENT)] : [replaced];
      }
      default:
        return [this.#parts(OPERAND)];
    }
  }

  /** The character ahead, '' past the end. */
  #peek(ahead = 0): string {
    return this.#text.charAt(this.#at + ahead);
  }

  #skip(sign: string): boolean {
    const isThere = this.#text.startsWith(sign, this.#at);
    if (isThere) this.#at += sign.length;
    return isThere;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0];
    this.#at += taken?.length ?? 0;
    return taken;
  }
}
