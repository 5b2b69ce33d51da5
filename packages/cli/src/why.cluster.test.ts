import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openWorld, REPOSITORY } from '../test/world.ts';

const deployment = (tag: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "registry.example.com/web:${tag}"}]}
`;

test('why names pod, changed field, file and line, commit and author, and says so when all is well again', async () => {
  await using world = await openWorld({ 'deploy/web.yaml': deployment('1') });
  await world.plumb('sync', 'shop');
  const well = await world.plumb('why', 'shop');
  const broken = await world.git.commit(REPOSITORY, { 'deploy/web.yaml': deployment('broken') }, 'Take the new image');
  const sync = await world.plumb('sync', 'shop');

  const why = await world.plumb('why', 'shop');
  const json = await world.plumb('why', 'shop', '-o', 'json');
  const tree = await world.plumb('tree', 'shop', '--unhealthy');
  const events = await world.plumb('events', 'shop');
  const logs = await world.plumb('logs', 'shop', '-c', 'app');
  const noSuch = await world.plumb('logs', 'shop', '-c', 'other');
  const wait = await world.plumb('wait', 'shop');
  const settled = await world.plumb('wait', 'shop', '--for', 'settled');
  await world.git.commit(REPOSITORY, { 'deploy/web.yaml': deployment('2') }, 'Take it back');
  await world.plumb('sync', 'shop');
  const mended = await world.plumb('wait', 'shop');

  assert.deepEqual([well.code, well.stdout], [0, '✓ shop is healthy: 1 object is as Git wants.\n']);
  assert.equal(sync.code, 1);
  assert.equal(why.code, 1);
  assert.match(why.stdout, /^! Deployment\/web is degraded since /);
  assert.match(
    why.stdout,
    /^ {2}because {2}\d of 1 pod available; web-\w+-\w+: ImagePullBackOff, image \S+:broken cannot/m,
  );
  assert.match(why.stdout, /^ {2}because {2}image 1 → broken in r2$/m);
  const author = /^ {2}because {2}deploy\/web\.yaml:9, commit ([0-9a-f]{7}), (.+): Take the new image$/m.exec(
    why.stdout,
  );
  assert.equal(author?.[1], broken.slice(0, 7));
  assert.ok(author[2] !== '');
  const [item] = JSON.parse(json.stdout).items;
  assert.equal(item.object, 'Deployment/web');
  assert.deepEqual(item.change, {
    release: 'r2',
    commit: broken,
    name: author[2],
    subject: 'Take the new image',
    fields: [{ path: 'spec.template.spec.containers[name="app"].image', file: 'deploy/web.yaml', line: 9 }],
  });
  assert.equal(tree.code, 1);
  assert.match(
    tree.stdout,
    /^└─ ✕ Deployment\/web .*\n {3}└─ .*ReplicaSet\/web-.*\n {6}└─ ✕ Pod\/web-.*ImagePullBackOff/m,
  );
  assert.equal(events.code, 0);
  assert.match(events.stdout, /^\S+ +Normal +ScalingReplicaSet +Deployment\/web +Scaled up replica set /m);
  assert.match(events.stdout, /^\S+ +Normal +SuccessfulCreate +ReplicaSet\/web-/m);
  // The nodes of the cluster serve no logs: what the API server says is told, and no stack trace.
  assert.notEqual(logs.code, 0);
  assert.match(logs.stderr, /^error: read the log of Pod\/web-\w+-\w+ in \S+, container app: /m);
  assert.match(noSuch.stderr, /^error: no pod of shop has a container other/m);
  assert.deepEqual([wait.code, settled.code, mended.code], [1, 0, 0]);
});

const CHART = {
  'deploy/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'deploy/templates/web.yaml': deployment('{{ .Values.image.tag }}').replace(
    'replicas: 1',
    'replicas: {{ .Values.replicas }}',
  ),
};
const values = (tag: string, replicas: number): string =>
  `# of everybody\nreplicas: ${replicas}\nimage:\n  tag: "${tag}"\n`;

test('of a chart why names the line of the values file, and who wrote it, whoever pushed later', async () => {
  await using world = await openWorld({ ...CHART, 'deploy/values.yaml': values('1', 1) });
  await world.plumb('sync', 'shop');
  await world.stopEngine();
  const broke = await world.git.commit(REPOSITORY, { 'deploy/values.yaml': values('broken', 1) }, 'Take a new tag');
  await world.git.commit(REPOSITORY, { 'deploy/values.yaml': values('broken', 2) }, 'Twice as many');
  await world.startEngine();
  await world.plumb('sync', 'shop');

  const why = await world.plumb('why', 'shop');

  assert.match(why.stdout, /^ {2}because {2}image 1 → broken, replicas 1 → 2 \(line 2\) in r2$/m);
  assert.match(
    why.stdout,
    new RegExp(`^ {2}because {2}deploy/values\\.yaml:4, commit ${broke.slice(0, 7)}, .+: Take a new tag$`, 'm'),
  );
});

test('of a kustomization why names the line of the patch', async () => {
  const patch = (tag: string): string =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n` +
    `        - name: app\n          image: registry.example.com/web:${tag}\n`;
  const kustomization = 'resources: [web.yaml]\npatches: [{path: image.yaml}]\n';
  await using world = await openWorld({
    'deploy/kustomization.yaml': kustomization,
    'deploy/web.yaml': deployment('0'),
    'deploy/image.yaml': patch('1'),
  });
  await world.plumb('sync', 'shop');
  await world.git.commit(REPOSITORY, { 'deploy/image.yaml': patch('broken') }, 'Patch the image');
  await world.plumb('sync', 'shop');

  const why = await world.plumb('why', 'shop');

  assert.match(why.stdout, /^ {2}because {2}deploy\/image\.yaml:9, commit [0-9a-f]{7}, .+: Patch the image$/m);
});

test('where the repository cannot be read why names the line of the object, and says why no better one', async () => {
  await using world = await openWorld({ 'deploy/web.yaml': deployment('1') });
  await world.plumb('sync', 'shop');
  await world.git.commit(REPOSITORY, { 'deploy/web.yaml': deployment('broken') }, 'Take the new image');
  await world.plumb('sync', 'shop');
  await world.git[Symbol.asyncDispose]();

  const why = await world.plumb('why', 'shop');

  assert.match(why.stdout, /^ {2}because {2}deploy\/web\.yaml:1, commit [0-9a-f]{7}, .+: Take the new image$/m);
  assert.match(why.stdout, /^ {2}unknown {2}the line of the field: /m);
});

test('a change that no commit made is said to come from elsewhere', async () => {
  await using world = await openWorld({ ...CHART, 'deploy/values.yaml': values('1', 1) });
  await world.plumb('sync', 'shop');
  const path = `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications/shop`;
  const body = { spec: { render: { values: { image: { tag: 'broken' } } } } };
  const patched = await world.cluster.request('PATCH', path, { body, contentType: 'application/merge-patch+json' });
  assert.equal(patched.status, 200);
  await world.plumb('sync', 'shop');

  const why = await world.plumb('why', 'shop');

  assert.match(why.stdout, /^ {2}because {2}image 1 → broken in r2$/m);
  assert.match(
    why.stdout,
    /^ {2}because {2}not by a commit: r1 is of [0-9a-f]{7} too, so look at the Application's own values/m,
  );
});

test('without the ledger why still names the pod, and says what it cannot know', async () => {
  await using world = await openWorld({ 'deploy/web.yaml': deployment('broken') });
  await world.plumb('sync', 'shop');
  await world.stopEngine();
  await rename(join(world.folder, '.local'), join(world.folder, 'elsewhere'));

  const why = await world.plumb('why', 'shop');

  assert.equal(why.code, 1);
  assert.match(why.stdout, /ImagePullBackOff/);
  assert.match(why.stdout, /^ {2}unknown {2}what changed it: There is no ledger in /m);
  assert.match(why.stdout, /^ {2}unknown {2}whether this is still so: no engine has looked since /m);
});
