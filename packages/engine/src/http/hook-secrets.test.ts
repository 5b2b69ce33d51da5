import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRepository, type Repository } from '@plumb/api';
import { ManualClock } from '@plumb/test-support';
import type { NamespacedName } from '../targets.ts';
import { HookSecrets } from './hook-secrets.ts';

const SHOP: NamespacedName = 'default/shop';
const { signal } = new AbortController();

function repository(generation = 1, webhook: object | null = { secretRef: { name: 'hook' } }): Repository {
  const decoded = decodeRepository({
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Repository',
    metadata: { namespace: 'default', name: 'shop', uid: 'u1', generation },
    spec: { url: 'https://git.example/shop', ...(webhook === null ? {} : { webhook }) },
  });
  assert.ok(decoded.ok);
  return decoded.value;
}

/** One repository and its Secret; counts what is read. */
function setUp() {
  const clock = new ManualClock();
  const world = { repository: repository() as Repository | undefined, secret: 'one' as string | Error, reads: 0 };
  const secrets = new HookSecrets({
    clock,
    repository: (name) => (name === SHOP ? world.repository : undefined),
    async readSecret() {
      world.reads += 1;
      if (world.secret instanceof Error) throw world.secret;
      return { token: Buffer.from(world.secret) };
    },
    signal,
  });
  const deliver = (signedWith: string): Promise<boolean> =>
    secrets.accepts(SHOP, (secret) => Buffer.from(secret).toString() === signedWith);
  return { clock, world, secrets, deliver };
}

test('a hundred signed deliveries cost one read of the secret', async () => {
  const { world, deliver } = setUp();

  for (let count = 0; count < 100; count += 1) assert.equal(await deliver('one'), true);

  assert.equal(world.reads, 1);
});

test('a hundred forged deliveries cost one read, and one more after five seconds', async () => {
  const { clock, world, deliver } = setUp();

  await Promise.all(Array.from({ length: 50 }, () => deliver('forged')));
  for (let count = 0; count < 50; count += 1) assert.equal(await deliver('forged'), false);
  assert.equal(world.reads, 1);
  clock.advance(5_000);
  const answers = await Promise.all(Array.from({ length: 50 }, () => deliver('forged')));

  assert.equal(answers.includes(true), false);
  assert.equal(world.reads, 2);
});

test('a secret that was replaced is accepted at its first delivery', async () => {
  const { clock, world, deliver } = setUp();
  await deliver('one');
  clock.advance(5_000);
  world.secret = 'two';

  const answers = await Promise.all([deliver('two'), deliver('two'), deliver('one')]);

  assert.deepEqual(answers.slice(0, 2), [true, true]);
  assert.equal(world.reads, 2);
  assert.equal(await deliver('one'), false);
});

test('a secret that was replaced is refused after five minutes, though nobody has used the new one', async () => {
  const { clock, world, deliver } = setUp();
  await deliver('one');
  world.secret = 'two';

  clock.advance(5 * 60_000 - 1);
  assert.equal(await deliver('one'), true);
  clock.advance(1);

  assert.equal(await deliver('one'), false);
});

test('another spec makes the secret be read again at once', async () => {
  const { world, deliver } = setUp();
  await deliver('one');
  world.repository = repository(2);
  world.secret = 'two';

  assert.equal(await deliver('two'), true);
  assert.equal(world.reads, 2);
});

test('a secret that cannot be read is no secret, and is tried again after five seconds', async () => {
  const { clock, world, deliver } = setUp();
  world.secret = new Error('unreachable');
  assert.equal(await deliver('one'), false);
  world.secret = 'one';

  assert.equal(await deliver('one'), false);
  clock.advance(5_000);

  assert.equal(await deliver('one'), true);
  assert.equal(world.reads, 2);
});

test('a repository that does not exist or has no webhook costs nothing and accepts nothing', async () => {
  const { world, secrets, deliver } = setUp();

  assert.equal(await secrets.accepts('default/other', () => true), false);
  world.repository = repository(2, null);
  assert.equal(await deliver('one'), false);
  world.repository = undefined;
  assert.equal(await deliver('one'), false);

  assert.equal(world.reads, 0);
});
