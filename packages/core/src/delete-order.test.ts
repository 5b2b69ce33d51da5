import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstToGo, stepsOfDeletion } from './delete-order.ts';
import { objectKey, parseObjectKey, shortNameOf } from './key.ts';
import type { LiveObject } from './live.ts';
import { applyPhase } from './order.ts';

const KINDS = [
  { group: '', kind: 'Namespace' },
  { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
  { group: '', kind: 'ConfigMap' },
  { group: 'apps', kind: 'Deployment' },
  { group: 'example.com', kind: 'Widget' },
  { group: 'admissionregistration.k8s.io', kind: 'ValidatingWebhookConfiguration' },
];

function live(kind: (typeof KINDS)[number], name: string, more: Partial<LiveObject> = {}): LiveObject {
  return {
    key: objectKey({ ...kind, namespace: 'shop', name }),
    apiVersion: 'v1',
    uid: `uid of ${name}`,
    resourceVersion: '1',
    target: undefined,
    fieldsHash: 'f',
    lastEditor: undefined,
    deleting: false,
    health: { status: 'Healthy', message: '' },
    ...more,
  };
}

const [NAMESPACE, CRD, CONFIG, DEPLOYMENT, WIDGET, WEBHOOK] = KINDS as [
  (typeof KINDS)[0],
  (typeof KINDS)[0],
  (typeof KINDS)[0],
  (typeof KINDS)[0],
  (typeof KINDS)[0],
  (typeof KINDS)[0],
];

test('objects go in the reverse order of applying: gates, workloads, what they refer to, definitions, namespaces', () => {
  const steps = stepsOfDeletion([
    live(NAMESPACE, 'n'),
    live(CRD, 'd'),
    live(CONFIG, 'c'),
    live(DEPLOYMENT, 'w'),
    live(WIDGET, 'x'),
    live(WEBHOOK, 'h'),
  ]);

  assert.deepEqual(
    steps.map((step) => step.map(({ key }) => shortNameOf(key))),
    [
      ['ValidatingWebhookConfiguration/h'],
      ['Widget/x', 'Deployment/w'],
      ['ConfigMap/c'],
      ['CustomResourceDefinition/d'],
      ['Namespace/n'],
    ],
  );
});

test('a later wave goes before an earlier one, and what depends on an object before that object', () => {
  const base = live(DEPLOYMENT, 'base');
  const steps = stepsOfDeletion([
    base,
    live(CONFIG, 'late', { wave: 1 }),
    live(CONFIG, 'user', { dependsOn: [base.key] }),
  ]);

  assert.deepEqual(
    steps.map((step) => step.map(({ key }) => shortNameOf(key))),
    [['ConfigMap/late'], ['ConfigMap/user'], ['Deployment/base']],
  );
});

test('whatever the objects, each goes once, none before what needs it, and a circle holds up nobody', () => {
  const objects = fc
    .array(
      fc.record({
        kind: fc.constantFrom(...KINDS),
        wave: fc.integer({ min: -2, max: 2 }),
        needs: fc.array(fc.nat(7), { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map((parts) => {
      const keys = parts.map(({ kind }, index) => objectKey({ ...kind, namespace: 'shop', name: `o${index}` }));
      return parts.map(({ kind, wave, needs }, index) =>
        live(kind, `o${index}`, { wave, dependsOn: needs.flatMap((need) => keys[need] ?? []) }),
      );
    });
  fc.assert(
    fc.property(objects, (all) => {
      const steps = stepsOfDeletion(all);

      assert.deepEqual(new Set(steps.flat()), new Set(all));
      assert.equal(steps.flat().length, all.length);
      let remaining = all;
      for (const step of steps) {
        assert.deepEqual(firstToGo(remaining), step);
        const needed = new Set(remaining.flatMap(({ dependsOn = [] }) => dependsOn));
        const hasFree = remaining.some(({ key }) => !needed.has(key));
        if (hasFree) for (const { key } of step) assert.ok(!needed.has(key));
        const phases = new Set(step.map(({ key }) => applyPhase(parseObjectKey(key) ?? NAMESPACE)));
        assert.equal(phases.size, 1);
        remaining = remaining.filter((one) => !step.includes(one));
      }
    }),
  );
});
