import { PlumbError, type Clock, type Random } from '@plumb/core';
import type { Dispatcher } from 'undici';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { openCredentials, type Credential, type Credentials } from './credentials.ts';
import { openDispatcher } from './dispatcher.ts';
import { ConnectionLost, exchange, reasonOf, type Objection, type Reply } from './exchange.ts';
import type { ClusterConfig } from './kubeconfig.ts';
import { retryAfterMs, statusError, type Attempt } from './status-error.ts';

export interface Call {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'DELETE';
  /** From the root of the API: `/api/v1/…`. */
  readonly path: string;
  /** Names and values in turn, beside those of every request. */
  readonly headers: readonly string[];
  readonly body?: Buffer | undefined;
  /** May be sent again when its answer was lost: reads, and applies. */
  readonly repeatable: boolean;
  readonly objection?: Objection | undefined;
  readonly attempt: Attempt;
}

const MAX_TRIES = 4;
const FIRST_RETRY_MS = 200;
/** A longer Retry-After is the caller's to wait out: it has other work to do meanwhile. */
const LONGEST_WAIT_MS = 10_000;

/**
 * Sends requests to one API server: with credentials that renew themselves, within the limit of calls in flight, and
 * again where that is safe and sensible.
 *
 *     answer                          again?
 *     2xx                             done
 *     401                             once, if the credential could be renewed
 *     429, 503 with Retry-After       after that time, up to three times; the limit halves
 *     502, 503                        if repeatable
 *     never sent (refused, no route)  yes
 *     lost after sending              if repeatable; not after a timeout, which has cost a minute already
 *     anything else                   no: `statusError` says what it means
 */
export class Transport implements AsyncDisposable {
  readonly limit = new ConcurrencyLimit();
  readonly #origin: string;
  readonly #basePath: string;
  readonly #config: ClusterConfig;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #headers: readonly string[];
  readonly #life = new AbortController();
  readonly #credentials: Credentials;
  #lanes: Lanes;

  constructor(config: ClusterConfig, options: { clock: Clock; random: Random; userAgent: string }) {
    const url = new URL(config.server);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#config = config;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#headers = ['user-agent', options.userAgent];
    this.#credentials = openCredentials(config, options.clock, this.#life.signal);
    this.#lanes = openLanes(config, config.certificate);
  }

  /** The server's answer of 2xx; everything else is thrown. */
  async send(call: Call, options: { readonly signal: AbortSignal }): Promise<Reply> {
    const { signal } = options;
    let renewed = false;
    for (let tries = 1; ; tries++) {
      const failure = await this.#try(call, signal);
      if ('reply' in failure) return failure.reply;
      if (failure.refused !== undefined && !renewed) {
        renewed = true;
        if (await this.#credentials.renew(failure.refused, { signal })) continue;
      }
      const waitMs = failure.againInMs ?? this.#backoffMs(tries);
      if (!failure.again || tries >= MAX_TRIES || waitMs > LONGEST_WAIT_MS) throw failure.error;
      await this.#clock.sleep(waitMs, { signal });
    }
  }

  /** Opens a watch: the answer's body as it comes, outside of the limit. A refusal is thrown. */
  async stream(call: Call, options: { readonly signal: AbortSignal }): Promise<AsyncIterable<Buffer>> {
    for (let renewed = false; ; renewed = true) {
      const credential = await this.#credentials.current(options);
      const response = await this.#lanesFor(credential)
        .watches.request({
          origin: this.#origin,
          method: call.method,
          path: this.#basePath + call.path,
          headers: this.#headersFor(call, credential),
          signal: options.signal,
        })
        .catch((error: unknown) => {
          throw unreachable(call.attempt, error, options.signal);
        });
      if (response.statusCode === 200) return response.body;
      const body = Buffer.from(await response.body.arrayBuffer());
      const mayRenew = response.statusCode === 401 && !renewed;
      if (mayRenew && (await this.#credentials.renew(credential, options))) continue;
      throw statusError({ status: response.statusCode, headers: response.headers, body }, call.attempt);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    await this.#lanes[Symbol.asyncDispose]();
  }

  async #try(call: Call, signal: AbortSignal): Promise<Outcome> {
    using slot = await this.limit.acquire({ signal });
    const known = this.#credentials.current({ signal });
    const credential = known instanceof Promise ? await known : known;
    let reply: Reply;
    try {
      reply = await exchange(
        this.#lanesFor(credential).calls,
        this.#origin,
        {
          method: call.method,
          path: this.#basePath + call.path,
          headers: this.#headersFor(call, credential),
          body: call.body,
          objection: call.objection,
        },
        signal,
      );
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      const again = (call.repeatable && !error.timedOut) || !error.sent;
      return { error: unreachable(call.attempt, error, signal), again: again && !this.#life.signal.aborted };
    }
    if (reply.status >= 200 && reply.status < 300) {
      slot.succeeded();
      return { reply };
    }
    const error = statusError(reply, call.attempt);
    if (reply.status === 401) return { error, again: false, refused: credential };
    const afterMs = retryAfterMs(reply.headers);
    if (reply.status === 429 || (reply.status === 503 && afterMs !== undefined)) {
      slot.overloaded();
      return { error, again: true, againInMs: afterMs === undefined ? undefined : afterMs + this.#random.next() * 250 };
    }
    return { error, again: call.repeatable && (reply.status === 502 || reply.status === 503) };
  }

  #backoffMs(tries: number): number {
    return FIRST_RETRY_MS * 2 ** (tries - 1) * (0.5 + this.#random.next());
  }

  #headersFor(call: Call, credential: Credential): string[] {
    const headers = [...this.#headers, ...call.headers];
    if (credential.authorization !== undefined) headers.push('authorization', credential.authorization);
    return headers;
  }

  /** A certificate belongs to its connections: another one gets new ones, and the old ones end when they are idle. */
  #lanesFor(credential: Credential): Lanes {
    if (credential.certificate !== this.#lanes.certificate) {
      const old = this.#lanes;
      this.#lanes = openLanes(this.#config, credential.certificate);
      old.retire();
    }
    return this.#lanes;
  }
}

type Outcome =
  | { readonly reply: Reply }
  | {
      readonly error: PlumbError;
      readonly again: boolean;
      readonly againInMs?: number | undefined;
      readonly refused?: Credential;
    };

interface Lanes extends AsyncDisposable {
  readonly certificate: ClusterConfig['certificate'];
  readonly calls: Dispatcher;
  readonly watches: Dispatcher;
  /** Lets what runs finish. */
  retire(): void;
}

function openLanes(config: ClusterConfig, certificate: ClusterConfig['certificate']): Lanes {
  const calls = openDispatcher(config, certificate, 'calls');
  const watches = openDispatcher(config, certificate, 'watches');
  return {
    certificate,
    calls,
    watches,
    retire() {
      void Promise.allSettled([calls.close(), watches.close()]);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([calls.destroy(), watches.destroy()]);
    },
  };
}

function unreachable(attempt: Attempt, thrown: unknown, signal: AbortSignal): PlumbError {
  if (signal.aborted) throw signal.reason;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const untrusted = /certificate|self.signed|issuer|altname/i.test(error.message);
  return new PlumbError('ClusterUnreachable', `${attempt.verb} ${attempt.subject}: ${reasonOf(error)}`, {
    subject: attempt.subject,
    fix: untrusted ? 'Check certificate-authority-data and the server address in the kubeconfig.' : undefined,
    cause: error,
  });
}
