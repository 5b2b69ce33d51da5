import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openWorld, type World } from '../test/world.ts';

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: app
          image: registry.example.com/web:1
          ports: [{containerPort: 80}]
`;
const SECRET = `apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: hunter2}
`;

/** Edits while no engine looks, so that it stays. */
async function edit(world: World, path: string, body: object, manager = 'kubectl-edit'): Promise<void> {
  const url = `/apis/apps/v1/namespaces/${world.namespace}/${path}?fieldManager=${manager}`;
  const answer = await world.cluster.request('PATCH', url, {
    body,
    contentType: 'application/strategic-merge-patch+json',
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

const setImage = {
  spec: { template: { spec: { containers: [{ name: 'app', image: 'registry.example.com/web:9' }] } } },
};

/** The line of a field, without the padding. */
function lineOf(text: string, path: string): string {
  const line = text.split('\n').find((one) => one.includes(` ${path} `)) ?? '';
  return line.trim().replaceAll(/ {2,}/g, ' | ');
}

test('each field has its value, its owner, since when, and the line of Git; what differs has a sign', async () => {
  await using world = await openWorld({ 'deploy/web.yaml': DEPLOYMENT });
  await world.plumb('sync', 'shop');
  await world.stopEngine();
  await edit(world, 'deployments/web', setImage);
  await edit(world, 'deployments/web/scale', { spec: { replicas: 3 } }, 'kubectl');
  await edit(world, 'deployments/web', { metadata: { annotations: { note: 'mine' } } }, 'kubectl-annotate');

  const { code, stdout } = await world.plumb('blame', 'shop', 'deployment/web');
  const status = await world.plumb('blame', 'shop', 'deployments.apps/web', '--status');
  if (process.env['SHOW']) process.stderr.write(stdout);

  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^Deployment/web in ${world.namespace}   shop, r1 of [0-9a-f]{7}\n`));
  const age = String.raw`\d+\w`;
  const by = '[0-9a-f]{7} .+: First';
  for (const [path, line] of Object.entries({
    'spec.selector': String.raw`spec\.selector \| \{"matchLabels":\{"app":"web"\}\} \| plumb Apply \| ${age} \| deploy/web\.yaml:6, ${by}`,
    'spec.replicas': String.raw`≠ \| spec\.replicas \| 3 \| kubectl Update scale \| Git says 1, deploy/web\.yaml:5, ${by}`,
    'spec.template.spec.containers[name="app"].image': String.raw`≠ \| .*image \| registry\.example\.com/web:9 \| kubectl-edit Update \| ${age} \| Git says registry\.example\.com/web:1, deploy/web\.yaml:12, ${by}`,
    'spec.template.spec.containers[name="app"].imagePullPolicy': String.raw`.*imagePullPolicy \| IfNotPresent \| default`,
    'metadata.annotations.note': String.raw`metadata\.annotations\.note \| mine \| kubectl-annotate Update \| ${age}`,
  })) {
    assert.match(lineOf(stdout, path), new RegExp(`^${line}$`), path);
  }
  assert.doesNotMatch(stdout, /^\s+status\./m);
  assert.match(status.stdout, /^ +status\.replicas /m);
});

test('of one field the commit and the author of its line are told; JSON says all of it', async () => {
  await using world = await openWorld({ 'deploy/web.yaml': DEPLOYMENT });
  await world.git.commit('shop.git', { 'deploy/web.yaml': DEPLOYMENT.replace(':1\n', ':2\n') }, 'Take the new image');
  await world.plumb('sync', 'shop');
  await world.stopEngine();

  const one = await world.plumb('blame', 'shop', 'Deployment/web', '--field', 'image');
  const json = await world.plumb(
    'blame',
    'shop',
    'Deployment/web',
    '--field',
    'spec.template.spec.containers',
    '-o',
    'json',
  );
  const none = await world.plumb('blame', 'shop', 'Deployment/web', '--field', 'imag');

  assert.match(
    lineOf(one.stdout, 'spec.template.spec.containers[name="app"].image'),
    /deploy\/web\.yaml:12, [0-9a-f]{7} .+: Take the new image$/,
  );
  const { apiVersion, kind, items } = JSON.parse(json.stdout);
  assert.deepEqual([apiVersion, kind, items.length], ['cli.plumb.dev/v1', 'Blame', 1]);
  const { app, env, object, release, fields, unknown } = items[0];
  assert.deepEqual([app, env, unknown], ['shop', '', []]);
  // The engine may have released the first commit by then, or met the second at once.
  assert.match(release.name, /^r[12]$/);
  assert.deepEqual(object, { apiVersion: 'apps/v1', kind: 'Deployment', namespace: world.namespace, name: 'web' });
  const image = fields.find(({ path }: { path: string }) => path.endsWith('.image'));
  assert.deepEqual([image.value, image.isOurs, image.isDifferent], ['registry.example.com/web:2', true, false]);
  assert.deepEqual([image.file, image.line, image.author.subject], ['deploy/web.yaml', 12, 'Take the new image']);
  assert.equal(image.owners[0].manager, 'plumb');
  assert.match(none.stderr, /^error: Deployment\/web has no field imag/);
});

test('an object without an application is found by its namespace, and one with an application too', async () => {
  await using world = await openWorld({ 'deploy/web.yaml': DEPLOYMENT });
  await world.plumb('sync', 'shop');
  await world.stopEngine();
  const path = `/api/v1/namespaces/${world.namespace}/configmaps?fieldManager=helm`;
  await world.cluster.request('POST', path, { body: { metadata: { name: 'other' }, data: { a: '1' } } });

  const other = await world.plumb('blame', '-n', world.namespace, 'configmap/other');
  const web = await world.plumb('blame', 'deployment/web');
  const missing = await world.plumb('blame', 'deployment/wib');
  const inApp = await world.plumb('blame', 'shop', 'deployment/wib');

  assert.match(other.stdout, /^ConfigMap\/other in \S+ {3}no application\n/);
  assert.match(lineOf(other.stdout, 'data.a'), /^data\.a \| 1 \| helm Update \| \d+\w$/);
  assert.match(web.stdout, /^Deployment\/web in \S+ {3}shop, r1 of /);
  assert.match(lineOf(web.stdout, 'spec.selector'), /deploy\/web\.yaml:6, [0-9a-f]{7} /);
  assert.match(missing.stderr, /^error: There is no Deployment\/wib in /);
  assert.match(inApp.stderr, /^error: shop has no live object deployment\/wib/);
});

test('no value of a Secret is shown', async () => {
  await using world = await openWorld({ 'deploy/login.yaml': SECRET });
  await world.plumb('sync', 'shop');

  const text = await world.plumb('blame', 'shop', 'secret/login');
  const json = await world.plumb('blame', 'shop', 'secret/login', '-o', 'json');

  assert.match(
    lineOf(text.stdout, 'data.password'),
    /^data\.password \| \(secret\) \| plumb Apply.*deploy\/login\.yaml:4/,
  );
  assert.doesNotMatch(text.stdout + json.stdout, /hunter2|aHVudGVyMg/);
});

test('without the ledger the owners are told all the same, and what is not known', async () => {
  await using world = await openWorld({ 'deploy/web.yaml': DEPLOYMENT });
  await world.plumb('sync', 'shop');
  await world.stopEngine();
  await rename(join(world.folder, '.local'), join(world.folder, 'elsewhere'));

  const { code, stdout } = await world.plumb('blame', 'shop', 'Deployment/web');

  assert.equal(code, 0);
  assert.match(lineOf(stdout, 'spec.replicas'), /^spec\.replicas \| 1 \| plumb Apply \| \d+\w$/);
  assert.match(stdout, /^unknown {2}what Git says: There is no ledger in /m);
});
