import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, startApiFaultServer, type ApiExchange } from '@plumb/test-support';
import { apiResource } from './api-resource.ts';
import { connect } from './client.ts';

const { signal } = new AbortController();
const pods = apiResource({ group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true, verbs: [] });
const ref = { namespace: 'shop', name: 'web-1' };

async function read(
  script: (exchange: ApiExchange) => void,
  options: object,
): Promise<{ readonly text: string; readonly exchange: ApiExchange | undefined }> {
  await using server = await startApiFaultServer(script);
  await using client = connect(
    { server: server.url, context: 'test', namespace: 'default', auth: { type: 'token', token: 't' } },
    { clock: new ManualClock(), random: { next: () => 0 }, userAgent: 'test' },
  );
  const body = await client.logs(pods, ref, { container: 'app', signal, ...options });
  const chunks = await Array.fromAsync(body);
  return { text: Buffer.concat(chunks).toString(), exchange: server.exchanges[0] };
}

test('the log of one container is asked for as kubectl does', async () => {
  const answer = (exchange: ApiExchange): void => exchange.answerText(200, 'text/plain', 'one\ntwo\n');

  const { text, exchange } = await read(answer, { previous: true, sinceSeconds: 60, tailLines: 0 });

  assert.equal(text, 'one\ntwo\n');
  assert.equal(exchange?.path, '/api/v1/namespaces/shop/pods/web-1/log');
  assert.deepEqual(Object.fromEntries(exchange.query), {
    container: 'app',
    previous: 'true',
    sinceSeconds: '60',
    tailLines: '0',
  });
});

test('what is followed comes as it is written, until the server ends it', async () => {
  const { text, exchange } = await read(
    (asked) => {
      const stream = asked.stream();
      stream.raw('cut in the mid');
      stream.raw('dle\n');
      stream.end();
    },
    { follow: true },
  );

  assert.deepEqual([text, exchange?.query.get('follow')], ['cut in the middle\n', 'true']);
});

test('a refusal is an error with a code that names pod and container', async () => {
  const refusal = (exchange: ApiExchange): void =>
    exchange.answer(403, { kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403, message: 'pods/log' });

  await assert.rejects(read(refusal, {}), { code: 'Forbidden', message: /Pod\/web-1 in shop, container app/ });
});
