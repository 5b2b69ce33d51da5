import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PlumbError } from './error.ts';
import { hookOf } from './hook.ts';
import { keyOf, shortNameOf } from './key.ts';
import type { KubeObject } from './object.ts';
import { BEFORE_HOOKS, orderOf, type Order, type OrderedObject } from './order-graph.ts';

const WAVE = 'argocd.argoproj.io/sync-wave';
const DEPENDS_ON = 'config.kubernetes.io/depends-on';

function object(name: string, annotations: Record<string, string> = {}, more: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop', annotations }, ...more };
}

function deployment(name: string, pod: object, labels: Record<string, string> = {}): KubeObject {
  return {
    ...object(name),
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    spec: { template: { metadata: { labels }, spec: pod } },
  };
}

function definition(kind: string): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.toLowerCase()}s.example.org` },
    spec: { group: 'example.org', names: { kind } },
  };
}

function order(objects: readonly KubeObject[]): {
  readonly orders: Record<string, Order>;
  readonly errors: PlumbError[];
} {
  const errors: PlumbError[] = [];
  const ordered = objects.map((item): OrderedObject => {
    const origin = { file: `${item.metadata.name}.yaml`, line: 1 };
    return { key: keyOf(item), object: item, origin, hook: hookOf(item, origin, errors) };
  });
  const orders = orderOf(ordered, errors);
  return { orders: Object.fromEntries([...orders].map(([key, value]) => [shortNameOf(key), value])), errors };
}

function needsOf(orders: Record<string, Order>, name: string): readonly string[] {
  return (orders[name]?.needs ?? []).map(({ key, until }) => `${shortNameOf(key)} ${until}`);
}

test('what needs nothing has no needs, and wave 0', () => {
  assert.deepEqual(order([object('a')]).orders, { 'ConfigMap/a': { wave: 0 } });
});

test('a wave is read from the annotation of Plumb, else of Argo CD', () => {
  const { orders, errors } = order([
    object('a', { [WAVE]: '-5' }),
    object('b', { [WAVE]: '1', 'plumb.dev/sync-wave': '7' }),
    object('c', { 'helm.sh/hook-weight': '3' }),
  ]);
  assert.deepEqual(
    Object.values(orders).map(({ wave }) => wave),
    [-5, 7, 0],
  );
  assert.deepEqual(errors, []);
});

test('a wave that is no whole number is an error at its object', () => {
  for (const text of ['first', '1.5', '', '99999999999']) {
    const [error] = order([object('a', { [WAVE]: text })]).errors;
    assert.equal(error?.code, 'ObjectInvalid');
    assert.deepEqual(error.where, { file: 'a.yaml', line: 1 });
    assert.match(error.message, new RegExp(`sync-wave says "${text}"`));
  }
});

test('a namespace goes before what is in it, however late its wave', () => {
  const namespace: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', annotations: { [WAVE]: '9' } },
  };
  const { orders, errors } = order([namespace, object('early', { [WAVE]: '-2' }), object('late', { [WAVE]: '3' })]);
  assert.equal(orders['Namespace/shop']?.wave, -2);
  assert.deepEqual(needsOf(orders, 'ConfigMap/late'), ['Namespace/shop written']);
  assert.deepEqual(errors, []);
});

test('a definition goes before its objects, and before the hooks that need it', () => {
  const widget = { ...object('w'), apiVersion: 'example.org/v1', kind: 'Widget' };
  const hook = { ...widget, metadata: { ...widget.metadata, name: 'h', annotations: { 'plumb.dev/hook': 'PreSync' } } };
  assert.equal(order([definition('Widget'), widget]).orders['CustomResourceDefinition/widgets.example.org']?.wave, 0);
  const { orders } = order([definition('Widget'), widget, hook]);
  assert.equal(orders['CustomResourceDefinition/widgets.example.org']?.wave, BEFORE_HOOKS);
  assert.deepEqual(needsOf(orders, 'Widget/w'), ['CustomResourceDefinition/widgets.example.org established']);
});

test('Pods wait for what they mount, run as and read their environment from, and for nothing optional', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const others = [
    ...names.map((name) => object(name)),
    { ...object('s'), kind: 'Secret' },
    { ...object('p'), kind: 'Secret' },
    { ...object('data'), kind: 'PersistentVolumeClaim' },
    { ...object('web'), kind: 'ServiceAccount' },
  ];
  const web = deployment('web', {
    serviceAccountName: 'web',
    imagePullSecrets: [{ name: 'p' }],
    volumes: [
      { name: 'a', configMap: { name: 'a' } },
      { name: 's', secret: { secretName: 's' } },
      { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'j', projected: { sources: [{ configMap: { name: 'b' } }] } },
      { name: 'o', configMap: { name: 'f', optional: true } },
    ],
    initContainers: [{ name: 'i', envFrom: [{ configMapRef: { name: 'c' } }] }],
    containers: [{ name: 'c', env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'd', key: 'x' } } }] }],
  });
  const { orders } = order([...others, web]);
  assert.deepEqual([...needsOf(orders, 'Deployment/web')].sort(), [
    'ConfigMap/a written',
    'ConfigMap/b written',
    'ConfigMap/c written',
    'ConfigMap/d written',
    'PersistentVolumeClaim/data written',
    'Secret/p written',
    'Secret/s written',
    'ServiceAccount/web written',
  ]);
});

test('a reference to a later wave does not count: the wave is what somebody asked for', () => {
  const web = deployment('web', { volumes: [{ name: 'v', configMap: { name: 'late' } }] });
  const { orders, errors } = order([object('late', { [WAVE]: '1' }), web]);
  assert.deepEqual(needsOf(orders, 'Deployment/web'), []);
  assert.deepEqual(errors, []);
});

test('a webhook configuration waits until the workload behind it is ready', () => {
  const service = { ...object('hook'), kind: 'Service', spec: { selector: { app: 'hook' } } };
  const configuration: KubeObject = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'hook' },
    webhooks: [{ name: 'a.b.c', clientConfig: { service: { name: 'hook', namespace: 'shop' } } }],
  };
  const { orders } = order([
    service,
    configuration,
    deployment('behind', {}, { app: 'hook' }),
    deployment('other', {}, { app: 'other' }),
  ]);
  assert.deepEqual(needsOf(orders, 'ValidatingWebhookConfiguration/hook'), ['Deployment/behind ready']);
});

test('depends-on names objects of the set, several of them, of namespaces and of the cluster', () => {
  const reader = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'reader' } };
  const text = '/namespaces/shop/ConfigMap/a, rbac.authorization.k8s.io/ClusterRole/reader';
  const { orders, errors } = order([object('a'), reader, object('b', { [DEPENDS_ON]: text })]);
  assert.deepEqual(needsOf(orders, 'ConfigMap/b'), ['ConfigMap/a ready', 'ClusterRole/reader ready']);
  assert.deepEqual(errors, []);
});

test('depends-on that names nothing, or cannot be read, is an error at its object', () => {
  const missing = order([object('b', { [DEPENDS_ON]: '/namespaces/shop/ConfigMap/gone' })]).errors;
  assert.deepEqual(
    missing.map(({ code, message }) => [code, message]),
    [['DependencyMissing', 'ConfigMap/b depends on /ConfigMap/shop/gone, which is not part of the application']],
  );
  const unreadable = order([object('b', { [DEPENDS_ON]: 'ConfigMap/a' })]).errors;
  assert.deepEqual(
    unreadable.map(({ code }) => code),
    ['ObjectInvalid'],
  );
});

test('a circle is an error that shows the whole circle', () => {
  const link = (from: string, to: string): KubeObject =>
    object(from, { [DEPENDS_ON]: `/namespaces/shop/ConfigMap/${to}` });
  const { errors } = order([link('a', 'b'), link('b', 'c'), link('c', 'a')]);
  assert.deepEqual(
    errors.map(({ code, message }) => [code, message]),
    [
      [
        'OrderCycle',
        'No object can be the first: ConfigMap/a → depends-on ConfigMap/b → depends-on ConfigMap/c → depends-on ConfigMap/a',
      ],
    ],
  );
});

test('depends-on against the waves is a circle too', () => {
  const early = object('early', { [DEPENDS_ON]: '/namespaces/shop/ConfigMap/late' });
  const { errors } = order([early, object('late', { [WAVE]: '2' })]);
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['No object can be the first: ConfigMap/early (wave 0) → depends-on ConfigMap/late (wave 2) → waits for wave 0'],
  );
});

test('without an error there is always an object that needs nothing more', () => {
  const count = 12;
  const edges = fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 20 });
  fc.assert(
    fc.property(
      edges,
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: count, maxLength: count }),
      (pairs, waves) => {
        const objects = Array.from({ length: count }, (_, index) => {
          const targets = pairs.filter(([from, to]) => from === index && to !== index).map(([, to]) => to);
          const text = [...new Set(targets)].map((to) => `/namespaces/shop/ConfigMap/n${to}`).join(',');
          return object(`n${index}`, { [WAVE]: String(waves[index]), ...(text === '' ? {} : { [DEPENDS_ON]: text }) });
        });
        const { orders, errors } = order(objects);
        // The oracle: what can be applied by doing again and again whatever is not held back.
        const left = new Set(Object.keys(orders));
        for (let before = -1; before !== left.size;) {
          before = left.size;
          const lowest = Math.min(...[...left].map((name) => orders[name]?.wave ?? 0));
          for (const name of left) {
            const free = orders[name]?.wave === lowest;
            const met = (orders[name]?.needs ?? []).every(({ key }) => !left.has(shortNameOf(key)));
            if (free && met) left.delete(name);
          }
        }
        assert.equal(left.size === 0, errors.length === 0);
      },
    ),
  );
});

test('a chain of 20,000 objects is ordered without running out of stack', () => {
  const chain = Array.from({ length: 20_000 }, (_, index) =>
    object(`n${index}`, index === 0 ? {} : { [DEPENDS_ON]: `/namespaces/shop/ConfigMap/n${index - 1}` }),
  );
  assert.deepEqual(order(chain.reverse()).errors, []);
});
