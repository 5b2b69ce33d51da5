import assert from 'node:assert/strict';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { startApiFaultServer } from './api-fault-server.ts';
import { CLIENT_CERT, CLIENT_KEY, TEST_CA } from './tls-fixture.ts';

test('answers as the script says and remembers what was asked', async () => {
  await using server = await startApiFaultServer((exchange) =>
    exchange.answer(201, { kind: 'Status' }, { 'x-a': 'b' }),
  );

  const response = await fetch(`${server.url}/api?watch=1`, { method: 'POST', body: 'text' });

  assert.equal(response.status, 201);
  assert.equal(response.headers.get('x-a'), 'b');
  assert.deepEqual(await response.json(), { kind: 'Status' });
  const [exchange] = server.exchanges;
  assert.deepEqual([exchange?.method, exchange?.path, exchange?.body], ['POST', '/api', 'text']);
  assert.equal(exchange?.query.get('watch'), '1');
});

test('cuts an answer in half and drops a connection', async () => {
  await using server = await startApiFaultServer((exchange) =>
    exchange.path === '/half' ? exchange.answerHalf(200, { items: [1, 2, 3] }) : exchange.drop(),
  );

  const half = await fetch(`${server.url}/half`);

  await assert.rejects(half.text());
  await assert.rejects(fetch(`${server.url}/drop`));
});

test('streams events until the client leaves', async () => {
  const left = Promise.withResolvers<void>();
  await using server = await startApiFaultServer(async (exchange) => {
    const stream = exchange.stream();
    stream.event('ADDED', { a: 1 });
    await stream.closed;
    left.resolve();
  });
  const controller = new AbortController();

  const response = await fetch(server.url, { signal: controller.signal });
  const reader = response.body?.getReader();
  const first = await reader?.read();
  controller.abort();

  assert.equal(Buffer.from(first?.value ?? []).toString(), '{"type":"ADDED","object":{"a":1}}\n');
  await left.promise;
});

test('knows the client by its certificate over TLS', async () => {
  await using server = await startApiFaultServer((exchange) => exchange.answer(200, { name: exchange.clientName }), {
    tls: true,
  });

  const answer = await new Promise((resolve, reject) => {
    request(server.url, { ca: TEST_CA, cert: CLIENT_CERT, key: CLIENT_KEY, agent: false }, (response) => {
      json(response).then(resolve, reject);
    })
      .on('error', reject)
      .end();
  });

  assert.deepEqual(answer, { name: 'alice' });
});
