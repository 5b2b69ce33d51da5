import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectKey } from '../key.ts';
import { suggestRules, type ObservedDrift } from './suggest-rules.ts';

function flaps(times: number, name: string, manager: string, path = 'spec.replicas'): readonly ObservedDrift[] {
  const object = objectKey({ group: 'apps', kind: 'Deployment', namespace: 'shop', name });
  const owners = manager === '' ? [] : [{ manager, subresource: undefined, field: path }];
  return Array.from({ length: times }, () => ({ object, fields: [{ path, owners }] }));
}

test('a field that the same manager changed three times is a rule for that object', () => {
  assert.deepEqual(suggestRules(flaps(3, 'api', 'scaler')), [
    {
      rule: {
        group: 'apps',
        kind: 'Deployment',
        name: 'api',
        fields: ['spec.replicas'],
        managers: ['scaler'],
        policy: 'ignore',
        reason: 'Left to scaler, which keeps changing it.',
      },
      count: 3,
    },
  ]);
});

test('what flaps alike on several objects is one rule for the kind', () => {
  const [suggestion, ...others] = suggestRules([...flaps(3, 'api', 'scaler'), ...flaps(4, 'web', 'scaler')]);
  assert.deepEqual([suggestion?.rule.name, suggestion?.count, others], [undefined, 7, []]);
});

test('what happened twice, by a person, or by nobody who is known, is no reason to look away', () => {
  const observed = [...flaps(2, 'api', 'scaler'), ...flaps(9, 'api', 'kubectl-edit'), ...flaps(9, 'api', '')];
  assert.deepEqual(suggestRules(observed), []);
});

test('the most often changed comes first', () => {
  const observed = [...flaps(3, 'api', 'a', 'spec.a'), ...flaps(5, 'api', 'b', 'spec.b')];
  assert.deepEqual(
    suggestRules(observed).map(({ rule }) => rule.fields),
    [['spec.b'], ['spec.a']],
  );
});
