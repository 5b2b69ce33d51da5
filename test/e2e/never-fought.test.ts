import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHealthy, isHealthyAt, startFixture } from './engine-fixture.ts';

function configuration(name: string, timeout: number): string {
  return `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: ${name}}
webhooks:
- name: a.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  timeoutSeconds: ${timeout}
  clientConfig: {url: "https://127.0.0.1:9/", caBundle: ${Buffer.from('of Git').toString('base64')}}
  rules: [{apiGroups: [${name}.example.org], apiVersions: [v1], operations: [CREATE], resources: [none]}]
`;
}

test('D27: what a controller on the list owns is left to it, also when Git changes what stands beside it', async () => {
  await using plumb = await startFixture({ prefix: 'never' });
  const name = `hook-${plumb.namespace}`;
  const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${name}`;
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/hook.yaml': configuration(name, 5) });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);
  const injected = Buffer.from('of the injector').toString('base64');
  const body = [{ op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value: injected }];
  const answer = await plumb.cluster.request('PATCH', `${path}?fieldManager=cert-manager-cainjector`, {
    body,
    contentType: 'application/json-patch+json',
  });
  assert.equal(answer.status, 200);

  const commit = await plumb.git.commit('shop', { 'deploy/hook.yaml': configuration(name, 7) });
  await plumb.until('shop', isHealthyAt(commit));
  await plumb.restart();
  await plumb.sync('shop');

  const { webhooks } = (await plumb.cluster.request('GET', path)).body as {
    webhooks: readonly { timeoutSeconds: number; clientConfig: { caBundle: string } }[];
  };
  assert.deepEqual(
    webhooks.map(({ timeoutSeconds, clientConfig }) => [timeoutSeconds, clientConfig.caBundle]),
    [[7, injected]],
  );
  await plumb.cluster.request('DELETE', path);
});
