import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffObjects, SECRET_VALUE, type FieldChange } from './diff.ts';
import { parseFieldPath } from './field-path.ts';
import { type Json, type JsonObject, type KubeObject } from './object.ts';

function deployment(container: JsonObject, spec: JsonObject = {}, metadata: object = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', ...metadata },
    spec: { replicas: 2, ...spec, template: { spec: { containers: [{ name: 'app', ...container }] } } },
  };
}

const app = 'spec.template.spec.containers[name="app"]';

interface Case {
  readonly says: string;
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly changes: readonly FieldChange[];
}

const containers: readonly Case[] = [
  {
    says: 'a value that changed',
    before: { image: 'shop:1' },
    after: { image: 'shop:2' },
    changes: [{ path: `${app}.image`, before: 'shop:1', after: 'shop:2' }],
  },
  {
    says: 'an added field, as deep as it starts',
    before: {},
    after: { resources: { limits: { cpu: '1' } } },
    changes: [{ path: `${app}.resources`, after: { limits: { cpu: '1' } } }],
  },
  {
    says: 'a removed field',
    before: { workingDir: '/x' },
    after: {},
    changes: [{ path: `${app}.workingDir`, before: '/x' }],
  },
  {
    says: 'variables by name, whatever stands between them',
    before: {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
        { name: 'C', value: '3' },
      ],
    },
    after: {
      env: [
        { name: 'D', value: '4' },
        { name: 'A', value: '9' },
        { name: 'C', value: '3' },
      ],
    },
    changes: [
      { path: `${app}.env[name="A"].value`, before: '1', after: '9' },
      { path: `${app}.env[name="B"]`, before: { name: 'B', value: '2' } },
      { path: `${app}.env[name="D"]`, after: { name: 'D', value: '4' } },
    ],
  },
  {
    says: 'variables in another order, since they may refer to earlier ones',
    before: { env: [{ name: 'A', value: '1' }, { name: 'X' }, { name: 'B', value: '$(A)' }] },
    after: {
      env: [
        { name: 'B', value: '$(A)' },
        { name: 'A', value: '1' },
      ],
    },
    changes: [
      { path: `${app}.env[name="X"]`, before: { name: 'X' } },
      {
        path: `${app}.env`,
        before: [{ name: 'A', value: '1' }, { name: 'X' }, { name: 'B', value: '$(A)' }],
        after: [
          { name: 'B', value: '$(A)' },
          { name: 'A', value: '1' },
        ],
        isOrder: true,
      },
    ],
  },
  {
    says: 'ports by number and protocol, TCP where none is given',
    before: { ports: [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 }] },
    after: {
      ports: [
        { containerPort: 53, protocol: 'TCP', name: 'dns' },
        { containerPort: 53, protocol: 'UDP' },
      ],
    },
    changes: [
      { path: `${app}.ports[containerPort=53,protocol="TCP"].protocol`, after: 'TCP' },
      { path: `${app}.ports[containerPort=53,protocol="TCP"].name`, after: 'dns' },
    ],
  },
  {
    says: 'mounts by path',
    before: { volumeMounts: [{ mountPath: '/a', name: 'x' }] },
    after: { volumeMounts: [{ mountPath: '/a', name: 'y' }] },
    changes: [{ path: `${app}.volumeMounts[mountPath="/a"].name`, before: 'x', after: 'y' }],
  },
  {
    says: 'a list of plain values as one value',
    before: { args: ['-v', '--port=80'] },
    after: { args: ['--port=80'] },
    changes: [{ path: `${app}.args`, before: ['-v', '--port=80'], after: ['--port=80'] }],
  },
  {
    says: 'two variables of one name by position',
    before: {
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    },
    after: {
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '3' },
      ],
    },
    changes: [{ path: `${app}.env[1].value`, before: '2', after: '3' }],
  },
];

for (const { says, before, after, changes } of containers) {
  test(`the difference tells ${says}`, () => {
    assert.deepEqual(diffObjects(deployment(before), deployment(after)), changes);
  });
}

test('sets are compared by value', () => {
  const before = deployment({}, {}, { finalizers: ['a', 'b'] });
  const after = deployment({}, {}, { finalizers: ['c', 'b'] });

  assert.deepEqual(diffObjects(before, after), [
    { path: 'metadata.finalizers[="a"]', before: 'a' },
    { path: 'metadata.finalizers[="c"]', after: 'c' },
  ]);
});

test('unknown lists of maps are compared by position', () => {
  const ingress = (...hosts: readonly string[]): KubeObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web' },
    spec: { rules: hosts.map((host) => ({ host })) },
  });

  assert.deepEqual(diffObjects(ingress('a', 'b'), ingress('a', 'c', 'd')), [
    { path: 'spec.rules[1].host', before: 'b', after: 'c' },
    { path: 'spec.rules[2]', after: { host: 'd' } },
  ]);
});

test('what the server writes, the status and the marks of membership are no difference', () => {
  const live = {
    ...deployment(
      {},
      {},
      {
        uid: 'u',
        resourceVersion: '7',
        generation: 3,
        creationTimestamp: '2026-01-01T00:00:00Z',
        managedFields: [{ manager: 'plumb' }],
        labels: { 'applyset.kubernetes.io/part-of': 'applyset-x-v1' },
        annotations: { 'plumb.dev/tracking': 't', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      },
    ),
    status: { replicas: 2 },
  };

  assert.deepEqual(diffObjects(live, deployment({})), []);
});

test('labels and annotations of people are compared', () => {
  const before = deployment(
    {},
    {},
    { labels: { tier: 'web' }, annotations: { 'a.b/c': '1', 'plumb.dev/tracking': 't' } },
  );
  const after = deployment({}, {}, { annotations: { 'a.b/c': '2' } });

  assert.deepEqual(diffObjects(before, after), [
    { path: 'metadata.labels', before: { tier: 'web' } },
    { path: 'metadata.annotations["a.b/c"]', before: '1', after: '2' },
  ]);
});

test('only the given paths are compared where some are given', () => {
  const paths = [`${app}.image`, 'spec.selector'].map((text) => parseFieldPath(text) ?? []);
  const before = deployment({ image: 'a', tty: false }, { replicas: 1, selector: { app: 'x' } });
  const after = deployment({ image: 'b', tty: true }, { replicas: 2, selector: { app: 'y' } });

  assert.deepEqual(diffObjects(before, after, { paths }), [
    { path: `${app}.image`, before: 'a', after: 'b' },
    { path: 'spec.selector.app', before: 'x', after: 'y' },
  ]);
});

test('an object that is not there differs by its fields', () => {
  const settings: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'env' }, data: { A: '1' } };

  const created = diffObjects(undefined, settings);
  const removed = diffObjects(settings, undefined);

  assert.deepEqual(
    created.map(({ path }) => path),
    ['apiVersion', 'kind', 'metadata', 'data'],
  );
  assert.deepEqual(
    removed.map(({ path }) => path),
    ['apiVersion', 'kind', 'metadata', 'data'],
  );
  assert.deepEqual(diffObjects(undefined, undefined), []);
});

test('the values of a Secret are told as changed, never shown', () => {
  const secret = (data: JsonObject): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data,
  });

  const changes = diffObjects(secret({ a: 'b25l', b: 'dHdv' }), secret({ a: 'b25l', b: 'dGhyZWU=', c: 'Zm91cg==' }));

  assert.deepEqual(changes, [
    { path: 'data.b', before: SECRET_VALUE, after: SECRET_VALUE },
    { path: 'data.c', after: SECRET_VALUE },
  ]);
});

test('a Secret that comes or goes shows its keys alone', () => {
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data: { a: 'b25l' },
    stringData: { b: 'open' },
  };

  for (const change of [...diffObjects(undefined, secret), ...diffObjects(secret, undefined)]) {
    assert.doesNotMatch(JSON.stringify(change), /b25l|open/);
  }
});

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const lists = fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c'), value: fc.nat(2) }, { requiredKeys: [] }));
const spec = fc.record({
  any: json,
  env: lists,
  finalizers: fc.array(fc.constantFrom('x', 'y')),
  ports: fc.array(json),
});
const objects = spec.map((content): KubeObject => ({
  apiVersion: 'x/v1',
  kind: 'X',
  metadata: { name: 'x' },
  spec: content,
}));

test('an object does not differ from itself', () => {
  fc.assert(fc.property(objects, (object) => diffObjects(object, structuredClone(object)).length === 0));
});

test('each side sees the same differences, turned around', () => {
  fc.assert(
    fc.property(objects, objects, (one, other) => {
      const there = diffObjects(one, other).map(({ path, before, after }) => JSON.stringify([path, before, after]));
      const back = diffObjects(other, one).map(({ path, before, after }) => JSON.stringify([path, after, before]));

      assert.deepEqual(there.sort(), back.sort());
    }),
  );
});

test('every difference can be read back as a path', () => {
  fc.assert(
    fc.property(objects, objects, (one, other) => {
      assert.ok(diffObjects(one, other).every(({ path }) => parseFieldPath(path) !== undefined));
    }),
  );
});
