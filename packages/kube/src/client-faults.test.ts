import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { createServer } from 'node:http';
import { connect as dial, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { PlumbError, type KubeObject } from '@plumb/core';
import {
  CLIENT_CERT,
  CLIENT_KEY,
  ManualClock,
  OTHER_CA,
  startApiFaultServer,
  TEST_CA,
  type ApiExchange,
} from '@plumb/test-support';
import { apiResource } from './api-resource.ts';
import { connect } from './client.ts';
import type { ClusterConfig } from './kubeconfig.ts';

const { signal } = new AbortController();
const configMaps = apiResource({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  verbs: [],
});
const ref = { namespace: 'shop', name: 'env' };
const live = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...ref, uid: 'u1' } };

test('waits as long as the server asks after 429 and then tries again', async () => {
  const { clock, client, server } = await fixture((exchange, tries) =>
    tries < 3 ? exchange.answer(429, failure(429), { 'retry-after': '2' }) : exchange.answer(200, live),
  );
  await using _server = server;
  await using _client = client;

  const object = await client.get(configMaps, ref, { signal });

  assert.deepEqual(object, live);
  assert.deepEqual(clock.sleptMs, [2000, 2000]);
});

test('gives up on a server that stays overloaded, or asks for too long a wait, and says when to come back', async () => {
  const { client, server } = await fixture((exchange) => exchange.answer(503, failure(503), { 'retry-after': '1' }));
  await using _server = server;
  await using _client = client;
  const patient = await fixture((exchange) => exchange.answer(429, failure(429), { 'retry-after': '30' }));
  await using _patientServer = patient.server;
  await using _patientClient = patient.client;

  await assert.rejects(client.get(configMaps, ref, { signal }), { code: 'ServerError' });
  await assert.rejects(patient.client.get(configMaps, ref, { signal }), {
    code: 'TooManyRequests',
    retryAfterMs: 30_000,
  });

  assert.equal(server.exchanges.length, 4);
  assert.equal(patient.server.exchanges.length, 1);
});

test('sends an apply again when its answer was lost, because it is safe to repeat', async () => {
  const { client, server } = await fixture((exchange, tries) =>
    tries === 1 ? exchange.drop() : exchange.answer(200, live),
  );
  await using _server = server;
  await using _client = client;

  const applied = await client.apply(live, { force: true, signal });

  assert.equal(applied.object.metadata.uid, 'u1');
  const [first, second] = server.exchanges.filter(({ method }) => method === 'PATCH');
  assert.equal(second?.body, first?.body);
});

test('does not repeat an apply that the server failed to do', async () => {
  const { client, server } = await fixture((exchange) => exchange.answer(500, failure(500)));
  await using _server = server;
  await using _client = client;

  await assert.rejects(client.apply(live, { force: true, signal }), { code: 'ServerError' });

  assert.equal(server.exchanges.filter(({ method }) => method === 'PATCH').length, 1);
});

test('a write to which there is an objection when its turn comes does not leave, at any try', async () => {
  let tries = 0;
  const { client, server } = await fixture((exchange) => exchange.answer(503, failure(503), { 'retry-after': '1' }));
  await using _server = server;
  await using _client = client;
  const objection = (): PlumbError | undefined => {
    tries += 1;
    return tries < 3 ? undefined : new PlumbError('EngineBusy', 'no more');
  };

  await assert.rejects(client.apply(live, { force: true, objection, signal }), { code: 'EngineBusy' });
  await assert.rejects(client.delete(configMaps, ref, { uid: 'u1', objection, signal }), { code: 'EngineBusy' });

  const methods = server.exchanges.map(({ method }) => method);
  assert.deepEqual(
    methods.filter((method) => method !== 'GET'),
    ['PATCH', 'PATCH'],
  );
});

test('looks what is there when the answer to a deletion was lost', async () => {
  let state: object | undefined = live;
  const { client, server } = await fixture((exchange, tries) => {
    if (exchange.method === 'GET') {
      if (state === undefined) exchange.answer(404, failure(404, { details: { kind: 'configmaps', name: 'env' } }));
      else exchange.answer(200, state);
    } else if (tries === 1) exchange.drop();
    else exchange.answer(200, failure(200));
  });
  await using _server = server;
  await using _client = client;

  const again = await client.delete(configMaps, ref, { uid: 'u1', signal });
  const methods = server.exchanges.map(({ method }) => method);

  assert.equal(again, 'deleted');
  assert.deepEqual(methods, ['DELETE', 'GET', 'DELETE']);
  for (const [found, expected] of [
    [undefined, 'deleted'],
    [{ ...live, metadata: { ...live.metadata, uid: 'u2' } }, 'deleted'],
    [{ ...live, metadata: { ...live.metadata, deletionTimestamp: 'now' } }, 'deleting'],
  ] as const) {
    const lost = await fixture((exchange) => {
      if (exchange.method === 'DELETE') exchange.drop();
      else if (found === undefined)
        exchange.answer(404, failure(404, { details: { kind: 'configmaps', name: 'env' } }));
      else exchange.answer(200, found);
    });
    await using _lostServer = lost.server;
    await using _lostClient = lost.client;
    state = found;

    assert.equal(await lost.client.delete(configMaps, ref, { uid: 'u1', signal }), expected);
    assert.equal(lost.server.exchanges.filter(({ method }) => method === 'DELETE').length, 1);
  }
});

test('a list that is cut short, no JSON or an HTML page is an error and never an empty list', async () => {
  const whole = { metadata: { resourceVersion: '1' }, items: [live] };
  const half = JSON.stringify(whole).slice(0, 60);
  const faults: readonly (readonly [string, (exchange: ApiExchange) => void])[] = [
    ['ClusterUnreachable', (exchange) => exchange.answerHalf(200, whole)],
    ['ResponseInvalid', (exchange) => exchange.answerText(200, 'application/json', half)],
    ['ResponseInvalid', (exchange) => exchange.answerText(200, 'text/html', '<html>Log in</html>')],
    ['ResponseInvalid', (exchange) => exchange.answer(200, {})],
    ['ResponseInvalid', (exchange) => exchange.answerText(200, 'application/json', '')],
    ['ResponseInvalid', (exchange) => exchange.answer(302, '', { location: 'http://127.0.0.1:1/' })],
  ];
  for (const [code, fault] of faults) {
    const { client, server } = await fixture(fault);
    await using _server = server;
    await using _client = client;

    await assert.rejects(client.list(configMaps, { signal }), { code });
  }
});

test('starts a list again when its state expires between two pages', async () => {
  const page = (name: string, token?: string): object => ({
    metadata: { resourceVersion: '7', ...(token === undefined ? {} : { continue: token }) },
    items: [{ metadata: { name } }],
  });
  let expired = false;
  const { client, server } = await fixture((exchange) => {
    const token = exchange.query.get('continue');
    if (token === null) exchange.answer(200, page(expired ? 'new' : 'old', 'next'));
    else if (expired) exchange.answer(200, page('last'));
    else {
      expired = true;
      exchange.answer(410, failure(410));
    }
  });
  await using _server = server;
  await using _client = client;

  const { items } = await client.list(configMaps, { signal });

  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['new', 'last'],
  );
  assert.deepEqual(items[0], { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new' } });
});

test('stops reading an answer that grows without end', async () => {
  const left = Promise.withResolvers<void>();
  const { client, server } = await fixture(async (exchange) => {
    const stream = exchange.stream();
    let open = true;
    void stream.closed.then(() => {
      open = false;
      left.resolve();
    });
    const part = ' '.repeat(1024 * 1024);
    for (; open; await new Promise(setImmediate)) stream.raw(part);
  });
  await using _server = server;
  await using _client = client;

  await assert.rejects(client.list(configMaps, { signal }), { code: 'ResponseInvalid', message: /larger than/ });

  await left.promise;
});

test('does not believe a list that never ends', async () => {
  const { client, server } = await fixture((exchange) =>
    exchange.answer(200, { metadata: { resourceVersion: '1', continue: 'same' }, items: [] }),
  );
  await using _server = server;
  await using _client = client;

  await assert.rejects(client.list(configMaps, { signal }), { code: 'ResponseInvalid' });
});

test('a server that nobody can reach is ClusterUnreachable after a few tries', async () => {
  const { server } = await fixture(() => undefined);
  await server[Symbol.asyncDispose]();
  const clock = new ManualClock({ instantSleep: true });
  await using client = connect(config(server.url), { clock, random: { next: () => 0 }, userAgent: 'plumb/test' });

  await assert.rejects(client.get(configMaps, ref, { signal }), {
    code: 'ClusterUnreachable',
    message: /ECONNREFUSED/,
  });

  assert.equal(clock.sleptMs.length, 3);
});

test('an abort ends a call at once, with its own reason', async () => {
  const arrived = Promise.withResolvers<void>();
  const { client, server } = await fixture(() => arrived.resolve());
  await using _server = server;
  await using _client = client;
  const controller = new AbortController();

  const call = client.get(configMaps, ref, { signal: controller.signal });
  await arrived.promise;
  controller.abort(new Error('enough'));

  await assert.rejects(call, /enough/);
});

test('leaves no listener on a signal that thousands of calls share, and no timer', async () => {
  const { client, clock, server } = await fixture((exchange) => exchange.answer(200, live));
  await using _server = server;
  const controller = new AbortController();
  const options = { signal: controller.signal };

  await Promise.all(Array.from({ length: 1_000 }, () => client.get(configMaps, ref, options)));
  await client[Symbol.asyncDispose]();

  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  assert.equal(clock.pending, 0);
});

test('sends what identifies it, and the one field manager', async () => {
  const { client, server } = await fixture((exchange) =>
    exchange.answer(201, live, { 'audit-id': 'a1', warning: '299 - "spec.x is \\"old\\"", 299 - "second"' }),
  );
  await using _server = server;
  await using _client = client;
  const object: KubeObject = { ...live, metadata: { ...ref, managedFields: [{ manager: 'x' }] } };

  const applied = await client.apply(object, {
    force: true,
    dryRun: true,
    signal,
    impersonate: 'system:serviceaccount:a:b',
  });

  const exchange = server.exchanges.find(({ method }) => method === 'PATCH');
  assert.ok(exchange);
  assert.equal(exchange.path, '/api/v1/namespaces/shop/configmaps/env');
  assert.deepEqual(Object.fromEntries(exchange.query), {
    fieldManager: 'plumb',
    force: 'true',
    fieldValidation: 'Strict',
    dryRun: 'All',
  });
  assert.equal(exchange.headers['content-type'], 'application/apply-patch+yaml');
  assert.equal(exchange.headers['user-agent'], 'plumb/test');
  assert.equal(exchange.headers['impersonate-user'], 'system:serviceaccount:a:b');
  assert.equal(exchange.rawHeaders.filter((name) => name === 'impersonate-group').length, 3);
  assert.deepEqual(JSON.parse(exchange.body), { ...live, metadata: ref });
  assert.deepEqual(applied.warnings, ['spec.x is "old"', 'second']);
  assert.equal(applied.auditId, 'a1');
  assert.equal(applied.created, true);
});

test('shows its client certificate, and trusts only the authority that it was given', async () => {
  await using server = await startApiFaultServer(
    (exchange) => exchange.answer(200, { ...live, data: { name: exchange.clientName ?? '' } }),
    { tls: true },
  );
  const certificate = { cert: CLIENT_CERT, key: CLIENT_KEY };
  await using trusting = clientOf({ ...config(server.url), ca: TEST_CA, certificate });
  await using renamed = clientOf({ ...config(server.url), ca: TEST_CA, certificate, tlsServerName: 'api.test' });
  await using misnamed = clientOf({ ...config(server.url), ca: TEST_CA, tlsServerName: 'other.test' });
  await using distrusting = clientOf({ ...config(server.url), ca: OTHER_CA });

  assert.deepEqual((await trusting.get(configMaps, ref, { signal }))?.['data'], { name: 'alice' });
  assert.deepEqual((await renamed.get(configMaps, ref, { signal }))?.['data'], { name: 'alice' });
  await assert.rejects(distrusting.get(configMaps, ref, { signal }), {
    code: 'ClusterUnreachable',
    fix: /certificate-authority/,
  });
  await assert.rejects(misnamed.get(configMaps, ref, { signal }), {
    code: 'ClusterUnreachable',
    fix: /certificate-authority/,
  });
});

test('goes through the proxy that the kubeconfig names', async () => {
  await using server = await startApiFaultServer((exchange) => exchange.answer(200, live), { tls: true });
  const certificate = { cert: CLIENT_CERT, key: CLIENT_KEY };
  const tunnels: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    const { hostname, port } = new URL(server.url);
    const upstream = dial(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

  {
    await using client = clientOf({ ...config(server.url), ca: TEST_CA, proxyUrl, certificate });
    assert.deepEqual(await client.get(configMaps, ref, { signal }), live);
  }

  assert.deepEqual(tunnels, [new URL(server.url).host]);
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

test('keeps the path of a server behind a gateway', async () => {
  await using server = await startApiFaultServer((exchange) => exchange.answer(200, live));
  await using client = clientOf(config(`${server.url}/k8s/clusters/c-1`));

  await client.get(configMaps, ref, { signal });

  assert.equal(server.exchanges[0]?.path, '/k8s/clusters/c-1/api/v1/namespaces/shop/configmaps/env');
});

/** A client of a scripted server that knows ConfigMaps; `tries` counts the requests of each method. */
async function fixture(script: (exchange: ApiExchange, tries: number) => void | Promise<void>) {
  const clock = new ManualClock({ instantSleep: true });
  const tries = new Map<string, number>();
  const server = await startApiFaultServer((exchange) => {
    if (exchange.path === '/api') return exchange.answer(200, { versions: ['v1'] });
    if (exchange.path === '/apis') return exchange.answer(200, { groups: [] });
    if (exchange.path === '/api/v1') {
      return exchange.answer(200, {
        resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: [] }],
      });
    }
    const count = (tries.get(exchange.method) ?? 0) + 1;
    tries.set(exchange.method, count);
    return script(exchange, count);
  });
  return { clock, server, client: clientOf(config(server.url), clock) };
}

function clientOf(cluster: ClusterConfig, clock = new ManualClock({ instantSleep: true })) {
  return connect(cluster, { clock, random: { next: () => 0 }, userAgent: 'plumb/test' });
}

function config(server: string): ClusterConfig {
  return { server, context: 'test', namespace: 'default', auth: { type: 'token', token: 't' } };
}

function failure(code: number, more: object = {}): object {
  return { kind: 'Status', status: 'Failure', message: `scripted ${code}`, code, ...more };
}
