import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSigned } from './hooks.ts';

const SECRET = Buffer.from("It's a Secret to Everybody");
const BODY = Buffer.from('Hello, World!');
const NOW = 1_800_000_000_000;

function signed(headers: Record<string, string>, body: Uint8Array = BODY, secret: Uint8Array = SECRET): boolean {
  return isSigned(body, (name) => headers[name], secret, NOW);
}

test("GitHub's own example of a signature is accepted", () => {
  // docs.github.com, "Validating webhook deliveries", test values.
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

  assert.equal(signed({ 'x-hub-signature-256': signature }), true);
});

test('Bitbucket sends the same signature under an older name', () => {
  const hex = createHmac('sha256', SECRET).update(BODY).digest('hex');
  const sha1 = createHmac('sha1', SECRET).update(BODY).digest('hex');

  assert.equal(signed({ 'x-hub-signature': `sha256=${hex}` }), true);
  assert.equal(signed({ 'x-hub-signature': `sha1=${sha1}` }), false);
});

test('a signature over any other body or with any other secret is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array({ minLength: 1 }), (body, secret) => {
      const signature = `sha256=${createHmac('sha256', SECRET).update(BODY).digest('hex')}`;

      fc.pre(!BODY.equals(body) && !SECRET.equals(secret));

      assert.equal(signed({ 'x-hub-signature-256': signature }, body), false);
      assert.equal(signed({ 'x-hub-signature-256': signature }, BODY, secret), false);
    }),
  );
});

test('missing, cut, empty and SHA-1 signatures are refused', () => {
  const good = createHmac('sha256', SECRET).update(BODY).digest('hex');

  assert.equal(signed({}), false);
  assert.equal(signed({ 'x-hub-signature-256': '' }), false);
  assert.equal(signed({ 'x-hub-signature-256': good }), false);
  assert.equal(signed({ 'x-hub-signature-256': `sha256=${good.slice(0, 63)}` }), false);
  assert.equal(signed({ 'x-hub-signature': `sha1=${createHmac('sha1', SECRET).update(BODY).digest('hex')}` }), false);
});

test('an empty secret signs nothing', () => {
  const signature = `sha256=${createHmac('sha256', '').update(BODY).digest('hex')}`;

  assert.equal(signed({ 'x-hub-signature-256': signature }, BODY, new Uint8Array()), false);
  assert.equal(signed({ 'x-gitlab-token': '' }, BODY, new Uint8Array()), false);
});

test("GitLab's token is compared whole", () => {
  assert.equal(signed({ 'x-gitlab-token': SECRET.toString() }), true);
  assert.equal(signed({ 'x-gitlab-token': `${SECRET.toString()}x` }), false);
});

test("GitLab's signature is accepted while it is fresh", () => {
  const sign = (timestamp: string): Record<string, string> => ({
    'webhook-id': 'id-1',
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,other v1,${createHmac('sha256', SECRET).update(`id-1.${timestamp}.`).update(BODY).digest('base64')}`,
  });

  assert.equal(signed(sign(String(NOW / 1_000))), true);
  assert.equal(signed(sign(String(NOW / 1_000 - 301))), false);
  assert.equal(signed(sign('never')), false);
});
