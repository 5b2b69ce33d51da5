import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isHealthy, isHealthyAt, startFixture } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

function definition(group: string, kind: string, more = ''): string {
  const plural = `${kind.toLowerCase()}s`;
  return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${plural}.${group}}
spec:
  group: ${group}
  scope: Namespaced
  names: {kind: ${kind}, plural: ${plural}, singular: ${kind.toLowerCase()}}
${more}  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
  - name: v2
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;
}

const DEAD = `  conversion:
    strategy: Webhook
    webhook:
      conversionReviewVersions: [v1]
      clientConfig: {url: "https://127.0.0.1:9/convert"}
`;

test('D23: a kind whose conversion is broken stops its own application, deletes nothing of it, and stops nobody else', async () => {
  const group = `g${randomBytes(4).toString('hex')}.example.org`;
  await using plumb = await startFixture({ prefix: 'isolation' }, async ({ git, application }) => {
    await git.create('shop');
    await git.commit('shop', {
      'widgets/kind.yaml': definition(group, 'Widget'),
      'widgets/one.yaml': `apiVersion: ${group}/v1\nkind: Widget\nmetadata: {name: one}\nspec: {size: 1}\n`,
      'widgets/two.yaml': `apiVersion: ${group}/v1\nkind: Widget\nmetadata: {name: two}\nspec: {size: 1}\n`,
      'widgets/env.yaml': configMap('widgets'),
      'web/env.yaml': configMap('web'),
    });
    await application('widgets', { source: { repository: 'shop', path: 'widgets' } });
    await application('web', { source: { repository: 'shop', path: 'web' } });
  });
  await Promise.all([plumb.until('widgets', isHealthy), plumb.until('web', isHealthy)]);

  const commit = await plumb.git.commit('shop', {
    'widgets/kind.yaml': definition(group, 'Widget', DEAD),
    'widgets/one.yaml': `apiVersion: ${group}/v2\nkind: Widget\nmetadata: {name: one}\nspec: {size: 2}\n`,
    'widgets/two.yaml': null,
    'web/env.yaml': configMap('web', { key: 'other' }),
  });
  await plumb.until('web', isHealthyAt(commit));
  const failed = await plumb.until('widgets', ({ status }) => status?.state === 'Failed');

  assert.match(failed.status.message, /conver/i);
  assert.deepEqual(
    plumb.writes.filter(({ verb }) => verb === 'delete'),
    [],
  );
});

test('D31: definitions and their objects in one commit are applied in one go, without a failed attempt', async () => {
  const group = `g${randomBytes(4).toString('hex')}.example.org`;
  const kinds = Array.from({ length: 20 }, (_, index) => `Kind${index}`);
  const objects = kinds.flatMap((kind) => {
    return ['a', 'b', 'c'].map((name) => `apiVersion: ${group}/v1\nkind: ${kind}\nmetadata: {name: ${name}}\n`);
  });
  await using plumb = await startFixture({ prefix: 'isolation' }, async ({ git, application }) => {
    await git.create('shop');
    await git.commit('shop', {
      'deploy/objects.yaml': objects.join('---\n'),
      'deploy/kinds.yaml': kinds.map((kind) => definition(group, kind)).join('---\n'),
    });
    await application('shop');
  });

  const application = await plumb.until('shop', isHealthy);

  assert.equal(application.status.release, 'r1');
  assert.deepEqual(
    plumb.events.filter(({ message }) => message === 'An object could not be written'),
    [],
  );
  const sent = plumb.writes.filter(({ verb, object }) => verb === 'apply' && object.startsWith('Kind'));
  assert.equal(sent.length, objects.length);
});
