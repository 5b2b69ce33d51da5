import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '@plumb/test-support';
import { openWorld, type World } from '../test/world.ts';

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {LEVEL: info}\n';
const HEAL = 'plumb.dev/heal-drift';
const REQUEST = 'plumb.dev/reconcile-requested-at';

/** A healthy application whose engine is the test: it renews the Lease and writes the status. */
async function openWithoutEngine(): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const world = opening.use(await openWorld({ 'deploy/a.yaml': CONFIG }));
  const synced = await world.plumb('sync', 'shop');
  assert.equal(synced.code, 0, synced.stderr);
  await world.stopEngine();
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${world.namespace}/leases/plumb-engine`;
  const now = new Date(realClock.now()).toISOString().replace('Z', '000Z');
  await patch(world, lease, { spec: { holderIdentity: 'test', renewTime: now } });
  opening.move();
  return world;
}

async function patch(world: World, path: string, body: object): Promise<void> {
  const answer = await world.cluster.request('PATCH', path, { body, contentType: 'application/merge-patch+json' });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

const application = (world: World, name = 'shop') =>
  `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications/${name}`;

async function annotations(world: World, name = 'shop'): Promise<Readonly<Record<string, string>>> {
  const { body } = await world.cluster.request('GET', application(world, name));
  return (body as { readonly metadata: { readonly annotations: Record<string, string> } }).metadata.annotations;
}

/** Each look is a round trip: more of them than this, and nobody asks. */
const MAX_LOOKS = 2_000;

/** Answers the next request as an engine does: once it is there, with this state of the target. */
async function answerWith(world: World, target: object): Promise<void> {
  const { [REQUEST]: before } = await annotations(world);
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const { [REQUEST]: handledRequest } = await annotations(world);
    if (handledRequest !== before)
      return await report(world, { handledRequest, environments: [{ name: '', ...target }] });
  }
  assert.fail('nothing was asked for');
}

async function report(world: World, status: object): Promise<void> {
  await patch(world, `${application(world)}/status`, { status });
}

test('what has drifted is asked to be healed, and the answer of the engine is waited for', async () => {
  await using world = await openWithoutEngine();
  await report(world, { environments: [{ name: '', state: 'Drifted', message: 'ConfigMap/web: LEVEL info → debug' }] });
  const before = realClock.now();

  const [run] = await Promise.all([
    world.plumb('drift', 'heal', 'shop', '-o', 'json'),
    answerWith(world, { state: 'Healthy', message: 'All well.' }),
  ]);

  const { [HEAL]: wish = '' } = await annotations(world);
  assert.match(wish, /^-=\d{4}-.*Z$/);
  const asked = Date.parse(wish.slice(2));
  assert.ok(asked >= before && asked <= realClock.now(), wish);
  assert.deepEqual([run.code, run.stderr], [0, '✓ shop Healthy All well.\n']);
  assert.deepEqual(JSON.parse(run.stdout), {
    apiVersion: 'cli.plumb.dev/v1',
    kind: 'HealRequest',
    app: 'shop',
    object: null,
    items: [{ env: null, asked: wish.slice(2), state: 'Healthy', message: 'All well.' }],
  });
});

test('one object is named by its key, and what is not healed says why', async () => {
  await using world = await openWithoutEngine();
  const message = 'ConfigMap/web: kubectl-edit keeps undoing LEVEL';

  const [run] = await Promise.all([
    world.plumb('drift', 'heal', 'shop', 'configmap/web'),
    answerWith(world, { state: 'Drifted', message }),
  ]);
  const [healed] = await Promise.all([
    world.plumb('drift', 'heal', 'shop', 'configmap/web'),
    answerWith(world, { state: 'Degraded', message: 'no room on a node' }),
  ]);

  const { [HEAL]: wish = '' } = await annotations(world);
  assert.match(wish, new RegExp(`^-=[^@]+@/ConfigMap/${world.namespace}/web$`));
  assert.equal(run.code, 1);
  assert.match(run.stderr, /^error: shop has still drifted: ConfigMap\/web: kubectl-edit keeps undoing LEVEL$/m);
  assert.deepEqual(
    [healed.code, healed.stdout],
    [0, '✓ shop: ConfigMap/web is as Git says; it is degraded: no room on a node\n'],
  );
});

test('a wish is later than the one before, and every other wish of a person stays as it is', async () => {
  await using world = await openWithoutEngine();
  const future = new Date(realClock.now() + 3_600_000).toISOString();
  const kept = { 'plumb.dev/plan': '-=aaaaaaaaaaaa@1', 'plumb.dev/approved-deletions': '-=bbbbbbbbbbbb' };
  const body = {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', annotations: { ...kept, [HEAL]: `-=${future}` } },
  };
  const applied = await world.cluster.request('PATCH', `${application(world)}?fieldManager=plumb-request&force=true`, {
    body,
    contentType: 'application/apply-patch+yaml',
  });
  assert.equal(applied.status, 200, JSON.stringify(applied.body));

  const run = await world.plumb('drift', 'heal', 'shop', '--no-wait');
  const after = await annotations(world);
  await world.plumb('sync', 'shop', '--no-wait');
  const synced = await annotations(world);

  assert.deepEqual([run.code, run.stdout], [0, '']);
  assert.equal(run.stderr, 'Asked for shop; see "plumb status".\n');
  assert.equal(Date.parse(after[HEAL]?.slice(2) ?? ''), Date.parse(future) + 1);
  assert.deepEqual([after['plumb.dev/plan'], after['plumb.dev/approved-deletions']], Object.values(kept));
  // A sync is what ends the wish for a plan; what is to be healed stays.
  assert.deepEqual([synced['plumb.dev/plan'], synced[HEAL]], [undefined, after[HEAL]]);
});

test('of several environments the named one is asked for, or all of them, each with its own wish', async () => {
  await using world = await openWithoutEngine();
  const added = await world.plumb('app', 'add', 'two', '--repo', 'shop', '-e', 'dev=two-dev', '-e', 'prod=two-prod');
  assert.equal(added.code, 0, added.stderr);
  const heal = (...args: readonly string[]) => world.plumb('drift', 'heal', 'two', ...args, '--no-wait', '-o', 'json');

  const unclear = await heal('ConfigMap/web');
  const prod = await heal('-e', 'prod', 'ConfigMap/web');
  const one = (await annotations(world, 'two'))[HEAL];
  const all = await heal();
  const both = (await annotations(world, 'two'))[HEAL];

  assert.equal(unclear.code, 2);
  assert.match(one ?? '', /^prod=[^,@]+@\/ConfigMap\/two-prod\/web$/);
  assert.match(both ?? '', /^prod=[^,@]+,dev=[^,@]+$/);
  assert.deepEqual(
    [prod, all].map(({ stdout }) => JSON.parse(stdout).items.map((item: { env: string }) => item.env)),
    [['prod'], ['dev', 'prod']],
  );
});

test('without an engine nothing is asked for', async () => {
  await using world = await openWorld({ 'deploy/a.yaml': CONFIG });
  await world.stopEngine();

  const run = await world.plumb('drift', 'heal', 'shop');

  assert.equal(run.code, 4);
  assert.equal((await annotations(world))?.[HEAL], undefined);
});
