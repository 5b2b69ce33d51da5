import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnsweredComments } from './answered-comments.ts';

test('what was answered is known after a restart, for as long as the pull request is open', () => {
  const answered = new AnsweredComments();
  answered.add(7, '100', undefined);
  answered.add(7, '101', 'a'.repeat(40));
  answered.add(8, '102', undefined);

  const after = new AnsweredComments(answered.toText());
  assert.deepEqual(
    [after.has(7, '100'), after.has(7, '101'), after.has(8, '101'), after.has(9, '100')],
    [true, true, false, false],
  );
  assert.equal(after.of(7).allowedHead, 'a'.repeat(40));

  assert.equal(after.keepOnly(new Set([7])), true);
  assert.equal(after.keepOnly(new Set([7])), false);
  assert.deepEqual([after.has(7, '100'), after.has(8, '102')], [true, false]);
});

test('whatever was answered comes back, and a text that something else wrote counts as nothing', () => {
  const digits = fc.nat().map(String);
  const head = fc.option(fc.stringMatching(/^[0-9a-f]{40}$/), { nil: undefined });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), digits, head)), fc.string(), (added, noise) => {
      const answered = new AnsweredComments();
      for (const [pull, comment, allowedHead] of added) answered.add(pull, comment, allowedHead);
      const after = new AnsweredComments(`x${noise.replaceAll('\n', ' ')}\n${answered.toText()}`);
      assert.equal(after.toText(), answered.toText());
      for (const [pull, comment] of added) assert.ok(after.has(pull, comment));
    }),
  );
});
