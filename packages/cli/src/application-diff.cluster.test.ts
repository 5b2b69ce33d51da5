import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWorld, REPOSITORY } from '../test/world.ts';

const env = (data: Readonly<Record<string, string>>, name = 'env'): string => {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: "${value}"\n`);
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata:\n${lines.join('')}`;
};

test('two releases, what runs, and what Git says are compared in any pair', async () => {
  await using world = await openWorld({
    'deploy/env.yaml': env({ LEVEL: 'info' }),
    'deploy/job.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {key: old-secret}\n',
  });
  const patch = (path: string, body: object) =>
    world.cluster.request('PATCH', `${path}`, { body, contentType: 'application/merge-patch+json' });
  await patch(`/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/repositories/shop`, { spec: { interval: '1h' } });
  await world.plumb('sync', 'shop');
  await world.git.commit(REPOSITORY, {
    'deploy/env.yaml': env({ LEVEL: 'debug' }),
    'deploy/job.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {key: new-secret}\n',
    'deploy/more.yaml': env({ A: 'b' }, 'more'),
  });
  await world.plumb('sync', 'shop');
  await world.git.commit(REPOSITORY, { 'deploy/env.yaml': env({ LEVEL: 'trace' }) });
  await world.stopEngine();
  // A kind that is no more has no objects, and hinders nothing.
  const kinds = 'ConfigMap,Secret,Gone.example.com';
  await patch(`/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications/shop`, {
    metadata: { annotations: { 'applyset.kubernetes.io/contains-group-kinds': kinds } },
  });

  const releases = await world.plumb('diff', 'shop', 'r1..r2');
  const same = await world.plumb('diff', 'shop', 'live..r2');
  const git = await world.plumb('diff', 'shop', 'live..git');
  const back = await world.plumb('diff', 'shop', 'git..live', '-o', 'json');
  await patch(`/api/v1/namespaces/${world.namespace}/configmaps/env`, { data: { LEVEL: 'by hand', OTHER: 'x' } });
  const drifted = await world.plumb('diff', 'shop', 'r2..live');
  const wrong = await world.plumb('diff', 'shop', 'r9..live');
  const unknown = await world.plumb('diff', 'shop', 'prod..live');

  assert.equal(releases.code, 1, releases.stderr);
  assert.match(releases.stdout, /^Diff {2}shop {3}r1 \(\w{7}\) → r2 \(\w{7}\)\n/);
  assert.match(releases.stdout, /~ change +ConfigMap\/env +data LEVEL info → debug/);
  assert.match(releases.stdout, /~ change +Secret\/token/);
  assert.match(releases.stdout, /\+ create +ConfigMap\/more/);
  assert.doesNotMatch(releases.stdout, /old-secret|new-secret/);
  assert.deepEqual([same.code, same.stdout.split('\n')[1]], [0, '3 unchanged.'], same.stdout);
  assert.match(git.stdout, /~ change +ConfigMap\/env +data LEVEL debug → trace/);
  const [item] = JSON.parse(back.stdout).items;
  assert.deepEqual(item.changes, [{ path: 'data.LEVEL', before: 'trace', after: 'debug' }]);
  assert.match(drifted.stdout, /~ change +ConfigMap\/env +data LEVEL debug → by hand/);
  assert.deepEqual([wrong.code, unknown.code], [2, 2]);
  assert.match(wrong.stderr, /the ledger has no objects of release r9/);
});

test('environments are compared by what was released to them, whatever their namespaces', async () => {
  await using world = await openWorld({
    'deploy/env.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\ndata:\n  LEVEL: "{{ .Values.level }}"\n',
    'deploy/values.yaml': 'level: info\n',
    'deploy/values-prod.yaml': 'level: warn\n',
  });
  const other = await world.cluster.namespace('prod');
  await world.cluster.request('PATCH', `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications/shop`, {
    body: { spec: { environments: [{ name: 'dev' }, { name: 'prod', namespace: other }] } },
    contentType: 'application/merge-patch+json',
  });
  const sync = await world.plumb('sync', 'shop');
  assert.equal(sync.code, 0, sync.stderr);

  const diff = await world.plumb('diff', 'shop', 'dev..prod');
  const vague = await world.plumb('diff', 'shop', 'live..git');
  const live = await world.plumb('diff', 'shop', 'live..git', '-e', 'prod');

  assert.match(diff.stdout, /~ change +ConfigMap\/env +data LEVEL info → warn/);
  assert.deepEqual([diff.code, vague.code, live.code], [1, 2, 0]);
  assert.match(vague.stderr, /^fix: Pass -e with one of: dev, prod\.$/m);
});
