import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

const SECRET = 'correct horse';
const BODY = '{"ref":"refs/heads/main"}';
const MIB = 1024 * 1024;

test('a signed delivery of GitHub wakes the repository at once', async () => {
  await using plumb = await startListening();

  const commit = await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one', { key: 'new' }) });
  const answer = await deliver(plumb, { 'x-hub-signature-256': `sha256=${hmac(SECRET)}`, 'x-github-event': 'push' });

  assert.deepEqual(answer, { status: 202, body: '{"woken":true}' });
  await plumb.until('shop', isHealthyAt(commit));
});

test('a delivery of GitLab with the token wakes the repository at once', async () => {
  await using plumb = await startListening();

  const commit = await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one', { key: 'new' }) });
  const answer = await deliver(plumb, { 'x-gitlab-token': SECRET });

  assert.equal(answer.status, 202);
  await plumb.until('shop', isHealthyAt(commit));
});

test('whatever is wrong with a delivery, the answer is the same and nothing is woken', async () => {
  await using plumb = await startListening();
  const asked = plumb.git.requests;
  const signed = { 'x-hub-signature-256': `sha256=${hmac(SECRET)}` };

  const answers = [
    await deliver(plumb, {}),
    await deliver(plumb, { 'x-hub-signature-256': `sha256=${hmac('another secret')}` }),
    await deliver(plumb, { 'x-hub-signature-256': `sha256=${hmac(SECRET).slice(0, 32)}` }),
    await deliver(plumb, { 'x-hub-signature-256': 'sha256=' }),
    await deliver(plumb, { 'x-hub-signature': `sha1=${createHmac('sha1', SECRET).update(BODY).digest('hex')}` }),
    await deliver(plumb, { 'x-gitlab-token': 'another secret' }),
    await deliver(plumb, { 'x-gitlab-token': '' }),
    await deliver(plumb, signed, { body: `${BODY} ` }),
    await deliver(plumb, signed, { repository: 'other' }),
    await deliver(plumb, signed, { repository: 'open' }),
    await deliver(plumb, signed, { repository: 'nobody' }),
  ];

  for (const answer of answers) assert.deepEqual(answer, { status: 401, body: answers[0]?.body });
  assert.equal(plumb.git.requests, asked);
});

test('a delivery of more than 1 MiB is refused, whether it says its length or not', async () => {
  await using plumb = await startListening();
  const body = new Uint8Array(MIB + 1);
  const chunked = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < body.length; at += 65_536) controller.enqueue(body.subarray(at, at + 65_536));
      controller.close();
    },
  });

  const whole = await deliver(plumb, {}, { body });
  const inChunks = await deliver(plumb, {}, { body: chunked });

  assert.equal(whole.status, 413);
  assert.equal(inChunks.status, 413);
});

test('probes and metrics answer', async () => {
  await using plumb = await startListening();
  await deliver(plumb, {});

  const health = await fetch(`${plumb.engine.url}/healthz`);
  const ready = await fetch(`${plumb.engine.url}/readyz`);
  const metrics = await (await fetch(`${plumb.engine.url}/metrics`)).text();

  assert.equal(health.status, 200);
  assert.equal(ready.status, 200);
  assert.match(metrics, /^plumb_app_state\{state="Healthy"\} 1$/m);
  assert.match(metrics, /^plumb_write_total\{action="create",result="ok"\} 1$/m);
  assert.match(metrics, /^plumb_webhook_total\{result="refused"\} 1$/m);
});

/** A healthy application whose repository is asked once an hour, `other` with a secret of its own, and `open` without. */
async function startListening(): Promise<EngineFixture> {
  return await startFixture({ prefix: 'hook', listen: { port: 0 }, webhook: false }, async (plumb) => {
    await plumb.git.create('shop');
    await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one') });
    const url = plumb.git.url('shop');
    for (const [name, token] of [
      ['shop', SECRET],
      ['other', 'another secret'],
    ] as const) {
      await plumb.create('v1', 'secrets', { metadata: { name: `${name}-hook` }, stringData: { token } });
      await plumb.repository(name, { url, interval: '1h', webhook: { secretRef: { name: `${name}-hook` } } });
    }
    await plumb.repository('open', { url, interval: '1h' });
    await plumb.application('shop');
    await plumb.until('shop', isHealthy);
    for (const name of ['other', 'open']) {
      await plumb.untilObject('plumb.dev/v1alpha1', 'repositories', name, (object) => object?.status !== undefined);
    }
  });
}

async function deliver(
  plumb: EngineFixture,
  headers: Readonly<Record<string, string>>,
  options: { readonly repository?: string; readonly body?: NonNullable<RequestInit['body']> } = {},
): Promise<{ readonly status: number; readonly body: string }> {
  const { repository = 'shop', body = BODY } = options;
  const url = `${plumb.engine.url}/hooks/${plumb.namespace}/${repository}`;
  const answer = await fetch(url, { method: 'POST', headers, body, duplex: 'half' });
  return { status: answer.status, body: await answer.text() };
}

function hmac(secret: string): string {
  return createHmac('sha256', secret).update(BODY).digest('hex');
}
