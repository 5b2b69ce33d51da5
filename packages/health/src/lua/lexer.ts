import { numberOf } from './value.ts';

export interface Token {
  readonly type: 'name' | 'word' | 'number' | 'string' | 'sign' | 'end';
  readonly text: string;
  readonly number: number;
  readonly line: number;
}

export class LuaSyntaxError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

const WORDS = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);

const TOKEN =
  /([A-Za-z_]\w*)|(0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(\.\.\.|\.\.|==|~=|<=|>=|::|[-+*/%^#<>=(){}[\];:,.])/y;

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The tokens of a script of Lua 5.1, with `goto` and labels, which gopher-lua has too. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = source.startsWith('#') ? lineEnd(source, 0) : 0;
  let line = 1;
  const push = (type: Token['type'], text: string, number = 0): void => {
    tokens.push({ type, text, number, line });
  };
  while (at < source.length) {
    const char = source.charAt(at);
    if (char === '\n') line++;
    if (/\s/.test(char)) {
      at++;
      continue;
    }
    const isComment = source.startsWith('--', at);
    const long = longBracket(source, isComment ? at + 2 : at, line);
    if (long !== undefined) {
      if (!isComment) push('string', long.text);
      line += long.lines;
      at = long.end;
      continue;
    }
    if (isComment) {
      at = lineEnd(source, at);
      continue;
    }
    if (char === '"' || char === "'") {
      const quoted = quotedString(source, at, line);
      push('string', quoted.text);
      line += quoted.lines;
      at = quoted.end;
      continue;
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) throw new LuaSyntaxError(`unexpected symbol near '${char}'`, line);
    const [text, name, number] = match;
    if (name !== undefined) push(WORDS.has(name) ? 'word' : 'name', name);
    else if (number !== undefined) push('number', number, numberOf(number) ?? 0);
    else push('sign', text);
    at += text.length;
    if (number !== undefined && /\w/.test(source.charAt(at))) {
      throw new LuaSyntaxError(`malformed number near '${number}${source.charAt(at)}'`, line);
    }
  }
  push('end', '<eof>');
  return tokens;
}

interface Piece {
  readonly text: string;
  readonly end: number;
  readonly lines: number;
}

function lineEnd(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end < 0 ? source.length : end;
}

function longBracket(source: string, at: number, line: number): Piece | undefined {
  if (source.charAt(at) !== '[') return undefined;
  let level = 0;
  while (source.charAt(at + 1 + level) === '=') level++;
  if (source.charAt(at + 1 + level) !== '[') return undefined;
  const close = `]${'='.repeat(level)}]`;
  const start = at + level + 2;
  const end = source.indexOf(close, start);
  if (end < 0) throw new LuaSyntaxError('unfinished long string or comment', line);
  const text = source.slice(start, end);
  return { text: text.replace(/^\r?\n/, ''), end: end + close.length, lines: text.split('\n').length - 1 };
}

function quotedString(source: string, start: number, line: number): Piece {
  const quote = source.charAt(start);
  let text = '';
  let lines = 0;
  let at = start + 1;
  for (;;) {
    const char = source.charAt(at);
    if (char === quote) return { text, end: at + 1, lines };
    if (char === '' || char === '\n') throw new LuaSyntaxError('unfinished string', line);
    at++;
    if (char !== '\\') {
      text += char;
      continue;
    }
    const digits = /^\d{1,3}/.exec(source.slice(at, at + 3))?.[0];
    if (digits !== undefined) {
      if (Number(digits) > 255) throw new LuaSyntaxError('escape sequence too large', line);
      text += String.fromCharCode(Number(digits));
      at += digits.length;
      continue;
    }
    const escaped = source.charAt(at);
    if (escaped === '\n') lines++;
    text += ESCAPES[escaped] ?? escaped;
    at++;
  }
}
