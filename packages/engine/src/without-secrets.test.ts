import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsWithoutSecrets, holdsSecret, withoutSecrets } from './without-secrets.ts';

test('what a Secret holds is nowhere in what is said, the longest value first', () => {
  const said = { notes: ['token hunter22!'], items: [{ changes: [{ after: { url: 'x-hunter2-y' }, count: 1 }] }] };

  assert.deepEqual(withoutSecrets(said, ['hunter2', 'hunter22', 'x', '']), {
    notes: ['token (secret)!'],
    items: [{ changes: [{ after: { url: 'x-(secret)-y' }, count: 1 }] }],
  });
  assert.equal(withoutSecrets(said, ['x']), said);
  const worded = { action: 'change', notes: ['change it'], changes: [{ after: { action: 'change' } }] };
  assert.deepEqual(withoutSecrets(worded, ['change']), {
    action: 'change',
    notes: ['(secret) it'],
    changes: [{ after: { action: '(secret)' } }],
  });
});

test('a value holds a secret wherever it stands in it, and a short one is a word', () => {
  const secrets = ['hunter2', 'no', ''];

  assert.deepEqual(
    [{ url: ['http://a:hunter2@b'] }, 'hunter2', 'hunter', 'no', 2, undefined].map((value) =>
      holdsSecret(value, secrets),
    ),
    [true, true, false, false, false, false],
  );
});

test('a number is seen, and so is a value from a file that ends with its line', () => {
  const secrets = ['48213377', 'hunter2\n'];

  assert.deepEqual(
    [48_213_377, { pin: 48_213_377 }, 'hunter2', 4821].map((value) => holdsSecret(value, secrets)),
    [true, true, true, false],
  );
  assert.deepEqual(withoutSecrets({ changes: { before: 48_213_377, after: 'to hunter2' } }, secrets), {
    changes: { before: '(secret)', after: 'to (secret)' },
  });
});

test('of fields every key and number may be of an object, whatever it is called', () => {
  const fields = { app: 'hunter2', pin: 48_213_377 };

  assert.deepEqual(fieldsWithoutSecrets(fields, ['48213377', 'hunter2']), { app: '(secret)', pin: '(secret)' });
  assert.equal(fieldsWithoutSecrets(fields, ['x']), fields);
});
