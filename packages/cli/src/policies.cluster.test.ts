import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openWorld, REPOSITORY, type World } from '../test/world.ts';

const env = (data: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\ndata: {${data}}\n`;
const policies = (action: string, expression = "object.data.LEVEL != 'debug'"): string => `policies:
  - name: no-debug
    action: ${action}
    match: {kinds: [ConfigMap]}
    expression: ${expression}
    message: it says too much
    fix: Say info.
    field: data.LEVEL
`;

/** An application with policies that is healthy at its first commit, and hears of the next one when it is asked. */
async function openJudgedWorld(): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const world = opening.use(
    await openWorld({
      'deploy/env.yaml': env('LEVEL: info'),
      'deploy/old.yaml': env('LEVEL: info').replace('name: env', 'name: old'),
      'policies/own.yaml': policies('deny'),
    }),
  );
  await patch(world, 'repositories', { spec: { interval: '1h' } });
  await patch(world, 'applications', { spec: { policies: { files: ['policies'] } } });
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

async function liveLevel(world: World, name = 'env'): Promise<string | undefined> {
  const path = `/api/v1/namespaces/${world.namespace}/configmaps/${name}`;
  return ((await world.cluster.request('GET', path)).body as { readonly data: { readonly LEVEL?: string } }).data.LEVEL;
}

test('what a policy denies is not released, what runs is healed, and a commit to the policy alone lets it go', async () => {
  await using world = await openJudgedWorld();
  await world.git.commit(REPOSITORY, { 'deploy/env.yaml': env('LEVEL: debug') }, 'Say more');

  const plan = await world.plumb('plan', 'shop');
  const sync = await world.plumb('sync', 'shop');
  await patch(world, 'configmaps', { data: { LEVEL: 'by hand' } }, 'env');
  const again = await world.plumb('sync', 'shop');

  assert.equal(plan.code, 6, plan.stderr);
  assert.match(plan.stdout, /^denied: ConfigMap\/env: it says too much \(no-debug\) {3}deploy\/env\.yaml:4$/m);
  assert.equal(sync.code, 6, sync.stderr);
  assert.match(
    sync.stderr,
    /^error: ConfigMap\/env: it says too much \(denied by the policy no-debug\)\nat: deploy\/env\.yaml:4\nfix: Say info\.$/m,
  );
  assert.equal(again.code, 6);
  assert.equal(await liveLevel(world), 'info');

  await world.git.commit(REPOSITORY, { 'policies/own.yaml': policies('warn') }, 'Only warn');
  const warned = await world.plumb('plan', 'shop');
  const released = await world.plumb('sync', 'shop');

  assert.equal(warned.code, 0, warned.stderr);
  assert.match(warned.stdout, /^warning: ConfigMap\/env: it says too much \(no-debug\)/m);
  assert.equal(released.code, 0, released.stderr);
  assert.equal(await liveLevel(world), 'debug');
});

test('a broken file of policies releases nothing and deletes nothing, and is told with its line', async () => {
  await using world = await openJudgedWorld();
  const broken = {
    'deploy/env.yaml': env('LEVEL: warn'),
    'deploy/old.yaml': null,
    'policies/own.yaml': policies('deny', 'object.('),
  };
  await world.git.commit(REPOSITORY, broken, 'Break the policies');

  const sync = await world.plumb('sync', 'shop');
  const plan = await world.plumb('plan', 'shop');
  const status = await world.plumb('status', 'shop');

  assert.notEqual(sync.code, 0);
  assert.match(sync.stderr, /^error: .* \(CelSyntax\)\nat: policies\/own\.yaml:5$/m);
  assert.equal(plan.code, 2);
  assert.match(plan.stderr, /^at: policies\/own\.yaml:5$/m);
  assert.match(status.stdout, /policies\/own\.yaml:5/);
  assert.deepEqual([await liveLevel(world), await liveLevel(world, 'old')], ['info', 'info']);
});

test('policies are part of the digest that is approved, and those of --policy are not', async () => {
  await using world = await openJudgedWorld();
  await patch(world, 'applications', { spec: { gates: { approvals: { required: 1 } } } });
  await world.git.commit(REPOSITORY, { 'deploy/env.yaml': env('LEVEL: trace') }, 'Another level');
  const waiting = await world.plumb('sync', 'shop');
  const seen = /plumb approve ([0-9a-f]{12}) shop/.exec(waiting.stderr)?.[1] ?? 'none';
  await writeFile(join(world.folder, 'more.yaml'), policies('deny', "'false'").replace('no-debug', 'nothing'));
  await writeFile(join(world.folder, 'off.yaml'), policies('off', "'true'"));

  const looked = await world.plumb('plan', 'shop', '--policy', 'more.yaml');
  const off = await world.plumb('plan', 'shop', '--policy', 'off.yaml', '-o', 'json');
  await world.git.commit(REPOSITORY, { 'policies/own.yaml': policies('warn') }, 'Only warn');
  const other = await world.plumb('sync', 'shop');

  assert.equal(looked.code, 6);
  assert.match(looked.stdout, new RegExp(`digest ${seen}$`, 'm'));
  assert.equal(JSON.parse(off.stdout).items[0].digest, seen);
  assert.equal(JSON.parse(off.stdout).items[0].policies.counts.ok, 9);
  assert.match(other.stderr, /plumb approve (?!none)[0-9a-f]{12} shop/);
  assert.doesNotMatch(other.stderr, new RegExp(`plumb approve ${seen}`));
});
