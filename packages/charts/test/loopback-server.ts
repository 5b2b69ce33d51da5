import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SERVER_CERT, SERVER_KEY } from '@plumb/test-support';

export interface Seen {
  /** With the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A real server on loopback that remembers what it was asked. A test may let it misbehave at one path. */
export interface LoopbackServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly seen: readonly Seen[];
  /** Answers at this path, without its query, instead of what is there. */
  at(path: string, handler: Handler): void;
}

export async function startLoopbackServer(
  handler: Handler,
  options: { readonly tls?: boolean } = {},
): Promise<LoopbackServer> {
  const seen: Seen[] = [];
  const overrides = new Map<string, Handler>();
  const listener: Handler = (request, response) => {
    const path = request.url ?? '/';
    const { authorization, 'if-none-match': ifNoneMatch } = request.headers;
    seen.push({ path, authorization, ifNoneMatch });
    (overrides.get(path.replace(/\?.*$/, '')) ?? handler)(request, response);
  };
  const server =
    options.tls === true ? createTlsServer({ cert: SERVER_CERT, key: SERVER_KEY }, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin: `${options.tls === true ? 'https' : 'http'}://${host}`,
    host,
    seen,
    at: (path, override) => void overrides.set(path, override),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

export function answer(
  status: number,
  body: string | Buffer = '',
  headers: Readonly<Record<string, string>> = {},
): Handler {
  return (_request, response) => void response.writeHead(status, headers).end(body);
}

export function redirect(location: string): Handler {
  return answer(302, 'moved', { location });
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
