import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNeverFought, withoutFields } from './field-conflict.ts';
import type { KubeObject } from './object.ts';

const CONFLICTS: readonly [manager: string, subresource: string | undefined, field: string, yields: boolean][] = [
  ['kube-controller-manager', 'scale', 'spec.replicas', true],
  ['keda-operator', 'scale', 'spec.replicas', true],
  ['hpa', 'scale', 'spec.replicas', true],
  // A person at the command line.
  ['kubectl', 'scale', 'spec.replicas', false],
  ['kubectl-edit', undefined, 'spec.replicas', false],
  ['cert-manager-cainjector', undefined, 'webhooks[name="a.example.com"].clientConfig.caBundle', true],
  ['cert-manager-cainjector', undefined, 'webhooks[name="a.example.com"].failurePolicy', false],
  ['vpa-updater', undefined, 'spec.template.spec.containers[name="app"].resources.requests.cpu', true],
  ['somebody-else', undefined, 'spec.replicas', false],
];

for (const [manager, subresource, field, yields] of CONFLICTS) {
  test(`${field} of ${manager}${subresource === undefined ? '' : ` by ${subresource}`} is ${yields ? 'left to it' : 'taken'}`, () => {
    assert.equal(isNeverFought({ manager, subresource, field }), yields);
  });
}

const object = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'app', labels: { 'a.b/c': 'x', keep: 'y' }, finalizers: ['one', 'two'] },
  spec: {
    replicas: 2,
    template: { spec: { containers: [{ name: 'a', image: '1', ports: [{ containerPort: 80 }] }, { name: 'b' }] } },
  },
} as unknown as KubeObject;

const FIELDS: readonly [field: string, gone: string][] = [
  ['spec.replicas', '"replicas":2,'],
  ['spec.template.spec.containers[name="a"].image', ',"image":"1"'],
  ['spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"]', '{"containerPort":80}'],
  ['metadata.labels["a.b/c"]', '"a.b/c":"x",'],
  ['metadata.finalizers[="two"]', ',"two"'],
  ['spec.nothing.of.the.kind', ''],
  ['spec.template.spec.containers[name="c"].image', ''],
];

for (const [field, gone] of FIELDS) {
  test(`an object without ${field}`, () => {
    assert.equal(JSON.stringify(withoutFields(object, [field])), JSON.stringify(object).replace(gone, ''));
  });
}
