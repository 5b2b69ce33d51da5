import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeApplication, type ApplicationSpec } from '@plumb/api';
import { PlumbError, type Json } from '@plumb/core';
import { writtenObjects } from '@plumb/render';
import { withIgnoreRule, type IgnoreRule } from './ignore-rule.ts';
import { yamlText } from './yaml-text.ts';

const rule: IgnoreRule = {
  kind: 'Deployment',
  name: 'api',
  fields: ['spec.replicas'],
  policy: 'ignore',
  reason: 'scaled by hand',
};
const HEAD = `apiVersion: plumb.dev/v1alpha1
kind: Application
metadata: {name: shop}
spec:
  source: {repository: shop}
`;

function edit(text: string, environment?: string): { readonly text: string; readonly besides: readonly string[] } {
  const source = { file: 'shop.yaml', text };
  const [place] = writtenObjects(source);
  assert.ok(place !== undefined);
  return withIgnoreRule(source, place, { rule, environment });
}

const LINES = [
  '- kind: Deployment',
  '  name: api',
  '  fields:',
  '    - spec.replicas',
  '  policy: ignore',
  '  reason: scaled by hand',
];
const at = (indent: number) => LINES.map((line) => `${' '.repeat(indent)}${line}\n`).join('');

test('a rule that could not be reached is behind the others, one that could is in front', () => {
  const other = (kind: string) =>
    `${HEAD}  drift:\n    rules:\n      # theirs\n      - {kind: ${kind}, policy: report}\n`;

  assert.equal(edit(other('Service')).text, `${other('Service')}${at(6)}`);
  assert.match(
    edit(other('Deploy*')).text,
    /rules:\n +# theirs\n +- kind: Deployment\n[^]* - \{kind: Deploy\*, policy: report\}\n$/,
  );
});

test('an environment without rules of its own keeps those of the application', () => {
  const text = `${HEAD}  drift:\n    policy: report\n    rules:\n      - {kind: Service, policy: revert}\n  environments:\n    - name: dev\n    - name: prod\n      namespace: shop\n`;

  const edited = edit(text, 'prod');

  const decoded = decodeApplication(writtenObjects({ file: 'a.yaml', text: edited.text })[0]?.value);
  assert.ok(decoded.ok);
  const [dev, prod] = decoded.value.spec.environments ?? [];
  assert.equal(dev?.drift, undefined);
  assert.deepEqual(prod?.drift, { policy: 'report', rules: [{ kind: 'Service', policy: 'revert' }, rule] });
  assert.ok(edited.text.startsWith(text));
});

test('who has rules of its own is named where a rule is for all', () => {
  const text = `${HEAD}  environments:\n    - name: dev\n    - name: prod\n      drift: {policy: allow}\n`;

  assert.deepEqual(edit(text).besides, ['prod']);
  assert.deepEqual(edit(text, 'prod').besides, []);
  assert.match(edit(text, 'prod').text, /drift: \{policy: allow, rules: \[/);
});

test('an environment that Git does not have is not made up', () => {
  assert.throws(() => edit(HEAD, 'prod'), { code: 'EnvironmentMissing' });
});

test('the same rule is not written twice, whatever its reason', () => {
  const text = `${HEAD}  drift:\n    rules:\n${at(6).replace('scaled by hand', 'another one')}`;

  assert.equal(edit(text).text, text);
});

test('a spec that would not be taken afterwards is not written', () => {
  const rules = Array.from({ length: 100 }, () => '    - {kind: Service, policy: report}\n').join('');

  assert.throws(() => edit(`${HEAD}  drift:\n    rules:\n${rules}`), { code: 'SpecInvalid' });
});

const word = fc.stringMatching(/^[a-z]{1,8}$/);
const drift = fc.record(
  {
    policy: fc.constantFrom('revert', 'report', 'allow'),
    rules: fc.array(
      fc.record(
        {
          kind: fc.constantFrom('Deployment', 'Service', '*'),
          name: fc.constantFrom('api', 'web'),
          fields: fc.array(word, { minLength: 1, maxLength: 2 }),
          policy: fc.constantFrom('revert', 'report', 'ignore'),
        },
        { requiredKeys: ['policy'] },
      ),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: [] },
);
const environments = fc.uniqueArray(fc.record({ name: word, drift }, { requiredKeys: ['name'] }), {
  selector: ({ name }) => name,
  minLength: 1,
  maxLength: 3,
});

type Drift = NonNullable<ApplicationSpec['drift']>;

test('in any Application the rule comes to where it is meant, and everywhere else all is as before', () => {
  fc.assert(
    fc.property(environments, fc.option(drift), fc.boolean(), (named, shared, isForAll) => {
      const spec = {
        source: { repository: 'shop' },
        environments: named,
        ...(shared === null ? {} : { drift: shared }),
      };
      const object = { apiVersion: 'plumb.dev/v1alpha1', kind: 'Application', metadata: { name: 'shop' }, spec };
      const environment = isForAll ? undefined : named[0]?.name;

      const edited = edit(yamlText(object), environment);

      const [before, after] = [
        object as unknown as Json,
        writtenObjects({ file: 'a.yaml', text: edited.text })[0]?.value,
      ].map((value) => decodeApplication(value));
      assert.ok(before?.ok === true && after?.ok === true);
      for (const [index, { name, drift: own }] of (before.value.spec.environments ?? []).entries()) {
        const was: Drift = own ?? before.value.spec.drift ?? { policy: 'revert' };
        const later = after.value.spec;
        const now: Drift = later.environments?.[index]?.drift ?? later.drift ?? { policy: 'revert' };
        const isMeant = isForAll ? own === undefined : name === environment;
        const added = (now.rules ?? []).filter((one) => one.reason === rule.reason);
        assert.equal(added.length, isMeant ? 1 : 0);
        const rest = (now.rules ?? []).filter((one) => one.reason !== rule.reason);
        assert.deepEqual({ ...now, rules: rest }, { ...was, rules: was.rules ?? [] });
      }
    }),
  );
});

test('what is refused is refused with a code', () => {
  assert.throws(
    () => edit(`${HEAD}  drift: &shared\n    policy: report\n  environments:\n    - name: dev\n      drift: *shared\n`),
    (thrown) => thrown instanceof PlumbError && thrown.code === 'EditRefused',
  );
});
