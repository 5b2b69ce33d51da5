import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWorld, REPOSITORY, type World } from '../test/world.ts';

const env = (data: Readonly<Record<string, string>>): string => {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: "${value}"\n`);
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\ndata:\n${lines.join('')}`;
};

/** An application that is healthy at its first commit, and hears of the next one only when it is asked. */
async function openQuietWorld(): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const world = opening.use(await openWorld({ 'deploy/env.yaml': env({ LEVEL: 'info' }) }));
  await patch(world, 'repositories', { spec: { interval: '1h' } });
  const first = await world.plumb('sync', 'shop');
  assert.equal(first.code, 0, first.stderr);
  opening.move();
  return world;
}

async function patch(world: World, plural: string, body: object, name = 'shop'): Promise<void> {
  const path = plural === 'configmaps' ? '/api/v1' : '/apis/plumb.dev/v1alpha1';
  const answer = await world.cluster.request('PATCH', `${path}/namespaces/${world.namespace}/${plural}/${name}`, {
    body,
    contentType: 'application/merge-patch+json',
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

async function liveData(world: World): Promise<unknown> {
  const path = `/api/v1/namespaces/${world.namespace}/configmaps/env`;
  return ((await world.cluster.request('GET', path)).body as { readonly data: unknown }).data;
}

function planId(stdout: string): string {
  return /plumb plan show (p-[0-9a-f]{8})/.exec(stdout)?.[1] ?? 'none';
}

test('a plan is kept, shown and listed, and exactly it is applied', async () => {
  await using world = await openQuietWorld();
  await world.git.commit(REPOSITORY, { 'deploy/env.yaml': env({ LEVEL: 'debug' }) }, 'Say more');
  const plan = await world.plumb('plan', 'shop');
  const id = planId(plan.stdout);

  const list = await world.plumb('plan', 'list');
  const show = await world.plumb('plan', 'show', id);
  const data = await world.plumb('plan', 'show', id, '-o', 'json');
  const sync = await world.plumb('sync', 'shop', '--plan', id);

  assert.match(plan.stdout, new RegExp(`Ship exactly this: plumb sync shop --plan ${id}\\n$`));
  assert.match(list.stdout, new RegExp(`^${id} +${world.namespace}/shop +- +[0-9a-f]{7} +1 `, 'm'));
  assert.match(show.stdout, /~ change +ConfigMap\/env +data LEVEL info → debug/);
  assert.equal(JSON.parse(data.stdout).items[0].changes[0].after, 'debug');
  assert.equal(sync.code, 0, sync.stderr);
  assert.match(sync.stdout, /^✓ shop healthy at r2/);
  assert.deepEqual(await liveData(world), { LEVEL: 'debug' });
});

test('a plan is void once what it touches has moved, or Git has: nothing is applied, and the reason is told', async () => {
  await using world = await openQuietWorld();
  await patch(world, 'applications', { spec: { conflicts: 'force' } });
  await world.git.commit(REPOSITORY, { 'deploy/env.yaml': env({ LEVEL: 'info', MODE: 'new' }) }, 'Add a mode');
  const first = planId((await world.plumb('plan', 'shop')).stdout);
  await patch(world, 'configmaps', { data: { MODE: 'by hand' } }, 'env');
  const moved = await world.plumb('sync', 'shop', '--plan', first);
  const second = planId((await world.plumb('plan', 'shop')).stdout);
  await world.git.commit(REPOSITORY, { 'deploy/env.yaml': env({ LEVEL: 'info', MODE: 'newer' }) }, 'Another mode');
  const behind = await world.plumb('sync', 'shop', '--plan', second);
  const unknown = await world.plumb('sync', 'shop', '--plan', 'p-00000000');

  assert.deepEqual([moved.code, behind.code, unknown.code], [7, 7, 2]);
  assert.match(moved.stderr, /^error: The plan p-\w+ is void: .*ConfigMap\/env: data MODE set to by hand since/m);
  assert.match(behind.stderr, /is void: Git is at \w{7} and was at \w{7}; Git wants something else now/);
  assert.deepEqual(await liveData(world), { LEVEL: 'info', MODE: 'by hand' });
});

test('a release waits for an approval of exactly what it would do, and is refused with what has moved', async () => {
  await using world = await openQuietWorld();
  await patch(world, 'applications', { spec: { conflicts: 'force', gates: { approvals: { required: 1 } } } });
  await world.git.commit(REPOSITORY, { 'deploy/env.yaml': env({ LEVEL: 'info', MODE: 'new' }) }, 'Add a mode');

  const refused = await world.plumb('sync', 'shop');
  const seen = /plumb approve ([0-9a-f]{12}) shop/.exec(refused.stderr)?.[1] ?? 'none';
  const plan = await world.plumb('plan', 'shop');
  assert.equal(refused.code, 6, refused.stderr);
  assert.match(refused.stderr, /^error: The plan \w{12} has 0 of 1 approvals/m);
  assert.match(plan.stdout, new RegExp(`digest ${seen}\n`));
  assert.deepEqual(await liveData(world), { LEVEL: 'info' });

  // Approved, and then somebody changes what it touches.
  await world.stopEngine();
  const early = await world.plumb('approve', seen, 'shop', '--reason', 'looks right');
  await patch(world, 'configmaps', { data: { MODE: 'by hand' } }, 'env');
  await world.startEngine();
  const stillRefused = await world.plumb('sync', 'shop');
  assert.match(early.stdout, /^✓ shop: \S+ approves the plan \w{12} \(1 to change\)\n$/);
  assert.equal(stillRefused.code, 6);
  assert.match(stillRefused.stderr, new RegExp(`0 of 1 approvals; what was approved is another plan: ${seen}`));
  assert.deepEqual(await liveData(world), { LEVEL: 'info', MODE: 'by hand' });

  const now = /plumb approve ([0-9a-f]{12}) shop/.exec(stillRefused.stderr)?.[1] ?? 'none';
  const wrong = await world.plumb('approve', seen, 'shop');
  const approved = await world.plumb('approve', now);
  const healthy = await world.plumb('wait', 'shop', '--for', 'healthy');
  assert.deepEqual([wrong.code, approved.code, healthy.code], [7, 0, 0], healthy.stderr);
  assert.match(wrong.stderr, new RegExp(`^fix: Waiting: ${now} \\(shop: 1 to change\\)\\.$`, 'm'));
  assert.deepEqual(await liveData(world), { LEVEL: 'info', MODE: 'new' });
});

test('nobody approves in the name of somebody else, in a group of others, or changes what was approved', async () => {
  await using world = await openQuietWorld();
  const path = `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/approvals`;
  const review = await world.cluster.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  const { username: by } = (review.body as { readonly status: { readonly userInfo: { readonly username: string } } })
    .status.userInfo;
  const give = async (name: string, spec: object): Promise<number> => {
    const body = {
      apiVersion: 'plumb.dev/v1alpha1',
      kind: 'Approval',
      metadata: { name },
      spec: { application: 'shop', digest: 'aaaaaaaaaaaa', by, ...spec },
    };
    return (await world.cluster.request('POST', path, { body })).status;
  };

  assert.equal(await give('mine', {}), 201);
  assert.equal(await give('theirs', { by: 'somebody' }), 422);
  assert.equal(await give('group', { groups: ['the-leads'] }), 422);
  const changed = await world.cluster.request('PATCH', `${path}/mine`, {
    body: { spec: { digest: 'bbbbbbbbbbbb' } },
    contentType: 'application/merge-patch+json',
  });
  assert.equal(changed.status, 422);
});

const four = Object.fromEntries(
  ['a', 'b', 'c', 'd'].map((name) => [`deploy/${name}.yaml`, env({ LEVEL: 'info' }).replace('env}', `${name}}`)]),
);
const all = { 'deploy/a.yaml': null, 'deploy/b.yaml': null, 'deploy/c.yaml': null, 'deploy/d.yaml': null };

async function openFullWorld(): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const world = opening.use(await openQuietWorld());
  await world.git.commit(REPOSITORY, four, 'Four more');
  const second = await world.plumb('sync', 'shop');
  assert.equal(second.code, 0, second.stderr);
  opening.move();
  return world;
}

async function left(world: World): Promise<readonly string[]> {
  const { body } = await world.cluster.request('GET', `/api/v1/namespaces/${world.namespace}/configmaps`);
  const { items } = body as { readonly items: readonly { readonly metadata: { readonly name: string } }[] };
  return items.map(({ metadata }) => metadata.name).filter((name) => name.length < 4);
}

test('whoever approves a plan approves its deletions beyond the budget, and no second approval is asked for', async () => {
  await using world = await openFullWorld();
  await patch(world, 'applications', { spec: { gates: { approvals: { required: 1 } } } });
  await world.git.commit(REPOSITORY, { ...all, 'deploy/env.yaml': env({ LEVEL: 'debug' }) }, 'Remove them');

  const waiting = await world.plumb('sync', 'shop');
  const digest = /plumb approve ([0-9a-f]{12}) shop/.exec(waiting.stderr)?.[1] ?? 'none';
  const approved = await world.plumb('approve', digest, 'shop');
  const healthy = await world.plumb('wait', 'shop', '--for', 'healthy');

  assert.deepEqual([waiting.code, approved.code, healthy.code], [6, 0, 0], approved.stderr + healthy.stderr);
  assert.match(approved.stdout, /\(4 to delete, 1 to change\)/);
  assert.deepEqual(await left(world), ['env']);
});

test('deletions that wait go with an approval of the plan that has them, and of no other', async () => {
  await using world = await openFullWorld();
  await world.git.commit(REPOSITORY, all, 'Remove them');
  const blocked = await world.plumb('sync', 'shop');
  const wrong = await world.plumb('approve', 'aaaaaaaaaaaa');
  const plan = await world.plumb('plan', 'shop');
  const digest = /digest ([0-9a-f]{12})$/m.exec(plan.stdout)?.[1] ?? 'none';
  assert.deepEqual([blocked.code, wrong.code], [6, 7], blocked.stderr + wrong.stderr);
  assert.deepEqual(await left(world), ['a', 'b', 'c', 'd', 'env']);

  const approved = await world.plumb('approve', digest, '--reason', 'not used any more');
  const healthy = await world.plumb('wait', 'shop', '--for', 'healthy');

  assert.deepEqual([approved.code, healthy.code], [0, 0], approved.stderr + healthy.stderr);
  assert.match(approved.stdout, /approves the plan \w{12} \(4 to delete\)/);
  assert.deepEqual(await left(world), ['env']);
});
