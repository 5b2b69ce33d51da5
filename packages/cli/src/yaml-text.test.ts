import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeYaml } from '@plumb/render';
import { yamlText } from './yaml-text.ts';

test('what is printed is read back as the same value', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
    fc.string({ unit: fc.constantFrom(...'ab1-_./:#\'"|>&*!%@`{}[],?= \n\t~ny') }),
    fc.constantFrom(
      'yes',
      'No',
      'on',
      'null',
      '~',
      '1e3',
      '0x1f',
      '1_000',
      '12:30:45',
      '.inf',
      '2024-01-01',
      '<<',
      '=',
      '---',
    ),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      word,
      fc.integer(),
      // Beyond 2^53 the reader refuses numbers, and -0 is no JSON.
      fc.double({ noNaN: true, min: -1e15, max: 1e15 }).map((number) => number + 0),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(word, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));

  fc.assert(
    fc.property(fc.dictionary(word, value, { noNullPrototype: true }), (document) => {
      const text = yamlText(document);

      assert.deepEqual(decodeYaml(text, 'x.yaml')[0]?.value, JSON.parse(JSON.stringify(document)));
    }),
    { numRuns: 500 },
  );
});

test('a manifest is written as people write it', () => {
  const text = yamlText({
    apiVersion: 'apps/v1',
    metadata: { name: 'api', labels: {} },
    spec: {
      replicas: 2,
      args: ['--port', '8080', 'yes'],
      script: 'set -e\necho hi\n',
      empty: [],
      message: 'two words',
    },
  });

  assert.equal(
    text,
    `apiVersion: apps/v1
metadata:
  name: api
  labels: {}
spec:
  replicas: 2
  args:
  - "--port"
  - "8080"
  - "yes"
  script: |
    set -e
    echo hi
  empty: []
  message: two words
`,
  );
});

test('characters that repaint a terminal are written as escapes', () => {
  assert.equal(yamlText({ a: 'x\u001b[31m', b: 'y\u202e' }), 'a: "x\\u001b[31m"\nb: "y\\u202e"\n');
});
