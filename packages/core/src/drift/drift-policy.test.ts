import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldConflict } from '../field-conflict.ts';
import { objectKey, type ObjectKey } from '../key.ts';
import type { Drift, DriftField } from './drift.ts';
import { isLeftToOthers, judgeDrift, type DriftHold, type DriftRule, type DriftWishes } from './drift-policy.ts';
import { parseFieldPattern, type FieldPattern } from './field-pattern.ts';

const KEY = objectKey({ group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'api' });
const NOW = 1_000_000;

function field(path: string, manager = 'kubectl-edit'): DriftField {
  const owners: readonly FieldConflict[] = manager === '' ? [] : [{ manager, subresource: undefined, field: path }];
  return { path, git: 1, live: 2, owners, by: { tier: 'none' } };
}

function drift(...fields: readonly DriftField[]): Drift {
  const kind = fields.length === 0 ? 'deleted' : 'edited';
  const by = { tier: 'none' } as const;
  return { key: KEY, kind, fields, by, state: 's', resourceVersion: '1', desiredHash: 'h', foundAt: 500 };
}

function wishes(
  more: Partial<DriftWishes> & { readonly rule?: DriftRule; readonly policy?: 'report' | 'allow' } = {},
): DriftWishes {
  const { rule, policy = 'revert', holds = [], ...rest } = more;
  return { rules: { policy, rules: rule === undefined ? [] : [rule] }, holds, ...rest };
}

function patterns(...texts: readonly string[]): readonly FieldPattern[] {
  return texts.map((text) => parseFieldPattern(text) ?? assert.fail(text));
}

function hold(more: Partial<DriftHold> = {}): DriftHold {
  return { hold: 'h-1', until: NOW + 60_000, since: 0, reason: 'an incident', by: 'dana', atEnd: 'heal', ...more };
}

/** `revert spec.a · report spec.b`. */
function told(judged: ReturnType<typeof judgeDrift>): string {
  const words = [
    ...judged.revert.map(({ path }) => `revert ${path}`),
    ...(judged.isWhole ? ['revert all'] : []),
    ...judged.stands.map(({ path, verdict }) => `${verdict.policy} ${path === '' ? 'all' : path}`),
  ];
  return words.join(' · ');
}

const CASES: readonly (readonly [says: string, drift: Drift, wishes: DriftWishes, told: string])[] = [
  ['without a rule everything is put back', drift(field('spec.a')), wishes(), 'revert spec.a'],
  ['a deleted object is put back too', drift(), wishes(), 'revert all'],
  ['where drift is only reported it stands', drift(field('spec.a')), wishes({ policy: 'report' }), 'report spec.a'],
  ['a deletion that is only reported stands', drift(), wishes({ policy: 'report' }), 'report all'],
  [
    'a rule for a field leaves the others to be put back',
    drift(field('spec.a'), field('spec.b')),
    wishes({ rule: { policy: 'ignore', fields: patterns('spec.a') } }),
    'revert spec.b · ignore spec.a',
  ],
  [
    'a rule for a field says nothing of a deletion',
    drift(),
    wishes({ rule: { policy: 'ignore', fields: patterns('spec.a') } }),
    'revert all',
  ],
  [
    'a rule for a manager is about what that manager owns',
    drift(field('spec.a', 'vpa'), field('spec.b')),
    wishes({ rule: { policy: 'ignore', managers: ['vpa'] } }),
    'revert spec.b · ignore spec.a',
  ],
  [
    'a rule for another kind is about nothing here',
    drift(field('spec.a')),
    wishes({ rule: { policy: 'ignore', kind: 'Service' } }),
    'revert spec.a',
  ],
  [
    'names may have a star',
    drift(field('spec.a')),
    wishes({ rule: { policy: 'report', kind: 'Deploy*', name: '*pi', namespace: '*' } }),
    'report spec.a',
  ],
  [
    'a rule that has ended does not count',
    drift(field('spec.a')),
    wishes({ rule: { policy: 'allow', until: NOW } }),
    'revert spec.a',
  ],
  [
    'a rule that has not ended counts',
    drift(field('spec.a')),
    wishes({ rule: { policy: 'allow', until: NOW + 1 } }),
    'allow spec.a',
  ],
  [
    'a condition decides with the facts of the field',
    drift(field('spec.a'), field('spec.b')),
    wishes({
      rule: { policy: 'ignore', when: ({ field: path, manager }) => path === 'spec.b' && manager === 'kubectl-edit' },
    }),
    'revert spec.a · ignore spec.b',
  ],
  ['a hold lets everything stand', drift(field('spec.a')), wishes({ holds: [hold()] }), 'allow spec.a'],
  [
    'a hold that has ended lets nothing stand',
    drift(field('spec.a')),
    wishes({ holds: [hold({ until: NOW })] }),
    'revert spec.a',
  ],
  [
    'a hold for one field leaves the others',
    drift(field('spec.a'), field('spec.b')),
    wishes({ holds: [hold({ fields: patterns('spec.a') })] }),
    'revert spec.b · allow spec.a',
  ],
  [
    'what is found before a person asks to heal is healed, whatever is said otherwise',
    drift(field('spec.a')),
    wishes({ policy: 'report', holds: [hold()], heal: { at: 500 } }),
    'revert spec.a',
  ],
  [
    'what is found after that is not',
    drift(field('spec.a')),
    wishes({ policy: 'report', heal: { at: 499 } }),
    'report spec.a',
  ],
  [
    'nor what is ignored',
    drift(field('spec.a')),
    wishes({ rule: { policy: 'ignore' }, heal: { at: 500 } }),
    'ignore spec.a',
  ],
  [
    'nor another object than the named one',
    drift(field('spec.a')),
    wishes({ policy: 'report', heal: { at: 500, key: 'x' as ObjectKey } }),
    'report spec.a',
  ],
  [
    'what was edited under a hold that only wants it reported is reported at its end',
    drift(field('spec.a')),
    wishes({ holds: [hold({ until: NOW, atEnd: 'report' })] }),
    'report spec.a',
  ],
  [
    'what was edited after that is put back',
    { ...drift(field('spec.a')), foundAt: NOW },
    wishes({ holds: [hold({ until: NOW, atEnd: 'report' })] }),
    'revert spec.a',
  ],
  ['controllers are never fought', drift(field('spec.replicas', 'keda-operator')), wishes(), 'ignore spec.replicas'],
];

for (const [says, found, wanted, expected] of CASES) {
  test(says, () => assert.equal(told(judgeDrift(found, {}, wanted, NOW)), expected));
}

test('the strictest of what stands, and the first end, are told', () => {
  const rules = [
    { policy: 'allow', fields: patterns('spec.a'), until: NOW + 9 },
    { policy: 'report', fields: patterns('spec.b') },
    { policy: 'ignore', fields: patterns('spec.c') },
  ] as const;
  const found = drift(field('spec.a'), field('spec.b'), field('spec.c'));
  const judged = judgeDrift(found, {}, { rules: { policy: 'revert', rules }, holds: [] }, NOW);
  assert.deepEqual([judged.standing?.policy, judged.until], ['report', NOW + 9]);
});

test("what is ignored, or held by a person, is left to its owner when Git's wish is sent; what is only reported is not", () => {
  const conflict = { manager: 'kubectl-edit', subresource: undefined, field: 'spec.a' };
  const isLeft = (wanted: DriftWishes): boolean => isLeftToOthers(conflict, KEY, {}, wanted, NOW);
  assert.equal(isLeft(wishes({ rule: { policy: 'ignore' } })), true);
  assert.equal(isLeft(wishes({ holds: [hold()] })), true);
  assert.equal(isLeft(wishes({ policy: 'report' })), false);
  assert.equal(isLeft(wishes()), false);
});
