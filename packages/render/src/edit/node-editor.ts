import { equalJson, isJsonArray, isJsonObject, type Json, type JsonObject } from '@plumb/core';
import {
  endOfPair,
  type PlacedItem,
  type PlacedList,
  type PlacedMap,
  type PlacedNode,
  type PlacedPair,
  type PlacedScalar,
} from '../yaml/layout.ts';
import { isScalar, keyToken, literalBlock, scalarToken, type ScalarContext } from './scalar-text.ts';

export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Where a node stands: what is around it decides how it can be written. */
export type Slot =
  | { readonly node: PlacedNode; readonly role: 'root' }
  | { readonly node: PlacedNode; readonly role: 'pair'; readonly pair: PlacedPair; readonly parent: PlacedMap }
  | { readonly node: PlacedNode; readonly role: 'item'; readonly item: PlacedItem; readonly parent: PlacedList };

/** Why a value cannot be written where it stands; `offset` is where that shows. */
export class Unwritable extends Error {
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(reason);
    this.offset = offset;
  }
}

export interface WritingOptions {
  /** `kept`: as what stands there; `literal`: no folded texts; `quoted`: every text in double quotes. */
  readonly style: 'kept' | 'literal' | 'quoted';
  readonly isJson: boolean;
}

const UNIT = 2;

/** What has to be written into a text so that a node gets another value. Throws `Unwritable`. */
export class NodeEditor {
  readonly #text: string;
  readonly #options: WritingOptions;
  readonly #eol: string;
  readonly #aliases: ReadonlySet<string>;
  /** How far a list is indented below its key: lists of one file are written in one way. */
  readonly #listIndent: number;

  constructor(text: string, options: WritingOptions, root: PlacedNode) {
    this.#text = text;
    this.#options = options;
    this.#eol = /\r?\n/.exec(text)?.[0] ?? '\n';
    this.#aliases = new Set(aliasesIn(root));
    this.#listIndent = this.#listIndentIn(root) ?? UNIT;
  }

  /** Refuses what other places of the document share: to change it here would change it there. */
  checkAlone(node: PlacedNode): void {
    if (node.kind === 'alias') throw new Unwritable(`it is an alias of &${node.name}, which others share`, node.start);
    if (node.anchor !== undefined && this.#aliases.has(node.anchor)) {
      throw new Unwritable(`it is the anchor &${node.anchor}, which others share`, node.start);
    }
  }

  set(slot: Slot, old: Json, value: Json): readonly TextEdit[] {
    if (equalJson(old, value)) return [];
    const { node } = slot;
    this.checkAlone(node);
    if (node.kind === 'map' && isJsonObject(old) && isJsonObject(value)) return this.#setMap(slot, node, old, value);
    if (node.kind === 'list' && isJsonArray(old) && isJsonArray(value)) return this.#setList(slot, node, old, value);
    for (const inner of anchorsIn(node)) {
      if (this.#aliases.has(inner)) throw new Unwritable(`the anchor &${inner} in it is used elsewhere`, node.start);
    }
    if (node.kind === 'scalar' && isScalar(value)) return this.#setScalar(slot, node, value);
    return [this.#rewritten(slot, value)];
  }

  /** Behind `last`, default the last pair there is. */
  addPairs(
    map: PlacedMap,
    pairs: readonly (readonly [name: string, value: Json])[],
    last = map.pairs.at(-1),
  ): readonly TextEdit[] {
    this.checkAlone(map);
    const first = map.pairs[0];
    if (pairs.length === 0) return [];
    if (map.isFlow || first === undefined || last === undefined) {
      const context = this.#contextIn(map);
      const written = pairs
        .map(([name, value]) => `${keyToken(name, context)}: ${this.#flow(value, context)}`)
        .join(', ');
      if (last === undefined) return [this.#inside(map, written)];
      return [{ start: endOfPair(last), end: endOfPair(last), text: `, ${written}` }];
    }
    if (first.isExplicit) throw new Unwritable('its keys are written with "?"', first.key.start);
    const column = this.#columnOf(first.key.start);
    const end = this.#endOfLine(endOfPair(last));
    const pad = ' '.repeat(column);
    const text = pairs.map(([name, value]) => `${this.#eol}${pad}${this.#pair(name, value, column)}`).join('');
    return [{ start: end, end, text }];
  }

  removePairs(slot: Slot, map: PlacedMap, indices: readonly number[]): readonly TextEdit[] {
    this.checkAlone(map);
    for (const index of indices) this.#checkRemovable(map.pairs[index]?.value ?? map);
    if (indices.length === map.pairs.length) return [this.#emptied(slot, '{}')];
    const spans = map.pairs.map((pair) => ({ start: pair.key.start, end: endOfPair(pair) }));
    if (map.pairs.some(({ isExplicit }) => isExplicit) && !map.isFlow) {
      throw new Unwritable('its keys are written with "?"', map.start);
    }
    return runsOf(indices).flatMap((run) => this.#removeRun(spans, run, map.isFlow));
  }

  insertItems(list: PlacedList, at: number, values: readonly Json[]): readonly TextEdit[] {
    this.checkAlone(list);
    const before = list.items[at - 1];
    const first = list.items[0];
    if (values.length === 0) return [];
    if (list.isFlow || first === undefined) {
      const context = this.#contextIn(list);
      const written = values.map((value) => this.#flow(value, context)).join(', ');
      if (first === undefined) return [this.#inside(list, written)];
      if (before === undefined) return [{ start: first.value.start, end: first.value.start, text: `${written}, ` }];
      return [{ start: before.value.end, end: before.value.end, text: `, ${written}` }];
    }
    const dash = first.dash ?? list.start;
    const column = this.#columnOf(dash);
    const pad = ' '.repeat(column);
    const lines = values.map((value) => `-${this.#itemText(value, column)}`);
    if (before === undefined) {
      return [{ start: dash, end: dash, text: lines.map((line) => `${line}${this.#eol}${pad}`).join('') }];
    }
    const end = this.#endOfLine(Math.max(before.value.end, (before.dash ?? 0) + 1));
    return [{ start: end, end, text: lines.map((line) => `${this.#eol}${pad}${line}`).join('') }];
  }

  /** Items from `from` up to before `to`. */
  removeItems(slot: Slot, list: PlacedList, from: number, to: number): readonly TextEdit[] {
    this.checkAlone(list);
    for (const { value } of list.items.slice(from, to)) this.#checkRemovable(value);
    if (from === 0 && to === list.items.length) return [this.#emptied(slot, '[]')];
    const spans = list.items.map(({ dash, value }) => ({
      start: dash ?? value.start,
      end: Math.max(value.end, dash === undefined ? 0 : dash + 1),
    }));
    return this.#removeRun(spans, { from, to }, list.isFlow);
  }

  #setMap(slot: Slot, map: PlacedMap, old: JsonObject, value: JsonObject): readonly TextEdit[] {
    const edits: TextEdit[] = [];
    const removed: number[] = [];
    for (const [index, pair] of map.pairs.entries()) {
      const { name } = pair;
      if (name === undefined) continue;
      if (!Object.hasOwn(value, name)) removed.push(index);
      else
        edits.push(
          ...this.set({ node: pair.value, role: 'pair', pair, parent: map }, old[name] ?? null, value[name] ?? null),
        );
    }
    const names = new Set(map.pairs.map(({ name }) => name));
    const added = Object.entries(value).filter(([name, now]) => !names.has(name) && !equalJson(old[name], now));
    // Where nothing is left of the old one, its last line stays until the new ones are there.
    if (removed.length === map.pairs.length && added.length > 0) return [this.#rewritten(slot, value)];
    if (removed.length > 0) edits.push(...this.removePairs(slot, map, removed));
    const last = map.pairs.findLast((_pair, index) => !removed.includes(index));
    return [...edits, ...this.addPairs(map, added, last)];
  }

  /** What both ends have in common stays; in between item by item. */
  #setList(slot: Slot, list: PlacedList, old: readonly Json[], value: readonly Json[]): readonly TextEdit[] {
    const shorter = Math.min(old.length, value.length);
    let head = 0;
    while (head < shorter && equalJson(old[head], value[head])) head++;
    let tail = 0;
    while (tail < shorter - head && equalJson(old.at(-1 - tail), value.at(-1 - tail))) tail++;
    const both = shorter - head - tail;
    if (value.length === 0) return this.removeItems(slot, list, 0, old.length);
    const edits = list.items.slice(head, head + both).flatMap((item, offset) => {
      const at = head + offset;
      return this.set({ node: item.value, role: 'item', item, parent: list }, old[at] ?? null, value[at] ?? null);
    });
    const rest = head + both;
    if (old.length > value.length) edits.push(...this.removeItems(slot, list, rest, old.length - tail));
    else edits.push(...this.insertItems(list, rest, value.slice(rest, value.length - tail)));
    return edits;
  }

  #setScalar(slot: Slot, node: PlacedScalar, value: null | boolean | number | string): readonly TextEdit[] {
    const context = this.#contextAround(slot);
    if (node.style === 'empty') {
      if (node.hasProperties) throw new Unwritable('nothing stands there but an anchor or a tag', node.start);
      const hasColon = slot.role !== 'pair' || slot.pair.afterColon !== undefined;
      const isBehind = slot.role !== 'root' && !(slot.role === 'item' && slot.parent.isFlow);
      return [
        {
          start: node.end,
          end: node.end,
          text: `${hasColon ? '' : ':'}${isBehind ? ' ' : ''}${scalarToken(value, 'plain', context)}`,
        },
      ];
    }
    if (node.body !== undefined) {
      const end = node.end;
      if (typeof value === 'string' && this.#options.style !== 'quoted') {
        const column = this.#columnAround(slot);
        const block = literalBlock(value, { indent: node.indent ?? column + UNIT, eol: this.#eol });
        if (block !== undefined) return this.#setBlock(node, block, value);
      }
      return [{ start: node.contentStart, end, text: scalarToken(value, 'double', context) }];
    }
    if (typeof value === 'string' && value.includes('\n') && node.style === 'plain' && !context.isFlow) {
      const block = this.#blockText(value, this.#columnAround(slot));
      if (block !== undefined) return [{ start: node.contentStart, end: node.end, text: block }];
    }
    const style = this.#options.style === 'quoted' ? 'double' : node.style;
    return [{ start: node.contentStart, end: node.end, text: scalarToken(value, style, context) }];
  }

  /** Header and lines apart: a comment behind the header stays, and so does the header where it may. */
  #setBlock(
    node: PlacedScalar,
    block: { readonly header: string; readonly lines: string },
    value: string,
  ): readonly TextEdit[] {
    const text = this.#text;
    const written = /^[|>][-+0-9]*/.exec(text.slice(node.contentStart, node.contentStart + 4))?.[0] ?? '|';
    const isFolded = node.style === 'folded' && this.#options.style === 'kept';
    const indicator = /\d/.exec(written)?.[0] ?? '';
    const header = `${isFolded ? '>' : '|'}${indicator}${block.header.slice(1)}`;
    const lines = isFolded ? this.#folded(node, value, block.lines) : block.lines;
    const headerEnd = node.contentStart + written.length;
    const body = node.body?.start ?? headerEnd;
    const edits: TextEdit[] = [];
    if (header !== written) edits.push({ start: node.contentStart, end: headerEnd, text: header });
    if (node.end <= body) {
      edits.push({ start: node.end, end: node.end, text: `${this.#eol}${lines}` });
    } else edits.push({ start: body, end: node.end, text: lines });
    return edits;
  }

  /** A line end of the text is an empty line between the lines. */
  #folded(node: PlacedScalar, value: string, lines: string): string {
    const indent = node.indent ?? 0;
    const content = value.replace(/\n+$/, '');
    const pad = ' '.repeat(indent);
    const trailing = lines.slice(lines.trimEnd().length);
    // Lines that the text shares with the new one stay folded as they were.
    const old = this.#text.slice(node.body?.start, node.end).split(/\r?\n/);
    const folded = content.split('\n').map((line) =>
      refold(
        line,
        old.map((text) => text.trim()),
      )
        .map((part) => pad + part)
        .join(this.#eol),
    );
    return folded.join(this.#eol + this.#eol) + trailing;
  }

  /** The whole value anew, behind the colon or the dash. */
  #rewritten(slot: Slot, value: Json): TextEdit {
    const { node } = slot;
    const context = this.#contextAround(slot);
    const start = this.#regionStart(slot);
    this.#checkGap(start, node);
    const end = node.end;
    const hasComment = this.#text.slice(end, this.#lineEnd(end)).includes('#');
    const isBlock = !context.isFlow && !context.isJson && !hasComment && slot.role !== 'root';
    const missingColon = slot.role === 'pair' && slot.pair.afterColon === undefined ? ':' : '';
    const space = slot.role === 'root' || (slot.role === 'item' && slot.parent.isFlow) ? '' : ' ';
    if (!isBlock) return { start, end, text: `${missingColon}${space}${this.#flow(value, context)}` };
    const column = this.#columnAround(slot);
    const text = slot.role === 'item' ? this.#itemText(value, column) : this.#valueText(value, column);
    return { start, end, text };
  }

  #emptied(slot: Slot, text: '{}' | '[]'): TextEdit {
    const { node } = slot;
    if ((node.kind === 'map' || node.kind === 'list') && node.isFlow) {
      return { start: node.contentStart, end: node.end, text };
    }
    const start = this.#regionStart(slot);
    this.#checkGap(start, node);
    return { start, end: node.end, text: slot.role === 'root' ? text : ` ${text}` };
  }

  /** Behind colon, dash, anchor and tag: from there on the value stands. */
  #regionStart(slot: Slot): number {
    const { node } = slot;
    if (slot.role === 'root') return node.contentStart;
    const behind =
      slot.role === 'pair'
        ? (slot.pair.afterColon ?? slot.pair.key.end)
        : slot.item.dash === undefined
          ? node.start
          : slot.item.dash + 1;
    if (!node.hasProperties) return behind;
    return node.start + this.#text.slice(node.start, node.contentStart).trimEnd().length;
  }

  /** Comments between the key and its value would go with it. */
  #checkGap(start: number, node: PlacedNode): void {
    if (this.#text.slice(start, node.contentStart).includes('#')) {
      throw new Unwritable('a comment stands between it and its value', node.contentStart);
    }
  }

  #checkRemovable(node: PlacedNode): void {
    for (const anchor of anchorsIn(node)) {
      if (this.#aliases.has(anchor)) throw new Unwritable(`the anchor &${anchor} in it is used elsewhere`, node.start);
    }
  }

  /** Takes entries out of a map or a list of which some stay. */
  #removeRun(
    spans: readonly { readonly start: number; readonly end: number }[],
    { from, to }: Run,
    isFlow: boolean,
  ): readonly TextEdit[] {
    const first = spans[from];
    const last = spans[to - 1];
    const next = spans[to];
    const before = spans[from - 1];
    if (first === undefined || last === undefined) return [];
    const text = this.#text;
    const lineStart = text.lastIndexOf('\n', first.start - 1) + 1;
    const isFirstOnLine = text.slice(lineStart, first.start).trim() === '';
    if (!isFlow && isFirstOnLine) {
      return spans.slice(from, to).map((span) => this.#wholeLines(span));
    }
    const [start, end] =
      next !== undefined
        ? [first.start, next.start]
        : before !== undefined
          ? [before.end, last.end]
          : [first.start, last.end];
    const gaps = [
      ...spans.slice(from, to).map((span, index) => text.slice(span.end, spans[from + index + 1]?.start ?? span.end)),
      next === undefined && before !== undefined ? text.slice(before.end, first.start) : '',
    ];
    // What stands behind it on its own line goes with it, other comments do not.
    const foreign = gaps.some((gap) =>
      isFlow
        ? gap.includes('#')
        : gap
            .split('\n')
            .slice(1)
            .some((line) => line.includes('#')),
    );
    if (foreign) throw new Unwritable('a comment stands in between', first.end);
    return [{ start, end, text: '' }];
  }

  #wholeLines({ start, end }: { readonly start: number; readonly end: number }): TextEdit {
    const text = this.#text;
    const lineStart = text.lastIndexOf('\n', start - 1) + 1;
    const lineEnd = this.#endOfLine(end);
    const terminator = /^\r?\n/.exec(text.slice(lineEnd, lineEnd + 2))?.[0] ?? '';
    if (terminator !== '' || lineStart === 0) return { start: lineStart, end: lineEnd + terminator.length, text: '' };
    const before = text[lineStart - 2] === '\r' ? 2 : 1;
    return { start: lineStart - before, end: lineEnd, text: '' };
  }

  /** The end of the line, where nothing but a comment stands behind `from`. */
  #endOfLine(from: number): number {
    const end = this.#lineEnd(from);
    if (/^[ \t]*(?:#.*)?$/.test(this.#text.slice(from, end))) return end;
    throw new Unwritable('something else stands behind it on its line', from);
  }

  #lineEnd(from: number): number {
    const newline = this.#text.indexOf('\n', from);
    if (newline < 0) return this.#text.length;
    return this.#text[newline - 1] === '\r' && newline > from ? newline - 1 : newline;
  }

  #columnOf(offset: number): number {
    const lineStart = this.#text.lastIndexOf('\n', offset - 1) + 1;
    if (this.#text.slice(lineStart, offset).includes('\t')) throw new Unwritable('a tab stands in front', offset);
    return offset - lineStart;
  }

  /** Of the key or the dash that a value belongs to. */
  #columnAround(slot: Slot): number {
    if (slot.role === 'root') return -UNIT;
    return this.#columnOf(slot.role === 'pair' ? slot.pair.key.start : (slot.item.dash ?? slot.node.start));
  }

  #contextAround(slot: Slot): ScalarContext {
    const { isJson } = this.#options;
    if (slot.role === 'root') return { isFlow: isJson, isJson };
    return slot.parent.isFlow ? this.#contextIn(slot.parent) : { isFlow: false, isJson };
  }

  /** Where keys are quoted as JSON has it, a new one is too. */
  #contextIn(collection: PlacedMap | PlacedList): ScalarContext {
    const first = collection.kind === 'map' ? collection.pairs[0]?.key : undefined;
    const isJson = this.#options.isJson || (first?.kind === 'scalar' && first.style === 'double' && collection.isFlow);
    return { isFlow: true, isJson };
  }

  #inside(collection: PlacedMap | PlacedList, written: string): TextEdit {
    const start = collection.contentStart + 1;
    const end = collection.end - 1;
    if (this.#text.slice(start, end).trim() !== '') throw new Unwritable('a comment stands in it', start);
    return { start, end, text: written };
  }

  #flow(value: Json, context: ScalarContext): string {
    const inner = { ...context, isFlow: true };
    if (isJsonArray(value)) return `[${value.map((item) => this.#flow(item, inner)).join(', ')}]`;
    if (isJsonObject(value)) {
      const pairs = Object.entries(value).map(
        ([name, field]) => `${keyToken(name, inner)}: ${this.#flow(field, inner)}`,
      );
      return pairs.length === 0 ? '{}' : context.isJson ? `{ ${pairs.join(', ')} }` : `{${pairs.join(', ')}}`;
    }
    return isScalar(value)
      ? scalarToken(value, this.#options.style === 'quoted' ? 'double' : 'plain', context)
      : 'null';
  }

  #pair(name: string, value: Json, column: number): string {
    return `${keyToken(name, { isFlow: false, isJson: false })}:${this.#valueText(value, column)}`;
  }

  /** What stands behind the colon of a key at `column`. */
  #valueText(value: Json, column: number): string {
    if (isJsonArray(value) && value.length > 0) {
      const dash = column + this.#listIndent;
      return value.map((item) => `${this.#eol}${' '.repeat(dash)}-${this.#itemText(item, dash)}`).join('');
    }
    if (isJsonObject(value) && Object.keys(value).length > 0) {
      const inner = column + UNIT;
      return Object.entries(value)
        .map(([name, field]) => `${this.#eol}${' '.repeat(inner)}${this.#pair(name, field, inner)}`)
        .join('');
    }
    return ` ${this.#leaf(value, column)}`;
  }

  /** What stands behind a dash at `column`. */
  #itemText(value: Json, column: number): string {
    if (isJsonObject(value) && Object.keys(value).length > 0) {
      const inner = column + UNIT;
      const pairs = Object.entries(value).map(([name, field]) => this.#pair(name, field, inner));
      return ` ${pairs.join(`${this.#eol}${' '.repeat(inner)}`)}`;
    }
    return ` ${this.#leaf(value, column)}`;
  }

  #leaf(value: Json, column: number): string {
    const block = typeof value === 'string' && value.includes('\n') ? this.#blockText(value, column) : undefined;
    return block ?? this.#flow(value, { isFlow: !isScalar(value), isJson: this.#options.isJson });
  }

  #blockText(value: string, column: number): string | undefined {
    if (this.#options.style === 'quoted' || this.#options.isJson) return undefined;
    const block = literalBlock(value, { indent: Math.max(column, 0) + UNIT, eol: this.#eol });
    return block === undefined ? undefined : `${block.header}${this.#eol}${block.lines}`;
  }

  #listIndentIn(node: PlacedNode): number | undefined {
    if (node.kind === 'map') {
      for (const { key, value } of node.pairs) {
        if (value.kind === 'list' && !value.isFlow && !node.isFlow) {
          const indent = columnIn(this.#text, value.contentStart) - columnIn(this.#text, key.start);
          if (indent >= 0) return indent;
        }
        const found = this.#listIndentIn(value);
        if (found !== undefined) return found;
      }
    }
    if (node.kind === 'list') {
      for (const { value } of node.items) {
        const found = this.#listIndentIn(value);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}

function columnIn(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

interface Run {
  readonly from: number;
  readonly to: number;
}

/** Neighbours together. */
function runsOf(indices: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  for (const index of indices) {
    const last = runs.at(-1);
    if (last?.to === index) runs.splice(-1, 1, { from: last.from, to: index + 1 });
    else runs.push({ from: index, to: index + 1 });
  }
  return runs;
}

/** One line of the text as the lines that it was folded to, where most of them are still in it. */
function refold(line: string, old: readonly string[]): readonly string[] {
  const parts: string[] = [];
  let rest = line;
  for (const piece of old) {
    if (piece !== '' && rest.startsWith(`${piece} `)) {
      parts.push(piece);
      rest = rest.slice(piece.length + 1);
    }
  }
  return [...parts, rest];
}

function* aliasesIn(node: PlacedNode): Iterable<string> {
  if (node.kind === 'alias') yield node.name;
  for (const child of childrenOf(node)) yield* aliasesIn(child);
}

function* anchorsIn(node: PlacedNode): Iterable<string> {
  if (node.anchor !== undefined) yield node.anchor;
  for (const child of childrenOf(node)) yield* anchorsIn(child);
}

function childrenOf(node: PlacedNode): readonly PlacedNode[] {
  if (node.kind === 'map') return node.pairs.flatMap(({ key, value }) => [key, value]);
  return node.kind === 'list' ? node.items.map(({ value }) => value) : [];
}
