import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { SERVER_CERT, SERVER_KEY, TEST_CA } from './tls-fixture.ts';

/** One request, and all the ways, good and bad, in which a test may answer it. */
export interface ApiExchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** The common name of the client's certificate, over TLS. */
  readonly clientName: string | undefined;
  /** JSON. */
  answer(status: number, body: unknown, headers?: Readonly<Record<string, string>>): void;
  answerText(status: number, contentType: string, body: string): void;
  /** Announces the whole body, sends half of it and ends the connection. */
  answerHalf(status: number, body: unknown): void;
  /** Ends the connection without a word. */
  drop(): void;
  /** Begins a watch. */
  stream(): ApiStream;
}

export interface ApiStream {
  event(type: string, object: unknown): void;
  raw(bytes: string): void;
  /** Ends it in good order, as the server does after its timeout. */
  end(): void;
  /** Resolves when the client has left. */
  readonly closed: Promise<void>;
}

export interface ApiFaultServer extends AsyncDisposable {
  readonly url: string;
  readonly exchanges: readonly ApiExchange[];
}

/**
 * A scripted API server on loopback, over real sockets, for the faults that a real one shows only on bad days. The script
 * is called for each request; what it throws answers 599. Over TLS it demands a client certificate of `TEST_CA`.
 */
export async function startApiFaultServer(
  script: (exchange: ApiExchange) => void | Promise<void>,
  options: { readonly tls?: boolean } = {},
): Promise<ApiFaultServer> {
  const exchanges: ApiExchange[] = [];
  const sockets = new Set<Socket>();
  const listener: RequestListener = (request, response) => {
    void readExchange(request, response).then(async (exchange) => {
      exchanges.push(exchange);
      try {
        await script(exchange);
      } catch (error) {
        exchange.answerText(599, 'text/plain', String(error));
      }
    });
  };
  const server =
    options.tls === true
      ? createTlsServer({ cert: SERVER_CERT, key: SERVER_KEY, ca: TEST_CA, requestCert: true }, listener)
      : createServer(listener);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls === true ? 'https' : 'http'}://127.0.0.1:${port}`,
    exchanges,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function readExchange(request: IncomingMessage, response: ServerResponse): Promise<ApiExchange> {
  const url = new URL(request.url ?? '/', 'http://server');
  const body = await text(request);
  const { socket } = request;
  const subject = socket instanceof TLSSocket ? socket.getPeerCertificate().subject : undefined;
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    body,
    clientName: subject === undefined ? undefined : String(subject.CN),
    answer(status, value, headers = {}) {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    },
    answerText(status, contentType, value) {
      response.writeHead(status, { 'content-type': contentType });
      response.end(value);
    },
    answerHalf(status, value) {
      const whole = JSON.stringify(value);
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(whole) });
      response.write(whole.slice(0, whole.length / 2), () => socket.destroy());
    },
    drop() {
      socket.destroy();
    },
    stream() {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      const { promise, resolve } = Promise.withResolvers<void>();
      response.on('close', resolve);
      return {
        event: (type, object) => response.write(`${JSON.stringify({ type, object })}\n`),
        raw: (bytes) => response.write(bytes),
        end: () => response.end(),
        closed: promise,
      };
    },
  };
}
