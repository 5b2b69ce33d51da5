import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { branchHeads } from '@plumb/test-support/git-server';
import { startFakeHost, type FakeHost } from '../../packages/hosts/test/fake-host.ts';
import { answer } from '../../packages/hosts/test/loopback-server.ts';
import { openWorld, type World } from '../../packages/cli/test/world.ts';

const PROJECT = 'acme/shop';
const OBJECTS = '/apis/plumb.dev/v1alpha1/namespaces';
const PASSWORD = 'CANARY-password';

interface Hosted extends AsyncDisposable {
  readonly world: World;
  readonly fake: FakeHost;
  edit(data: Readonly<Record<string, string>>): Promise<void>;
  keep(...more: readonly string[]): ReturnType<World['plumb']>;
}

/** A healthy application that leaves edits alone, with a variable from a Secret, at a host that the Repository names. */
async function openHosted(): Promise<Hosted> {
  await using opening = new AsyncDisposableStack();
  const fake = opening.use(await startFakeHost('gitea'));
  const world = opening.use(await openWorld({ 'deploy/a.yaml': 'apiVersion: v1\nkind: List\nitems: []\n' }));
  const { git, cluster, namespace } = world;
  await writeFile(join(world.folder, '.gitconfig'), '[user]\n\tname = Ada\n\temail = ada@example.com\n');
  await git.create(PROJECT);
  const data = `  LEVEL: info # of all\n  URL: "http://shop:\${password}@db"\n`;
  await git.commit(PROJECT, { 'one/a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n${data}` });
  fake.state.branches = branchHeads(git, PROJECT);
  for (const [name, stringData] of Object.entries({
    host: { token: fake.state.token },
    vars: { password: PASSWORD },
  })) {
    const body = { metadata: { name }, stringData };
    await cluster.request('POST', `/api/v1/namespaces/${namespace}/secrets`, { body });
  }
  const host = ['--host-secret', 'host', '--host', 'gitea', '--host-api', fake.address.api];
  const patch = async (path: string, body: object): Promise<void> => {
    const contentType = 'application/merge-patch+json';
    const { status } = await cluster.request('PATCH', `${path}?fieldManager=kubectl-edit`, { body, contentType });
    assert.equal(status, 200);
  };
  const run = async (...inputs: readonly string[]): Promise<void> => {
    const { code, stderr } = await world.plumb(...inputs);
    assert.deepEqual([code, stderr], [0, '']);
  };
  await run('repo', 'add', 'hosted', '--url', git.url(PROJECT), ...host);
  await run('app', 'add', 'one', '--repo', 'hosted', '--path', 'one');
  const substitute = { from: [{ kind: 'Secret', name: 'vars' }] };
  await patch(`${OBJECTS}/${namespace}/applications/one`, {
    spec: { drift: { policy: 'report' }, render: { substitute } },
  });
  const synced = await world.plumb('sync', 'one');
  assert.equal(synced.code, 0, synced.stderr);
  const open = opening.move();
  return {
    world,
    fake,
    async edit(changed) {
      await patch(`/api/v1/namespaces/${namespace}/configmaps/a`, { data: changed });
      await world.plumb('wait', 'one', '--for', 'settled');
    },
    keep: (...more) =>
      world.plumb('drift', 'keep', 'one', 'ConfigMap/a', '--reason', 'INC-9', '--pull-request', ...more),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

test('what is kept becomes a pull request at the host, and asking again finds it', async () => {
  await using hosted = await openHosted();
  const { fake, world } = hosted;
  await hosted.edit({ LEVEL: 'debug' });

  const first = await hosted.keep();
  const again = await hosted.keep('-o', 'json');

  const [pull, ...more] = [...fake.state.pulls.values()];
  assert.ok(pull !== undefined && more.length === 0);
  const url = `https://gitea.example/acme/shop/pulls/${pull.number}`;
  assert.deepEqual([first.code, first.stderr], [0, '']);
  assert.equal(
    first.stdout,
    [
      '✓ ConfigMap/a data LEVEL info → debug',
      '  one/a.yaml:5',
      '  -   LEVEL: info # of all',
      '  +   LEVEL: debug # of all',
      `Pull request ${url}`,
      '',
    ].join('\n'),
  );
  assert.deepEqual([pull.title, pull.base], ['Keep ConfigMap/a of one: data LEVEL info → debug', 'main']);
  assert.match(pull.body, /why: INC-9\n/);
  assert.match(pull.body, /\nplumb drift heal one -n \S+\n/);
  assert.equal(await world.git.git(PROJECT, ['log', '-1', '--format=%an', pull.head]), 'Ada');
  const json = JSON.parse(again.stdout);
  assert.deepEqual([again.code, json.pullRequest, json.commit, json.branch], [0, url, pull.head, pull.branch]);
});

test('a host that says no is told with its code, and the branch is there for the next try', async () => {
  await using hosted = await openHosted();
  const { fake } = hosted;
  await hosted.edit({ LEVEL: 'debug' });
  fake.server.instead(/\/pulls$/, answer(503));

  const down = await hosted.keep();
  const next = await hosted.keep();

  assert.equal(down.code, 4);
  assert.match(down.stderr, /HostUnreachable|did not|503/);
  assert.deepEqual([next.code, fake.state.pulls.size], [0, 1]);
});

test('no value of a Secret gets to Git or its host: not by an edit around it, and not in what is said of one', async () => {
  await using hosted = await openHosted();
  const { fake, world } = hosted;

  await hosted.edit({ URL: `http://other:${PASSWORD}@db` });
  const around = await hosted.keep();
  await hosted.edit({ URL: 'http://nobody@db' });
  const without = await hosted.keep();

  assert.equal(around.code, 2, around.stderr);
  assert.match(around.stderr, /data\.URL of ConfigMap\/a is not kept: its live value holds that of a Secret/);
  assert.deepEqual([without.code, without.stderr], [0, '']);
  const [pull] = fake.state.pulls.values();
  const told = `${around.stderr}${without.stdout}${pull?.title}${pull?.body}`;
  const written = await world.git.git(PROJECT, ['log', '-p', '--format=%B', `main..${pull?.head}`]);
  assert.match(written, /\+ {2}URL: "?http:\/\/nobody@db"?/);
  assert.doesNotMatch(told + written, /CANARY/);
});
