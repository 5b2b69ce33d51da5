import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatFieldPath, valueAt } from '../field-path.ts';
import type { Json, JsonObject, KubeObject } from '../object.ts';
import { checkSchema, crdSchemas } from './check-schema.ts';
import { isNamespaced } from './kind-scope.ts';

function object(apiVersion: string, kind: string, fields: object = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: 'a' }, ...fields };
}

function deployment(spec: object, container: object = {}): KubeObject {
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'app', ...container }] } };
  return object('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { app: 'a' } }, template, ...spec } });
}

/** `rule path: message → fix` of each fault. */
function faultsOf(checked: KubeObject, definitions: readonly KubeObject[] = []): readonly string[] {
  return checkSchema(checked, crdSchemas(definitions)).faults.map(
    ({ rule, path, message, fix }) => `${rule} ${formatFieldPath(path)}: ${message} → ${fix}`,
  );
}

const builtIn: readonly (readonly [string, KubeObject, readonly string[]])[] = [
  [
    'nothing about a good Deployment',
    deployment({ replicas: 2 }, { image: 'a:1', ports: [{ containerPort: 80 }] }),
    [],
  ],
  [
    'a misspelt field, with the one that was meant',
    deployment({ replica: 2 }),
    ['unknown-field spec.replica: spec.replica is not a field of DeploymentSpec → Did you mean replicas?'],
  ],
  [
    'a field at the wrong level',
    object('apps/v1', 'Deployment', { replicas: 2 }),
    ['unknown-field replicas: replicas is not a field of Deployment → Remove it, or put it where it belongs.'],
  ],
  [
    'a field deep in a list, by the name of its item',
    deployment({}, { imagePullPolcy: 'Always' }),
    [
      'unknown-field spec.template.spec.containers[name="app"].imagePullPolcy: spec.template.spec.containers[name="app"].imagePullPolcy is not a field of Container → Did you mean imagePullPolicy?',
    ],
  ],
  [
    'a number where a text belongs',
    deployment({}, { env: [{ name: 'PORT', value: 8080 }] }),
    [
      'wrong-type spec.template.spec.containers[name="app"].env[name="PORT"].value: spec.template.spec.containers[name="app"].env[name="PORT"].value is a number, not a text → Put it in quotes.',
    ],
  ],
  [
    'a text where a number belongs',
    deployment({ replicas: '2' }),
    ['wrong-type spec.replicas: spec.replicas is a text, not a whole number → Make it a whole number.'],
  ],
  [
    'a map where a list belongs',
    deployment({}, { ports: { containerPort: 80 } }),
    [
      'wrong-type spec.template.spec.containers[name="app"].ports: spec.template.spec.containers[name="app"].ports is a map, not a list → Make it a list.',
    ],
  ],
  [
    'a quantity that is none',
    deployment({}, { resources: { limits: { memory: '512MB' } } }),
    [
      'invalid-value spec.template.spec.containers[name="app"].resources.limits.memory: spec.template.spec.containers[name="app"].resources.limits.memory is no quantity: "512MB" → Did you mean 512Mi?',
    ],
  ],
  [
    'data of a ConfigMap that is no text',
    object('v1', 'ConfigMap', { data: { LEVEL: true } }),
    ['wrong-type data.LEVEL: data.LEVEL is true or false, not a text → Put it in quotes.'],
  ],
  [
    'a version that is gone',
    object('policy/v1beta1', 'PodDisruptionBudget'),
    [
      'removed-version apiVersion: policy/v1beta1 of PodDisruptionBudget is gone since Kubernetes 1.25 → Write it as policy/v1.',
    ],
  ],
  [
    'a kind of another group',
    object('v1', 'Deployment'),
    ['unknown-kind apiVersion: v1 has no kind Deployment → Write apiVersion: apps/v1.'],
  ],
  [
    'a misspelt kind',
    object('apps/v1', 'Deploymnet'),
    ['unknown-kind kind: apps/v1 has no kind Deploymnet → Did you mean Deployment?'],
  ],
  ['nothing about a status, or nulls', deployment({ replicas: null, minReadySeconds: 1 }), []],
  [
    'nothing about a map that is declared as empty',
    object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
      spec: { versions: [{ name: 'v1', subresources: { status: { anything: 'x' } } }] },
    }),
    [],
  ],
  ['nothing about kinds that it does not know', object('example.org/v1', 'Widget', { anything: [1] }), []],
  [
    'nothing about claims that say their kind',
    object('apps/v1', 'StatefulSet', {
      spec: {
        volumeClaimTemplates: [
          { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: {}, status: {} },
        ],
      },
    }),
    [],
  ],
];

for (const [what, checked, expected] of builtIn) {
  test(`the fields of built-in kinds: it tells ${what}`, () => {
    assert.deepEqual(faultsOf(checked), expected);
  });
}

test('what it does not know is told apart from what is fine', () => {
  const known = (checked: KubeObject): boolean => checkSchema(checked, new Map()).isKnown;

  assert.equal(known(deployment({})), true);
  assert.equal(known(object('example.org/v1', 'Widget')), false);
  assert.equal(known(object('resource.k8s.io/v1beta1', 'ResourceClaim')), false);
});

test('the value of a Secret is in no message', () => {
  const secret = object('v1', 'Secret', { stringData: { token: 42_424_242, on: ['hunter2'] } });

  const told = faultsOf(secret).join('\n');

  assert.match(told, /stringData\.token is a number/);
  assert.doesNotMatch(told, /42424242|hunter2/);
});

function definition(properties: Json, more: JsonObject = {}): KubeObject {
  const schema = { type: 'object', properties: { spec: { type: 'object', properties, ...more } } };
  return object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
    spec: {
      group: 'example.org',
      names: { kind: 'Widget', plural: 'widgets' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } },
        { name: 'v1alpha1', served: false, storage: false },
      ],
    },
  });
}

const custom: readonly (readonly [string, KubeObject, Json, readonly string[]])[] = [
  ['what is right', definition({ size: { type: 'integer' } }), { size: 3 }, []],
  ['an unknown field', definition({ size: { type: 'integer' } }), { sise: 3 }, ['unknown-field spec.sise']],
  ['a wrong type', definition({ size: { type: 'integer' } }), { size: '3' }, ['wrong-type spec.size']],
  [
    'a missing field',
    definition({ size: { type: 'integer' } }, { required: ['size'] }),
    {},
    ['missing-field spec.size'],
  ],
  ['a default', definition({ size: { type: 'integer', default: 1 } }, { required: ['size'] }), {}, []],
  [
    'a value that is not listed',
    definition({ m: { type: 'string', enum: ['a'] } }),
    { m: 'b' },
    ['invalid-value spec.m'],
  ],
  ['a pattern', definition({ m: { type: 'string', pattern: '^a+$' } }), { m: 'b' }, ['invalid-value spec.m']],
  ['a pattern of Go alone', definition({ m: { type: 'string', pattern: '(?i)^\\pN' } }), { m: 'b' }, []],
  ['bounds', definition({ n: { type: 'integer', minimum: 1, maximum: 3 } }), { n: 4 }, ['invalid-value spec.n']],
  ['open bounds', definition({ n: { minimum: 1, exclusiveMinimum: true } }), { n: 1 }, ['invalid-value spec.n']],
  ['lengths', definition({ m: { type: 'string', maxLength: 2 } }), { m: 'abc' }, ['invalid-value spec.m']],
  ['items', definition({ l: { type: 'array', items: { type: 'string' } } }), { l: ['a', 1] }, ['wrong-type spec.l[1]']],
  [
    'items by their keys',
    definition({
      l: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: { type: 'object', properties: { name: { type: 'string' }, n: { type: 'integer' } } },
      },
    }),
    {
      l: [
        { name: 'a', n: 1 },
        { name: 'b', n: 'x' },
      ],
    },
    ['wrong-type spec.l[name="b"].n'],
  ],
  [
    'free keys',
    definition({ m: { type: 'object', additionalProperties: { type: 'string' } } }),
    { m: { a: 1 } },
    ['wrong-type spec.m.a'],
  ],
  ['fields that are kept', definition({}, { 'x-kubernetes-preserve-unknown-fields': true }), { any: 1 }, []],
  ['a number or a text', definition({ p: { 'x-kubernetes-int-or-string': true } }), { p: true }, ['wrong-type spec.p']],
  [
    'one of two forms',
    definition({ a: {}, b: {} }, { oneOf: [{ required: ['a'] }, { required: ['b'] }] }),
    { a: 1, b: 1 },
    ['invalid-value spec'],
  ],
  [
    'any of two forms',
    definition({ a: {}, b: {} }, { anyOf: [{ required: ['a'] }, { required: ['b'] }] }),
    {},
    ['invalid-value spec'],
  ],
  ['nothing at all', definition({ size: { type: 'integer', nullable: true } }), { size: null }, []],
];

for (const [what, crd, spec, expected] of custom) {
  test(`a custom resource is held against its definition: ${what}`, () => {
    const widget = object('example.org/v1', 'Widget', { spec });

    const told = checkSchema(widget, crdSchemas([crd])).faults.map(
      ({ rule, path }) => `${rule} ${formatFieldPath(path)}`,
    );

    assert.deepEqual(told, expected);
  });
}

test('a custom resource of a version that its definition does not serve is told', () => {
  assert.deepEqual(faultsOf(object('example.org/v1alpha1', 'Widget'), [definition({})]), [
    'unknown-kind apiVersion: the definition of Widget serves no v1alpha1 → Write one of v1.',
  ]);
});

test('the metadata of a custom resource is held against what every object has', () => {
  const widget = object('example.org/v1', 'Widget', { metadata: { name: 'a', lables: {} } });

  assert.match(
    faultsOf(widget, [definition({})])[0] ?? '',
    /metadata\.lables is not a field of ObjectMeta → Did you mean labels\?/,
  );
});

test('a pattern that would backtrack for ever is left to the server', () => {
  const widget = object('example.org/v1', 'Widget', { spec: { m: `${'a'.repeat(60)}!` } });

  assert.deepEqual(faultsOf(widget, [definition({ m: { type: 'string', pattern: '^(a+)+$' } })]), []);
});

test('whether a kind has a namespace is known of built-in ones', () => {
  assert.equal(isNamespaced(deployment({})), true);
  assert.equal(isNamespaced(object('v1', 'Namespace')), false);
  assert.equal(isNamespaced(object('example.org/v1', 'Widget')), true);
});

test('whatever an object and a definition hold, each fault names a field or its parent', () => {
  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
  const kinds = fc.constantFrom(
    'apps/v1 Deployment',
    'v1 Pod',
    'v1 Secret',
    'example.org/v1 Widget',
    'batch/v1 CronJob',
  );

  fc.assert(
    fc.property(kinds, json, json, json, (name, spec, metadata, properties) => {
      const [apiVersion = '', kind = ''] = name.split(' ');
      const checked = object(apiVersion, kind, { spec, metadata });
      for (const { path, message } of checkSchema(checked, crdSchemas([definition(properties)])).faults) {
        assert.notEqual(message, '');
        assert.notEqual(valueAt(checked, path.slice(0, -1)), undefined);
      }
    }),
  );
});
