import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentAt } from '@plumb/core';
import { hooksLast } from './hook-order.ts';

function document(name: string, events?: readonly string[], weight = 0): DocumentAt {
  const hook = events === undefined ? {} : { hook: { events, weight, deletePolicies: [] } };
  return { value: { name }, origin: { file: 'a.yaml' }, ...hook };
}

test('hooks stand after all else, by the first event that runs them, then by weight, then as they came', () => {
  const documents = [
    document('unknown', ['crd-install']),
    document('after', ['post-install'], -9),
    document('crd'),
    document('late', ['pre-install'], 5),
    document('both', ['pre-upgrade', 'pre-install'], 0),
    document('upgrade', ['pre-upgrade'], -9),
    document('also', ['pre-install'], 0),
    document('kept'),
  ];

  assert.deepEqual(
    hooksLast(documents).map(({ value }) => value['name']),
    ['crd', 'kept', 'both', 'also', 'late', 'after', 'upgrade', 'unknown'],
  );
});
