import assert from 'node:assert/strict';
import { test } from 'node:test';
import { place } from './desired.ts';
import type { KubeObject } from './object.ts';
import { type PlanItem } from './plan.ts';
import { plannedWaits, waitText } from './planned-waits.ts';

function object(kind: string, name: string, annotations: Record<string, string> = {}): KubeObject {
  const group = { Job: 'batch/', Deployment: 'apps/', CustomResourceDefinition: 'apiextensions.k8s.io/' }[kind] ?? '';
  return { apiVersion: kind === 'Widget' ? 'example.com/v1' : `${group}v1`, kind, metadata: { name, annotations } };
}

const DEFINITION: KubeObject = {
  ...object('CustomResourceDefinition', 'widgets.example.com'),
  spec: { group: 'example.com', scope: 'Namespaced', names: { kind: 'Widget', plural: 'widgets' }, versions: [] },
};

/** The waits in words, where the objects of these names get these actions and the others stay as they are. */
function waitsOf(
  objects: readonly KubeObject[],
  actions: Readonly<Record<string, PlanItem['action']>>,
): readonly string[] {
  const { desired, errors } = place(
    objects.map((each) => ({ object: each, origin: { file: 'a.yaml', line: 1 } })),
    { target: 'default/shop' as never, namespace: 'shop', applySet: 'x', scopeOf: () => 'namespaced' },
  );
  assert.deepEqual(errors, []);
  const items = [...desired.objects, ...desired.hooks].flatMap(({ key, object: { metadata } }): readonly PlanItem[] => {
    const action = actions[metadata.name];
    return action === undefined ? [] : [{ action, key, changes: [], predicted: false }];
  });
  return plannedWaits(desired, items).map(waitText);
}

const HOOK = 'plumb.dev/hook';
const WAVE = 'plumb.dev/sync-wave';

test('what is written is waited for wave by wave, between the hooks before and after', () => {
  const objects = [
    object('Job', 'smoke', { [HOOK]: 'PostSync' }),
    object('Job', 'warm', { [HOOK]: 'Sync', [WAVE]: '1' }),
    object('Job', 'migrate', { [HOOK]: 'PreSync' }),
    object('Deployment', 'api', { [WAVE]: '1' }),
    object('Deployment', 'web', { [WAVE]: '1' }),
    object('Deployment', 'db'),
  ];
  assert.deepEqual(waitsOf(objects, { api: 'change', web: 'create', db: 'change' }), [
    'Job/migrate has succeeded (PreSync)',
    'Deployment/db is healthy',
    'Deployment/api, Deployment/web are healthy (wave 1)',
    'Job/warm has succeeded (Sync)',
    'Job/smoke has succeeded (PostSync)',
  ]);
});

test('a plan without anything to do waits for nothing, whatever hooks there are', () => {
  assert.deepEqual(waitsOf([object('Deployment', 'api'), object('Job', 'migrate', { [HOOK]: 'PreSync' })], {}), []);
});

test('what stays as it is, what has no health of its own and what is refused is not waited for', () => {
  const objects = [object('Deployment', 'api'), object('ConfigMap', 'settings'), object('Deployment', 'web')];
  assert.deepEqual(waitsOf(objects, { settings: 'change', web: 'blocked' }), []);
});

test('definitions that the same plan brings are established first', () => {
  assert.deepEqual(waitsOf([object('Widget', 'a'), DEFINITION], { a: 'create', 'widgets.example.com': 'create' }), [
    'CustomResourceDefinition/widgets.example.com is established',
    'Widget/a is healthy',
  ]);
});

test('what is deleted, or made anew, has to be gone', () => {
  assert.deepEqual(
    waitsOf([object('Deployment', 'api'), object('ConfigMap', 'old')], { api: 'replace', old: 'delete' }),
    ['Deployment/api is gone', 'Deployment/api is healthy', 'ConfigMap/old is gone'],
  );
});
