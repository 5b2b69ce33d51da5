import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatFieldPath, type Json, type PlumbError } from '@plumb/core';
import type { Policy } from './policy.ts';
import { readPolicies, type PolicyFile } from './read-policies.ts';
import { starterPolicies } from './starter-set.ts';

const monotonic = (): number => 0;

const RULE = { name: 'team-label', action: 'deny', expression: 'has(object.metadata.labels)', message: 'no labels' };

function file(...policies: readonly Json[]): PolicyFile {
  return { documents: [{ policies }], file: 'rules.yaml' };
}

function read(files: readonly PolicyFile[], base?: readonly Policy[]): readonly Policy[] {
  const outcome = readPolicies(files, { base, monotonic });
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.error.map(({ message }) => message).join('; '));
  return outcome.value;
}

function errorsOf(files: readonly PolicyFile[], base?: readonly Policy[]): readonly PlumbError[] {
  const outcome = readPolicies(files, { base, monotonic });
  return outcome.ok ? [] : outcome.error;
}

test('a policy is read with all that it says', () => {
  const [policy] = read([
    file({
      ...RULE,
      description: 'Somebody is to be asked.',
      subject: 'container',
      action: { prod: 'deny', 'test-*': 'off', '*': 'warn' },
      match: { kinds: ['Deployment.apps'], namespaces: ['shop-*'], groups: ['apps'], environments: ['prod'] },
      expression: 'container.name != ""',
      messageExpression: '"no " + container.name',
      fix: 'Add it.',
      field: 'resources.limits["example.org/gpu"]',
    }),
  ]);

  assert.deepEqual(policy?.actions, [
    { environment: 'prod', action: 'deny' },
    { environment: 'test-*', action: 'off' },
    { environment: '*', action: 'warn' },
  ]);
  assert.equal(formatFieldPath(policy?.field ?? []), 'resources.limits["example.org/gpu"]');
  assert.deepEqual(policy?.where, { file: 'rules.yaml' });
  assert.equal(policy?.subject, 'container');
  assert.equal(policy?.fix, 'Add it.');
});

test('a policy of a known name takes the place of the former, and keeps its turn', () => {
  const base = read([file(RULE, { ...RULE, name: 'other' })]);

  const policies = read([file({ ...RULE, expression: 'false', message: 'never' })], base);

  assert.deepEqual(
    policies.map(({ name, message }) => `${name}: ${message}`),
    ['team-label: never', 'other: no labels'],
  );
});

test('a policy without an expression changes what it names, and keeps the rest', () => {
  const base = starterPolicies({ monotonic });

  const policies = read(
    [
      file(
        { name: 'no-latest-tag', action: 'deny', match: { namespaces: ['shop'] } },
        { name: 'memory-limit', action: false },
      ),
    ],
    base,
  );

  const [former] = base;
  const changed = policies.find(({ name }) => name === 'no-latest-tag');
  assert.deepEqual(changed?.actions, [{ environment: '*', action: 'deny' }]);
  assert.deepEqual(changed?.match, { namespaces: ['shop'] });
  assert.equal(changed?.expression, former?.expression);
  assert.equal(changed?.messageExpression, former?.messageExpression);
  assert.deepEqual(policies.find(({ name }) => name === 'memory-limit')?.actions, [
    { environment: '*', action: 'off' },
  ]);
  assert.equal(policies.length, base.length);
});

test('several documents are one file, and an empty one is none', () => {
  const documents = [{ policies: [RULE] }, null, { policies: [{ ...RULE, name: 'b' }] }];

  assert.deepEqual(
    read([{ documents, file: 'a' }]).map(({ name }) => name),
    ['team-label', 'b'],
  );
});

const refused: readonly (readonly [string, Json, string, string])[] = [
  ['no name', { ...RULE, name: undefined as unknown as Json }, 'PolicyInvalid', 'policies[0].name'],
  ['a name with blanks', { ...RULE, name: 'a b' }, 'PolicyInvalid', 'policies[0].name'],
  ['no action', { name: 'a', expression: 'true' }, 'PolicyInvalid', 'policies[0]'],
  ['another action', { ...RULE, action: 'block' }, 'PolicyInvalid', 'policies[0].action'],
  ['another action in one environment', { ...RULE, action: { prod: 'x' } }, 'PolicyInvalid', 'policies[0].action.prod'],
  ['another subject', { ...RULE, subject: 'cluster' }, 'PolicyInvalid', 'policies[0].subject'],
  ['a misspelt field', { ...RULE, mesage: 'x' }, 'PolicyInvalid', 'policies[0].mesage'],
  ['a misspelt field of match', { ...RULE, match: { kind: ['Pod'] } }, 'PolicyInvalid', 'policies[0].match.kind'],
  ['kinds that are no list', { ...RULE, match: { kinds: 'Pod' } }, 'PolicyInvalid', 'policies[0].match.kinds'],
  [
    'kinds of a plan',
    { ...RULE, subject: 'plan', expression: 'true', match: { kinds: ['Pod'] } },
    'PolicyInvalid',
    'policies[0].match.kinds',
  ],
  ['a path that is none', { ...RULE, field: 'a..b' }, 'PolicyInvalid', 'policies[0].field'],
  ['an expression that cannot be read', { ...RULE, expression: 'object.(' }, 'CelSyntax', 'policies[0].expression'],
  ['a misspelt variable', { ...RULE, expression: 'objekt.kind == ""' }, 'CelType', 'policies[0].expression'],
  [
    'a variable of another subject',
    { ...RULE, expression: 'has(container.image)' },
    'CelType',
    'policies[0].expression',
  ],
  ['an expression that gives no bool', { ...RULE, expression: '1 + 1' }, 'CelType', 'policies[0].expression'],
  ['a message that is no text', { ...RULE, messageExpression: '1 + 1' }, 'CelType', 'policies[0].messageExpression'],
  ['a costly pattern', { ...RULE, expression: 'object.kind.matches("(a+)+$")' }, 'CelCost', 'policies[0].expression'],
  ['no mapping', 'text', 'PolicyInvalid', 'policies[0]'],
];

for (const [what, policy, code, field] of refused) {
  test(`a policy with ${what} is refused as ${code}`, () => {
    const definite = JSON.parse(JSON.stringify(policy)) as Json;

    assert.deepEqual(
      errorsOf([file(definite)]).map((error) => [error.code, error.field, error.where?.file]),
      [[code, field, 'rules.yaml']],
    );
  });
}

test('what is wrong is told of all policies at once, each with the line of its field', () => {
  const match = { kind: [] };
  const first = { ...RULE, action: 'block' };
  const second = { ...RULE, name: 'b', match };
  const list = [first, second];
  const lines = new Map<object, Readonly<Record<string, number>>>([
    [list, { 0: 2, 1: 9 }],
    [first, { action: 4 }],
    [second, { match: 10 }],
    [match, { kind: 11 }],
  ]);

  const errors = errorsOf([
    {
      documents: [{ policies: list }],
      file: 'rules.yaml',
      lineOf: (container, entry) => lines.get(container)?.[entry],
    },
  ]);

  assert.deepEqual(
    errors.map(({ where, fix }) => [where?.line, fix]),
    [
      [4, 'Correct the named field of the policy.'],
      [11, 'Did you mean kinds?'],
    ],
  );
});

test('a name that is nearly one of the starter set is told', () => {
  const [error] = errorsOf([file({ name: 'no-latest-tags', action: 'deny' })], starterPolicies({ monotonic }));

  assert.match(error?.fix ?? '', /^Did you mean no-latest-tag\?/);
});

test('a file without policies, or with more than that, is refused', () => {
  assert.match(errorsOf([{ documents: [{ rules: [] }], file: 'a' }])[0]?.message ?? '', /no list policies/);
  assert.match(errorsOf([{ documents: [{ policies: [], kind: 'X' }], file: 'a' }])[0]?.message ?? '', /kind beside/);
  assert.match(errorsOf([file(RULE, RULE)])[0]?.message ?? '', /is there already/);
});

test('whatever a file holds, it is read or refused, and never thrown', () => {
  const key = fc.constantFrom('name', 'subject', 'action', 'match', 'expression', 'message', 'field', 'other');
  const value = fc.oneof(fc.constantFrom('a', 'deny', 'true', 'plan', 'object.x == 1'), fc.jsonValue({ maxDepth: 2 }));
  const policy = fc.oneof(fc.dictionary(key, value), fc.jsonValue({ maxDepth: 2 }));

  fc.assert(
    fc.property(fc.array(policy, { maxLength: 3 }), (policies) => {
      const outcome = readPolicies([file(...(policies as readonly Json[]))], { monotonic });
      if (!outcome.ok) assert.ok(outcome.error.every(({ where }) => where?.file === 'rules.yaml'));
    }),
  );
});
