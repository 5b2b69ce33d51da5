import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blameFields, type BlamedField } from './blame.ts';
import { parseFieldPath, valueAt } from './field-path.ts';
import { liveFields } from './live-fields.ts';
import type { Json, JsonObject, KubeObject, ManagedFieldsEntry } from './object.ts';

const AT = '2026-01-01T10:00:00Z';
const ours = (fieldsV1: JsonObject): ManagedFieldsEntry => ({
  manager: 'plumb',
  operation: 'Apply',
  time: AT,
  fieldsV1,
});
const theirs = (manager: string, fieldsV1: JsonObject, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry => ({
  manager,
  operation: 'Update',
  time: AT,
  fieldsV1,
  ...more,
});

const inPod = (fields: JsonObject): JsonObject => ({ 'f:spec': { 'f:containers': { 'k:{"name":"app"}': fields } } });

function pod(containers: readonly Json[], ...managedFields: readonly ManagedFieldsEntry[]): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', managedFields },
    spec: { containers },
  };
}

const live = pod(
  [{ name: 'app', image: 'web:2', args: ['a', 'b'], imagePullPolicy: 'Always', env: [{ name: 'LOG', value: 'info' }] }],
  ours(
    inPod({
      '.': {},
      'f:name': {},
      'f:args': {},
      'f:env': { 'k:{"name":"LOG"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
    }),
  ),
  theirs('kubectl-set', inPod({ 'f:image': {} })),
);
const desired = pod([
  { name: 'app', image: 'web:1', args: ['a', 'b'], tty: true, env: [{ name: 'LOG', value: 'info' }] },
]);

const brief = ({ path, value, holders, git, isDifferent }: BlamedField): string =>
  `${isDifferent ? '≠ ' : ''}${path} = ${JSON.stringify(value)} of ${holders.map(({ manager }) => manager).join() || 'nobody'}` +
  (git === undefined ? '' : `, Git ${JSON.stringify(git)}`);

test('each field has its owner, a list that is one value is one line, and what Git wants else is said', () => {
  assert.deepEqual(blameFields(live, desired, { isStamped: false }).map(brief), [
    '≠ spec.containers[name="app"].image = "web:2" of kubectl-set, Git "web:1"',
    'spec.containers[name="app"].args = ["a","b"] of plumb',
    'spec.containers[name="app"].imagePullPolicy = "Always" of nobody',
    'spec.containers[name="app"].env[name="LOG"].value = "info" of plumb',
    '≠ spec.containers[name="app"].tty = undefined of nobody, Git true',
  ]);
});

test('what somebody else owns is attributed; what is ours and what is nobody’s is not', () => {
  const [image, args, policy] = blameFields(live, undefined, { isStamped: false });

  assert.deepEqual(image?.attribution, { tier: 'manager', manager: 'kubectl-set', operation: 'Update', time: AT });
  assert.deepEqual([args?.attribution, policy?.attribution], [undefined, undefined]);
});

test('a stamp of the write that the owner has it from names the user, where stamps are in force', () => {
  const as = `7 - Update ${AT} kubectl-set`;
  const annotations = { 'plumb.dev/touched-by': 'j.doe', 'plumb.dev/touched-as': as };
  const stamped = { ...live, metadata: { ...live.metadata, annotations } };
  const users = [true, false].map((isStamped) => blameFields(stamped, undefined, { isStamped })[0]?.attribution?.user);

  assert.deepEqual(users, ['j.doe', undefined]);
});

test('of several owners ours is first, and one who writes under our name without applying is not us', () => {
  const image = inPod({ 'f:image': {} });
  const later = '2026-01-01T11:00:00Z';
  const shared = pod([{ name: 'app', image: '1' }], theirs('helm', image, { time: later }), ours(image));
  const posing = pod([{ name: 'app', image: '1' }], theirs('plumb', image));

  const [first] = blameFields(shared, undefined, { isStamped: false });
  const [second] = blameFields(posing, undefined, { isStamped: false });

  assert.deepEqual([first?.holders.map(({ manager }) => manager), first?.isOurs], [['plumb', 'helm'], true]);
  assert.equal(second?.isOurs, false);
});

test('an item of a set, a map that is one value, and an empty value are each a field', () => {
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: {
      name: 'a',
      finalizers: ['x', 'y'],
      managedFields: [
        ours({
          'f:metadata': { 'f:finalizers': { '.': {}, 'v:"x"': {} } },
          'f:spec': { 'f:selector': {}, 'f:volume': {} },
        }),
        theirs('controller', { 'f:metadata': { 'f:finalizers': { 'v:"y"': {} } }, 'f:status': { 'f:ready': {} } }),
      ],
    },
    spec: { selector: { app: 'web' }, volume: {}, ports: [{ port: 80 }] },
    status: { ready: true },
  };

  assert.deepEqual(blameFields(object, undefined, { isStamped: false, withStatus: true }).map(brief), [
    'metadata.finalizers[="x"] = "x" of plumb',
    'metadata.finalizers[="y"] = "y" of controller',
    'spec.selector = {"app":"web"} of plumb',
    'spec.volume = {} of plumb',
    'spec.ports = [{"port":80}] of nobody',
    'status.ready = true of controller',
  ]);
});

test('no value of a Secret leaves it, neither of its data nor of kubectl’s copy, nor of Git', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"aHVudGVyMg=="}}' };
  const secret = (data: JsonObject, more: object = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a', annotations, ...more },
    data,
  });
  const managedFields = [theirs('kubectl', { 'f:data': { 'f:password': {} } })];

  const fields = blameFields(
    secret({ password: 'aHVudGVyMg==' }, { managedFields }),
    secret({ password: 'b3RoZXI=', more: 'bW9yZQ==' }),
    {
      isStamped: false,
    },
  );

  assert.doesNotMatch(JSON.stringify(fields), /aHVudGVyMg|b3RoZXI|bW9yZQ/);
  assert.deepEqual(
    fields.filter(({ isDifferent }) => isDifferent).map(({ path }) => path),
    ['data.password', 'data.more'],
  );
});

test('what was sent as stringData is ours as data, and what somebody made of it differs', () => {
  const secret = (more: object): KubeObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, ...more });
  const sent = secret({ stringData: { kept: 'a', changed: 'b' } });
  const stored = {
    ...secret({ data: { kept: 'YQ==', changed: 'eA==' } }),
    metadata: {
      name: 'a',
      managedFields: [
        ours({ 'f:stringData': { 'f:kept': {}, 'f:changed': {} } }),
        theirs('helm', { 'f:data': { 'f:changed': {} } }),
      ],
    },
  };

  assert.deepEqual(
    blameFields(stored, sent, { isStamped: false }).map(({ path, isOurs, isDifferent }) => [path, isOurs, isDifferent]),
    [
      ['data.kept', true, false],
      ['data.changed', true, true],
    ],
  );
});

const scalar = fc.oneof(fc.string({ maxLength: 3 }), fc.boolean(), fc.constant(null), fc.nat(9));
const value = fc.letrec<{ readonly value: Json; readonly map: JsonObject }>((tie) => ({
  map: fc.dictionary(fc.constantFrom('a', 'b', 'env', 'x.y/z'), tie('value'), { maxKeys: 3 }),
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    tie('map'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .uniqueArray(fc.constantFrom('p', 'q', 'r'), { maxLength: 3 })
      .map((names) => names.map((name) => ({ name, v: 1 }))),
  ),
}));

/** Any set of fields over a value, as no server would write it too. */
const fieldSet = fc.letrec<{ readonly node: JsonObject }>((tie) => ({
  node: fc.dictionary(
    fc.constantFrom('f:a', 'f:b', 'f:env', 'f:spec', 'k:{"name":"p"}', 'v:1', 'i:0', '.', 'k:[', 'z:'),
    fc.oneof({ maxDepth: 4 }, fc.constant({}), tie('node')),
    { maxKeys: 3 },
  ),
}));

test('whatever the object and its owners, each scalar of it is in exactly one field, and its path leads there', () => {
  fc.assert(
    fc.property(value.map, fc.array(fieldSet.node, { maxLength: 3 }), (spec, sets) => {
      const managedFields = sets.map((set, index) => theirs(`m${index}`, { 'f:spec': set }));
      const object: KubeObject = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a', managedFields }, spec };

      const fields = liveFields(object);

      const scalars = (one: Json): number =>
        typeof one === 'object' && one !== null
          ? Object.values(one).reduce((sum: number, each) => sum + scalars(each), 0)
          : 1;
      const keys = (one: Json): number =>
        Array.isArray(one)
          ? one.length
          : typeof one === 'object' && one !== null
            ? Object.values(one).reduce((sum: number, each) => sum + keys(each), 0)
            : 0;
      const shown = fields.reduce((sum, field) => sum + scalars(field.value), 0);
      // Keys of list items are in the paths and may be left out.
      assert.ok(shown <= scalars(spec) && shown >= scalars(spec) - 10 * keys(spec));
      for (const { path } of blameFields(object, undefined, { isStamped: false })) {
        const parsed = parseFieldPath(path);
        assert.ok(parsed !== undefined, path);
        assert.notEqual(valueAt(object, parsed), undefined, path);
      }
    }),
  );
});
