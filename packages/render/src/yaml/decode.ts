import { type Json, PlumbError, type ErrorCode } from '@plumb/core';
import {
  EVENT_ID,
  getScalarValue,
  isMergeKey,
  SCALAR_STYLE,
  yamlEvents,
  type YamlEvents,
  type Event,
  type ScalarEvent,
} from './events.ts';
import { OUT_OF_RANGE, resolvePlain, resolvePlainKey } from './scalar.ts';
import { lineAt } from './text.ts';

/** One document of a file. Maps are plain objects whose keys are own data properties, `__proto__` included. */
export interface YamlDocument {
  readonly value: Json;
  /** 1-based line of its first value. */
  readonly line: number;
}

const MAX_ALIASES = 100;
/** Values that aliases may add to a file; nine levels of nine would add 387 million. */
const MAX_ALIASED_VALUES = 100_000;
const MAX_MERGED_PAIRS = 10_000;

/**
 * All documents of a YAML or JSON text, decoded as Kubernetes decodes them (sigs.k8s.io/yaml), except that what is
 * ambiguous or dangerous there is an error here: duplicate keys, numbers that 64-bit floats do not hold, tags beyond
 * the core ones, expansions without bound, and the line breaks of YAML 1.1 that no editor shows. One difference is known:
 * inside of `[…]` and `{…}` a colon or question mark right before a bracket or quote ends a key here (`[a:]`), while it is
 * part of the text there. A last line without an end is ended, as kubectl and Argo CD end it before they read: the library
 * by itself would leave the newline out of a block text there. Throws the first problem as a `PlumbError` with file and line.
 */
export function decodeYaml(text: string, file: string): readonly YamlDocument[] {
  return readEnded(text, (ended) => new Composer(ended, file, yamlEvents(ended, file)).documents());
}

/** The 1-based line at which an entry of a map or a list that was decoded is written; undefined for any other value. */
export type LineOf = (container: object, entry: string | number) => number | undefined;

/** As `decodeYaml`, with the line of each entry. */
export function decodeYamlWithLines(
  text: string,
  file: string,
): { readonly documents: readonly YamlDocument[]; readonly lineOf: LineOf } {
  const offsets = new Map<object, Map<string | number, number>>();
  const note = (container: object, entry: string | number, offset: number) => {
    const entries = offsets.get(container) ?? new Map<string | number, number>();
    offsets.set(container, entries.set(entry, offset));
  };
  const documents = readEnded(text, (ended) => new Composer(ended, file, yamlEvents(ended, file), note).documents());
  const lineOf: LineOf = (container, entry) => {
    const offset = offsets.get(container)?.get(entry);
    return offset === undefined ? undefined : lineAt(text, offset);
  };
  return { documents, lineOf };
}

/** Kubernetes' tools read line by line, and end each line themselves. */
export function withEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function readEnded<T>(text: string, read: (ended: string) => T): T {
  const ended = withEnd(text);
  try {
    return read(ended);
  } catch (error) {
    // No line of the file is behind the end that was added to it.
    if (ended !== text) read(text);
    throw error;
  }
}

interface Anchor {
  readonly value: Json;
  /** Values in it, aliases counted out: what each further alias adds. */
  readonly size: number;
  readonly open: boolean;
}

/** Characters that end a line in YAML 1.1, which Kubernetes reads, and are text in YAML 1.2, which our parser reads. */
const OLD_LINE_BREAK = /[\u0085\u2028\u2029]/;

type Pairs = Record<string, Json>;

/** Builds values from the parser's events, recursion bounded by the parser's depth limit. */
class Composer {
  readonly #text: string;
  readonly #file: string;
  readonly #events: YamlEvents;
  readonly #hasOldLineBreaks: boolean;
  #anchors = new Map<string, Anchor>();
  #handles = new Map<string, string>();
  #size = 0;
  #aliases = 0;
  #aliasedValues = 0;
  #mergedPairs = 0;
  /** Where line counting stopped last, so that a file is counted once. */
  #counted = { offset: 0, line: 1 };

  readonly #note: ((container: object, entry: string | number, offset: number) => void) | undefined;

  constructor(
    text: string,
    file: string,
    events: YamlEvents,
    note?: (container: object, entry: string | number, offset: number) => void,
  ) {
    this.#note = note;
    this.#text = text;
    this.#file = file;
    this.#events = events;
    this.#hasOldLineBreaks = OLD_LINE_BREAK.test(text);
  }

  documents(): readonly YamlDocument[] {
    const documents: YamlDocument[] = [];
    while (!this.#events.isAtEnd) {
      const start = this.#events.take();
      if (start.type !== EVENT_ID.DOCUMENT) throw new Error('the parser broke its own grammar');
      this.#anchors = new Map();
      this.#handles = new Map(
        start.directives.flatMap((directive) =>
          directive.kind === 'tag' ? [[directive.handle, directive.prefix]] : [],
        ),
      );
      const first = this.#events.take();
      const line = this.#documentLine(offsetOf(first));
      documents.push({ value: this.#value(first), line });
      this.#events.take(); // the end of the document
    }
    return documents;
  }

  #value(event: Event): Json {
    this.#size++;
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        const value = this.#scalar(event);
        this.#anchor(event, { value, size: 1, open: false });
        return value;
      }
      case EVENT_ID.SEQUENCE: {
        this.#checkCollectionTag(event, 'seq');
        const before = this.#size;
        const items: Json[] = [];
        this.#anchor(event, { value: null, size: 0, open: true });
        for (let item = this.#events.take(); item.type !== EVENT_ID.POP; item = this.#events.take()) {
          this.#note?.(items, items.length, offsetOf(item));
          items.push(this.#value(item));
        }
        this.#anchor(event, { value: items, size: 1 + this.#size - before, open: false });
        return items;
      }
      case EVENT_ID.MAPPING: {
        this.#checkCollectionTag(event, 'map');
        const before = this.#size;
        this.#anchor(event, { value: null, size: 0, open: true });
        const pairs = this.#pairs();
        this.#anchor(event, { value: pairs, size: 1 + this.#size - before, open: false });
        return pairs;
      }
      case EVENT_ID.ALIAS:
        return this.#alias(event);
      default:
        throw new Error('the parser broke its own grammar');
    }
  }

  #pairs(): Pairs {
    const pairs: Pairs = {};
    let merged: Set<string> | undefined;
    for (let keyEvent = this.#events.take(); keyEvent.type !== EVENT_ID.POP; keyEvent = this.#events.take()) {
      if (isMergeKey(this.#text, keyEvent)) {
        merged ??= new Set();
        this.#merge(pairs, merged, keyEvent);
        continue;
      }
      const key = this.#key(keyEvent);
      if (Object.hasOwn(pairs, key) && merged?.delete(key) !== true) {
        throw this.#error('YamlDuplicateKey', `the key ${JSON.stringify(key)} is given twice`, offsetOf(keyEvent));
      }
      this.#note?.(pairs, key, offsetOf(keyEvent));
      setPair(pairs, key, this.#value(this.#events.take()));
    }
    return pairs;
  }

  /**
   * `<<` as Kubernetes' reader does it: in the order of the text, so that it overrides keys above it and is overridden
   * by keys below it; of a list of maps, the first wins.
   */
  #merge(pairs: Pairs, merged: Set<string>, keyEvent: Event): void {
    const source = this.#value(this.#events.take());
    const maps: readonly Json[] = Array.isArray(source) ? source.toReversed() : [source];
    for (const map of maps) {
      if (typeof map !== 'object' || map === null || Array.isArray(map)) {
        throw this.#error('YamlSyntax', '"<<" merges a map or a list of maps only', offsetOf(keyEvent));
      }
      for (const [key, value] of Object.entries(map)) {
        if (++this.#mergedPairs > MAX_MERGED_PAIRS) {
          throw this.#error('YamlMergeDisabled', `"<<" merges more than ${MAX_MERGED_PAIRS} keys`, offsetOf(keyEvent));
        }
        setPair(pairs, key, value);
        merged.add(key);
      }
    }
  }

  #key(event: Event): string {
    this.#size++;
    if (event.type === EVENT_ID.ALIAS) {
      const value = this.#alias(event);
      if (typeof value === 'string') return value;
      if (typeof value === 'number' || typeof value === 'boolean') return String(value);
      throw this.#error('YamlSyntax', 'a key must be text, a number or a boolean', offsetOf(event));
    }
    if (event.type !== EVENT_ID.SCALAR) {
      throw this.#error('YamlSyntax', 'a key must be text, a number or a boolean', offsetOf(event));
    }
    const text = this.#scalarText(event);
    const isPlain = event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0;
    const key = isPlain ? resolvePlainKey(text) : this.#taggedKey(event);
    if (key === OUT_OF_RANGE) throw this.#rangeError(text, event);
    if (key === undefined) throw this.#error('YamlSyntax', 'a key must not be null', offsetOf(event));
    this.#anchor(event, { value: isPlain ? this.#scalar(event) : key, size: 1, open: false });
    return key;
  }

  #taggedKey(event: ScalarEvent): string | undefined {
    const value = this.#scalar(event);
    return value === null ? undefined : String(value);
  }

  #scalarText(event: ScalarEvent): string {
    const text = getScalarValue(this.#text, event);
    // Both readers keep them inside of quotes.
    if (this.#hasOldLineBreaks && quoteWidth(event) === 0) {
      const char = OLD_LINE_BREAK.exec(text)?.[0];
      if (char !== undefined) {
        const escape = `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
        const message = `the text holds ${escape}, which ends a line for Kubernetes: write it so in double quotes`;
        throw this.#error('YamlSyntax', message, offsetOf(event));
      }
    }
    return text;
  }

  #scalar(event: ScalarEvent): Json {
    const text = this.#scalarText(event);
    if (event.tagStart >= 0) return this.#taggedScalar(text, event);
    if (event.style !== SCALAR_STYLE.PLAIN) return text;
    const value = resolvePlain(text);
    if (value === OUT_OF_RANGE) throw this.#rangeError(text, event);
    return value;
  }

  /** The core tags, which the value must then match; a tag on a quoted scalar makes it resolve like a plain one. */
  #taggedScalar(text: string, event: ScalarEvent): Json {
    const tag = this.#tagName(event);
    if (tag === 'str') return text;
    const value = resolvePlain(text);
    if (value === OUT_OF_RANGE) throw this.#rangeError(text, event);
    const fits =
      (tag === 'null' && value === null) ||
      (tag === 'bool' && typeof value === 'boolean') ||
      (tag === 'float' && typeof value === 'number') ||
      (tag === 'int' && Number.isInteger(value));
    if (!fits) throw this.#tagError(event);
    return value;
  }

  #checkCollectionTag(event: Event & { readonly tagStart: number }, expected: 'seq' | 'map'): void {
    if (event.tagStart >= 0 && this.#tagName(event) !== expected) throw this.#tagError(event);
  }

  /** `int` of `!!int` and of `!<tag:yaml.org,2002:int>`; the tag as written where it is none of the core ones. */
  #tagName(event: { readonly tagStart: number; readonly tagEnd?: number }): string {
    const written = this.#text.slice(event.tagStart, event.tagEnd);
    if (written.startsWith('!!') && !this.#handles.has('!!')) return written.slice(2);
    const verbatim = /^!<tag:yaml\.org,2002:(\w+)>$/.exec(written)?.[1];
    return verbatim ?? written;
  }

  #tagError(event: { readonly tagStart: number; readonly tagEnd?: number }): PlumbError {
    const written = this.#text.slice(event.tagStart, event.tagEnd);
    return this.#error('YamlTag', `the tag ${JSON.stringify(written)} is not read here`, event.tagStart);
  }

  #alias(event: Event & { readonly anchorStart: number }): Json {
    const name = anchorName(this.#text, event);
    const anchor = this.#anchors.get(name);
    if (anchor === undefined) throw this.#error('YamlSyntax', `the alias *${name} has no anchor`, event.anchorStart);
    if (anchor.open) throw this.#error('YamlCycle', `the anchor &${name} contains itself`, event.anchorStart);
    this.#aliases++;
    this.#aliasedValues += anchor.size;
    this.#size += anchor.size;
    if (this.#aliases > MAX_ALIASES) {
      throw this.#error('YamlAliasLimit', `more than ${MAX_ALIASES} aliases`, event.anchorStart);
    }
    if (this.#aliasedValues > MAX_ALIASED_VALUES) {
      throw this.#error('YamlAliasLimit', `aliases add more than ${MAX_ALIASED_VALUES} values`, event.anchorStart);
    }
    return anchor.value;
  }

  #anchor(event: Event & { readonly anchorStart: number }, anchor: Anchor): void {
    if (event.anchorStart >= 0) this.#anchors.set(anchorName(this.#text, event), anchor);
  }

  #rangeError(text: string, event: Event): PlumbError {
    return this.#error('NumberRange', `the number ${text.slice(0, 40)} cannot be kept exactly`, offsetOf(event));
  }

  #error(code: ErrorCode, message: string, offset: number): PlumbError {
    const where = { file: this.#file, line: lineAt(this.#text, offset), column: columnAt(this.#text, offset) };
    return new PlumbError(code, message, { where });
  }

  #documentLine(offset: number): number {
    const from = this.#counted;
    if (offset > from.offset) {
      const line = from.line + lineAt(this.#text.slice(from.offset, offset), offset - from.offset) - 1;
      this.#counted = { offset, line };
    }
    return this.#counted.line;
  }
}

/** A key named `__proto__` becomes data like any other. */
function setPair(pairs: Pairs, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(pairs, key, { value, enumerable: true, configurable: true, writable: true });
  } else pairs[key] = value;
}

function anchorName(text: string, event: { readonly anchorStart: number; readonly anchorEnd?: number }): string {
  return text.slice(event.anchorStart, event.anchorEnd);
}

function offsetOf(event: Event): number {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return Math.max(event.valueStart - quoteWidth(event), event.tagStart, event.anchorStart, 0);
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING:
      return event.start;
    case EVENT_ID.ALIAS:
      return event.anchorStart;
    default:
      return 0;
  }
}

function quoteWidth(event: ScalarEvent): number {
  return event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED ? 1 : 0;
}

function columnAt(text: string, offset: number): number {
  return offset - text.lastIndexOf('\n', offset - 1);
}
