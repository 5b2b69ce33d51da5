import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { PlumbError, type Clock } from '@plumb/core';
import { Agent, type Dispatcher } from 'undici';

const CONNECT_TIMEOUT_MS = 10_000;
/** For a whole answer. Hosts end what takes them longer than 10 s themselves. */
const ANSWER_TIMEOUT_MS = 30_000;
/** A page of a hundred files with their patches has some megabytes. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** So that one busy repository does not use up what the host allows at once. */
const CONNECTIONS_A_HOST = 4;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH';

export interface Exchange {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: Buffer;
}

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Requests to one host: the one place that speaks to undici and where TLS is set up. The certificate is always checked,
 * every wait has an end, and a body is bounded while it arrives. Redirects are not followed here.
 */
export class Connections implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #agent: Agent;

  /** @throws {PlumbError} `SecretInvalid` where `caPem` holds no certificate. */
  constructor(clock: Clock, caPem: string | undefined) {
    this.#clock = clock;
    this.#agent = new Agent({
      connections: CONNECTIONS_A_HOST,
      pipelining: 1,
      allowH2: false,
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: ANSWER_TIMEOUT_MS,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        minVersion: 'TLSv1.2',
        ...(caPem === undefined ? {} : { secureContext: trusting(caPem) }),
      },
    });
  }

  /** @throws {PlumbError} `HostUnreachable`, `TlsUntrusted`, or `HostAnswerInvalid` where the answer is too large. */
  async send(exchange: Exchange, options: { readonly signal: AbortSignal }): Promise<Answer> {
    const { method, url, headers, body } = exchange;
    const what = `${method} ${shown(url)}`;
    const stop = new AbortController();
    using _deadline = this.#clock.timer(ANSWER_TIMEOUT_MS, () => {
      stop.abort(new Error(`the answer was not complete after ${ANSWER_TIMEOUT_MS / 1000} s`));
    });
    const signal = AbortSignal.any([options.signal, stop.signal]);
    try {
      const reply = await this.#agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: { 'user-agent': 'plumb', ...headers },
        ...(body === undefined ? {} : { body }),
        signal,
      });
      // A body that is given up on says so once more, as an event, when it is ended.
      reply.body.on('error', () => undefined);
      return { status: reply.statusCode, headers: reply.headers, body: await readBody(reply, what) };
    } catch (thrown) {
      options.signal.throwIfAborted();
      throw thrown instanceof PlumbError
        ? thrown
        : unreachable(what, stop.signal.aborted ? stop.signal.reason : thrown);
    } finally {
      // Ends what was not read.
      stop.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

/** An address for messages: without the query, which says nothing more. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

async function readBody(reply: Dispatcher.ResponseData, what: string): Promise<Buffer> {
  const tooLarge = (): PlumbError =>
    new PlumbError('HostAnswerInvalid', `${what}: the answer is larger than ${MAX_BODY_BYTES / 1024 / 1024} MiB`);
  if (Number(reply.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of reply.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The platform's authorities and one more. */
function trusting(caPem: string): SecureContext {
  try {
    // A text that holds no certificate would be passed over in silence.
    void new X509Certificate(caPem);
    return createSecureContext({ ca: [...getCACertificates('default'), caPem], minVersion: 'TLSv1.2' });
  } catch (cause) {
    throw new PlumbError('SecretInvalid', 'the Secret\'s key "ca.crt" holds no certificate', {
      field: 'data[ca.crt]',
      cause,
    });
  }
}

/** The codes of OpenSSL and Node for a certificate that was not accepted. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/;

function unreachable(what: string, thrown: unknown): PlumbError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = UNTRUSTED.test(codeOf(error) ?? '') ? 'TlsUntrusted' : 'HostUnreachable';
  return new PlumbError(code, `${what}: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return reasonOf(error.errors[0]);
  const code = codeOf(error);
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
