import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject, ManagedFieldsEntry } from './object.ts';
import { takeOver } from './take-over.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function entry(manager: string, operation: 'Apply' | 'Update', fieldsV1: JsonObject): ManagedFieldsEntry {
  return { manager, operation, apiVersion: 'v1', time: '2026-01-02T03:04:05Z', fieldsType: 'FieldsV1', fieldsV1 };
}

function data(...names: readonly string[]): JsonObject {
  return { 'f:data': Object.fromEntries(names.map((name) => [`f:${name}`, {}])) };
}

function object(entries: readonly ManagedFieldsEntry[], lastApplied?: object): KubeObject {
  const annotations = lastApplied === undefined ? {} : { [LAST_APPLIED]: JSON.stringify(lastApplied) };
  const metadata = { name: 'env', namespace: 'shop', resourceVersion: '7', annotations, managedFields: entries };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

const OWN = entry('plumb', 'Apply', data('a'));

const TABLE: readonly [name: string, object: KubeObject, managers: readonly string[], leftovers: readonly string[]][] =
  [
    [
      'all that an Apply had',
      object([OWN, entry('kustomize-controller', 'Apply', data('a', 'b'))]),
      ['kustomize-controller'],
      ['data.b'],
    ],
    [
      'what kubectl applied, and not what the server filled in',
      object([OWN, entry('kubectl-client-side-apply', 'Update', data('a', 'b', 'filledIn'))], {
        data: { a: '1', b: '2' },
      }),
      ['kubectl-client-side-apply'],
      ['data.b'],
    ],
    [
      'the marks of Helm, and nothing else of it',
      object([
        OWN,
        entry('helm', 'Update', {
          ...data('a', 'b'),
          'f:metadata': { 'f:annotations': { 'f:meta.helm.sh/release-name': {} } },
        }),
      ]),
      ['helm'],
      ['metadata.annotations["meta.helm.sh/release-name"]'],
    ],
    [
      'list items by their keys, with a protocol that nobody wrote',
      object(
        [
          OWN,
          entry('argocd-controller', 'Update', {
            'f:spec': {
              'f:ports': {
                'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} },
                'k:{"port":81,"protocol":"TCP"}': { '.': {}, 'f:port': {} },
              },
            },
          }),
        ],
        { spec: { ports: [{ port: 80 }] } },
      ),
      ['argocd-controller'],
      ['spec.ports[port=80,protocol="TCP"].port'],
    ],
    [
      'no replicas',
      object([OWN, entry('argocd-controller', 'Apply', { 'f:spec': { 'f:replicas': {}, 'f:paused': {} } })]),
      ['argocd-controller'],
      ['spec.paused'],
    ],
    [
      'what is named by another version only',
      object([OWN, { ...entry('kubectl', 'Apply', data('b')), apiVersion: 'v1beta1' }]),
      ['kubectl'],
      [],
    ],
    ['an annotation whose tool is no longer on record', object([OWN], { data: {} }), [], []],
  ];

for (const [name, live, managers, leftovers] of TABLE) {
  test(`taking over: ${name}`, () => {
    const change = takeOver(live);

    assert.deepEqual(change?.managers, managers);
    assert.deepEqual(change?.leftovers, leftovers);
    assert.deepEqual(change?.patch[0], { op: 'replace', path: '/metadata/resourceVersion', value: '7' });
    const kept = change?.patch[1]?.['value'] as unknown as readonly ManagedFieldsEntry[];
    assert.deepEqual(
      kept.map(({ manager }) => manager),
      ['plumb'],
    );
  });
}

const NOTHING: readonly [name: string, object: KubeObject][] = [
  ['an object that only we apply', object([OWN])],
  [
    'controllers, people and the subresources of a former tool',
    object([
      OWN,
      entry('kube-controller-manager', 'Update', data('b')),
      entry('kubectl-edit', 'Update', data('c')),
      { ...entry('argocd-controller', 'Update', data('d')), subresource: 'status' },
    ]),
  ],
  ['an object that we have not applied', object([entry('helm', 'Update', data('a'))])],
];

for (const [name, live] of NOTHING) {
  test(`nothing is taken over from ${name}`, () => {
    assert.equal(takeOver(live), undefined);
  });
}

test('the copy that kubectl keeps goes in the same patch', () => {
  const change = takeOver(object([OWN, entry('kubectl-client-side-apply', 'Update', data('a'))], { data: { a: '1' } }));

  assert.deepEqual(change?.patch[2], {
    op: 'remove',
    path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration',
  });
});
