import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@plumb/core';
import type { TreeNode } from './live-tree.ts';
import { chooseLogs } from './log-sources.ts';

function pod(name: string, status: 'Healthy' | 'Degraded', fields: object): TreeNode {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, status: fields } as KubeObject;
  return { object, health: { status, message: '' }, children: [] };
}

const container = (name: string, ready: boolean, restarted = false): object => ({
  name,
  ready,
  ...(restarted ? { lastState: { terminated: { exitCode: 1 } } } : {}),
});
const OWNER: TreeNode = {
  object: { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web' } },
  health: { status: 'Degraded', message: '' },
  children: [
    pod('web-1', 'Healthy', { containerStatuses: [container('app', true)] }),
    pod('web-2', 'Degraded', {
      initContainerStatuses: [container('wait', true)],
      containerStatuses: [container('app', true), container('proxy', false, true)],
    }),
  ],
};
const labels = (wanted?: string, isPrevious = false): readonly string[] =>
  chooseLogs([OWNER], { container: wanted, isPrevious }).map(({ label }) => label);

test('pods that are not well come first, and in them the containers that are not ready', () => {
  assert.deepEqual(labels(), ['web-2/proxy', 'web-2/app', 'web-1']);
});

test('one container is read on request, also one that is through', () => {
  assert.deepEqual(labels('wait'), ['web-2/wait']);
  assert.deepEqual(labels('app'), ['web-2/app', 'web-1']);
});

test('a life before is read of those that had one', () => {
  assert.deepEqual(labels(undefined, true), ['web-2/proxy']);
});
