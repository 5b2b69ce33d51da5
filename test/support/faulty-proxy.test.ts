import assert from 'node:assert/strict';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startApiFaultServer } from './api-fault-server.ts';
import { drawFault, startFaultyProxy } from './faulty-proxy.ts';
import { TEST_CA } from './tls-fixture.ts';

test('passes requests and answers on, refuses some, and loses the answers of others', async () => {
  await using server = await startApiFaultServer((exchange) => exchange.answer(201, { said: exchange.body }));
  await using proxy = await startFaultyProxy({ server: server.url }, ({ attempt }) =>
    attempt === 1 ? 'refused' : attempt === 2 ? 'lost' : 'passed',
  );

  const answers = [await ask(proxy.url, 'one'), await ask(proxy.url, 'two'), await ask(proxy.url, 'three')];

  assert.deepEqual(
    answers.map(({ status, retryAfter }) => [status, retryAfter]),
    [
      [429, '1'],
      [500, undefined],
      [201, undefined],
    ],
  );
  assert.equal(answers[2]?.body, '{"said":"three"}');
  assert.deepEqual(
    server.exchanges.map(({ body, headers }) => [body, headers['authorization']]),
    [
      ['two', 'Bearer mine'],
      ['three', 'Bearer mine'],
    ],
  );
  assert.deepEqual(
    proxy.exchanges.map(({ fault, status }) => [fault, status]),
    [
      ['refused', undefined],
      ['lost', 201],
      ['passed', 201],
    ],
  );
});

test('a stream comes through as it is sent, and ends at the server when the client leaves', async () => {
  const left = Promise.withResolvers<void>();
  await using server = await startApiFaultServer(async (exchange) => {
    const stream = exchange.stream();
    stream.event('ADDED', { a: 1 });
    await stream.closed;
    left.resolve();
  });
  await using proxy = await startFaultyProxy({ server: server.url }, () => 'passed');

  const first = await new Promise<string>((resolve, reject) => {
    const asked = request(proxy.url, { ca: TEST_CA, agent: false }, (response) => {
      response.once('data', (chunk: Buffer) => {
        resolve(chunk.toString());
        asked.destroy();
      });
    });
    asked.on('error', reject).end();
  });

  assert.equal(first, '{"type":"ADDED","object":{"a":1}}\n');
  await left.promise;
});

test('swallows single events of a watch, and lets the history of another expire', async () => {
  await using server = await startApiFaultServer((exchange) => {
    const stream = exchange.stream();
    for (const name of ['a', 'b', 'c', 'd']) stream.event('ADDED', { metadata: { name } });
  });
  await using proxy = await startFaultyProxy(
    { server: server.url },
    () => 'passed',
    ({ object: { metadata } }) => (metadata.name === 'b' ? 'swallowed' : metadata.name === 'c' ? 'expired' : 'passed'),
  );

  const heard = await new Promise<string>((resolve, reject) => {
    request(`${proxy.url}/api/v1/pods?watch=true`, { ca: TEST_CA, agent: false }, (response) => {
      text(response).then(resolve, reject);
    })
      .on('error', reject)
      .end();
  });

  const events = heard
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; object: { code?: number } });
  assert.deepEqual(
    events.map(({ type, object }) => [type, object.code]),
    [
      ['ADDED', undefined],
      ['ADDED', undefined],
      ['ERROR', 410],
    ],
  );
});

test('draws the same faults for the same requests, about as many as it was asked for, and loses no dry-run and no read', () => {
  const shares = { seed: 'a', refused: 0.3, lost: 0.1 };
  const drawn = (seed: string, method: string, query: string): readonly string[] =>
    Array.from({ length: 2_000 }, (_, index) =>
      drawFault({ ...shares, seed })({ method, path: `/api/${index}${query}`, attempt: 1 }),
    );
  const share = (faults: readonly string[], which: string): number =>
    faults.filter((fault) => fault === which).length / faults.length;

  const writes = drawn('a', 'PATCH', '');

  assert.deepEqual(drawn('a', 'PATCH', ''), writes);
  assert.notDeepEqual(drawn('b', 'PATCH', ''), writes);
  assert.ok(Math.abs(share(writes, 'refused') - 0.3) < 0.05);
  assert.ok(Math.abs(share(writes, 'lost') - 0.07) < 0.03);
  assert.equal(share(drawn('a', 'GET', ''), 'lost') + share(drawn('a', 'PATCH', '?dryRun=All'), 'lost'), 0);
});

function ask(
  url: string,
  body: string,
): Promise<{ readonly status: number | undefined; readonly retryAfter: string | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer mine' };
    request(url, { method: 'PATCH', ca: TEST_CA, agent: false, headers }, (response) => {
      const { statusCode: status, headers: answered } = response;
      text(response).then((got) => resolve({ status, retryAfter: answered['retry-after'], body: got }), reject);
    })
      .on('error', reject)
      .end(body);
  });
}
