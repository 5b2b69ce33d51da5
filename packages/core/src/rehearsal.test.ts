import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision } from './decide.ts';
import { arrange, type DesiredObject } from './desired.ts';
import type { ErrorCode } from './error-codes.ts';
import { PlumbError } from './error.ts';
import { shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';
import type { KubeObject } from './object.ts';
import { isForeseen, rehearsalOf, rehearsedState, type Rehearsal, type Rehearsed } from './rehearsal.ts';

const objects: readonly KubeObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'inside', namespace: 'new' } },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b', namespace: 'shop' } },
  {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.org' },
    spec: { group: 'example.org', names: { kind: 'Widget' }, scope: 'Namespaced' },
  },
  { apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'shop' } },
];
const desired = new Map(
  arrange(
    objects.map((object) => ({ object, origin: { file: 'all.yaml' } })),
    [],
  ).objects.map((object) => [shortNameOf(object.key), object]),
);

function wish(name: string): DesiredObject {
  const object = desired.get(name);
  if (object === undefined) throw new Error(`no ${name}`);
  return object;
}

function live(key: ObjectKey): LiveObject {
  return {
    key,
    apiVersion: 'v1',
    uid: `uid of ${key}`,
    resourceVersion: '5',
    target: 'shop/web' as TargetKey,
    fieldsHash: 'f',
    lastEditor: undefined,
    deleting: false,
    health: { status: 'Healthy', message: 'fine' },
  };
}

function rehearse(
  change: {
    readonly writes: readonly string[];
    readonly there: readonly string[];
    readonly deletes?: number;
    readonly takesFields?: boolean;
  },
  answers: ReadonlyMap<ObjectKey, Rehearsed> = new Map(),
): Rehearsal {
  const there = new Map(change.there.map((name) => [wish(name).key, live(wish(name).key)]));
  const decisions = change.writes.map((name): Decision => {
    const { key } = wish(name);
    const action = there.has(key) ? 'update' : 'create';
    return { action, key, desired: wish(name), reason: there.has(key) ? 'changed' : 'absent', force: true };
  });
  const gone = Array.from({ length: change.deletes ?? 0 }, (_, index) =>
    live(`/ConfigMap/shop/gone-${index}` as ObjectKey),
  );
  const { takesFields = false } = change;
  return rehearsalOf({ decisions, deletions: gone, answers, now: 0, takesFields, liveOf: (key) => there.get(key) });
}

const CHANGES: readonly [name: string, change: Parameters<typeof rehearse>[0], asked: readonly string[]][] = [
  ['an application that is new', { writes: ['ConfigMap/a', 'ConfigMap/b'], there: [] }, []],
  [
    'an application that is new and takes the fields of others: its objects may be there',
    { writes: ['ConfigMap/a', 'ConfigMap/b'], there: [], takesFields: true },
    ['ConfigMap/a', 'ConfigMap/b'],
  ],
  [
    'a single object that is new and takes the fields of others',
    { writes: ['ConfigMap/a'], there: [], takesFields: true },
    [],
  ],
  ['a single object that changes', { writes: ['ConfigMap/a'], there: ['ConfigMap/a'] }, []],
  ['one that changes and one that is new', { writes: ['ConfigMap/a', 'ConfigMap/b'], there: ['ConfigMap/a'] }, []],
  ['a deletion alone', { writes: [], there: [], deletes: 2 }, []],
  [
    'two live objects',
    { writes: ['ConfigMap/a', 'ConfigMap/b'], there: ['ConfigMap/a', 'ConfigMap/b'] },
    ['ConfigMap/a', 'ConfigMap/b'],
  ],
  [
    'a new object and a deletion: a rename',
    { writes: ['ConfigMap/a'], there: [], deletes: 1 },
    ['ConfigMap/a', 'ConfigMap/gone-0'],
  ],
  [
    'a namespace that comes with the change, and what is in it',
    {
      writes: ['Namespace/new', 'ConfigMap/inside', 'ConfigMap/a', 'ConfigMap/b'],
      there: ['ConfigMap/a', 'ConfigMap/b'],
    },
    ['Namespace/new', 'ConfigMap/a', 'ConfigMap/b'],
  ],
  [
    'a definition that changes with an object of its kind',
    {
      writes: ['CustomResourceDefinition/widgets.example.org', 'Widget/w'],
      there: ['CustomResourceDefinition/widgets.example.org', 'Widget/w'],
    },
    ['CustomResourceDefinition/widgets.example.org'],
  ],
  [
    'an object whose definition stays as it is',
    {
      writes: ['ConfigMap/a', 'Widget/w'],
      there: ['ConfigMap/a', 'CustomResourceDefinition/widgets.example.org', 'Widget/w'],
    },
    ['ConfigMap/a', 'Widget/w'],
  ],
];

for (const [name, change, asked] of CHANGES) {
  test(`what is tried first: ${name}`, () => {
    const { writes, deletions } = rehearse(change);
    assert.deepEqual(
      [...writes, ...deletions].map(({ key }) => shortNameOf(key)),
      asked,
    );
  });
}

test('nothing is asked twice, as long as wish and object stay what they are', () => {
  const change = { writes: ['ConfigMap/a', 'ConfigMap/b'], there: ['ConfigMap/a', 'ConfigMap/b'] };
  const answers = new Map(
    change.writes.map((name): [ObjectKey, Rehearsed] => {
      const { key, hash } = wish(name);
      return [key, { hash, state: rehearsedState(live(key)), error: undefined, retryAt: undefined }];
    }),
  );
  assert.deepEqual(rehearse(change, answers).writes, []);

  const { key, hash } = wish('ConfigMap/a');
  const old = (answer: Partial<Rehearsed>): ReadonlyMap<ObjectKey, Rehearsed> =>
    new Map([
      ...answers,
      [key, { hash, state: rehearsedState(live(key)), error: undefined, retryAt: undefined, ...answer }],
    ]);
  assert.equal(rehearse(change, old({ hash: 'another wish' })).writes.length, 1);
  assert.equal(rehearse(change, old({ state: 'another object' })).writes.length, 1);
});

const VERDICTS: readonly [code: ErrorCode, changing: string, foreseen: boolean][] = [
  ['FieldImmutable', '/ConfigMap/shop/a', true],
  ['AdmissionDenied', '/ConfigMap/shop/a', true],
  ['AdmissionDenied', '/LimitRange/shop/a', false],
  ['AdmissionDenied', 'admissionregistration.k8s.io/ValidatingWebhookConfiguration//a', false],
  ['Forbidden', 'rbac.authorization.k8s.io/Role/shop/a', false],
  ['Forbidden', '/ConfigMap/shop/a', true],
  ['QuotaExceeded', '/ResourceQuota/shop/a', false],
  // Nobody's word on what comes: busy, down, or unable to tell.
  ['ServerError', '/ConfigMap/shop/a', false],
  ['TooManyRequests', '/ConfigMap/shop/a', false],
  ['DryRunUnsupported', '/ConfigMap/shop/a', false],
];

for (const [code, changing, foreseen] of VERDICTS) {
  test(`${code} beside a change of ${changing} is ${foreseen ? 'foreseen' : 'no forecast'}`, () => {
    assert.equal(isForeseen(new PlumbError(code, code), [changing as ObjectKey]), foreseen);
  });
}
