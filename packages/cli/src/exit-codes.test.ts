import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES, PlumbError, type ErrorCode } from '@plumb/core';
import { exitCodeOf } from './exit-codes.ts';

test('every error code has an exit code of the documented table', () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const exit = exitCodeOf(new PlumbError(code, 'x'));

    assert.ok(exit >= 1 && exit <= 8, `${code}: ${exit}`);
  }
});

test('the exit code says who has to act', () => {
  const exit = (code: ErrorCode): number => exitCodeOf(new PlumbError(code, 'x'));

  assert.equal(exit('YamlSyntax'), 2);
  assert.equal(exit('Usage'), 2);
  assert.equal(exit('Forbidden'), 3);
  assert.equal(exit('ClusterUnreachable'), 4);
  assert.equal(exit('RepositoryUnreachable'), 4);
  assert.equal(exit('WaitTimeout'), 5);
  assert.equal(exit('DeletionBlocked'), 6);
  assert.equal(exit('Conflict'), 7);
  assert.equal(exit('Internal'), 8);
});

test('of several errors the first one decides, and an unknown throw is an internal fault', () => {
  assert.equal(
    exitCodeOf(new AggregateError([new PlumbError('YamlSyntax', 'x'), new PlumbError('Forbidden', 'y')])),
    2,
  );
  assert.equal(exitCodeOf(new TypeError('x')), 8);
});
