import { type Meter } from './meter.ts';
import { LuaError, type Value } from './value.ts';

export interface Match {
  /** From 0; the end is not in it. */
  readonly start: number;
  readonly end: number;
  /** What the brackets caught: text, or a position from 1. */
  readonly captures: readonly Value[];
}

interface Capture {
  readonly start: number;
  /** -1 while it is open, -2 where only the position is caught. */
  length: number;
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  a: /[A-Za-z]/,
  c: /\p{Cc}/u,
  d: /[0-9]/,
  l: /[a-z]/,
  p: /[!-/:-@[-`{-~]/,
  s: /[\t-\r ]/,
  u: /[A-Z]/,
  w: /[A-Za-z0-9]/,
  x: /[0-9A-Fa-f]/,
  z: /\0/,
};

/** The first match of a pattern at or after a position; undefined where there is none. */
export function findPattern(text: string, pattern: string, from: number, meter: Meter): Match | undefined {
  const isAnchored = pattern.startsWith('^');
  for (let start = from; start <= text.length; start++) {
    const matcher = new Matcher(text, pattern, meter);
    const end = matcher.match(start, isAnchored ? 1 : 0);
    if (end >= 0) return { start, end, captures: matcher.captures(start, end) };
    if (isAnchored) break;
  }
  return undefined;
}

/** Backtracking as in the original; each step is counted, since a small pattern can take for ever. */
class Matcher {
  readonly #text: string;
  readonly #pattern: string;
  readonly #meter: Meter;
  readonly #captures: Capture[] = [];
  #depth = 0;

  constructor(text: string, pattern: string, meter: Meter) {
    this.#text = text;
    this.#pattern = pattern;
    this.#meter = meter;
  }

  captures(start: number, end: number): readonly Value[] {
    if (this.#captures.length === 0) return [this.#text.slice(start, end)];
    return this.#captures.map((capture) => {
      if (capture.length === -1) throw new LuaError('unfinished capture');
      return capture.length === -2
        ? capture.start + 1
        : this.#text.slice(capture.start, capture.start + capture.length);
    });
  }

  /** The end of the match of the rest of the pattern from here, or -1. */
  match(at: number, part: number): number {
    if (++this.#depth > 200) throw new LuaError('pattern too complex');
    try {
      return this.#match(at, part);
    } finally {
      this.#depth--;
    }
  }

  #match(start: number, first: number): number {
    let at = start;
    let part = first;
    for (;;) {
      this.#meter.step();
      if (part >= this.#pattern.length) return at;
      const char = this.#pattern.charAt(part);
      if (char === '(') return this.#open(at, part);
      if (char === ')') return this.#close(at, part);
      if (char === '$' && part + 1 === this.#pattern.length) return at === this.#text.length ? at : -1;
      const next = this.#pattern.charAt(part + 1);
      if (char === '%' && next === 'b') {
        at = this.#balanced(at, part + 2);
        if (at < 0) return -1;
        part += 4;
        continue;
      }
      if (char === '%' && next === 'f') {
        const end = this.#itemEnd(part + 2);
        const before = at === 0 ? '\0' : this.#text.charAt(at - 1);
        const after = at < this.#text.length ? this.#text.charAt(at) : '\0';
        if (this.#fits(before, part + 2, end) || !this.#fits(after, part + 2, end)) return -1;
        part = end;
        continue;
      }
      if (char === '%' && /[0-9]/.test(next)) {
        at = this.#again(at, Number(next));
        if (at < 0) return -1;
        part += 2;
        continue;
      }
      const end = this.#itemEnd(part);
      const suffix = this.#pattern.charAt(end);
      if (suffix === '*') return this.#most(at, part, end, 0);
      if (suffix === '+') return this.#most(at, part, end, 1);
      if (suffix === '-') return this.#least(at, part, end);
      const doesFit = at < this.#text.length && this.#fits(this.#text.charAt(at), part, end);
      if (suffix === '?') {
        if (doesFit) {
          const found = this.match(at + 1, end + 1);
          if (found >= 0) return found;
        }
        part = end + 1;
        continue;
      }
      if (!doesFit) return -1;
      at++;
      part = end;
    }
  }

  #open(at: number, part: number): number {
    const isPosition = this.#pattern.charAt(part + 1) === ')';
    if (this.#captures.length >= 32) throw new LuaError('too many captures');
    const before = this.#captures.length;
    this.#captures.push({ start: at, length: isPosition ? -2 : -1 });
    const end = this.match(at, part + (isPosition ? 2 : 1));
    if (end < 0) this.#captures.length = before;
    return end;
  }

  #close(at: number, part: number): number {
    const open = this.#captures.findLast(({ length }) => length === -1);
    if (open === undefined) throw new LuaError('invalid pattern capture');
    open.length = at - open.start;
    const end = this.match(at, part + 1);
    if (end < 0) open.length = -1;
    return end;
  }

  #most(at: number, part: number, end: number, least: number): number {
    let count = 0;
    while (at + count < this.#text.length && this.#fits(this.#text.charAt(at + count), part, end)) {
      this.#meter.step();
      count++;
    }
    for (; count >= least; count--) {
      const found = this.match(at + count, end + 1);
      if (found >= 0) return found;
    }
    return -1;
  }

  #least(start: number, part: number, end: number): number {
    for (let at = start; ; at++) {
      this.#meter.step();
      const found = this.match(at, end + 1);
      if (found >= 0) return found;
      if (at >= this.#text.length || !this.#fits(this.#text.charAt(at), part, end)) return -1;
    }
  }

  #balanced(at: number, part: number): number {
    const open = this.#pattern.charAt(part);
    const close = this.#pattern.charAt(part + 1);
    if (close === '') throw new LuaError('unbalanced pattern');
    if (this.#text.charAt(at) !== open || at >= this.#text.length) return -1;
    let depth = 1;
    for (let index = at + 1; index < this.#text.length; index++) {
      this.#meter.step();
      const char = this.#text.charAt(index);
      if (char === close) {
        if (--depth === 0) return index + 1;
      } else if (char === open) depth++;
    }
    return -1;
  }

  #again(at: number, number: number): number {
    const capture = this.#captures[number - 1];
    if (capture === undefined || capture.length < 0) throw new LuaError('invalid capture index');
    const caught = this.#text.slice(capture.start, capture.start + capture.length);
    return this.#text.startsWith(caught, at) ? at + caught.length : -1;
  }

  /** Where one item of the pattern ends: a character, a class, a set. */
  #itemEnd(part: number): number {
    const char = this.#pattern.charAt(part);
    if (char === '%') {
      if (part + 1 >= this.#pattern.length) throw new LuaError("malformed pattern (ends with '%')");
      return part + 2;
    }
    if (char !== '[') return part + 1;
    let at = part + 1;
    if (this.#pattern.charAt(at) === '^') at++;
    do {
      if (at >= this.#pattern.length) throw new LuaError("malformed pattern (missing ']')");
      at += this.#pattern.charAt(at) === '%' ? 2 : 1;
    } while (this.#pattern.charAt(at) !== ']');
    return at + 1;
  }

  #fits(char: string, part: number, end: number): boolean {
    const item = this.#pattern.charAt(part);
    if (item === '.') return true;
    if (item === '%') return inClass(char, this.#pattern.charAt(part + 1));
    if (item === '[') return this.#inSet(char, part, end - 1);
    return item === char;
  }

  #inSet(char: string, open: number, close: number): boolean {
    let at = open + 1;
    const isNegated = this.#pattern.charAt(at) === '^';
    if (isNegated) at++;
    for (; at < close; at++) {
      const item = this.#pattern.charAt(at);
      if (item === '%') {
        at++;
        if (inClass(char, this.#pattern.charAt(at))) return !isNegated;
      } else if (this.#pattern.charAt(at + 1) === '-' && at + 2 < close) {
        if (item <= char && char <= this.#pattern.charAt(at + 2)) return !isNegated;
        at += 2;
      } else if (item === char) return !isNegated;
    }
    return isNegated;
  }
}

function inClass(char: string, name: string): boolean {
  const pattern = CLASSES[name.toLowerCase()];
  if (pattern === undefined) return char === name;
  return pattern.test(char) === (name === name.toLowerCase());
}
