import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branchHeads } from '@plumb/test-support/git-server';
import { startFakeHost, type FakeHost } from '../../packages/hosts/test/fake-host.ts';
import { isHealthy, startFixture, type EngineFixture, type KubeLike } from './engine-fixture.ts';
import { jumpClock, type JumpClock } from './jump-clock.ts';
import { configMap } from './manifests.ts';

const HOLDS = ['plumb.dev/v1alpha1', 'holds'] as const;

interface World extends AsyncDisposable {
  readonly plumb: EngineFixture;
  readonly fake: FakeHost;
  readonly clock: JumpClock;
}

/** A healthy application at a Git host; `pullRequests` is what the Repository says of that. */
async function openWorld({ knowsHost = true } = {}): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const fake = opening.use(await startFakeHost('gitea'));
  const clock = jumpClock();
  const { project } = fake.state;
  const plumb = opening.use(
    await startFixture({ prefix: 'held', clock }, async ({ git, ...made }) => {
      await git.create(project);
      await git.commit(project, {
        'deploy/one.yaml': configMap('one', { key: 'value', other: 'kept' }),
        'deploy/two.yaml': configMap('two'),
        'deploy/key.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: CANARY-old}\n',
      });
      await made.create('v1', 'secrets', { metadata: { name: 'host' }, stringData: { token: fake.state.token } });
      await made.repository('shop', {
        url: git.url(project),
        interval: '1h',
        ...(knowsHost
          ? { pullRequests: { secretRef: { name: 'host' }, host: 'gitea', api: fake.address.api, interval: '1h' } }
          : {}),
      });
      await made.application('shop', { source: { repository: 'shop', path: 'deploy' } });
      await made.until('shop', isHealthy);
    }),
  );
  fake.state.branches = branchHeads(plumb.git, project);
  const opened = opening.move();
  return { plumb, fake, clock, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

const MINUTE = 60_000;

async function hold({ plumb, clock }: World, name: string, forMs: number, spec: object = {}): Promise<void> {
  await plumb.create(...HOLDS, {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Hold',
    metadata: { name },
    spec: {
      application: 'shop',
      allowEdits: true,
      until: new Date(clock.now() + forMs).toISOString(),
      by: 'kubernetes-admin',
      reason: 'INC-9',
      atEnd: 'pull-request',
      ...spec,
    },
  });
  // From then on an edit is not healed.
  await plumb.untilEvent(
    ({ message, hold: seen }) => message === 'A hold is in force' && String(seen).endsWith(`/${name}`),
  );
}

const untilEnded = async (plumb: EngineFixture, name: string, state: string): Promise<KubeLike['status']> => {
  let found: KubeLike['status'];
  await plumb.untilObject(...HOLDS, name, (object) => {
    found = object?.status;
    return found?.state === state;
  });
  return found;
};

/** A hold has a branch of its own, also where another one had its name. */
async function branchOf(plumb: EngineFixture, name: string): Promise<string> {
  return `plumb/hold-${name}-${(await plumb.get(...HOLDS, name))?.metadata.uid.slice(0, 8)}`;
}

const isAllowed = ({ status }: KubeLike): boolean => String(status?.message).includes('it is allowed until');
const isHeld = ({ status }: KubeLike): boolean => status?.state === 'Held';
const saysEdited =
  (count: number) =>
  ({ status }: KubeLike): boolean =>
    String(status?.message).includes(`${count} ${count === 1 ? 'object was' : 'objects were'} edited`);

test('at its end a hold becomes a pull request with the one line of each edit, and a merge of it keeps what runs', async () => {
  await using world = await openWorld();
  const { plumb, fake } = world;
  const { project } = fake.state;
  await hold(world, 'inc-9', 10 * MINUTE);
  await plumb.until('shop', isHeld);

  await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'by hand' } });
  await plumb.edit('v1', 'secrets', 'key', { stringData: { password: 'CANARY-new' } });
  await plumb.remove('v1', 'configmaps', 'two');
  await plumb.until('shop', saysEdited(3));
  world.clock.jump(10 * MINUTE);
  const status = await untilEnded(plumb, 'inc-9', 'Proposed');

  const [pull, ...more] = [...fake.state.pulls.values()];
  assert.ok(pull !== undefined && more.length === 0);
  const branch = await branchOf(plumb, 'inc-9');
  assert.deepEqual([pull.branch, pull.base], [branch, 'main']);
  assert.equal(pull.title, 'Keep ConfigMap/one of shop: data key value → by hand');
  assert.equal(
    await plumb.git.git(project, ['diff', '--unified=0', 'main', pull.head, '--', 'deploy']).then(lastLines),
    '-  key: "value"\n+  key: "by hand"',
  );
  assert.match(await plumb.git.git(project, ['log', '-1', '--format=%an%n%B', pull.head]), saysWhose(plumb.namespace));
  assert.match(pull.body, /^ConfigMap\/one deploy\/one\.yaml:6 by kubectl-edit\n {2}data key value → by hand$/m);
  assert.match(pull.body, /^Secret\/key: data\.password: what is in a Secret is not written to Git$/m);
  assert.match(pull.body, /^ConfigMap\/two: deleted, which no line of Git says$/m);
  for (const { body } of fake.server.seen) assert.doesNotMatch(body, /CANARY|Q0FOQVJZ/);
  const url = `https://gitea.example/acme/shop/pulls/${pull.number}`;
  assert.deepEqual([status?.pullRequest, status?.branch], [url, branch]);
  assert.match(String(status?.message), /^1 edited field in a pull request: \S+\. 2 more cannot be put into Git: /);
  await plumb.until('shop', (application) => {
    const { state, message } = application.status ?? {};
    return state === 'Drifted' && String(message).endsWith(`; it is proposed to Git: ${url}.`);
  });

  await plumb.restart();
  await plumb.git.git(project, ['update-ref', 'refs/heads/main', pull.head]);
  const merged = await plumb.sync('shop');

  assert.equal((await plumb.get('v1', 'configmaps', 'one'))?.data?.['key'], 'by hand');
  assert.doesNotMatch(String(merged.status?.message), /ConfigMap\/one/);
  assert.equal(fake.state.pulls.size, 1);
});

test('what the host refuses is tried again with the branch that is there, and proposed once', async () => {
  await using world = await openWorld();
  const { plumb, fake } = world;
  await plumb.edit('v1', 'secrets', 'host', { stringData: { token: 'wrong' } });
  await hold(world, 'inc-9', 10 * MINUTE);
  await plumb.until('shop', isHeld);
  await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'by hand' } });
  await plumb.until('shop', saysEdited(1));
  world.clock.jump(10 * MINUTE);

  const failed = await untilEnded(plumb, 'inc-9', 'Failed');
  await plumb.git.commit(fake.state.project, { 'README.md': 'moved on\n' });
  await plumb.edit('v1', 'secrets', 'host', { stringData: { token: fake.state.token } });
  world.clock.jump(5 * MINUTE);
  await untilEnded(plumb, 'inc-9', 'Proposed');

  assert.match(String(failed?.message), /^HostUnauthorized: /);
  assert.equal(fake.state.pulls.size, 1);
  assert.equal((await plumb.get('v1', 'configmaps', 'one'))?.data?.['key'], 'by hand');
});

test('where the host is not known the branch is there, and what to do is said', async () => {
  await using world = await openWorld({ knowsHost: false });
  const { plumb, fake } = world;
  await hold(world, 'inc-9', 10 * MINUTE, { object: { kind: 'ConfigMap', name: 'one' }, fields: ['data.key'] });
  await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'by hand', other: 'healed' } });
  await plumb.until('shop', isAllowed);
  world.clock.jump(10 * MINUTE);

  const status = await untilEnded(plumb, 'inc-9', 'Pushed');

  const branch = await branchOf(plumb, 'inc-9');
  assert.equal(
    status?.message,
    `1 edited field on the branch ${branch}: open a pull request from it, or give the Repository spec.pullRequests.`,
  );
  assert.match(
    await plumb.git.git(fake.state.project, ['cat-file', 'blob', `${branch}:deploy/one.yaml`]),
    /key: "by hand"\n {2}other: "kept"$/,
  );
});

test('a hold under which nothing was edited, or only what Git cannot say, says so', async () => {
  await using world = await openWorld();
  const { plumb, fake } = world;
  await hold(world, 'quiet', 10 * MINUTE, { object: { kind: 'ConfigMap', name: 'two' } });
  await hold(world, 'secret', 10 * MINUTE, { object: { kind: 'Secret', name: 'key' } });
  await plumb.edit('v1', 'secrets', 'key', { stringData: { password: 'CANARY-new' } });
  await plumb.until('shop', isAllowed);
  world.clock.jump(10 * MINUTE);

  const quiet = await untilEnded(plumb, 'quiet', 'Nothing');
  const secret = await untilEnded(plumb, 'secret', 'NotKept');

  assert.equal(quiet?.message, 'Nothing that was edited differs from Git.');
  assert.equal(
    secret?.message,
    'What was edited cannot be put into Git: Secret/key data.password: what is in a Secret is not written to Git.',
  );
  assert.equal(fake.state.pulls.size, 0);
});

test('what several holds let stand is proposed once, when the last of them has ended', async () => {
  await using world = await openWorld();
  const { plumb, fake, clock } = world;
  await hold(world, 'first', 10 * MINUTE);
  await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'by hand' } });
  await plumb.until('shop', saysEdited(1));
  await hold(world, 'second', 20 * MINUTE);
  clock.jump(10 * MINUTE);
  await plumb.until('shop', ({ status }) => status?.state === 'Held' && saysEdited(1)({ status } as KubeLike));
  const between = fake.state.pulls.size;

  clock.jump(10 * MINUTE);
  const first = await untilEnded(plumb, 'first', 'Proposed');
  const second = await untilEnded(plumb, 'second', 'Nothing');

  assert.deepEqual([between, fake.state.pulls.size], [0, 1]);
  assert.match(String(first?.message), /^1 edited field in a pull request: /);
  assert.match(String(second?.message), /differs from Git|stands by the hold first as well/);
});

test('a line that other environments read is not proposed: the value is laid over it for this one', async () => {
  await using world = await openWorld();
  const { plumb, fake } = world;
  const { project } = fake.state;
  await plumb.git.commit(project, {
    'chart/app.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {LEVEL: "{{ .Values.level }}"}\n',
    'chart/values.yaml': 'level: info\n',
    'chart/values-dev.yaml': '{}\n',
    'chart/values-prod.yaml': '# of prod\nother: 1\n',
  });
  const [dev, prod] = [await plumb.cluster.namespace('dev'), plumb.namespace];
  await plumb.application('app', {
    source: { repository: 'shop', path: 'chart' },
    render: { valuesFiles: ['values.yaml', 'values-{{ environment }}.yaml'] },
    environments: [
      { name: 'dev', namespace: dev },
      { name: 'prod', namespace: prod },
    ],
  });
  await plumb.sync('app');
  await plumb.until('app', isHealthy);
  await hold(world, 'inc-9', 10 * MINUTE, { application: 'app', environment: 'prod' });
  await plumb.edit('v1', 'configmaps', 'app', { data: { LEVEL: 'debug' } });
  await plumb.until('app', ({ status }) => JSON.stringify(status).includes('1 object was edited'));
  world.clock.jump(10 * MINUTE);

  await untilEnded(plumb, 'inc-9', 'Proposed');

  const [pull] = fake.state.pulls.values();
  assert.equal(
    await plumb.git.git(project, ['diff', '--unified=0', 'main', pull?.head ?? '', '--', 'chart']).then(lastLines),
    '+level: debug',
  );
  assert.match(pull?.body ?? '', /ConfigMap\/app chart\/values-prod\.yaml:3 /);
});

test('a quarter of an hour before its end a hold is announced by an Event about the application, once', async () => {
  await using world = await openWorld();
  const { plumb } = world;
  const eventName = async (): Promise<string> => {
    const uid = (await plumb.get(...HOLDS, 'inc-9'))?.metadata.uid;
    return `inc-9.${uid?.slice(0, 8)}.ending`;
  };
  await hold(world, 'inc-9', 30 * MINUTE);
  await hold(world, 'short', 14 * MINUTE, { object: { kind: 'ConfigMap', name: 'two' } });
  await plumb.until('shop', isHeld);
  await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'by hand' } });
  await plumb.until('shop', saysEdited(1));
  world.clock.jump(15 * MINUTE);

  await plumb.untilObject('events.k8s.io/v1', 'events', await eventName(), (event) => event !== undefined);

  const events = (await plumb.list('events.k8s.io/v1', 'events')) as readonly (KubeLike & EventLike)[];
  const ours = events.filter(({ reportingController }) => reportingController === 'plumb.dev/engine');
  assert.deepEqual(
    ours.map(({ reason, regarding }) => [reason, regarding.kind, regarding.name]),
    [['HoldEnding', 'Application', 'shop']],
  );
  assert.match(
    ours[0]?.note ?? '',
    /^The hold inc-9 of kubernetes-admin ends at .* UTC\. 1 object was edited, and is proposed to Git in a pull request then: plumb drift shop -n \S+ \(INC-9\)$/,
  );
});

interface EventLike {
  readonly reason: string;
  readonly note: string;
  readonly reportingController: string;
  readonly regarding: { readonly kind: string; readonly name: string };
}

function saysWhose(namespace: string): RegExp {
  return new RegExp(
    `^Plumb\nKeep ConfigMap/one of shop: .*\n\nINC-9\n\nChanged on the cluster by kubectl-edit.*\n(?:.*\n)*Plumb-Hold: ${namespace}/inc-9\n`,
  );
}

/** Without what says which files and lines. */
function lastLines(diff: string): string {
  return diff
    .split('\n')
    .filter((line) => /^[-+](?![-+])/.test(line))
    .join('\n');
}
