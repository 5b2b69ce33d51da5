import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import fc from 'fast-check';
import { decodeJson } from './decode.ts';

test('a field that is not what it should be is named, and its value is not', () => {
  const answer = decodeJson(Buffer.from('{"a":[{"b":"CANARY"}],"__proto__":{"c":1}}'), 'GET x');

  assert.throws(() => answer.at('a').items[0]?.at('b').integer, {
    code: 'HostAnswerInvalid',
    message: 'GET x: a[0].b is no whole number',
  });
  assert.throws(() => answer.at('a').at('b').text, { message: 'GET x: a.b is no text' });
  assert.throws(() => answer.at('constructor').text, { code: 'HostAnswerInvalid' });
  assert.throws(() => answer.at('a').items[0]?.at('b').commit, { message: 'GET x: a[0].b is no full id of a commit' });
  assert.equal(answer.at('toString').isThere, false);
});

test('whatever a host sends, each reading of it gives its type or the one error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), fc.string(), (text, name) => {
      try {
        const field = decodeJson(Buffer.from(text), 'GET x').at(name);
        void [field.isThere, field.isTrue, field.maybeText, field.maybeInteger, field.maybeCommit, field.maybeTimeMs];
        void [field.text, field.integer, field.commit, field.timeMs, field.items];
      } catch (error) {
        assert.ok(error instanceof PlumbError && error.code === 'HostAnswerInvalid', String(error));
      }
    }),
  );
});
