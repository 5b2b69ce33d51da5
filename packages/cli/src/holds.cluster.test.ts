import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { realClock } from '@plumb/test-support';
import { runCaptured, type CapturedRun } from '../test/run-captured.ts';
import { openWorld, type World } from '../test/world.ts';

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {LEVEL: info}\n';
const APPS = 'apis/plumb.dev/v1alpha1/namespaces';

/** A healthy application `shop`, an application `two` with two environments, and no engine that could act on a hold. */
async function openQuietWorld(): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const world = opening.use(await openWorld({ 'deploy/a.yaml': CONFIG }));
  const synced = await world.plumb('sync', 'shop');
  assert.equal(synced.code, 0, synced.stderr);
  await world.stopEngine();
  const two = await world.plumb('app', 'add', 'two', '--repo', 'shop', '-e', 'dev=two-dev', '-e', 'prod=two-prod');
  assert.equal(two.code, 0, two.stderr);
  opening.move();
  return world;
}

interface HoldObject {
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

async function holdsIn(world: World): Promise<readonly HoldObject[]> {
  const { body } = await world.cluster.request('GET', `/${APPS}/${world.namespace}/holds`);
  return (body as { readonly items: readonly HoldObject[] }).items;
}

async function admin(world: World): Promise<string> {
  const { body } = await world.cluster.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  return (body as { readonly status: { readonly userInfo: { readonly username: string } } }).status.userInfo.username;
}

test('a hold is written in the name of who asks, and says what it covers, when it ends and how it is lifted', async () => {
  await using world = await openQuietWorld();
  const before = realClock.now();

  const run = await world.plumb('hold', 'shop', '--allow-edits', '--for', '2h', '--reason', 'INC-9, by hand');

  const [hold, ...others] = await holdsIn(world);
  const { name = '' } = hold?.metadata ?? {};
  const by = await admin(world);
  assert.equal(run.code, 0, run.stderr);
  assert.equal(others.length, 0);
  assert.match(name, /^shop-[0-9a-f]{6}$/);
  const { until, ...spec } = hold?.spec ?? {};
  assert.deepEqual(spec, { application: 'shop', allowEdits: true, by, reason: 'INC-9, by hand', atEnd: 'heal' });
  const restMs = Date.parse(String(until)) - before - 2 * 3_600_000;
  assert.ok(restMs >= 0 && restMs < 120_000, String(until));
  assert.match(
    run.stdout,
    /^‖ shop: edits of all objects stand until \d{4}-\d\d-\d\d \d\d:\d\d UTC( \(.* here\))?, in 2h\n/,
  );
  assert.match(run.stdout, new RegExp(`\\n  Hold ${name} by ${by}: INC-9, by hand\\n`));
  assert.match(
    run.stdout,
    new RegExp(`put back then\\. Lift it before with: plumb unhold ${name} -n ${world.namespace}\\n$`),
  );
});

test('a hold of one object names its kind as the cluster does, and one of an object that is not there says so', async () => {
  await using world = await openQuietWorld();
  const until = new Date(realClock.now() + 3_600_000).toISOString();
  const rest = ['--until', until, '--reason', 'x', '--field', 'data.LEVEL', '-o', 'json'];

  const there = await world.plumb(
    'hold',
    'shop',
    '--allow-edits',
    '--object',
    'configmaps/web',
    '--at-end',
    'report',
    ...rest,
  );
  const allowed = await world.plumb('drift', 'allow', 'two', '-e', 'prod', 'deployment/api', ...rest);
  const again = await world.plumb('drift', 'allow', 'two', '-e', 'prod', 'deployment/api', ...rest);

  assert.deepEqual([there.code, allowed.code, again.code], [0, 0, 0], there.stderr + allowed.stderr + again.stderr);
  const { object, fields, atEnd, env } = JSON.parse(there.stdout);
  assert.deepEqual(
    [object, fields, atEnd, env],
    [{ group: '', kind: 'ConfigMap', namespace: world.namespace, name: 'web' }, ['data.LEVEL'], 'report', null],
  );
  const other = JSON.parse(allowed.stdout);
  assert.deepEqual(other.object, { group: 'apps', kind: 'Deployment', namespace: 'two-prod', name: 'api' });
  assert.deepEqual([other.env, other.app, other.ended], ['prod', 'two', false]);
  assert.equal(there.stderr, '');
  assert.equal(allowed.stderr, 'No live Deployment/api belongs to two → prod; the hold counts for it all the same.\n');
  // Asked for twice, held once.
  assert.equal(JSON.parse(again.stdout).name, other.name);
  assert.equal((await holdsIn(world)).length, 2);
});

test('without a reason, an end, or what is held there is no hold, and the flag is named', async () => {
  await using world = await openQuietWorld();
  const hold = (...args: readonly string[]) => world.plumb('hold', ...args);
  const past = '2020-01-01T00:00:00Z';

  const runs = [
    [await hold('shop', '--allow-edits', '--for', '2h'), /fix: Say why with --reason/],
    [await hold('shop', '--allow-edits', '--reason', 'x'), /--for DURATION or --until TIME/],
    [await hold('shop', '--for', '2h', '--reason', 'x'), /fix: Say --allow-edits/],
    [await hold('shop', '--allow-edits', '--for', '169h', '--reason', 'x'), /^error: a hold lasts for 7 days at most/],
    [await hold('shop', '--allow-edits', '--until', past, '--reason', 'x'), /the end is not in the future/],
    [await hold('shop', '--allow-edits', '--until', 'noon', '--reason', 'x'), /--until noon is not a time with a zone/],
    [await hold('two', '--allow-edits', '--for', '2h', '--reason', 'x'), /fix: Name one with -e: dev, prod\./],
    [
      await hold('shop', '--allow-edits', '--for', '2h', '--reason', 'x', '--field', 'a['),
      /--field a\[ is not a field/,
    ],
    [await hold('shop', '--allow-edits', '--for', '2h', '--reason', 'x', '--object', 'web'), /web is not an object/],
  ] as const;

  for (const [run, said] of runs) {
    assert.equal(run.code, 2, run.stderr);
    assert.match(run.stderr, said);
  }
  assert.deepEqual(await holdsIn(world), []);
});

test('holds are listed with the first to end in front, those that have ended are marked, and are lifted by name', async () => {
  await using world = await openQuietWorld();
  const ended = {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Hold',
    metadata: { name: 'old' },
    spec: {
      application: 'shop',
      allowEdits: true,
      until: '2020-01-01T00:00:00Z',
      by: await admin(world),
      reason: 'done',
    },
  };
  const posted = await world.cluster.request('POST', `/${APPS}/${world.namespace}/holds`, { body: ended });
  assert.equal(posted.status, 201, JSON.stringify(posted.body));
  await world.plumb('hold', 'two', '-e', 'dev', '--allow-edits', '--for', '5h', '--reason', 'long');
  await world.plumb('drift', 'allow', 'two', '-e', 'prod', 'ConfigMap/web', '--for', '40m', '--reason', 'short');

  const all = await world.plumb('hold', 'list');
  const ofShop = await world.plumb('hold', 'list', 'shop', '-o', 'json');
  const ofProd = await world.plumb('hold', 'list', '-e', 'prod');
  const lifted = await world.plumb('unhold', 'old');

  const rows = all.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(/ {3,}/));
  assert.deepEqual(rows[0], ['NAME', 'APP', 'ENV', 'WHAT', 'BY', 'UNTIL', 'REASON']);
  assert.deepEqual(
    rows.slice(1).map((row) => [row[1], row[2], row[3], row[5], row[6]]),
    [
      ['two', 'prod', 'ConfigMap/web', 'in 40m', 'short'],
      ['two', 'dev', 'all objects', 'in 5h', 'long'],
      ['shop', '-', 'all objects', rows[3]?.[5], 'done'],
    ],
  );
  assert.match(rows[3]?.[5] ?? '', /^ended \d+d ago$/);
  assert.deepEqual(
    JSON.parse(ofShop.stdout).items.map((item: { name: string; ended: boolean }) => [item.name, item.ended]),
    [['old', true]],
  );
  assert.equal(ofProd.stdout.trim().split('\n').length, 2);
  assert.deepEqual([lifted.code, lifted.stdout, lifted.stderr], [0, '✓ old is lifted: all objects of shop\n', '']);
  assert.equal((await holdsIn(world)).length, 2);
});

test('all holds of a target are lifted by its name, those of others too, and it says whose they were', async () => {
  await using world = await openQuietWorld();
  const place = ['two', '-e', 'prod'];
  await world.plumb('hold', ...place, '--allow-edits', '--for', '5h', '--reason', 'mine');
  await world.plumb('hold', 'two', '-e', 'dev', '--allow-edits', '--for', '5h', '--reason', 'dev');
  const theirs = {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Hold',
    metadata: { name: 'theirs' },
    spec: {
      ...{ application: 'two', environment: 'prod', allowEdits: true, by: 'dana', reason: 'billing run' },
      until: new Date(realClock.now() + 3_600_000).toISOString(),
    },
  };
  const posted = await world.cluster.request('POST', `/${APPS}/${world.namespace}/holds`, { body: theirs, as: 'dana' });
  assert.equal(posted.status, 201, JSON.stringify(posted.body));

  const several = await world.plumb('unhold', 'two');
  const lifted = await world.plumb('unhold', ...place);
  const again = await world.plumb('unhold', ...place);
  const typo = await world.plumb('unhold', 'tow');
  const json = await world.plumb('unhold', 'two', '-o', 'json');

  assert.equal(several.code, 2);
  assert.match(several.stderr, /^fix: Name one with -e: /m);
  assert.equal(lifted.code, 0, lifted.stderr);
  assert.match(lifted.stdout, /^✓ theirs is lifted: all objects of two → prod; it was the hold of dana: billing run\n/);
  assert.match(lifted.stdout, /\n✓ two-prod-[0-9a-f]{6} is lifted: all objects of two → prod\n$/);
  assert.match(lifted.stderr, /^From now on the rules of the application decide/);
  assert.deepEqual([again.code, typo.code], [2, 2]);
  assert.match(
    again.stderr,
    /^error: there is no hold two → prod, and none of an application of that name\nfix: There are: two-dev-/,
  );
  assert.match(typo.stderr, /^fix: Did you mean two\?$/m);
  assert.deepEqual(
    JSON.parse(json.stdout).items.map((item: { env: string }) => item.env),
    ['dev'],
  );
  assert.deepEqual(await holdsIn(world), []);
});

/** Runs as a service account that may do all that a plan needs, and may not read holds. */
async function withoutHolds({ cluster, namespace, folder }: World): Promise<World['plumb']> {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: `${namespace}-plans` } };
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const roles = '/apis/rbac.authorization.k8s.io/v1';
  const rules = [
    { apiGroups: [''], resources: ['*'], verbs: ['*'] },
    { apiGroups: ['apiextensions.k8s.io', 'coordination.k8s.io'], resources: ['*'], verbs: ['get', 'list'] },
    { apiGroups: ['plumb.dev'], resources: ['applications', 'repositories'], verbs: ['get', 'list'] },
  ];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: rbac.metadata.name };
  const subjects = [{ kind: 'ServiceAccount', name: 'plans', namespace }];
  const made = [
    await cluster.request('POST', accounts, { body: { metadata: { name: 'plans' } } }),
    await cluster.request('POST', `${roles}/clusterroles`, { body: { ...rbac, kind: 'ClusterRole', rules } }),
    await cluster.request('POST', `${roles}/clusterrolebindings`, {
      body: { ...rbac, kind: 'ClusterRoleBinding', roleRef, subjects },
    }),
  ];
  assert.deepEqual(
    made.map(({ status }) => status),
    [201, 201, 201],
  );
  const user = `system:serviceaccount:${namespace}:plans`;
  await cluster.untilAllowed({ user, namespace, verb: 'list', group: 'plumb.dev', resource: 'applications' });
  const issued = await cluster.request('POST', `${accounts}/plans/token`, { body: { spec: {} } });
  const { token } = (issued.body as { readonly status: { readonly token: string } }).status;
  const authority = Buffer.from(cluster.ca).toString('base64');
  const kubeconfig = join(folder, 'plans.kubeconfig');
  await writeFile(
    kubeconfig,
    JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'plans' },
      clusters: [{ name: 'c', cluster: { server: cluster.server, 'certificate-authority-data': authority } }],
      users: [{ name: 'u', user: { token } }],
      contexts: [{ name: 'plans', context: { cluster: 'c', user: 'u', namespace } }],
    }),
  );
  const env = { KUBECONFIG: kubeconfig, PLUMB_NAMESPACE: namespace, LANG: 'C.UTF-8' };
  return async (...inputs): Promise<CapturedRun> => await runCaptured(inputs, { env, home: folder, cwd: folder });
}

test('a plan by somebody who may not read holds says so where it resets an edit, and only there', async () => {
  await using world = await openQuietWorld();
  const plumb = await withoutHolds(world);

  const clean = await plumb('plan', 'shop');
  const edited = await world.cluster.request('PATCH', `/api/v1/namespaces/${world.namespace}/configmaps/web`, {
    body: { data: { LEVEL: 'debug' } },
    contentType: 'application/merge-patch+json',
  });
  const reset = await plumb('plan', 'shop');
  const known = await world.plumb('plan', 'shop');

  const note = /^note: holds are not known, and may leave alone what is reset here: .*holds.* forbidden/m;
  assert.equal(edited.status, 200);
  assert.deepEqual([clean.code, reset.code, known.code], [0, 0, 0], clean.stderr + reset.stderr);
  assert.doesNotMatch(clean.stdout, /holds are not known/);
  assert.match(reset.stdout, note);
  assert.match(known.stdout, /resets /);
  assert.doesNotMatch(known.stdout, /holds are not known/);
});

test('the history of an application has who let edits stand and what was edited, also after the hold is gone', async () => {
  await using world = await openWorld({ 'deploy/a.yaml': CONFIG });
  const settled = async (): Promise<void> => {
    const waited = await world.plumb('wait', 'shop', '--for', 'settled');
    assert.equal(waited.code, 0, waited.stderr);
  };
  assert.equal((await world.plumb('sync', 'shop')).code, 0);
  const held = await world.plumb('hold', 'shop', '--allow-edits', '--for', '2h', '--reason', 'INC-9', '-o', 'json');
  const path = `/api/v1/namespaces/${world.namespace}/configmaps/web?fieldManager=kubectl-edit`;
  const contentType = 'application/merge-patch+json';
  await world.cluster.request('PATCH', path, { body: { data: { LEVEL: 'debug' } }, contentType });
  await settled();
  await world.plumb('unhold', JSON.parse(held.stdout).name);
  await world.plumb('drift', 'heal', 'shop');

  const table = await world.plumb('history', 'shop', '--include', 'drift,hold');
  const json = await world.plumb('history', 'shop', '--include', 'hold', '-o', 'json');
  const lines = await world.plumb('history', 'shop', '--include', 'drift,hold', '-o', 'jsonl');
  const plain = await world.plumb('history', 'shop', '-o', 'json');

  const rows = table.stdout.trimEnd().split('\n');
  assert.deepEqual([table.code, rows.length], [0, 4], table.stdout);
  assert.match(rows[1] ?? '', /drift +✓ healed in .* ConfigMap\/web data LEVEL info → debug$/);
  assert.match(rows[2] ?? '', /hold +✓ lifted \d{4}-.* all objects: INC-9$/);
  assert.match(rows[3] ?? '', / r1 +✓ healthy /);
  const { items, holds, drifts } = JSON.parse(json.stdout);
  assert.deepEqual([items.length, holds.length, drifts], [1, 1, undefined]);
  assert.deepEqual([holds[0].by, holds[0].reason, typeof holds[0].liftedAt], [await admin(world), 'INC-9', 'string']);
  assert.deepEqual(
    lines.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).type),
    ['drift', 'hold', 'release'],
  );
  assert.deepEqual(Object.keys(JSON.parse(plain.stdout)), ['apiVersion', 'kind', 'items']);
});
