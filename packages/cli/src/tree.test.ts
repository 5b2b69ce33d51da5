import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, KubeObject } from '@plumb/core';
import { treeOf } from './live-tree.ts';
import { treeText } from './verbs/tree.ts';

const PLAIN = { isColored: false, isUnicode: true };
const KILLED = {
  phase: 'Running',
  containerStatuses: [
    {
      name: 'app',
      ready: false,
      restartCount: 4,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
    },
  ],
};

function made(
  apiVersion: string,
  kind: string,
  name: string,
  owner: string | undefined,
  more: Record<string, Json> = {},
): KubeObject {
  const owners =
    owner === undefined
      ? {}
      : { ownerReferences: [{ apiVersion: 'x', kind: 'x', name: 'x', uid: owner, controller: true }] };
  const revision = { annotations: { 'deployment.kubernetes.io/revision': '1' } };
  return { apiVersion, kind, metadata: { name, uid: name, ...owners, ...revision }, ...more };
}

const MEMBERS = [
  made('v1', 'Service', 'api', undefined, { spec: { type: 'ClusterIP', clusterIP: '10.0.0.1' } }),
  made('apps/v1', 'Deployment', 'web', undefined, {
    spec: { replicas: 2 },
    status: { replicas: 2, updatedReplicas: 2 },
  }),
];
const OTHERS = [
  made('apps/v1', 'ReplicaSet', 'web-1', 'web', {
    spec: { replicas: 2 },
    status: { replicas: 2, fullyLabeledReplicas: 2 },
  }),
  made('v1', 'Pod', 'web-1-b', 'web-1', { status: KILLED }),
  made('v1', 'Pod', 'web-1-a', 'web-1', { status: KILLED }),
  made('v1', 'Pod', 'foreign', 'somebody', { status: KILLED }),
];

test('what is worst comes first, pods alike are folded, and what nobody of ours owns is left out', () => {
  const text = treeText('shop', treeOf(MEMBERS, OTHERS), PLAIN);

  assert.deepEqual(
    text
      .split('\n')
      .map((line) => line.replace(/ {3}.*(?=$)/, ''))
      .slice(0, 2),
    ['shop', '├─ ✕ Deployment/web'],
  );
  assert.match(text, /Deployment\/web {3}0 of 2 pods available; 2 pods like web-1-a: OOMKilled, /);
  assert.match(text, /✕ 2 pods OOMKilled \(like web-1-a\)/);
  assert.match(text, /└─ ✓ Service\/api\n$/);
  assert.doesNotMatch(text, /foreign/);
});

test('health in a tree is told by the rules that are given', () => {
  const widget = made('example.org/v1', 'Widget', 'w', undefined, { status: { phase: 'Running' } });

  const [node] = treeOf([widget], [], { assess: () => ({ status: 'Degraded', message: 'by a rule' }) });

  assert.deepEqual(node?.health, { status: 'Degraded', message: 'by a rule' });
});

test('owners that lead in a circle end the tree', () => {
  const [left, right] = [made('v1', 'Pod', 'a', 'b'), made('v1', 'Pod', 'b', 'a')];
  assert.ok(left !== undefined && right !== undefined);

  const text = treeText('shop', treeOf([left], [left, right]), PLAIN);

  assert.ok(text.split('\n').length < 8, text);
});

test('R20: nothing in a name or a message moves the cursor or turns the direction of reading', () => {
  const evil = '\u001b[2J\u202egnp';
  const text = treeText(
    evil,
    treeOf([made('v1', 'Pod', evil, undefined, { status: { phase: 'Failed', message: evil } })], []),
    PLAIN,
  );

  assert.ok(!text.includes('\u001b') && !text.includes('\u202e'), JSON.stringify(text));
});
