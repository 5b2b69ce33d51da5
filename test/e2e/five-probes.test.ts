import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  conditionOf,
  failureOf,
  hasFailed,
  isHealthy,
  isHealthyAt,
  startFixture,
  type EngineFixture,
} from './engine-fixture.ts';
import { configMap, deployment } from './manifests.ts';

/** Five mistakes after which other tools delete, apply one half, stay stuck or overwrite without a word. */

const FILES = {
  'deploy/app.yaml': deployment('app'),
  'deploy/service.yaml': service('app'),
  'deploy/config.yaml': configMap('config'),
  'other/other.yaml': configMap('other'),
};

test('probe 1: a folder that vanishes in Git deletes nothing, and the error names the commit that removed it', async () => {
  await using plumb = await startProbe();
  const before = await versions(plumb);

  const removal = await plumb.git.commit(
    'shop',
    { deploy: null },
    { message: 'Tidy up', author: { name: 'Test Author', email: 'author@example.com' } },
  );
  const failed = await plumb.until('shop', hasFailed('PathMissing'));

  assert.match(
    failureOf(failed)?.message ?? '',
    new RegExp(`no folder deploy at ${removal.slice(0, 7)}; ${removal.slice(0, 7)} by Test Author removed it`),
  );
  assert.deepEqual(await versions(plumb), before);
  await recovers(plumb);
});

test('probe 2: a folder that renders to nothing deletes nothing, and the list can be approved', async () => {
  await using plumb = await startProbe();
  const before = await versions(plumb);

  await plumb.git.commit('shop', {
    'deploy/app.yaml': '# off\n',
    'deploy/service.yaml': '---\n',
    'deploy/config.yaml': '# off\n',
  });
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));

  const { digest, count } = blocked.status.environments[0].pendingDeletions;
  assert.equal(count, 3);
  assert.match(
    failureOf(blocked)?.message ?? '',
    /is blocked: Git wants none of the objects of this application any more/,
  );
  assert.match(failureOf(blocked)?.fix ?? '', new RegExp(`plumb sync .*--approve-deletion ${digest}`));
  assert.deepEqual(await versions(plumb), before);
  await recovers(plumb);
});

test('probe 3: a syntax error in one file changes nothing, its place and author are named, and neighbours go on', async () => {
  await using plumb = await startProbe();
  const before = await versions(plumb);

  const mistake = await plumb.git.commit(
    'shop',
    {
      'deploy/app.yaml': deployment('app', { image: 'registry.example.com/app:2' }),
      'deploy/config.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config\n',
      'other/other.yaml': configMap('other', { key: 'new' }),
    },
    { message: 'Hurry', author: { name: 'Test Author', email: 'author@example.com' } },
  );
  const failed = await plumb.until('shop', hasFailed('YamlSyntax'));
  await plumb.until('other', isHealthyAt(mistake));

  assert.equal(failureOf(failed)?.file, 'deploy/config.yaml');
  assert.ok((failureOf(failed)?.line ?? 0) > 0);
  assert.match(failed.status.message, new RegExp(`${mistake.slice(0, 7)} by Test Author`));
  assert.deepEqual(await versions(plumb), before);
  await recovers(plumb);
});

test('probe 4: D29: a change of an immutable selector changes nothing at all, and a revert mends it at once', async () => {
  await using plumb = await startProbe();
  const before = await versions(plumb);

  await plumb.git.commit('shop', {
    'deploy/app.yaml': deployment('app', { label: 'renamed' }),
    'deploy/service.yaml': service('renamed'),
    'deploy/config.yaml': configMap('config', { key: 'new' }),
  });
  const failed = await plumb.until('shop', hasFailed('FieldImmutable'));

  const failure = failureOf(failed);
  assert.match(failure?.message ?? '', /spec\.selector/);
  assert.equal(failure?.file, 'deploy/app.yaml');
  assert.match(failure.object ?? '', /^Deployment\/app/);
  assert.equal(conditionOf(failed, 'Stalled')?.reason, 'FieldImmutable');
  assert.deepEqual(await versions(plumb), before);

  // What was released last is still looked after.
  await plumb.edit('v1', 'configmaps', 'config', { data: { key: 'by hand' } });
  await plumb.untilObject('v1', 'configmaps', 'config', (object) => object?.data?.['key'] === 'value');
  assert.equal((await plumb.get('v1', 'services', 'app'))?.spec.selector.app, 'app');

  await recovers(plumb);
  assert.equal((await plumb.get('apps/v1', 'deployments', 'app'))?.metadata.uid, before['app uid']);
});

test('probe 5: D6: two applications that claim one object: an error before the first write, both named', async () => {
  await using plumb = await startProbe();

  await plumb.git.commit('shop', {
    'two/config.yaml': configMap('config', { key: 'mine' }),
    'two/own.yaml': configMap('own'),
  });
  await plumb.application('two', { source: { repository: 'shop', path: 'two' } });
  const refused = await plumb.until('two', hasFailed('OwnedByOther'));

  const failure = failureOf(refused);
  const { namespace } = plumb;
  assert.equal(failure?.file, 'two/config.yaml');
  assert.match(
    failure.message,
    new RegExp(`ConfigMap/config belongs to ${namespace}/shop, so ${namespace}/two does not touch it`),
  );
  assert.equal(await plumb.get('v1', 'configmaps', 'own'), undefined);
  assert.deepEqual((await plumb.get('v1', 'configmaps', 'config'))?.data, { key: 'value' });

  await plumb.git.commit('shop', { 'deploy/config.yaml': null });
  await plumb.until('two', isHealthy);
  assert.deepEqual((await plumb.get('v1', 'configmaps', 'config'))?.data, { key: 'mine' });
});

function startProbe(): Promise<EngineFixture> {
  return startFixture({ prefix: 'probe' }, async (plumb) => {
    await plumb.git.create('shop');
    await plumb.git.commit('shop', FILES);
    await plumb.application('shop');
    await plumb.application('other', { source: { repository: 'shop', path: 'other' } });
    await plumb.until('shop', isHealthy);
    await plumb.until('other', isHealthy);
  });
}

/** The commit after the mistake is the state before it: nothing of the mistake is left behind or waited for. */
async function recovers(plumb: EngineFixture): Promise<void> {
  await plumb.git.commit('shop', FILES);
  await plumb.until('shop', isHealthy);
  assert.equal((await plumb.get('v1', 'configmaps', 'config'))?.data?.['key'], 'value');
}

/** What a write would change of the application's objects; a status may change. */
async function versions(plumb: EngineFixture): Promise<Readonly<Record<string, unknown>>> {
  const app = await plumb.get('apps/v1', 'deployments', 'app');
  const live = await plumb.get('v1', 'services', 'app');
  const config = await plumb.get('v1', 'configmaps', 'config');
  return {
    'app uid': app?.metadata.uid,
    'app generation': app?.metadata.generation,
    service: live?.metadata.resourceVersion,
    config: config?.metadata.resourceVersion,
  };
}

function service(label: string): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: app
spec:
  selector: {app: ${label}}
  ports: [{port: 80}]
`;
}
