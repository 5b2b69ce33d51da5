import { PlumbError } from '@plumb/core';
import { errors, type Dispatcher } from 'undici';
import { MAX_BODY_BYTES } from './decode.ts';

export interface Reply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly body: Buffer;
}

export type ReplyHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface ExchangeOptions {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body?: Buffer | undefined;
  readonly objection?: Objection | undefined;
}

/**
 * Asked when the first byte of a request is about to leave, for each try and however long it had to wait for its turn.
 * With an error nothing is sent, and the error is thrown.
 */
export type Objection = () => PlumbError | undefined;

/** The connection failed. What decides over a second try is whether the request may have reached the server. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  /** False: no byte of the request left. True: the server may have acted on it. */
  readonly sent: boolean;
  /** The server was silent for longer than it may be. */
  readonly timedOut: boolean;

  constructor(cause: Error, sent: boolean) {
    super(reasonOf(cause), { cause });
    this.sent = sent;
    this.timedOut = cause instanceof errors.HeadersTimeoutError || cause instanceof errors.BodyTimeoutError;
  }
}

/**
 * One request and its whole answer. Speaks to undici's handler interface instead of a stream, which halves the CPU of a
 * small call, and lets the size of the body be bounded while it arrives.
 */
export function exchange(
  dispatcher: Dispatcher,
  origin: string,
  request: ExchangeOptions,
  signal: AbortSignal,
): Promise<Reply> {
  return new Promise<Reply>((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let headers: ReplyHeaders = {};
    let bytes = 0;
    const chunks: Buffer[] = [];

    const leave = (): void => {
      // While it waits for a connection there is nothing to abort yet: `onRequestStart` ends it when its turn comes.
      controller?.abort(abortError(signal));
      reject(signal.reason);
    };
    const settle = (): void => signal.removeEventListener('abort', leave);

    signal.addEventListener('abort', leave, { once: true });
    dispatcher.dispatch(
      {
        origin,
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body ?? null,
      },
      {
        onRequestStart(started) {
          controller = started;
          const objection = signal.aborted ? abortError(signal) : request.objection?.();
          if (objection !== undefined) started.abort(objection);
        },
        onResponseStart(_controller, statusCode, responseHeaders) {
          status = statusCode;
          headers = responseHeaders;
        },
        onResponseData(started, chunk) {
          bytes += chunk.length;
          if (bytes > MAX_BODY_BYTES) {
            started.abort(new PlumbError('ResponseInvalid', `the answer is larger than ${MAX_BODY_BYTES} bytes`));
            return;
          }
          chunks.push(chunk);
        },
        onResponseEnd() {
          settle();
          const [only] = chunks;
          resolve({ status, headers, body: only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks) });
        },
        onResponseError(_controller, error) {
          settle();
          if (signal.aborted) reject(signal.reason);
          else if (error instanceof PlumbError) reject(error);
          else reject(new ConnectionLost(error, controller !== undefined));
        },
      },
    );
  });
}

function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason });
}

/** What went wrong in a few words, from the chain of causes that network errors come in. */
export function reasonOf(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return reasonOf(error.errors[0]);
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
