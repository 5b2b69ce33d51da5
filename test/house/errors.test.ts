import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ERROR_CODES } from '@plumb/core';

import { errorsPage } from '../../tools/errors-page.ts';
import { read } from './repository.ts';

test('docs/errors.md is what the table of codes says', () => {
  assert.equal(read('docs/errors.md'), errorsPage(), 'run: node tools/run.mjs tools/docs.ts');
});

test('every code can be the reason of a condition, and every next step is a sentence', () => {
  // The rule of metav1.Condition.reason, narrowed to CamelCase.
  const odd = Object.entries(ERROR_CODES)
    .filter(([code, { fix }]) => !/^[A-Z][A-Za-z0-9]*$/.test(code) || !/^[A-Z].*\.$/.test(fix))
    .map(([code]) => code);

  assert.deepEqual(odd, []);
});
