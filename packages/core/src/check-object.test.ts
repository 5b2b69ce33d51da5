import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkObjects, type CheckedObjects } from './check-object.ts';
import type { JsonObject } from './object.ts';

function check(...values: readonly JsonObject[]): CheckedObjects {
  const documents = values.map((value, index) => ({ value, origin: { file: 'a.yaml', line: 10 * (index + 1) } }));
  return checkObjects(documents, { namespace: 'shop' });
}

function summaries(...values: readonly JsonObject[]): readonly string[] {
  return check(...values).errors.map((error) => `${error.code} ${error.field ?? ''}`.trimEnd());
}

function configMap(name: string, more: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...more };
}

function deployment(podSpec: JsonObject): JsonObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec: { template: { spec: podSpec } } };
}

test('a good object passes as it is written', () => {
  const object = configMap('a', { data: { empty: '', list: [], map: {} } as JsonObject });

  const { objects, errors } = check(object);

  assert.deepEqual(errors, []);
  assert.equal(objects[0]?.object, object);
});

test('invisible characters in names are refused and shown escaped (B12)', () => {
  for (const char of ['\u202e', '\u200b', '\u2066', '\ufeff', '\n', '\u0000', '\u007f', '\ud800']) {
    const { errors } = check(configMap(`pay${char}ment`));

    assert.equal(errors[0]?.code, 'NameInvalid');
    assert.ok(errors[0]?.message.includes(`pay\\u{${char.codePointAt(0)?.toString(16)}}ment`), errors[0]?.message);
    assert.equal(check({ ...configMap('a'), metadata: { name: 'a', namespace: char } }).errors[0]?.code, 'NameInvalid');
  }
});

test('lists are flattened up to five deep, items of typed lists get the kind of their list (B15)', () => {
  const list = (items: readonly JsonObject[]): JsonObject => ({ apiVersion: 'v1', kind: 'List', items });
  const nested = (depth: number): JsonObject => (depth === 0 ? configMap('deep') : list([nested(depth - 1)]));

  const typed = check({ apiVersion: 'v1', kind: 'ConfigMapList', items: [{ metadata: { name: 'a' } }] });

  assert.deepEqual(
    check(nested(5)).objects.map(({ object }) => object.metadata.name),
    ['deep'],
  );
  assert.deepEqual(summaries(nested(6)), ['ObjectInvalid']);
  assert.deepEqual(typed.objects[0]?.object, configMap('a'));
  assert.deepEqual(check(list([]), { apiVersion: 'v1', kind: 'List' }), { objects: [], errors: [] });
  assert.deepEqual(summaries(list(['text' as unknown as JsonObject])), ['NotAnObject']);
});

test('more than 20,000 objects are refused (B15)', () => {
  const items = Array.from({ length: 20_001 }, (_, index) => configMap(`c${index}`));

  assert.deepEqual(summaries({ apiVersion: 'v1', kind: 'List', items }), ['TooManyDocs']);
});

test('a missing or wrong identity names the field (B16)', () => {
  assert.deepEqual(summaries({ kind: 'ConfigMap', metadata: { name: 'a' } }), ['ObjectInvalid apiVersion']);
  assert.deepEqual(summaries({ apiVersion: 'a/b/c', kind: 'X', metadata: { name: 'a' } }), [
    'ObjectInvalid apiVersion',
  ]);
  assert.deepEqual(summaries({ apiVersion: 'v1', metadata: { name: 'a' } }), ['ObjectInvalid kind']);
  assert.deepEqual(summaries({ apiVersion: 'v1', kind: 'ConfigMap' }), ['ObjectInvalid metadata']);
  assert.deepEqual(summaries({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }), ['ObjectInvalid metadata.name']);
  assert.deepEqual(summaries({ ...configMap('a'), metadata: { name: 7 } }), ['ObjectInvalid metadata.name']);
  assert.deepEqual(summaries(configMap('a'.repeat(254))), ['NameInvalid metadata.name']);
  assert.deepEqual(summaries(configMap('a/b')), ['NameInvalid metadata.name']);
  assert.deepEqual(summaries(configMap('..')), ['NameInvalid metadata.name']);
  assert.deepEqual(summaries({ ...configMap('a'), metadata: { name: 'a', labels: { x: true } } }), [
    'ObjectInvalid metadata.labels',
  ]);
});

test('a file that is no manifest at all is told how to leave it out (B16)', () => {
  const { errors } = check({ name: 'package', version: '1.0.0' });

  assert.deepEqual([errors.length, errors[0]?.code], [1, 'ObjectInvalid']);
  assert.match(errors[0]?.fix ?? '', /exclude/);
});

test('names that only some kinds allow are left to the API server', () => {
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'system:Read@x' } };

  assert.deepEqual(summaries(role), []);
});

test('an object that is defined twice names both places (B17)', () => {
  const { objects, errors } = check(
    configMap('a'),
    { ...configMap('a'), apiVersion: 'v1', metadata: { name: 'a', namespace: 'shop' } },
    { ...configMap('a'), metadata: { name: 'a', namespace: 'other' } },
  );

  assert.equal(objects.length, 2);
  assert.deepEqual(
    errors.map((error) => [error.code, error.message, error.where]),
    [['DuplicateObject', 'ConfigMap/a: defined twice: a.yaml:10 and a.yaml:20', { file: 'a.yaml', line: 20 }]],
  );
});

test('one kind in two versions is one object (B17)', () => {
  const at = (apiVersion: string) => ({ apiVersion, kind: 'Deployment', metadata: { name: 'a' } });

  assert.deepEqual(summaries(at('apps/v1'), at('apps/v1beta1')), ['DuplicateObject']);
  assert.deepEqual(summaries(at('apps/v1'), at('example.com/v1')), []);
});

test('two entries for one key of a merged list are found (B18)', () => {
  const container = (more: JsonObject) => deployment({ containers: [{ name: 'app', ...more }] });
  const at = 'spec.template.spec.containers[app]';

  assert.deepEqual(summaries(container({ env: [{ name: 'A' }, { name: 'A' }] })), [`DuplicateListKey ${at}.env`]);
  assert.deepEqual(summaries(container({ ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'TCP' }] })), [
    `DuplicateListKey ${at}.ports`,
  ]);
  assert.deepEqual(
    summaries(container({ ports: [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }] })),
    [],
  );
  assert.deepEqual(summaries(container({ volumeMounts: [{ mountPath: '/a' }, { mountPath: '/a' }] })), [
    `DuplicateListKey ${at}.volumeMounts`,
  ]);
  assert.deepEqual(summaries(deployment({ containers: [{ name: 'a' }, { name: 'a' }], volumes: [] })), [
    'DuplicateListKey spec.template.spec.containers',
  ]);
  const service = (ports: readonly JsonObject[]): JsonObject => ({
    ...configMap('s'),
    kind: 'Service',
    spec: { ports },
  });
  assert.deepEqual(summaries(service([{ port: 80 }, { port: 80, protocol: 'TCP' }])), ['DuplicateListKey spec.ports']);
  const hooks = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' };
  assert.deepEqual(summaries({ ...hooks, metadata: { name: 'a' }, webhooks: [{ name: 'x' }, { name: 'x' }] }), [
    'DuplicateListKey webhooks',
  ]);
});

test('fields that the API server owns are refused, unless a generator left them empty (B19)', () => {
  const metadata = (more: JsonObject) => ({ ...configMap('a'), metadata: { name: 'a', ...more } });

  for (const field of [
    'resourceVersion',
    'uid',
    'selfLink',
    'deletionTimestamp',
    'creationTimestamp',
    'generateName',
  ]) {
    assert.deepEqual(summaries(metadata({ [field]: 'x' })), [`ForbiddenField metadata.${field}`]);
  }
  assert.deepEqual(summaries(metadata({ managedFields: [{ manager: 'x' }] })), [
    'ForbiddenField metadata.managedFields',
  ]);
  assert.deepEqual(summaries(metadata({ ownerReferences: [{ uid: 'x' }] })), [
    'ForbiddenField metadata.ownerReferences',
  ]);
  assert.deepEqual(summaries({ apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'x-' } }), [
    'ForbiddenField metadata.generateName',
  ]);
  assert.deepEqual(summaries(configMap('a', { status: { ready: true } })), ['ForbiddenField status']);
  const generated = { ...metadata({ creationTimestamp: null }), status: { conditions: [], names: { kind: '' } } };
  assert.deepEqual(check(generated).objects[0]?.object, configMap('a'));
});

test('our own marks of membership cannot be forged (B20)', () => {
  const forged = (metadata: JsonObject) => ({ ...configMap('a'), metadata: { name: 'a', ...metadata } });

  assert.deepEqual(summaries(forged({ annotations: { 'plumb.dev/tracking': 'x' } })), [
    'ForbiddenField metadata.annotations[plumb.dev/tracking]',
  ]);
  assert.deepEqual(summaries(forged({ labels: { 'applyset.kubernetes.io/part-of': 'x' } })), [
    'ForbiddenField metadata.labels[applyset.kubernetes.io/part-of]',
  ]);
});

test('what the API server would refuse for its size is found before it is sent (B21)', () => {
  const annotated = (bytes: number) => ({
    ...configMap('a'),
    metadata: { name: 'a', annotations: { k: 'x'.repeat(bytes - 1) } },
  });
  const custom = (bytes: number) => ({ ...configMap('a'), apiVersion: 'x.io/v1', kind: 'X', spec: 'x'.repeat(bytes) });

  assert.deepEqual(summaries(annotated(262_144)), []);
  assert.deepEqual(summaries(annotated(262_145)), ['TooLarge metadata.annotations']);
  assert.deepEqual(summaries(configMap('a', { data: { k: 'x'.repeat(1024 * 1024) } })), ['TooLarge data']);
  assert.deepEqual(summaries(configMap('a', { data: { k: 'x'.repeat(1024 * 1024 - 1) } })), []);
  assert.deepEqual(summaries(configMap('a', { data: { k: 'é'.repeat(600_000) } })), ['TooLarge data']);
  assert.deepEqual(summaries(custom(1_600_000)), ['TooLarge']);
  assert.deepEqual(summaries(custom(1_500_000)), []);
});

test('a Secret that is not base64 is refused without its value (B23)', () => {
  const canary = 'c4n4ry secret!';
  const secret = (more: JsonObject) => ({ ...configMap('a', more), kind: 'Secret' });

  const { errors } = check(secret({ data: { password: canary, good: 'aGk=' } }));

  assert.deepEqual(
    errors.map((error) => [error.code, error.field]),
    [['ObjectInvalid', 'data[password]']],
  );
  assert.equal(JSON.stringify(errors.map((error) => [error.message, error.toRecord()])).includes('c4n4ry'), false);
  assert.deepEqual(summaries(secret({ data: { a: 'aG\nk=\n' }, stringData: { b: canary } })), []);
  assert.deepEqual(summaries(secret({ stringData: { b: 1 } })), ['ObjectInvalid stringData']);
});

test('null map values are dropped, null list items stay', () => {
  const { objects } = check(configMap('a', { data: { keep: 'x', drop: null }, list: [null, { a: null }] }));

  assert.deepEqual(objects[0]?.object, configMap('a', { data: { keep: 'x' }, list: [null, {}] }));
});
