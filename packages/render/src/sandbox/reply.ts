import { isJsonObject, PlumbError, type JsonObject } from '@plumb/core';
import { readFrame, type Frame, type Span } from './frame.ts';

/** What the guest says is wrong; the words are upstream's, the places those of its own file system. */
export interface GuestError {
  readonly code: string;
  /** The innermost cause, as far as the guest knows it. */
  readonly message: string;
  /** All that upstream says: the cause, and what led there. */
  readonly detail: string;
  readonly file: string;
  /** 1-based; 0 where it is not known. */
  readonly line: number;
  readonly column: number;
}

export interface Reply {
  readonly header: JsonObject;
  readonly error: GuestError | undefined;
  /** The text behind a `{o, n}` of the header. */
  text(span: unknown): string;
  /** The objects in a list of the header; anything else in it is left out. */
  list(field: string): readonly JsonObject[];
  /** The texts in a list of the header. */
  texts(field: string): readonly string[];
}

const MAX_MESSAGE_CHARS = 1000;
const MAX_DETAIL_CHARS = 64 * 1024;

/** The one part of a request that a person writes, and the guest alone reads. */
const BAD_VERSION = /^invalid kube version/;

/** Reads an answer of the guest. Throws `RenderCrash` for one that cannot be read. */
export function readReply(bytes: Uint8Array): Reply {
  const frame: Frame = readFrame(bytes);
  const { header } = frame;
  if (!isJsonObject(header)) throw new PlumbError('RenderCrash', 'the sandbox answered nothing that can be read');
  const error = header['ok'] === true ? undefined : parseError(header['error']);
  if (error?.code === 'BAD_REQUEST' && !BAD_VERSION.test(error.message)) {
    throw new PlumbError('RenderCrash', error.message);
  }
  const listed = (field: string) => (Array.isArray(header[field]) ? (header[field] as readonly unknown[]) : []);
  return {
    header,
    error,
    text: (span) => (isJsonObject(span) ? frame.text(toSpan(span)) : ''),
    list: (field) => listed(field).filter(isJsonObject),
    texts: (field) => listed(field).filter((item) => typeof item === 'string'),
  };
}

function toSpan({ o, n }: JsonObject): Span {
  return { o: Number(o), n: Number(n) };
}

function parseError(value: unknown): GuestError {
  const error = isJsonObject(value) ? value : {};
  const text = (field: string) => (typeof error[field] === 'string' ? error[field] : '');
  const number = (field: string) => (typeof error[field] === 'number' ? error[field] : 0);
  return {
    code: text('code'),
    message: (text('summary') || text('message')).slice(0, MAX_MESSAGE_CHARS),
    detail: text('message').slice(0, MAX_DETAIL_CHARS),
    file: text('file'),
    line: number('line'),
    column: number('column'),
  };
}
