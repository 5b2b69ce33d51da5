import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SERVER_CERT, SERVER_KEY } from '@plumb/test-support';

/** A request as it arrived, with all of its body. */
export interface Received {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Handler = (received: Received, response: ServerResponse) => void;

/** A real server on loopback that remembers what it was asked. A test may let it misbehave. */
export interface LoopbackServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly seen: readonly Received[];
  /** Resolves once it has been asked enough for the condition to hold. */
  until(isEnough: () => boolean): Promise<void>;
  /** Answers the next request to a path that matches, instead of what is there; with `always` all of them. */
  instead(path: RegExp, handler: Handler, options?: { readonly always?: boolean }): void;
}

export async function startLoopbackServer(
  handler: Handler,
  options: { readonly tls?: boolean } = {},
): Promise<LoopbackServer> {
  const seen: Received[] = [];
  const overrides: { readonly path: RegExp; readonly handler: Handler; readonly always: boolean }[] = [];
  const waiting = new Set<() => void>();
  const isTls = options.tls === true;
  const server = isTls ? createTlsServer({ cert: SERVER_CERT, key: SERVER_KEY }) : createServer();
  server.on('request', (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', origin);
      const body = Buffer.concat(chunks).toString('utf8');
      const received = { method: request.method ?? '', url, headers: request.headers, body };
      seen.push(received);
      const override = overrides.find(({ path }) => path.test(url.pathname));
      if (override !== undefined && !override.always) overrides.splice(overrides.indexOf(override), 1);
      (override?.handler ?? handler)(received, response);
      for (const look of waiting) look();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `${isTls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    seen,
    until: (isEnough) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = (): void => {
        if (!isEnough()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      return promise;
    },
    instead: (path, override, { always = false } = {}) => void overrides.push({ path, handler: override, always }),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

export function answer(status: number, body: unknown = {}, headers: Readonly<Record<string, string>> = {}): Handler {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (_received, response) => void response.writeHead(status, headers).end(text);
}
