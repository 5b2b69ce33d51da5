import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHealthy, startFixture, type EngineFixture, type KubeLike } from './engine-fixture.ts';

const APPLICATION = ['plumb.dev/v1alpha1', 'applications'] as const;

function configMap(name: string, value = 'one'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {value: ${value}}\n`;
}

function isHealthyAt(revision: string): (application: KubeLike) => boolean {
  return (application) => isHealthy(application) && application.status.revision === revision;
}

async function startWithTwo(files: Record<string, string>): Promise<EngineFixture> {
  const plumb = await startFixture({ prefix: 'handover' });
  await plumb.git.create('shop');
  const revision = await plumb.git.commit('shop', files);
  await plumb.application('a', { source: { repository: 'shop', path: 'a' } });
  await plumb.until('a', isHealthyAt(revision));
  return plumb;
}

test('after a restart an object that has moved on is not taken back by the release it came from', async () => {
  await using plumb = await startWithTwo({ 'a/moved.yaml': configMap('moved', 'old') });
  await plumb.application('b', { source: { repository: 'shop', path: 'b' } });
  // Nothing newer is ever released for a: its folder has nothing left.
  const moved = { 'a/moved.yaml': null, 'a/README.md': 'moved', 'b/moved.yaml': configMap('moved', 'new') };
  await plumb.git.commit('shop', moved);
  await plumb.until('b', isHealthy);
  const before = await plumb.get('v1', 'configmaps', 'moved');

  await plumb.stop();
  plumb.git.fault = 'error-500';
  await plumb.start();
  await plumb.until('a', (application) => application.status?.state === 'Failed');
  plumb.git.fault = undefined;
  await plumb.sync('b');

  const after = await plumb.get('v1', 'configmaps', 'moved');
  assert.equal(before?.data?.['value'], 'new');
  assert.equal(after?.metadata.resourceVersion, before?.metadata.resourceVersion);
});

test('an object that moves to an application with a mistake in it is not deleted', async () => {
  await using plumb = await startWithTwo({
    'a/one.yaml': configMap('one'),
    'a/two.yaml': configMap('two'),
    'a/moved.yaml': configMap('moved'),
    'b/other.yaml': configMap('other'),
  });
  await plumb.application('b', { source: { repository: 'shop', path: 'b' } });
  await plumb.until('b', isHealthy);
  const before = await plumb.get('v1', 'configmaps', 'moved');

  await plumb.git.commit('shop', {
    'a/moved.yaml': null,
    'b/moved.yaml': configMap('moved'),
    'b/broken.yaml': 'kind: [',
  });
  await plumb.until('b', (application) => application.status?.state === 'Failed');
  await plumb.sync('a');

  assert.equal((await plumb.get('v1', 'configmaps', 'moved'))?.metadata.uid, before?.metadata.uid);

  const mended = await plumb.git.commit('shop', { 'b/broken.yaml': null });
  await plumb.until('b', isHealthyAt(mended));
  await plumb.until('a', isHealthy);

  assert.equal((await plumb.get('v1', 'configmaps', 'moved'))?.metadata.uid, before?.metadata.uid);
});

test('a new application does not inherit what a deleted namesake wanted', async () => {
  await using plumb = await startWithTwo({ 'a/old.yaml': configMap('old'), 'b/new.yaml': configMap('new') });
  await plumb.remove(...APPLICATION, 'a');
  await plumb.remove('v1', 'configmaps', 'old');

  await plumb.application('a', { source: { repository: 'shop', path: 'b' } });
  await plumb.until('a', isHealthy);

  assert.equal(await plumb.get('v1', 'configmaps', 'old'), undefined);
  assert.ok(await plumb.get('v1', 'configmaps', 'new'));
});
