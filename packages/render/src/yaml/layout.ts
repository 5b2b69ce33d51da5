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
import { resolvePlainKey } from './scalar.ts';

// Where the values of a YAML text stand in it. What they are is told by `decodeYaml`, which has refused what is not read.

interface Placed {
  /** Of the whole node, its anchor and tag included. Offsets are of UTF-16 units, ends are exclusive. */
  readonly start: number;
  /** Where the value itself begins, behind anchor and tag. */
  readonly contentStart: number;
  readonly end: number;
  readonly anchor: string | undefined;
  /** Whether an anchor or a tag stands in front. */
  readonly hasProperties: boolean;
}

export interface PlacedScalar extends Placed {
  readonly kind: 'scalar';
  /** `empty`: nothing stands there, and that is null. */
  readonly style: 'plain' | 'single' | 'double' | 'literal' | 'folded' | 'empty';
  /** Of a block scalar: the indentation of its lines, `undefined` where it has none. */
  readonly indent: number | undefined;
  /** Of a block scalar: everything behind the header, trailing empty lines included. */
  readonly body: { readonly start: number; readonly end: number } | undefined;
}

interface PlacedAlias extends Placed {
  readonly kind: 'alias';
  readonly name: string;
}

export interface PlacedPair {
  readonly key: PlacedNode;
  /** The key as text; undefined where it is `<<`, or more than a scalar. */
  readonly name: string | undefined;
  /** Whether it is written with `?`. */
  readonly isExplicit: boolean;
  /** Behind the colon; undefined where there is none (`{a}`). */
  readonly afterColon: number | undefined;
  readonly value: PlacedNode;
}

export interface PlacedMap extends Placed {
  readonly kind: 'map';
  readonly isFlow: boolean;
  readonly pairs: readonly PlacedPair[];
}

export interface PlacedItem {
  /** Where the dash stands; undefined in a flow list. */
  readonly dash: number | undefined;
  readonly value: PlacedNode;
}

export interface PlacedList extends Placed {
  readonly kind: 'list';
  readonly isFlow: boolean;
  readonly items: readonly PlacedItem[];
}

export type PlacedNode = PlacedScalar | PlacedAlias | PlacedMap | PlacedList;

/** The root of each document of a text that `decodeYaml` reads, in its order. */
export function layoutOf(text: string, file: string): readonly PlacedNode[] {
  return new LayoutReader(text, yamlEvents(text, file)).documents();
}

/** The next place behind white space and comments. */
function skipBlank(text: string, from: number): number {
  BLANK.lastIndex = from;
  BLANK.exec(text);
  return BLANK.lastIndex;
}

const BLANK = /(?:\s|(?<=^|\s)#.*)*/my;

const STYLES = new Map<number, PlacedScalar['style']>([
  [SCALAR_STYLE.PLAIN, 'plain'],
  [SCALAR_STYLE.SINGLE_QUOTED, 'single'],
  [SCALAR_STYLE.DOUBLE_QUOTED, 'double'],
  [SCALAR_STYLE.LITERAL_BLOCK, 'literal'],
  [SCALAR_STYLE.FOLDED_BLOCK, 'folded'],
]);

/** Clip, strip and keep, as the parser counts them. */
const CHOMPING_KEEP = 3;

class LayoutReader {
  readonly #text: string;
  readonly #events: YamlEvents;
  /** Behind what was read last. */
  #at = 0;

  constructor(text: string, events: YamlEvents) {
    this.#text = text;
    this.#events = events;
  }

  documents(): readonly PlacedNode[] {
    const roots: PlacedNode[] = [];
    while (!this.#events.isAtEnd) {
      this.#events.take(); // the begin of the document
      roots.push(this.#node(this.#events.take()));
      this.#events.take(); // its end
    }
    return roots;
  }

  #node(event: Event): PlacedNode {
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return this.#scalar(event);
      case EVENT_ID.ALIAS: {
        const name = this.#text.slice(event.anchorStart, event.anchorEnd);
        const start = event.anchorStart - 1;
        this.#at = event.anchorEnd;
        return {
          kind: 'alias',
          name,
          start,
          contentStart: start,
          end: this.#at,
          anchor: undefined,
          hasProperties: false,
        };
      }
      case EVENT_ID.MAPPING:
        return this.#map(event);
      case EVENT_ID.SEQUENCE:
        return this.#list(event);
      default:
        throw new Error('the parser broke its own grammar');
    }
  }

  #scalar(event: ScalarEvent): PlacedScalar {
    const text = this.#text;
    const properties = this.#propertiesOf(event);
    const style = STYLES.get(event.style) ?? 'plain';
    const none = { kind: 'scalar', indent: undefined, body: undefined } as const;
    if (event.valueStart < 0) {
      const end = Math.max(this.#at, properties.end);
      this.#at = end;
      return { ...none, style: 'empty', ...properties.of(end), end };
    }
    if (style === 'literal' || style === 'folded') {
      const header = skipBlank(text, Math.max(this.#at, properties.end));
      const body = { start: event.valueStart, end: event.valueEnd };
      const lines = text.slice(body.start, body.end);
      const isKept = (event.chomping as number) === CHOMPING_KEEP;
      const trailing = (isKept ? /(?:\r?\n)?$/ : /(?:\r?\n[ \t]*)*$/).exec(lines)?.index ?? lines.length;
      const isBlank = lines.slice(0, trailing).trim() === '' && !isKept;
      const headerEnd = header + (/^[|>][-+0-9]*/.exec(text.slice(header, header + 4))?.[0].length ?? 1);
      this.#at = body.end;
      return {
        kind: 'scalar',
        style,
        ...properties.of(header),
        end: isBlank ? headerEnd : Math.max(headerEnd, body.start + trailing),
        indent: event.indent > 0 ? event.indent : undefined,
        body,
      };
    }
    const quote = style === 'plain' ? 0 : 1;
    this.#at = event.valueEnd + quote;
    return { ...none, style, ...properties.of(event.valueStart - quote), end: this.#at };
  }

  #map(event: Event & { readonly start: number; readonly anchorStart: number; readonly tagStart: number }): PlacedMap {
    const properties = this.#propertiesOf(event);
    const isFlow = this.#text[event.start] === '{';
    const pairs: PlacedPair[] = [];
    this.#at = isFlow ? event.start + 1 : event.start;
    for (let keyEvent = this.#events.take(); keyEvent.type !== EVENT_ID.POP; keyEvent = this.#events.take()) {
      const before = isFlow ? this.#skipCommas() : skipBlank(this.#text, this.#at);
      const isExplicit = this.#text[before] === '?' && /\s/.test(this.#text[before + 1] ?? ' ');
      if (isExplicit) this.#at = before + 1;
      const name = this.#nameOf(keyEvent);
      const key = this.#node(keyEvent);
      const colon = skipBlank(this.#text, this.#at);
      const hasColon = this.#text[colon] === ':';
      if (hasColon) this.#at = colon + 1;
      const afterColon = hasColon ? this.#at : undefined;
      pairs.push({ key, name, isExplicit, afterColon, value: this.#node(this.#events.take()) });
    }
    const end = isFlow ? this.#skipCommas() + 1 : pairs.at(-1) === undefined ? this.#at : endOfPair(pairs.at(-1));
    if (isFlow) this.#at = end;
    return { kind: 'map', isFlow, pairs, ...properties.of(event.start), end };
  }

  #list(
    event: Event & { readonly start: number; readonly anchorStart: number; readonly tagStart: number },
  ): PlacedList {
    const properties = this.#propertiesOf(event);
    const isFlow = this.#text[event.start] === '[';
    const items: PlacedItem[] = [];
    this.#at = isFlow ? event.start + 1 : event.start;
    for (let item = this.#events.take(); item.type !== EVENT_ID.POP; item = this.#events.take()) {
      if (isFlow) this.#at = this.#skipCommas();
      const dash = isFlow ? undefined : skipBlank(this.#text, this.#at);
      if (dash !== undefined) this.#at = dash + 1;
      items.push({ dash, value: this.#node(item) });
    }
    const last = items.at(-1);
    const end = isFlow ? this.#skipCommas() + 1 : Math.max(last?.value.end ?? 0, (last?.dash ?? 0) + 1);
    if (isFlow) this.#at = end;
    return { kind: 'list', isFlow, items, ...properties.of(event.start), end };
  }

  #skipCommas(): number {
    let at = skipBlank(this.#text, this.#at);
    while (this.#text[at] === ',') at = skipBlank(this.#text, at + 1);
    return at;
  }

  #nameOf(event: Event): string | undefined {
    if (event.type !== EVENT_ID.SCALAR || isMergeKey(this.#text, event)) return undefined;
    if (event.tagStart >= 0) return undefined;
    const text = getScalarValue(this.#text, event);
    const name = event.style === SCALAR_STYLE.PLAIN ? resolvePlainKey(text) : text;
    return typeof name === 'string' ? name : undefined;
  }

  /** Where anchor and tag stand, and a node that begins with them. */
  #propertiesOf(event: {
    readonly anchorStart: number;
    readonly tagStart: number;
    readonly anchorEnd?: number;
    readonly tagEnd?: number;
  }) {
    const { anchorStart, tagStart, anchorEnd = -1, tagEnd = -1 } = event;
    const starts = [anchorStart < 0 ? Infinity : anchorStart - 1, tagStart < 0 ? Infinity : tagStart];
    const first = Math.min(...starts);
    const hasProperties = first !== Infinity;
    const anchor = anchorStart < 0 ? undefined : this.#text.slice(anchorStart, anchorEnd);
    return {
      end: Math.max(anchorEnd, tagEnd),
      of: (contentStart: number) => ({ start: Math.min(first, contentStart), contentStart, anchor, hasProperties }),
    };
  }
}

/** Behind the last character of a pair. */
export function endOfPair(pair: PlacedPair | undefined): number {
  return pair === undefined ? 0 : Math.max(pair.key.end, pair.afterColon ?? 0, pair.value.end);
}
