import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import fc from 'fast-check';
import { readIndex } from './index-file.ts';

test('a version is text, even where it looks like a number', () => {
  const index = readIndex('entries:\n  web:\n  - version: 1.10\n    urls: [web-1.10.tgz]\n    digest: 0123\n', 'index');

  assert.deepEqual(index.get('web'), [{ version: '1.10', url: 'web-1.10.tgz', digest: '0123' }]);
});

test('an index may be JSON, and may be empty', () => {
  assert.equal(readIndex('{"entries": {"web": [{"version": "1.0.0", "urls": ["a"]}]}}', 'index').get('web')?.length, 1);
  for (const text of ['entries: {}', 'entries:', 'entries: null']) assert.equal(readIndex(text, 'index').size, 0, text);
});

test('an entry that cannot be used is passed over', () => {
  const text = 'entries:\n  odd: text\n  web:\n  - {}\n  - 1\n  - version: 1.0.0\n  - version: 1.0.1\n    urls: [a]\n';

  assert.deepEqual([...readIndex(text, 'index')], [['web', [{ version: '1.0.1', url: 'a', digest: undefined }]]]);
});

test('a chart with the name of a property of every object is a chart like others', () => {
  const index = readIndex('entries:\n  __proto__:\n  - {version: 1.0.0, urls: [a]}\n', 'index');

  assert.equal(index.get('__proto__')?.length, 1);
  assert.equal(index.get('constructor'), undefined);
});

test('what is no index is refused with the reason', () => {
  assert.throws(() => readIndex('<!doctype html><html>', 'index'), /HTML page/);
  assert.throws(() => readIndex('entries: [1', 'index'), /no YAML at line/);
  assert.throws(() => readIndex('just text', 'index'), /no "entries"/);
  assert.throws(() => readIndex('', 'index'), { code: 'ChartRepositoryInvalid' });
  assert.throws(() => readIndex(`entries: ${'['.repeat(100_000)}`, 'index'), { code: 'ChartRepositoryInvalid' });
});

test('aliases that multiply are refused', () => {
  const many = Array.from({ length: 5000 }, () => '{version: 1.0.0, urls: [a]}').join(', ');
  const charts = Array.from({ length: 90 }, (_, number) => `  chart${number}: *all\n`).join('');

  assert.throws(() => readIndex(`entries:\n  first: &all [${many}]\n${charts}`, 'index'), /more than 200000 entries/);
});

test('any text ends in an index or in a refusal', () => {
  const piece = fc.constantFrom(
    'entries:',
    '\n',
    '  ',
    'web:',
    '- ',
    'version: ',
    '1.0',
    '{',
    '}',
    '[',
    ']',
    '*a',
    '&a ',
    '"',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        readIndex(pieces.join(''), 'index');
      } catch (thrown) {
        assert.ok(thrown instanceof PlumbError && thrown.code === 'ChartRepositoryInvalid', String(thrown));
      }
    }),
    { numRuns: 300 },
  );
});
