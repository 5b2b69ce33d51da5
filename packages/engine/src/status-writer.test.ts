import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { decodeRepository, type Repository } from '@plumb/api';
import { PlumbError, type KubeObject } from '@plumb/core';
import { ManualClock } from '@plumb/test-support';
import type { RepositoryState } from './source.ts';
import { StatusWriter } from './status-writer.ts';

const { signal } = new AbortController();
const ONE = '1'.repeat(40);
const TWO = '2'.repeat(40);
const DOWN = new PlumbError('RepositoryUnreachable', 'the host does not answer');
const INVALID = new PlumbError('SpecInvalid', 'Repository/shop in default: spec.url must be set');

/** A writer whose writes come to `written`. */
function setUp(t: TestContext) {
  const clock = new ManualClock();
  const written: KubeObject[] = [];
  const world = { mayWrite: true };
  const writer = new StatusWriter({
    client: {
      apply: async (object) => {
        written.push(object);
        return { object, created: false, auditId: undefined, warnings: [] };
      },
    },
    clock,
    identity: 'plumb',
    mayWrite: () => world.mayWrite,
    application: () => undefined,
    reportsOf: () => [],
    isBusy: () => false,
    handledRequest: () => undefined,
    failed: (_subject, error) => assert.fail(error.message),
  });
  t.after(() => writer[Symbol.asyncDispose]());
  return { clock, written, writer, world };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function raw(generation = 1, status?: unknown, uid = 'u1', pullRequests?: unknown) {
  return {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Repository',
    metadata: { namespace: 'default', name: 'shop', uid, generation },
    spec: { url: 'https://git.example/shop', ...(pullRequests === undefined ? {} : { pullRequests }) },
    ...(status === undefined ? {} : { status }),
  };
}

function repository(...given: Parameters<typeof raw>): Repository {
  const decoded = decodeRepository(raw(...given));
  assert.ok(decoded.ok);
  return decoded.value;
}

function state(more: Partial<RepositoryState> = {}): RepositoryState {
  return { error: undefined, revision: ONE, seenAt: 1_800_000_000_000, touchedRevision: ONE, ...more };
}

interface Said {
  readonly conditions: readonly {
    readonly type: string;
    readonly reason: string;
    readonly message: string;
    readonly lastTransitionTime: string;
  }[];
  readonly fetchedAt?: string;
  readonly revision?: string;
}

function statusOf(object: KubeObject | undefined): Said {
  return object?.['status'] as Said;
}

test('a start with nothing new about a repository writes nothing, though its fields come in another order', async (t) => {
  const before = setUp(t);
  before.writer.reportRepository(repository(), state());
  await settled();
  const status = statusOf(before.written[0]);
  const { clock, written, writer } = setUp(t);

  clock.advance(60_000);
  const stored = Object.fromEntries(Object.entries(status).toReversed());
  writer.reportRepository(repository(1, stored), state({ seenAt: clock.now() }));
  await settled();

  assert.equal(before.written.length, 1);
  assert.deepEqual(written, []);
});

test('a commit that touches nothing is no news of a repository, and one that touches something is', async (t) => {
  const { written, writer } = setUp(t);
  writer.reportRepository(repository(), state());
  await settled();

  writer.reportRepository(repository(), state({ revision: TWO }));
  await settled();
  assert.equal(written.length, 1);
  writer.reportRepository(repository(), state({ revision: TWO, touchedRevision: TWO }));
  await settled();

  assert.equal(written.length, 2);
  assert.equal(statusOf(written[1]).revision, TWO);
});

test('a host that is down at the start takes nothing away from what the status says', async (t) => {
  const first = setUp(t);
  first.writer.reportRepository(repository(), state());
  await settled();
  const status = statusOf(first.written[0]);
  const { clock, written, writer } = setUp(t);

  clock.advance(60_000);
  writer.reportRepository(repository(1, status), state({ error: DOWN, revision: undefined, seenAt: undefined }));
  await settled();

  assert.equal(written.length, 1);
  assert.equal(statusOf(written[0]).fetchedAt, status.fetchedAt);
  assert.equal(statusOf(written[0]).revision, ONE);
  assert.notEqual(statusOf(written[0]).conditions[0]?.lastTransitionTime, status.conditions[0]?.lastTransitionTime);
});

test('a repository that was created anew is told everything again', async (t) => {
  const { written, writer } = setUp(t);
  writer.reportRepository(repository(), state());
  await settled();

  writer.reportRepository(repository(1, undefined, 'u2'), state());
  await settled();

  assert.deepEqual(
    written.map(({ metadata }) => metadata.uid),
    ['u1', 'u2'],
  );
});

test('that a spec cannot be read is written once, and again when something else is wrong with it', async (t) => {
  const { clock, written, writer } = setUp(t);
  await writer.reportInvalid(raw(), INVALID, signal);
  const status = statusOf(written[0]);

  clock.advance(60_000);
  await writer.reportInvalid(raw(1, Object.fromEntries(Object.entries(status).toReversed())), INVALID, signal);
  assert.equal(written.length, 1);
  const other = new PlumbError('SpecInvalid', 'Repository/shop in default: spec.ref is too long');
  await writer.reportInvalid(raw(2, status), other, signal);

  assert.equal(written.length, 2);
  assert.deepEqual(
    statusOf(written[1]).conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
    status.conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
  );
});

test('without the lease no status is written, and with the next report it is made up for', async (t) => {
  const { written, writer, world } = setUp(t);
  world.mayWrite = false;
  writer.reportRepository(repository(), state());
  await writer.reportInvalid(raw(), INVALID, signal);
  await settled();
  assert.deepEqual(written, []);

  world.mayWrite = true;
  writer.reportRepository(repository(), state());
  await settled();

  assert.equal(written.length, 1);
});

const PULLS = { secretRef: { name: 'host' } };
const REFUSED = new PlumbError('HostUnauthorized', 'GET /repos/acme/shop/pulls: the host answered 401');
const LIMITED = new PlumbError('HostRateLimited', 'GET /repos/acme/shop/pulls: the host answered 429');

/** `HostUnauthorized since TIME`; undefined where the status says nothing of the host. */
function hostSaid(object: KubeObject | undefined): string | undefined {
  const condition = statusOf(object).conditions.find(({ type }) => type === 'HostFailing');
  return condition === undefined ? undefined : `${condition.reason} since ${condition.lastTransitionTime}`;
}

test('a host that refuses is said with code, since when and the next try, and no more once it works', async (t) => {
  const { clock, written, writer } = setUp(t);
  const time = (): string => new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const followed = repository(1, undefined, 'u1', PULLS);
  writer.reportRepository(followed, state());
  writer.reportHost('default/shop', undefined);
  await settled();
  assert.deepEqual(written.map(hostSaid), [undefined]);

  const since = time();
  writer.reportHost('default/shop', { error: REFUSED, nextTryAt: clock.now() + 2_000 });
  await settled();
  assert.equal(hostSaid(written[1]), `HostUnauthorized since ${since}`);
  const { message } = statusOf(written[1]).conditions.find(({ type }) => type === 'HostFailing') ?? { message: '' };
  assert.match(message, /answered 401\. Check the token.* The next try is at \d{4}-\d\d-\d\dT[\d:]+Z\.$/);

  clock.advance(2_000);
  const limited = { error: LIMITED, nextTryAt: clock.now() + 60_000 };
  writer.reportHost('default/shop', limited);
  writer.reportRepository(followed, state({ seenAt: clock.now() }));
  writer.reportHost('default/shop', { ...limited });
  await settled();
  assert.deepEqual(written.slice(2).map(hostSaid), [`HostRateLimited since ${since}`]);

  writer.reportHost('default/shop', undefined);
  await settled();
  writer.reportHost('default/shop', undefined);
  writer.reportRepository(followed, state({ seenAt: clock.now() }));
  await settled();
  assert.deepEqual(written.slice(3).map(hostSaid), [undefined]);
});

test('after a restart what was said of a host stays until it was asked, with its time', async (t) => {
  const first = setUp(t);
  first.writer.reportRepository(repository(1, undefined, 'u1', PULLS), state());
  first.writer.reportHost('default/shop', { error: REFUSED, nextTryAt: first.clock.now() });
  await settled();
  const said = statusOf(first.written.at(-1));
  const { clock, written, writer } = setUp(t);
  clock.advance(60_000);

  writer.reportRepository(repository(1, said, 'u1', PULLS), state({ revision: TWO, touchedRevision: TWO }));
  await settled();
  assert.equal(hostSaid(written[0]), hostSaid(first.written.at(-1)));
  writer.reportHost('default/shop', { error: REFUSED, nextTryAt: clock.now() + 2_000 });
  await settled();
  assert.equal(hostSaid(written[1]), hostSaid(first.written.at(-1)));

  // Whoever takes pull requests out of the spec asks nothing of a host any more.
  writer.reportRepository(repository(2, said), state());
  await settled();
  assert.equal(hostSaid(written[2]), undefined);
});
