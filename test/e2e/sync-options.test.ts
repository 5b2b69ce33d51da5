import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf, hasFailed, isHealthy, isHealthyAt, startFixture } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

function annotated(name: string, annotation: string): string {
  return configMap(name).replace(`name: ${name}\n`, `name: ${name}\n  annotations: {${annotation}}\n`);
}

test('what an annotation keeps stays when Git lets go of it, is named, and goes once the annotation has gone', async () => {
  await using plumb = await startFixture({ prefix: 'keep' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/stays.yaml': configMap('stays'),
    'deploy/argo.yaml': annotated('argo', 'argocd.argoproj.io/sync-options: "Prune=false"'),
    'deploy/flux.yaml': annotated('flux', 'kustomize.toolkit.fluxcd.io/prune: disabled'),
    'deploy/helm.yaml': annotated('helm', 'helm.sh/resource-policy: keep'),
    'deploy/ours.yaml': annotated('ours', 'plumb.dev/prune: "false"'),
    'deploy/plain.yaml': configMap('plain'),
  });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  const removal = await plumb.git.commit('shop', {
    'deploy/argo.yaml': null,
    'deploy/flux.yaml': null,
    'deploy/helm.yaml': null,
    'deploy/ours.yaml': null,
    'deploy/plain.yaml': null,
  });
  const healthy = await plumb.until('shop', isHealthyAt(removal));

  assert.equal(
    healthy.status.environments[0].message,
    '1 object is as Git wants. Not in Git and kept: ConfigMap/argo, ConfigMap/flux, ConfigMap/helm and 1 more ' +
      '(argocd.argoproj.io/sync-options: Prune=false, …).',
  );
  assert.deepEqual(await names(plumb), ['argo', 'flux', 'helm', 'ours', 'stays']);

  await plumb.edit('v1', 'configmaps', 'ours', { metadata: { annotations: { 'plumb.dev/prune': null } } });
  await plumb.untilObject('v1', 'configmaps', 'ours', (object) => object === undefined);
  assert.deepEqual(await names(plumb), ['argo', 'flux', 'helm', 'stays']);
});

test('what wants to be confirmed waits for a person', async () => {
  await using plumb = await startFixture({ prefix: 'keep' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/stays.yaml': configMap('stays'),
    'deploy/asks.yaml': annotated('asks', 'plumb.dev/sync-options: "Prune=confirm"'),
  });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  await plumb.git.commit('shop', { 'deploy/asks.yaml': null });
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));
  assert.match(
    failureOf(blocked)?.message ?? '',
    /ConfigMap\/asks asks for it \(plumb.dev\/sync-options: Prune=confirm\)/,
  );
  assert.deepEqual(await names(plumb), ['asks', 'stays']);

  const { digest } = blocked.status.environments[0].pendingDeletions;
  const annotations = { 'plumb.dev/approved-deletions': `-=${digest}` };
  await plumb.edit('plumb.dev/v1alpha1', 'applications', 'shop', { metadata: { annotations } });
  await plumb.until('shop', isHealthy);
  assert.deepEqual(await names(plumb), ['stays']);
});

async function names(plumb: Awaited<ReturnType<typeof startFixture>>): Promise<readonly string[]> {
  const objects = await plumb.list('v1', 'configmaps');
  return objects
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== 'kube-root-ca.crt')
    .sort();
}
