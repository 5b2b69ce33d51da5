import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sharedCluster } from '@plumb/test-support';
import { runCaptured, type CapturedRun } from '../test/run-captured.ts';
import { openWorld, REPOSITORY } from '../test/world.ts';

const job = (name: string, phase: string): string =>
  `apiVersion: batch/v1
kind: Job
metadata: {name: ${name}, annotations: {plumb.dev/hook: ${phase}}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: run, image: "registry.example.com/run:1"}]}}}
`;
const configMap = (name: string, level = 'info'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {LEVEL: ${level}}\n`;

test('from a commit to healthy: plan, sync, status and history agree', async () => {
  await using world = await openWorld({ 'deploy/a.yaml': configMap('env') });
  const first = await world.plumb('sync', 'shop');
  const commit = await world.git.commit(REPOSITORY, { 'deploy/a.yaml': configMap('env', 'debug') }, 'Say more');

  const plan = await world.plumb('plan', 'shop', '--exit-code');
  const sync = await world.plumb('sync', 'shop');
  const after = await world.plumb('plan', 'shop', '--detailed-exitcode');
  const status = await world.plumb('status', '-o', 'json');
  const history = await world.plumb('history', 'shop', '-o', 'json');

  assert.equal(first.code, 0, first.stderr);
  assert.equal(plan.code, 1);
  assert.match(plan.stdout, /~ change +ConfigMap\/env +data LEVEL info → debug \(line 4\) +deploy\/a\.yaml:1/);
  assert.equal(sync.stdout, `✓ shop healthy at r2 (${commit.slice(0, 7)})\n`);
  assert.deepEqual([after.code, after.stdout.split('\n')[1]], [0, '1 unchanged.']);
  const [item] = JSON.parse(status.stdout).items;
  assert.deepEqual([status.code, item.app, item.state, item.commit], [0, 'shop', 'Healthy', commit]);
  const releases: readonly { release: string; outcome: string; subject: string }[] = JSON.parse(history.stdout).items;
  assert.deepEqual(
    releases.map(({ release, outcome, subject }) => `${release} ${outcome} ${subject}`),
    ['r2 healthy Say more', 'r1 healthy First'],
  );
});

test('a plan says what policies find, and is refused where one denies', async () => {
  const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example.com/web:latest"}]}
`;
  await using world = await openWorld({ 'deploy/web.yaml': web });
  const policy = join(world.folder, 'policy.yaml');
  await writeFile(
    policy,
    `policies:
  - name: no-deployments
    expression: object.kind != 'Deployment'
    message: there are no Deployments here
    action: deny
`,
  );

  const plan = await world.plumb('plan', 'shop');
  const denied = await world.plumb('plan', 'shop', '--policy', policy);
  const data = await world.plumb('plan', 'shop', '--policy', policy, '-o', 'json');

  assert.equal(plan.code, 0, plan.stderr);
  assert.match(plan.stdout, /^warning: Deployment\/web: .*latest.*$/m);
  assert.match(plan.stdout, /^Policies \d+ ok, \d+ warnings?\.$/m);
  assert.deepEqual([denied.code, data.code], [6, 6], denied.stderr);
  assert.match(
    denied.stdout,
    /^denied: Deployment\/web: there are no Deployments here \(no-deployments\) {3}deploy\/web\.yaml:1$/m,
  );
  const { policies } = JSON.parse(data.stdout).items[0];
  assert.equal(policies.counts.deny, 1);
});

test('a broken commit is refused with file and line, and the cluster keeps what it had', async () => {
  await using world = await openWorld({ 'deploy/a.yaml': configMap('env') });
  await world.plumb('sync', 'shop');
  await world.git.commit(REPOSITORY, { 'deploy/b.yaml': 'apiVersion: v1\nkind: [\n' }, 'Break it');

  const plan = await world.plumb('plan', 'shop');
  const sync = await world.plumb('sync', 'shop');
  const status = await world.plumb('status');

  assert.deepEqual([plan.code, sync.code, status.code], [2, 1, 1]);
  assert.match(plan.stderr, /^at: deploy\/b\.yaml:\d/m);
  assert.match(sync.stderr, /^error: .*\(YamlSyntax\)\nat: deploy\/b\.yaml:\d/m);
  assert.match(status.stdout, /^shop +✕ /m);
  const live = await world.cluster.request('GET', `/api/v1/namespaces/${world.namespace}/configmaps/env`);
  assert.equal(live.status, 200);
});

test('a deletion beyond the budget is refused until exactly this set is approved', async () => {
  const names = ['a', 'b', 'c', 'd'];
  await using world = await openWorld(
    Object.fromEntries(names.map((name) => [`deploy/${name}.yaml`, configMap(name)])),
  );
  await world.plumb('sync', 'shop');
  const removed = Object.fromEntries(names.slice(1).map((name) => [`deploy/${name}.yaml`, null]));
  await world.git.commit(REPOSITORY, removed, 'Remove most');

  const plan = await world.plumb('plan', 'shop');
  const refused = await world.plumb('sync', 'shop');
  const digest = /--approve-deletion ([0-9a-f]{12})/.exec(refused.stderr)?.[1] ?? '';
  const wrong = await world.plumb('sync', 'shop', '--approve-deletion', '000000000000');
  const approved = await world.plumb('sync', 'shop', '--approve-deletion', digest);

  assert.match(plan.stdout, new RegExp(`^Blocked: .*--approve-deletion ${digest}$`, 'm'));
  assert.deepEqual([refused.code, wrong.code, approved.code], [6, 6, 0]);
  const live = await world.cluster.request('GET', `/api/v1/namespaces/${world.namespace}/configmaps/b`);
  assert.equal(live.status, 404);
});

test('an application is taken down after its plan was approved, and is gone then', async () => {
  await using world = await openWorld({
    'deploy/a.yaml': configMap('a'),
    'deploy/b.yaml': configMap('b'),
    'deploy/backup.yaml': job('backup', 'PreDelete'),
    'deploy/tidy.yaml': job('tidy', 'PostDelete'),
  });
  await world.plumb('sync', 'shop');

  const refused = await world.plumb('decommission', 'shop');
  const digest = /--approve-deletion ([0-9a-f]{12})$/m.exec(refused.stderr)?.[1] ?? '';
  const wrong = await world.plumb('decommission', 'shop', '--approve-deletion', '0123456789ab', '-o', 'json');
  const still = await world.cluster.request('GET', `/api/v1/namespaces/${world.namespace}/configmaps/a`);
  const approved = await world.plumb('decommission', 'shop', '--approve-deletion', digest);
  const gone = await world.cluster.request('GET', `/api/v1/namespaces/${world.namespace}/configmaps/a`);
  const status = await world.plumb('status', 'shop');

  assert.deepEqual([refused.code, wrong.code, approved.code], [6, 6, 0], approved.stderr);
  assert.deepEqual(refused.stdout.split('\n').slice(1, -1), [
    '  ▸ run     PreDelete Job/backup',
    '  − delete  step 1  ConfigMap/b',
    '  − delete  step 1  ConfigMap/a',
    '  ▸ run     PostDelete Job/tidy',
  ]);
  assert.deepEqual(JSON.parse(wrong.stdout).items[0].hooks, ['PreDelete Job/backup', 'PostDelete Job/tidy']);
  assert.match(refused.stderr, /^error: Taking shop down deletes 2 objects, and waits for an approval/m);
  assert.equal(JSON.parse(wrong.stdout).digest, digest);
  assert.deepEqual([still.status, gone.status], [200, 404]);
  assert.equal(approved.stdout, '✓ shop decommissioned: 2 objects deleted\n✓ the Application shop is deleted\n');
  assert.match(status.stderr, /there is no application shop/);
});

test('an application is forgotten in one command, and its objects stay', async () => {
  await using world = await openWorld({ 'deploy/a.yaml': configMap('a') });
  await world.plumb('sync', 'shop');

  const forgotten = await world.plumb('forget', 'shop');
  const live = await world.cluster.request('GET', `/api/v1/namespaces/${world.namespace}/configmaps/a`);

  assert.deepEqual([forgotten.code, live.status], [0, 200], forgotten.stderr);
  assert.equal(forgotten.stdout, '✓ shop forgotten: its objects stay as they are\n✓ the Application shop is deleted\n');
  assert.ok(!JSON.stringify(live.body).includes('plumb.dev/tracking'));
});

test('the status of an application that was asked for lists what waits to be deleted, and who removed it', async () => {
  const names = ['a', 'b', 'c', 'd'];
  await using world = await openWorld(
    Object.fromEntries(names.map((name) => [`deploy/${name}.yaml`, configMap(name)])),
  );
  await world.plumb('sync', 'shop');
  const removed = Object.fromEntries(names.slice(1).map((name) => [`deploy/${name}.yaml`, null]));
  const commit = await world.git.commit(REPOSITORY, removed, 'Remove most');
  await world.plumb('sync', 'shop');

  const status = await world.plumb('status', 'shop');

  assert.match(status.stdout, /^3 deletions of shop wait: 3 of 4 objects would go, and 2 may go without being asked/m);
  assert.match(
    status.stdout,
    new RegExp(`^  − ConfigMap/b in ${world.namespace}   removed by ${commit.slice(0, 7)} by `, 'm'),
  );
  assert.match(status.stdout, /approve exactly this set: plumb sync shop .*--approve-deletion [0-9a-f]{12}$/m);
});

test('a working copy is planned before it is pushed', async () => {
  await using world = await openWorld({ 'deploy/a.yaml': configMap('env') });
  await world.plumb('sync', 'shop');
  await mkdir(join(world.folder, 'copy', '.git'), { recursive: true });
  await mkdir(join(world.folder, 'copy', 'deploy'));
  await writeFile(join(world.folder, 'copy', 'deploy', 'b.yaml'), configMap('other'));

  const plan = await world.plumb('plan', '--local', 'copy/deploy', '-o', 'json');

  assert.equal(plan.code, 0, plan.stderr);
  const [item] = JSON.parse(plan.stdout).items;
  assert.deepEqual(item.counts, { delete: 1, replace: 0, change: 0, adopt: 0, create: 1, blocked: 0, unchanged: 0 });
  assert.equal(item.source.label, 'working copy');
});

test('where no engine looks, a status is stale and a sync says so at once', async () => {
  await using world = await openWorld({ 'deploy/a.yaml': configMap('env') });
  await world.plumb('sync', 'shop');
  await world.stopEngine();

  const status = await world.plumb('status');
  const sync = await world.plumb('sync', 'shop');

  assert.equal(status.code, 1);
  assert.match(status.stdout, /^shop +\? /m);
  assert.match(status.stdout, /^No engine has looked since /m);
  assert.equal(sync.code, 4);
  assert.match(sync.stderr, /^error: No engine looks after this cluster/);
});

test('names that are not there are usage errors with the one that was meant', async () => {
  await using world = await openWorld({ 'deploy/a.yaml': configMap('env') });

  const application = await world.plumb('sync', 'shpo');
  const environment = await world.plumb('plan', 'shop', '-e', 'prod');
  const ref = await world.plumb('plan', 'shop', '--ref', 'nope');

  assert.match(application.stderr, /^fix: Did you mean shop\?$/m);
  assert.match(environment.stderr, /^error: shop has no environment prod$/m);
  assert.match(ref.stderr, /nope/);
  assert.deepEqual([application.code, environment.code, ref.code], [2, 2, 2]);
});

test('a working copy is planned on a cluster that knows nothing of it: as what it declares, else as one application', async () => {
  const cluster = await sharedCluster();
  const namespace = await cluster.namespace('cli');
  const folder = await mkdtemp(join(tmpdir(), 'plumb-cli-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, '.git'));
  await mkdir(join(folder, 'deploy'));
  await writeFile(join(folder, 'deploy', 'a.yaml'), configMap('env'));
  const env = { KUBECONFIG: cluster.kubeconfig, PLUMB_NAMESPACE: namespace };
  const plan = (): Promise<CapturedRun> =>
    runCaptured(['plan', '--local', 'deploy', '-o', 'json'], { env, cwd: folder, home: folder });

  const undeclared = await plan();
  const application = {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace },
    spec: { source: { repository: 'x', path: 'deploy' }, environments: [{ name: 'dev', namespace }] },
  };
  await writeFile(join(folder, 'shop.json'), JSON.stringify(application));
  const declared = await plan();

  const named = [undeclared, declared].map(({ stdout }) => {
    const [item] = JSON.parse(stdout).items;
    return [item.app, item.env, item.counts.create];
  });
  assert.deepEqual(named, [
    ['deploy', undefined, 1],
    ['shop', 'dev', 1],
  ]);
});
