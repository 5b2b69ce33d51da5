import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectKey, targetKey } from '@plumb/core';
import { keepMessage } from './keep-message.ts';

const target = targetKey({ namespace: 'default', application: 'shop', environment: 'prod' });
const keyOf = (name: string) => objectKey({ group: '', kind: 'ConfigMap', namespace: 'default', name });

test('a message has a short first line, the reason, and what to find it by', () => {
  const changes = [
    {
      path: 'spec.template.spec.containers[name="app"].image',
      before: 'registry.example.com/a:1',
      after: 'other.example.com/a:1',
    },
    { path: 'spec.replicas', before: 3 },
  ];

  const message = keepMessage({
    target,
    objects: [{ key: keyOf('a'), changes, changedBy: [] }],
    reason: 'first\u001b[31m\nsecond\n',
  });

  assert.deepEqual(message.split('\n'), [
    'Keep ConfigMap/a of shop in prod: image registry.example.com/a:1 → othe…',
    '',
    'first[31m',
    'second',
    '',
    'Changed on the cluster, and kept as it is:',
    '- image registry.example.com/a:1 → other.example.com/a:1',
    '- replicas removed (was 3)',
    '',
    'Plumb-Target: default/shop/prod',
    'Plumb-Keep: default/ConfigMap/a spec.template.spec.containers[name="app"].image',
    'Plumb-Keep: default/ConfigMap/a spec.replicas',
    '',
  ]);
});

test('of several objects each line names its own, and a hold that left them is named', () => {
  const change = { path: 'data.LEVEL', before: 'info', after: 'debug' };

  const message = keepMessage({
    target,
    objects: [
      { key: keyOf('a'), changes: [change], changedBy: ['dana', 'kubectl-edit'] },
      { key: keyOf('b'), changes: [change], changedBy: ['dana'] },
    ],
    reason: 'INC-9',
    hold: 'default/shop-prod-1',
  });

  assert.deepEqual(message.split('\n'), [
    'Keep edits of 2 objects of shop in prod',
    '',
    'INC-9',
    '',
    'Changed on the cluster by dana, kubectl-edit, and kept as it is:',
    '- ConfigMap/a data LEVEL info → debug',
    '- ConfigMap/b data LEVEL info → debug',
    '',
    'Plumb-Target: default/shop/prod',
    'Plumb-Hold: default/shop-prod-1',
    'Plumb-Keep: default/ConfigMap/a data.LEVEL',
    'Plumb-Keep: default/ConfigMap/b data.LEVEL',
    '',
  ]);
});
