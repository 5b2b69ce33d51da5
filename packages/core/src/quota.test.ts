import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from './object.ts';
import { exceededQuotas, type PlannedUse } from './quota.ts';

function quota(hard: JsonObject, used: JsonObject, spec: JsonObject = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'compute', namespace: 'shop' },
    spec: { hard, ...spec },
    status: { hard, used },
  };
}

function deployment(replicas: number, resources: JsonObject, init: readonly JsonObject[] = []): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'shop' },
    spec: {
      replicas,
      template: { spec: { containers: [{ name: 'api', resources }], initContainers: [...init] } },
    },
  };
}

/** What is too much, as `resource needed/left`. */
function excess(quotas: readonly KubeObject[], ...uses: readonly PlannedUse[]): readonly string[] {
  return exceededQuotas(quotas, uses).map(({ resource, needed, left }) => `${resource} ${needed}/${left}`);
}

const HALF = { requests: { cpu: '500m', memory: '1Gi' } };

test('more replicas than the quota has room for are told with what is needed and left', () => {
  const quotas = [
    quota({ cpu: '4', 'requests.memory': '16Gi', pods: '10' }, { cpu: '3', 'requests.memory': '4Gi', pods: '8' }),
  ];
  const use = { before: deployment(2, HALF), after: deployment(6, HALF) };
  assert.deepEqual(excess(quotas, use), ['cpu 2/1', 'pods 4/2']);
});

test('objects that fit one by one may be too much together', () => {
  const quotas = [quota({ pods: '3' }, { pods: '0' })];
  const use = { before: undefined, after: deployment(2, {}) };
  assert.deepEqual(excess(quotas, use), []);
  assert.deepEqual(excess(quotas, use, use), ['pods 4/3']);
});

test('what is deleted or shrinks makes room, and what stays needs none', () => {
  const quotas = [quota({ pods: '3' }, { pods: '3' })];
  const grows = { before: undefined, after: deployment(2, {}) };
  assert.deepEqual(excess(quotas, grows, { before: deployment(2, {}), after: undefined }), []);
  assert.deepEqual(excess(quotas, { before: deployment(9, HALF), after: deployment(9, HALF) }), []);
});

test('limits stand for requests that are not made, and the largest step before counts', () => {
  const quotas = [quota({ 'requests.memory': '1Gi', 'limits.memory': '1Gi' }, {})];
  const use = { before: undefined, after: deployment(1, { limits: { memory: '512Mi' } }) };
  const step = { name: 'init', resources: { limits: { memory: '2Gi' } } };
  assert.deepEqual(excess(quotas, use), []);
  assert.deepEqual(
    excess(quotas, { before: undefined, after: deployment(1, { limits: { memory: '512Mi' } }, [step]) }),
    ['requests.memory 2Gi/1Gi', 'limits.memory 2Gi/1Gi'],
  );
  const sidecar = { ...step, restartPolicy: 'Always' };
  assert.deepEqual(
    excess(quotas, { before: undefined, after: deployment(1, { limits: { memory: '512Mi' } }, [sidecar]) }),
    ['requests.memory 2560Mi/1Gi', 'limits.memory 2560Mi/1Gi'],
  );
});

test('claims count with their storage; quotas with scopes and of other namespaces are left to the server', () => {
  const claim: KubeObject = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop' },
    spec: { resources: { requests: { storage: '20Gi' } } },
  };
  const use = { before: undefined, after: claim };
  const hard = { 'requests.storage': '10Gi', persistentvolumeclaims: '5' };
  assert.deepEqual(excess([quota(hard, {})], use), ['requests.storage 20Gi/10Gi']);
  assert.deepEqual(excess([quota(hard, {}, { scopes: ['BestEffort'] })], use), []);
  const elsewhere = { ...quota(hard, {}), metadata: { name: 'compute', namespace: 'other' } };
  assert.deepEqual(excess([elsewhere], use), []);
});
