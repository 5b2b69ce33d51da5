import { isJsonObject, PlumbError } from '@plumb/core';

/**
 * The one place of this package where text from outside becomes a value. The parser's own message is not repeated: it
 * quotes the text.
 *
 * @param where what was asked, for messages
 * @throws {PlumbError} `HostAnswerInvalid`
 */
export function decodeJson(bytes: Uint8Array, where: string): Fields {
  const text = Buffer.from(bytes).toString('utf8');
  try {
    return new Fields(JSON.parse(text), where);
  } catch {
    const start = text.trimStart();
    const kind = start.startsWith('<') ? 'an HTML page' : start === '' ? 'an empty body' : 'broken JSON';
    throw new PlumbError('HostAnswerInvalid', `${where}: the host sent ${kind}`);
  }
}

/**
 * A value that came from a host, read field by field. What is asked for without `maybe` has to be there and of that type;
 * the error names the field and never its value.
 */
export class Fields {
  readonly #value: unknown;
  readonly #where: string;
  readonly #path: string;

  constructor(value: unknown, where: string, path = '') {
    this.#value = value;
    this.#where = where;
    this.#path = path;
  }

  /** The value of a field, whatever it is; the fields of what is no object are not there. */
  at(name: string): Fields {
    const value =
      isJsonObject(this.#value) && Object.hasOwn(this.#value, name) ? (this.#value[name] as unknown) : undefined;
    return new Fields(value, this.#where, this.#path === '' ? name : `${this.#path}.${name}`);
  }

  /** Whether there is something other than null. */
  get isThere(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  get isTrue(): boolean {
    return this.#value === true;
  }

  get text(): string {
    if (typeof this.#value === 'string') return this.#value;
    throw this.#invalid('text');
  }

  /** An empty text counts as none. */
  get maybeText(): string | undefined {
    return typeof this.#value === 'string' && this.#value !== '' ? this.#value : undefined;
  }

  get integer(): number {
    if (Number.isSafeInteger(this.#value)) return this.#value as number;
    throw this.#invalid('whole number');
  }

  get maybeInteger(): number | undefined {
    return Number.isSafeInteger(this.#value) ? (this.#value as number) : undefined;
  }

  /** The full id of a commit, of SHA-1 or SHA-256. */
  get commit(): string {
    const text = this.maybeCommit;
    if (text !== undefined) return text;
    throw this.#invalid('full id of a commit');
  }

  get maybeCommit(): string | undefined {
    const text = this.maybeText?.toLowerCase();
    return text !== undefined && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text) ? text : undefined;
  }

  /** RFC 3339, as milliseconds since the epoch. */
  get timeMs(): number {
    const time = this.maybeTimeMs;
    if (time !== undefined) return time;
    throw this.#invalid('time');
  }

  get maybeTimeMs(): number | undefined {
    const time = Date.parse(this.maybeText ?? '');
    return Number.isNaN(time) ? undefined : time;
  }

  get items(): readonly Fields[] {
    if (!Array.isArray(this.#value)) throw this.#invalid('list');
    return this.#value.map((item: unknown, index) => new Fields(item, this.#where, `${this.#path}[${index}]`));
  }

  #invalid(wanted: string): PlumbError {
    const place = this.#path === '' ? 'the answer' : this.#path;
    return new PlumbError('HostAnswerInvalid', `${this.#where}: ${place} is no ${wanted}`);
  }
}
