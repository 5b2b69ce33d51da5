import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { PlumbError, type Clock } from '@plumb/core';
import { Agent, type Dispatcher } from 'undici';
import { shown } from './source.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 30_000;
/** Between two pieces of a body. */
const BODY_TIMEOUT_MS = 60_000;
/** For a whole answer: a host that sends a byte now and then is silent for less than any other limit. */
const ANSWER_TIMEOUT_MS = 300_000;
const CONNECTIONS_A_HOST = 4;

export interface Exchange {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly caPem: string | undefined;
  /** A larger body is `ChartTooLarge`. */
  readonly maxBytes: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** Read where the status is 200; empty otherwise, for what a host says in its errors is never repeated. */
  readonly body: Buffer;
}

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * GET requests to chart hosts: the one place that speaks to undici and where TLS is set up. The certificate is always
 * checked, every wait has an end, and a body is bounded while it arrives. Redirects are not followed here.
 */
export class Connections implements AsyncDisposable {
  readonly #clock: Clock;
  /** By authority of the user's own: connections are shared only where the same hosts are trusted. */
  readonly #agents = new Map<string | undefined, Agent>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws {PlumbError} `ChartRepositoryUnreachable`, `TlsUntrusted`, `ChartTooLarge`, or `SecretInvalid` for caPem. */
  async get(exchange: Exchange, options: { readonly signal: AbortSignal }): Promise<Answer> {
    const { url, headers, caPem, maxBytes } = exchange;
    const agent = this.#agentFor(caPem);
    const stop = new AbortController();
    using _deadline = this.#clock.timer(ANSWER_TIMEOUT_MS, () => {
      stop.abort(new Error(`the answer was not complete after ${ANSWER_TIMEOUT_MS / 1000} s`));
    });
    const signal = AbortSignal.any([options.signal, stop.signal]);
    try {
      const reply = await agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'GET',
        headers: { 'user-agent': 'plumb', ...headers },
        signal,
      });
      // A body that is given up on says so once more, as an event, when it is ended.
      reply.body.on('error', () => undefined);
      const body = reply.statusCode === 200 ? await readBody(reply, url, maxBytes) : Buffer.alloc(0);
      return { status: reply.statusCode, headers: reply.headers, body };
    } catch (thrown) {
      options.signal.throwIfAborted();
      throw thrown instanceof PlumbError ? thrown : unreachable(url, thrown);
    } finally {
      // Ends what was not read: the rest of a body that is too large, the page that comes with an error.
      stop.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #agentFor(caPem: string | undefined): Agent {
    const known = this.#agents.get(caPem);
    if (known !== undefined) return known;
    const agent = new Agent({
      connections: CONNECTIONS_A_HOST,
      pipelining: 1,
      allowH2: false,
      headersTimeout: HEADERS_TIMEOUT_MS,
      bodyTimeout: BODY_TIMEOUT_MS,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        minVersion: 'TLSv1.2',
        ...(caPem === undefined ? {} : { secureContext: trusting(caPem) }),
      },
    });
    this.#agents.set(caPem, agent);
    return agent;
  }
}

async function readBody(reply: Dispatcher.ResponseData, url: URL, maxBytes: number): Promise<Buffer> {
  const tooLarge = (): PlumbError =>
    new PlumbError('ChartTooLarge', `GET ${shown(url)}: the answer is larger than ${maxBytes / 1024 / 1024} MiB`);
  if (Number(reply.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of reply.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The platform's authorities and one more. Made once, since reading some hundred certificates takes its time. */
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

function unreachable(url: URL, thrown: unknown): PlumbError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = UNTRUSTED.test(codeOf(error) ?? '') ? 'TlsUntrusted' : 'ChartRepositoryUnreachable';
  return new PlumbError(code, `GET ${shown(url)}: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return reasonOf(error.errors[0]);
  const code = codeOf(error);
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
