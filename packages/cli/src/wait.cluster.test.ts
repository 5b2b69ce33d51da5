import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '@plumb/test-support';
import { openWorld, type World } from '../test/world.ts';

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n';

test('D20: a status that no engine keeps up to date is no answer to wait for', async () => {
  await using world = await openWorld({ 'deploy/a.yaml': CONFIG });
  await world.plumb('sync', 'shop');
  const fresh = await world.plumb('wait', 'shop');
  await world.stopEngine();

  const stale = await world.plumb('wait', 'shop');

  assert.deepEqual([fresh.code, stale.code], [0, 4]);
  assert.match(stale.stderr, /^error: What shop says may be out of date: no engine has looked since /m);
});

test('a spec that no engine has seen is waited for until the time is over', async () => {
  await using world = await openWorld({ 'deploy/a.yaml': CONFIG });
  await world.plumb('sync', 'shop');
  const path = `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications/shop`;
  const patch = { status: { observedGeneration: 0 } };
  await world.cluster.request('PATCH', `${path}/status`, { body: patch, contentType: 'application/merge-patch+json' });

  const wait = await world.plumb('wait', 'shop', '--timeout', '1s');

  assert.equal(wait.code, 5);
  assert.match(
    wait.stderr,
    /^error: shop is not healthy after 1 s: shop Healthy .*; the engine has not seen its spec as it is now$/m,
  );
});

/** A status as an engine writes it: the test is the engine. */
async function report(world: World, name: string, status: object): Promise<void> {
  const path = `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications/${name}/status`;
  const answer = await world.cluster.request('PATCH', path, {
    body: { status },
    contentType: 'application/merge-patch+json',
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

/** An application of two environments without an engine, and a Lease that says that there is one: the test. */
async function openTwo(): Promise<World> {
  const world = await openWorld({ 'deploy/a.yaml': CONFIG });
  await world.stopEngine();
  const path = `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications`;
  const spec = {
    source: { repository: 'shop', path: 'deploy' },
    environments: ['dev', 'prod'].map((name) => ({ name, namespace: world.namespace })),
  };
  const body = { apiVersion: 'plumb.dev/v1alpha1', kind: 'Application', metadata: { name: 'two' }, spec };
  assert.equal((await world.cluster.request('POST', path, { body })).status, 201);
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${world.namespace}/leases/plumb-engine`;
  const now = new Date(realClock.now()).toISOString().replace('Z', '000Z');
  const renewed = await world.cluster.request('PATCH', lease, {
    body: { spec: { holderIdentity: 'test', renewTime: now } },
    contentType: 'application/merge-patch+json',
  });
  assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
  return world;
}

const SINCE = '2026-01-02T03:04:05Z';

test('wait waits for environments that nobody has looked at yet, and says for what and since when', async () => {
  await using world = await openTwo();
  const dev = { name: 'dev', namespace: world.namespace, state: 'Healthy', message: 'All well.', since: SINCE };
  await report(world, 'two', { observedGeneration: 1, state: 'Pending', environments: [dev] });

  const all = await world.plumb('wait', 'two', '--timeout', '1s');
  const one = await world.plumb('wait', 'two', '-e', 'prod', '--timeout', '1s');
  const known = await world.plumb('wait', 'two', '-e', 'dev', '--timeout', '1s');

  assert.deepEqual([all.code, one.code, known.code], [5, 5, 0]);
  assert.match(all.stderr, /^Waiting 1 s at most until two is healthy\.\ntwo prod Pending Not looked at yet\.$/m);
  assert.match(one.stderr, /^error: two is not healthy after 1 s: two prod Pending Not looked at yet\.$/m);
  assert.doesNotMatch(known.stderr, /Waiting/);
});

test('wait goes on while a host does not answer, ends with 1 when only a person can help, and with 0 as soon as it is healthy', async () => {
  await using world = await openTwo();
  const target = (name: string, state: string, code?: string): object => ({
    name,
    namespace: world.namespace,
    state,
    message: `${name} is ${state}.`,
    since: SINCE,
    ...(code === undefined ? {} : { failures: [{ code, message: 'It does not work.', fix: 'Mend it.' }] }),
  });
  const say = (state: string, ...environments: readonly object[]) =>
    report(world, 'two', { observedGeneration: 1, state, environments });

  await say('Failed', target('dev', 'Healthy'), target('prod', 'Failed', 'RepositoryUnreachable'));
  const passing = await world.plumb('wait', 'two', '--timeout', '1s');
  await say('Failed', target('dev', 'Healthy'), target('prod', 'Failed', 'YamlSyntax'));
  const final = await world.plumb('wait', 'two', '--timeout', '20s');
  await say('Syncing', target('dev', 'Healthy'), target('prod', 'Syncing'));
  const waiting = world.plumb('wait', 'two', '--timeout', '20s');
  await say('Healthy', target('dev', 'Healthy'), target('prod', 'Healthy'));
  const healthy = await waiting;

  assert.deepEqual([passing.code, final.code, healthy.code], [5, 1, 0]);
  assert.match(passing.stderr, /^error: .*: two prod Failed prod is Failed\. \(since 2026-01-02 03:04:05 UTC\)$/m);
  assert.match(final.stderr, /^error: It does not work\. \(YamlSyntax\)$/m);
  assert.equal(healthy.stdout, '✓ two dev healthy\n✓ two prod healthy\n');
});
