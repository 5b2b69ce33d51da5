import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@plumb/core';
import { isNamed, parseObjectName } from './named-object.ts';

function object(apiVersion: string, kind: string, name: string): KubeObject {
  return { apiVersion, kind, metadata: { name } };
}

test('an object is meant by its kind or the plural of it, in any case, with or without the group', () => {
  const deployment = object('apps/v1', 'Deployment', 'web');
  const policy = object('networking.k8s.io/v1', 'NetworkPolicy', 'web');
  const ingress = object('networking.k8s.io/v1', 'Ingress', 'web');

  for (const text of [
    'Deployment/web',
    'deployment/web',
    'deployments/web',
    'deployments.apps/web',
    'Deployment.apps/web',
  ]) {
    assert.ok(isNamed(parseObjectName(text), deployment), text);
  }
  assert.ok(isNamed(parseObjectName('networkpolicies/web'), policy));
  assert.ok(isNamed(parseObjectName('ingresses/web'), ingress));
  for (const text of ['deployment/other', 'service/web', 'deployments.batch/web', 'deploy/web']) {
    assert.equal(isNamed(parseObjectName(text), deployment), false, text);
  }
});

test('a name may hold a colon and a slash of its own, as those of roles do; half a name is none', () => {
  assert.deepEqual(parseObjectName('ClusterRole/system:a/b'), { kind: 'ClusterRole', name: 'system:a/b' });
  for (const text of ['', 'web', '/web', 'Deployment/']) assert.throws(() => parseObjectName(text), /is not an object/);
});
