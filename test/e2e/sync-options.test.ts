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

test('what says that its kind comes later holds up nothing, and is applied once the kind is there', async () => {
  await using plumb = await startFixture({ prefix: 'later' });
  const group = `${plumb.namespace}.example.com`;
  const widget = (option: string): string => `apiVersion: ${group}/v1
kind: Widget
metadata:
  name: one-${plumb.namespace}
  annotations: {argocd.argoproj.io/sync-options: "${option}"}
`;
  await plumb.git.create('shop');
  const option = 'SkipDryRunOnMissingResource=true';
  const commit = await plumb.git.commit('shop', {
    'deploy/plain.yaml': configMap('plain'),
    'deploy/widget.yaml': widget(option),
  });
  await plumb.application('shop');
  const waiting = await plumb.until('shop', (application) =>
    String(application.status?.message).startsWith('Waiting until the cluster'),
  );
  assert.match(waiting.status.message, new RegExp(`has the kind Widget.${group}, for Widget/one-.* \\(since `));
  assert.notEqual(await plumb.get('v1', 'configmaps', 'plain'), undefined);

  await plumb.restart();
  await plumb.cluster.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    body: {
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Cluster',
        names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
  });
  const healthy = await plumb.until('shop', isHealthyAt(commit));

  assert.equal(healthy.status.environments[0].objects, 2);
  const there = await plumb.cluster.request('GET', `/apis/${group}/v1/widgets/one-${plumb.namespace}`);
  assert.equal(there.status, 200);
  await plumb.git.commit('shop', { 'deploy/widget.yaml': widget(option).replace('/v1\n', '/v2\n') });
  const refused = await plumb.until('shop', hasFailed('KindMissing'));
  assert.equal(failureOf(refused, 'KindMissing')?.file, 'deploy/widget.yaml');
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
