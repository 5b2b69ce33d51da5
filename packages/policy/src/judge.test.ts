import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatFieldPath, type Json, type KubeObject } from '@plumb/core';
import { judgePolicies, type JudgedItem, type Judgement, type PolicyInput } from './judge.ts';
import { matchesAny } from './patterns.ts';
import type { Policy } from './policy.ts';
import { readPolicies } from './read-policies.ts';
import { selects } from './selects.ts';
import { starterPolicies } from './starter-set.ts';

const monotonic = (): number => 0;

function policies(...entries: readonly Json[]): readonly Policy[] {
  const outcome = readPolicies([{ documents: [{ policies: entries }], file: 'rules.yaml' }], { monotonic });
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.error.map(({ message }) => message).join('; '));
  return outcome.value;
}

function rule(expression: string, more: Readonly<Record<string, Json>> = {}): Json {
  return { name: 'rule', action: 'deny', message: 'it does not hold', expression, ...more };
}

function configMap(name: string, data: Json = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

function judge(entries: readonly Json[], input: Partial<PolicyInput>): Judgement {
  return judgePolicies(policies(...entries), { objects: [], namespace: 'shop', application: 'shop', ...input });
}

function inShop(...objects: readonly KubeObject[]): { readonly objects: PolicyInput['objects'] } {
  return { objects: objects.map((object) => ({ object, namespace: 'shop' })) };
}

const told = ({ results }: Judgement): readonly string[] =>
  results.map(({ policy, severity, ref, message }) => `${severity} ${policy} ${ref?.name ?? '-'}: ${message}`);

test('what holds is counted, what does not is told with its object', () => {
  const judged = judge(
    [rule('object.data.size() > 0'), rule('true', { name: 'fine' }), rule('false', { name: 'soft', action: 'warn' })],
    inShop(configMap('a', { x: '1' }), configMap('b')),
  );

  assert.deepEqual(told(judged), [
    'deny rule b: it does not hold',
    'warn soft a: it does not hold',
    'warn soft b: it does not hold',
  ]);
  assert.deepEqual(judged.counts, { ok: 1, warn: 1, deny: 1 });
});

test('an expression that asks for what is not there is a result with the severity of the policy', () => {
  const judged = judge(
    [rule('object.data.missing == "1"'), rule('object.data + 1 == 2', { name: 'typed' })],
    inShop(configMap('a')),
  );

  assert.deepEqual(
    judged.results.map(({ severity, fault }) => [severity, fault]),
    [
      ['deny', 'CelMissing'],
      ['deny', 'CelType'],
    ],
  );
  assert.deepEqual(judged.counts, { ok: 0, warn: 0, deny: 2 });
});

test('a policy that costs too much is given up, and says of how many nothing is known', () => {
  const list = Array.from({ length: 120 }, () => 'x');
  const many = Array.from({ length: 10 }, (_, index) => configMap(`c${index}`, list));
  const costly = rule('object.data.all(a, object.data.all(b, object.data.all(c, a == b || b == c)))');

  const { results } = judge([costly], inShop(...many));

  assert.deepEqual(
    results.map(({ ref, fault }) => [ref?.name, fault]),
    [
      ['c0', 'CelCost'],
      ['c1', 'CelCost'],
      ['c2', 'CelCost'],
      [undefined, 'CelCost'],
    ],
  );
  assert.match(results[3]?.message ?? '', /not asked about 7 more/);
});

test('the action depends on the environment: the first pattern that matches counts', () => {
  const entry = rule('false', { action: { prod: 'deny', 'test-*': 'off', '*': 'warn' } });
  const severity = (environment: string | undefined) =>
    judge([entry], { ...inShop(configMap('a')), environment }).results[0]?.severity;

  assert.equal(severity('prod'), 'deny');
  assert.equal(severity('dev'), 'warn');
  assert.equal(severity('test-1'), undefined);
  assert.equal(severity(undefined), 'warn');
});

test('a policy is about the kinds, groups, namespaces and environments that it names', () => {
  const deployment: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } };
  const about = (match: Json, environment?: string) =>
    judge([rule('false', { match })], { ...inShop(configMap('a'), deployment), environment }).results.map(
      ({ ref }) => ref?.name,
    );

  assert.deepEqual(about({ kinds: ['Deployment'] }), ['d']);
  assert.deepEqual(about({ kinds: ['Deployment.apps', 'ConfigMap'] }), ['a', 'd']);
  assert.deepEqual(about({ kinds: ['Deployment.example.org'] }), []);
  assert.deepEqual(about({ groups: [''] }), ['a']);
  assert.deepEqual(about({ namespaces: ['sh*'] }), ['a', 'd']);
  assert.deepEqual(about({ namespaces: ['other'] }), []);
  assert.deepEqual(about({ environments: ['prod'] }), []);
  assert.deepEqual(about({ environments: ['prod*'] }, 'prod-eu'), ['a', 'd']);
});

test('an expression sees the object with its namespace, the old one, all objects, and where it goes', () => {
  const expression = `object.metadata.namespace == 'shop' && oldObject.data.x == 'old' && object.data.x == 'new'
    && objects.size() == 1 && byKind.ConfigMap.size() == 1 && environment == 'prod' && targetNamespace == 'shop' && application == 'store'`;
  const object = configMap('a', { x: 'new' });

  const { counts } = judge([rule(expression)], {
    objects: [{ object, namespace: 'shop', oldObject: configMap('a', { x: 'old' }) }],
    environment: 'prod',
    application: 'store',
  });

  assert.deepEqual(counts, { ok: 1, warn: 0, deny: 0 });
});

test('what is not there yet has no old object', () => {
  assert.equal(judge([rule('oldObject == null')], inShop(configMap('a'))).counts.ok, 1);
});

test('no message can tell the value of a Secret', () => {
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 's',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"stringData":{"a":"hunter2"}}' },
    },
    data: { b: 'aHVudGVyMg==' },
    stringData: { a: 'hunter2' },
  };
  const messageExpression = `object.stringData.a + object.data.b + string(object.metadata.annotations.size())`;

  const { results } = judge([rule('false', { messageExpression })], inShop(secret));

  assert.deepEqual(
    results.map(({ message }) => message),
    ['(secret)(secret)0'],
  );
});

const DELETED: JudgedItem = {
  action: 'delete',
  ref: { group: 'apps', kind: 'StatefulSet', namespace: 'shop', name: 'db' },
  changes: [],
  reason: 'removed',
};
const CHANGED: JudgedItem = {
  action: 'change',
  ref: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'api' },
  changes: [{ path: 'spec.replicas', before: 9, after: 4 }],
};

test('a policy on items is asked for each item of the plan, one on the plan once', () => {
  const perItem = rule(
    'item.action != "delete" && item.changes.all(c, c.path != "spec.replicas" || c.after >= c.before)',
    {
      subject: 'item',
      messageExpression: 'item.action + " " + item.kind + "/" + item.name',
    },
  );
  const whole = rule('plan.items.size() <= 1', { name: 'small', subject: 'plan', message: 'too much at once' });

  const judged = judge([perItem, whole], { plan: { items: [DELETED, CHANGED] } });

  assert.deepEqual(told(judged), [
    'deny rule db: delete StatefulSet/db',
    'deny rule api: change Deployment/api',
    'deny small -: too much at once',
  ]);
});

test('without a plan, policies on plans are not asked and not counted', () => {
  const judged = judge([rule('false', { subject: 'plan' }), rule('false', { name: 'i', subject: 'item' })], {});

  assert.deepEqual(judged, { results: [], counts: { ok: 0, warn: 0, deny: 0 } });
});

test('a message that cannot be worked out falls back to the other one', () => {
  const { results } = judge([rule('false', { messageExpression: 'object.data.none' })], inShop(configMap('a')));

  assert.deepEqual(
    results.map(({ message }) => message),
    ['it does not hold'],
  );
});

test('the finding of a container points into it', () => {
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'a' }, { image: 'nameless' }] },
  };

  const { results } = judge([rule('false', { subject: 'container', field: 'image' })], inShop(pod));

  assert.deepEqual(
    results.map(({ path }) => formatFieldPath(path)),
    ['spec.containers[name="a"].image', 'spec.containers[1].image'],
  );
});

test('a pattern matches as the regular expression of its parts would', () => {
  const part = fc.constantFrom('a', 'b', '*', 'ab');

  fc.assert(
    fc.property(fc.array(part), fc.array(fc.constantFrom('a', 'b')), (parts, letters) => {
      const [pattern, text] = [parts.join(''), letters.join('')];
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text);
      assert.equal(matchesAny([pattern], text), expected);
    }),
  );
});

test('a selector selects as Kubernetes has it', () => {
  const labels = { app: 'a', tier: 'web' };
  const by = (operator: string, key: string, values: readonly string[] = []) =>
    selects({ matchExpressions: [{ key, operator, values }] }, labels);

  assert.equal(selects({}, labels), true);
  assert.equal(selects(null, labels), false);
  assert.equal(selects({ matchLabels: { app: 'b' } }, labels), false);
  assert.deepEqual([by('In', 'app', ['a']), by('In', 'app', ['b']), by('In', 'none', ['a'])], [true, false, false]);
  assert.deepEqual([by('NotIn', 'app', ['a']), by('NotIn', 'none', ['a'])], [false, true]);
  assert.deepEqual([by('Exists', 'app'), by('DoesNotExist', 'app'), by('DoesNotExist', 'none')], [true, false, true]);
});

test('whatever objects hold, the starter set answers the same each time, and never throws', () => {
  const starter = starterPolicies({ monotonic });
  const spec = fc.jsonValue({ maxDepth: 5 }) as fc.Arbitrary<Json>;
  const container = fc.dictionary(fc.constantFrom('name', 'image', 'resources', 'ports', 'securityContext'), spec);

  fc.assert(
    fc.property(fc.array(container), spec, spec, (containers, replicas, selector) => {
      const objects = inShop(
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'a' },
          spec: { replicas, template: { spec: { containers, volumes: selector } } },
        },
        { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'a' }, spec: { selector } },
      );
      const once = judgePolicies(starter, { ...objects, namespace: 'shop', application: 'a' });
      assert.deepEqual(judgePolicies(starter, { ...objects, namespace: 'shop', application: 'a' }), once);
    }),
  );
});
