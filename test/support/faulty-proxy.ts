import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { SERVER_CERT, SERVER_KEY } from './tls-fixture.ts';

/**
 * `refused`: 429 with Retry-After, and the server never hears of it. `lost`: the server does it, and the answer is 500.
 * `passed`: as if the proxy were not there.
 */
export type ProxyFault = 'passed' | 'refused' | 'lost';

/**
 * What becomes of one event of a watch. `swallowed`: the client never hears of it. `expired`: it is passed on, and after
 * it the server says that it has lost the history (410) and ends the watch.
 */
export type EventFault = 'passed' | 'swallowed' | 'expired';

export interface ProxiedEvent {
  readonly type: string;
  readonly object: {
    readonly metadata: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> };
  };
}

export interface ProxiedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** The how-manyth of its method and path, from 1. */
  readonly attempt: number;
}

export interface ProxiedExchange extends ProxiedRequest {
  readonly fault: ProxyFault;
  /** What the server answered; undefined where it was not asked, or has not answered yet. */
  status: number | undefined;
}

export interface FaultyProxy extends AsyncDisposable {
  /** Over TLS, with a certificate of `TEST_CA`. */
  readonly url: string;
  /** In the order in which they came. */
  readonly exchanges: readonly ProxiedExchange[];
}

/** Seconds; the shortest that the header can name. */
const RETRY_AFTER = '1';

/**
 * A proxy on loopback before a real API server, for bad days of a server that is in good order. Streams pass through, but
 * for the events of watches that `eventFaultOf` has something against.
 */
export async function startFaultyProxy(
  upstream: { readonly server: string; readonly ca?: string },
  faultOf: (request: ProxiedRequest) => ProxyFault,
  eventFaultOf?: (event: ProxiedEvent, request: ProxiedRequest) => EventFault,
): Promise<FaultyProxy> {
  const exchanges: ProxiedExchange[] = [];
  const attempts = new Map<string, number>();
  const sockets = new Set<Socket>();
  const send = upstream.server.startsWith('https:') ? httpsRequest : httpRequest;

  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url: path = '/' } = request;
    const attempt = (attempts.get(`${method} ${path}`) ?? 0) + 1;
    attempts.set(`${method} ${path}`, attempt);
    const proxied: ProxiedRequest = { method, path, attempt };
    const fault = faultOf(proxied);
    const exchange: ProxiedExchange = { ...proxied, fault, status: undefined };
    exchanges.push(exchange);
    const body = await buffer(request);
    if (fault === 'refused') {
      answer(response, 429, 'TooManyRequests', { 'retry-after': RETRY_AFTER });
      return;
    }
    const url = new URL(path, upstream.server);
    const { host: _host, ...headers } = request.headers;
    const options = { method, headers, ...(upstream.ca === undefined ? {} : { ca: upstream.ca }) };
    const asked = send(url, options, (answered) => {
      exchange.status = answered.statusCode;
      if (fault === 'lost') {
        answered.resume().on('end', () => answer(response, 500, 'InternalError', {}));
        return;
      }
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      response.flushHeaders();
      if (eventFaultOf === undefined || !path.includes('watch=true') || answered.statusCode !== 200) {
        answered.on('error', () => response.destroy()).pipe(response);
        return;
      }
      passEvents(answered, response, (event) => eventFaultOf(event, proxied)).catch(() => response.destroy());
    });
    asked.on('error', () => response.destroy());
    response.on('close', () => asked.destroy());
    asked.end(body);
  };

  const server = createServer({ cert: SERVER_CERT, key: SERVER_KEY }, (request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

export interface FaultShares {
  /** Tells one bad day from another. */
  readonly seed: string;
  /** Of all requests, from 0 to 1. */
  readonly refused: number;
  /** Of the writes that are not refused, dry-runs left out. */
  readonly lost: number;
}

/**
 * Faults by chance, and yet the same ones in every run: each is drawn from the seed, the request and how often it came
 * before, so that it does not matter in which order requests arrive.
 */
export function drawFault({ seed, refused, lost }: FaultShares): (request: ProxiedRequest) => ProxyFault {
  return ({ method, path, attempt }) => {
    const draw = (what: string): number => {
      const text = [seed, what, method, path, attempt].join('\n');
      return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
    };
    if (draw('refused') < refused) return 'refused';
    return method !== 'GET' && !path.includes('dryRun=') && draw('lost') < lost ? 'lost' : 'passed';
  };
}

async function passEvents(
  answered: IncomingMessage,
  response: ServerResponse,
  faultOf: (event: ProxiedEvent) => EventFault,
): Promise<void> {
  for await (const line of createInterface({ input: answered, crlfDelay: Infinity })) {
    const fault = faultOf(JSON.parse(line) as ProxiedEvent);
    if (fault !== 'swallowed') response.write(`${line}\n`);
    if (fault === 'expired') {
      response.write(`${JSON.stringify({ type: 'ERROR', object: { ...FAILURE, ...EXPIRED } })}\n`);
      answered.destroy();
      break;
    }
  }
  response.end();
}

const FAILURE = { kind: 'Status', apiVersion: 'v1', status: 'Failure' };
const EXPIRED = { reason: 'Expired', message: 'too old resource version', code: 410 };

function answer(response: ServerResponse, code: number, reason: string, headers: Readonly<Record<string, string>>) {
  const message = reason === 'TooManyRequests' ? 'the server has received too many requests' : 'the answer was lost';
  const status = { ...FAILURE, reason, message, code };
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(status));
}
