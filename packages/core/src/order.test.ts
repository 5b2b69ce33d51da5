import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ObjectRef } from './key.ts';
import { applyPhase, orderForApply, orderForDelete } from './order.ts';

function ref(kind: string, name = 'x', group = '', namespace = 'shop'): ObjectRef {
  return { group, kind, namespace, name };
}

const application: readonly ObjectRef[] = [
  ref('ValidatingWebhookConfiguration', 'x', 'admissionregistration.k8s.io'),
  ref('Widget', 'x', 'example.org'),
  ref('Deployment', 'b', 'apps'),
  ref('Deployment', 'a', 'apps'),
  ref('RoleBinding', 'x', 'rbac.authorization.k8s.io'),
  ref('Role', 'x', 'rbac.authorization.k8s.io'),
  ref('Secret'),
  ref('ConfigMap'),
  ref('CustomResourceDefinition', 'x', 'apiextensions.k8s.io', ''),
  ref('Namespace', 'shop', '', ''),
];

const self = (item: ObjectRef) => item;
const names = (phases: readonly (readonly ObjectRef[])[]) =>
  phases.map((phase) => phase.map(({ kind, name }) => `${kind}/${name}`).join(' '));

test('what others need is applied first, and by key within a phase', () => {
  assert.deepEqual(names(orderForApply(application, self)), [
    'Namespace/shop',
    'CustomResourceDefinition/x',
    'ConfigMap/x Secret/x Role/x',
    'RoleBinding/x',
    'Deployment/a Deployment/b Widget/x',
    'ValidatingWebhookConfiguration/x',
  ]);
});

test('deletion goes the other way', () => {
  const expected = names(orderForApply(application, self))
    .map((phase) => phase.split(' ').reverse().join(' '))
    .reverse();

  assert.deepEqual(names(orderForDelete(application, self)), expected);
});

test('the order does not depend on the order of the input', () => {
  const expected = orderForApply(application, self);

  fc.assert(
    fc.property(fc.shuffledSubarray([...application], { minLength: application.length }), (shuffled) => {
      assert.deepEqual(orderForApply(shuffled, self), expected);
    }),
  );
});

test('nothing to apply is no phase', () => {
  assert.deepEqual(orderForApply([], self), []);
});

test('a kind is told by its group: a custom Namespace is an ordinary object', () => {
  assert.equal(applyPhase({ group: '', kind: 'Namespace' }), 0);
  assert.equal(
    applyPhase({ group: 'example.org', kind: 'Namespace' }),
    applyPhase({ group: 'apps', kind: 'Deployment' }),
  );
});
