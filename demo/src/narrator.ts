import { isDeepStrictEqual, styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** A claim of the story that what was seen does not bear out. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
  readonly expected: unknown;
  readonly seen: unknown;

  constructor(claim: string, expected: unknown, seen: unknown) {
    super(claim);
    this.expected = expected;
    this.seen = seen;
  }
}

/** Tells the story on a stream: colours on a terminal only (and as `NO_COLOR` and `FORCE_COLOR` say), words always. */
export class Narrator {
  readonly #stream: NodeJS.WriteStream;
  #step = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  get steps(): number {
    return this.#step;
  }

  title(text: string): void {
    this.#print(`\n${this.#paint('bold', text)}\n`);
  }

  /** Begins the next step: one sentence that the lines below it prove. */
  step(sentence: string): void {
    this.#step += 1;
    this.#print(`\n${this.#paint(['bold', 'cyan'], String(this.#step))}  ${this.#paint('bold', sentence)}`);
  }

  say(text: string): void {
    this.#print(`   ${this.#paint('dim', text)}`);
  }

  row(label: string, text: string): void {
    this.#print(`   ${label.padEnd(LABEL_WIDTH)} ${text}`);
  }

  /** A claim that was checked against the API server before it is printed. */
  proven(claim: string, detail = ''): void {
    this.#print(`   ${this.#paint('green', '✓')} ${claim}${detail === '' ? '' : `  ${this.#paint('dim', detail)}`}`);
  }

  /** Prints the claim where it holds, and throws a `Mismatch` where it does not. */
  verify(claim: string, seen: unknown, expected: unknown, detail = ''): void {
    if (!isDeepStrictEqual(seen, expected)) throw new Mismatch(claim, expected, seen);
    this.proven(claim, detail);
  }

  mismatch({ message, expected, seen }: Mismatch): void {
    this.#print(`   ${this.#paint('red', '✕')} ${message}`);
    this.row('  expected', show(expected));
    this.row('  seen', show(seen));
  }

  line(text = ''): void {
    this.#print(text);
  }

  command(text: string): void {
    this.#print(`   ${this.#paint('cyan', text)}`);
  }

  #paint(format: Format, text: string): string {
    return styleText(format, text, { stream: this.#stream });
  }

  #print(text: string): void {
    this.#stream.write(`${text}\n`);
  }
}

const LABEL_WIDTH = 11;

function show(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
}

/** `34 ms`, `0.34 s`, `12.3 s`. */
export function duration(ms: number): string {
  if (ms < 100) return `${Math.ceil(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
