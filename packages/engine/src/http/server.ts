import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { readAuditEvents, type AuditEvent, type Clock } from '@plumb/core';
import type { Metrics } from '../metrics.ts';
import type { Delivery } from '../pull-requests.ts';
import type { NamespacedName } from '../targets.ts';
import { isSigned, MAX_HOOK_BYTES } from './hooks.ts';
import { isBearer } from './same-secret.ts';

export interface HttpOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Whether `isSigned` says yes to the repository's webhook secret; false where the repository or its secret does not exist. */
  accepts(repository: NamespacedName, isSigned: (secret: Uint8Array) => boolean): Promise<boolean>;
  trigger(repository: NamespacedName): void;
  /** The delivery itself, once its signature is accepted. It may be about anything. */
  delivered(repository: NamespacedName, delivery: Delivery): void;
  /** The token that audit events have to come with; undefined where none are taken. Read anew at each delivery. */
  auditToken(): Promise<string | undefined>;
  /** Takes audit events in; answers how many of them are kept. */
  audited(events: readonly AuditEvent[]): Promise<number>;
  /** Why the engine is not ready, or undefined when it is. */
  unready(): string | undefined;
}

/** What an API server sends at most, where its batches are limited (`--audit-webhook-truncate-enabled`). */
const MAX_AUDIT_BYTES = 10 * 1024 * 1024;

/** The engine's HTTP surface: webhooks and probes. The whole API comes to stand on the same root. */
export function createHttp(options: HttpOptions): Hono {
  const { metrics } = options;
  const app = new Hono();
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', (c) => {
    const reason = options.unready();
    return reason === undefined ? c.text('ok\n') : c.text(`${reason}\n`, 503);
  });
  app.get('/metrics', (c) => c.text(metrics.expose(), 200, { 'content-type': 'text/plain; version=0.0.4' }));
  app.post('/hooks/:namespace/:repository', async (c) => {
    const { namespace, repository } = c.req.param();
    const body = await readBody(c.req.raw, MAX_HOOK_BYTES);
    if (body === undefined)
      return c.json({ error: { code: 'TooLarge', message: 'The body is larger than 1 MiB' } }, 413);
    const name: NamespacedName = `${namespace}/${repository}`;
    const isAccepted = await options.accepts(name, (secret) =>
      isSigned(body, (header) => c.req.header(header), secret, options.clock.now()),
    );
    // One answer for "no such repository", "no webhook" and "wrong signature": nothing can be found out by asking.
    if (!isAccepted) {
      metrics.add('plumb_webhook_total', 1, { result: 'refused' });
      return c.json({ error: { code: 'Unauthorized', message: 'The signature does not match' } }, 401);
    }
    metrics.add('plumb_webhook_total', 1, { result: 'accepted' });
    options.trigger(name);
    options.delivered(name, { header: (header) => c.req.header(header), body });
    return c.json({ woken: true }, 202);
  });
  app.post('/ingest/audit', async (c) => {
    const token = await options.auditToken();
    // Before anything of the body is read, and one answer for all that may be wrong.
    if (!isBearer(c.req.header('authorization'), token ?? '')) {
      metrics.add('plumb_audit_total', 1, { result: 'refused' });
      return c.json({ error: { code: 'Unauthorized', message: 'The token does not match' } }, 401);
    }
    const body = await readBody(c.req.raw, MAX_AUDIT_BYTES);
    if (body === undefined)
      return c.json({ error: { code: 'TooLarge', message: 'The body is larger than 10 MiB' } }, 413);
    const events = readAuditEvents(Buffer.from(body).toString('utf8'));
    if (events === undefined) {
      metrics.add('plumb_audit_total', 1, { result: 'invalid' });
      return c.json({ error: { code: 'Invalid', message: 'The body holds no events of audit.k8s.io/v1' } }, 400);
    }
    metrics.add('plumb_audit_total', 1, { result: 'accepted' });
    return c.json({ kept: await options.audited(events) });
  });
  app.notFound((c) => c.json({ error: { code: 'NotFound', message: 'There is nothing here' } }, 404));
  return app;
}

/** The raw bytes, or undefined where there are more than the cap: counted while they arrive, whatever a header says. */
async function readBody(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return undefined;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = request.body;
  if (body === null) return new Uint8Array();
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export interface Listener extends AsyncDisposable {
  readonly url: string;
}

export interface ListenAddress {
  /** Default 127.0.0.1: other machines cannot reach it. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export async function listen(app: Hono, address: ListenAddress): Promise<Listener> {
  const host = address.host ?? '127.0.0.1';
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = serve({ fetch: app.fetch, hostname: host, port: address.port }, (info) => resolve(info.port));
  server.on('error', reject);
  if ('headersTimeout' in server) {
    // A client that sends slowly or never is let go.
    server.headersTimeout = 5_000;
    server.requestTimeout = 10_000;
  }
  const port = await promise;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        server.close(() => done());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}
