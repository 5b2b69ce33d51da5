import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { PlumbError, type Json } from '@plumb/core';
import fc from 'fast-check';
import { openKubernetesDecoder, type KubernetesReading } from '../../test/kubernetes-decoder.ts';
import { decodeYaml, withEnd } from './decode.ts';

let decodeLikeKubernetes: (texts: readonly string[]) => readonly KubernetesReading[];

before(async () => {
  decodeLikeKubernetes = await openKubernetesDecoder();
});

/** What we refuse on purpose although Kubernetes reads it. */
const REFUSED = new Set(['NumberRange', 'YamlDuplicateKey', 'YamlTag', 'YamlAliasLimit']);

test('every traps table entry of YAML 1.1 and 1.2 reads as Kubernetes reads it (B9)', () => {
  const scalars = [
    ...['yes', 'Yes', 'YES', 'no', 'on', 'Off', 'y', 'Y', 'n', 'N', 'true', 'True', 'tRUE', 'yEs'],
    ...['~', 'null', 'Null', 'NULL', 'nULL', '', '""', "'null'"],
    ...[
      '0',
      '-0',
      '+0',
      '00',
      '07',
      '08',
      '0777',
      '-0777',
      '0o17',
      '0O17',
      '0o8',
      '0x1F',
      '0X1f',
      '-0x1F',
      '0x',
      '0b11',
    ],
    ...['0b', '0b2', '-0b11', '+0b11', '0b-1', '0b+1', '1_000', '_1', '1_', '1__0', '0x_1F', '0_7', '0b1_1', '1_0.5_0'],
    ...[
      '1e3',
      '1E3',
      '1e-3',
      '1.',
      '.5',
      '-.5',
      '+.5',
      '.',
      '1.5.',
      '.5e3',
      '.1_0',
      '._1',
      '.1__0',
      '.1_',
      '1e',
      '0e0',
    ],
    ...['1e400', '-1e400', '.1e400', '1e-400', '.inf', '-.Inf', '+.INF', '.nan', '.NaN', 'inf', 'NaN', '-0.0', '089.5'],
    ...['2001-01-01', '2001-1-1', '2001-12-14t21:59:43.10-05:00', '2001-12-14 21:59:43', '1:30', '190:20:30', '1:30.5'],
    ...['9007199254740991', '9007199254740992', '-9007199254740993', '18446744073709551615', '123456789012345678901'],
    ...[
      '<<',
      '=',
      '1,000',
      '0.1',
      '1.0',
      '100000000000000000000.0',
      '1e21',
      '12e03',
      '٣',
      '+',
      '-',
      '--',
      '+-1',
      '1-2',
    ],
    ...['!!str 1', '!!int "3"', '!!float 3', '!!bool yes', '!!null ~', '!!str yes', "!!int '0x1f'", '!!str', '! 12'],
  ];

  compare(scalars.map((scalar) => `v: ${scalar}\n`));
});

test('generated number-like scalars read as Kubernetes reads them (B9, B10)', () => {
  const characters = fc.constantFrom(...'0123456789___+-..eExXoObBaAfFinyNY:~');
  const scalar = fc.string({ unit: characters, minLength: 1, maxLength: 10 });

  fc.assert(
    fc.property(fc.array(scalar, { minLength: 50, maxLength: 200 }), (scalars) =>
      compare(scalars.flatMap((text) => [`v: ${text}\n`, `- ${text}\n`])),
    ),
    { numRuns: 60, seed: 1 },
  );
});

test('generated keys turn into the text that Kubernetes gives them', () => {
  const characters = fc.constantFrom(...'0123456789_.-+eExofy');
  const key = fc.string({ unit: characters, minLength: 1, maxLength: 9 });
  const float = fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => String(value));

  fc.assert(
    fc.property(fc.array(fc.oneof(key, float), { minLength: 50, maxLength: 100 }), (keys) =>
      compare(keys.map((text) => `${text}: v\n`)),
    ),
    { numRuns: 60, seed: 1 },
  );
});

test('generated documents read as Kubernetes reads them, in block, flow and quoted style', () => {
  fc.assert(
    fc.property(fc.array(documentText, { minLength: 10, maxLength: 40 }), (texts) => compare(texts)),
    { numRuns: 60, seed: 1 },
  );
});

test('a block text at the end of a file without a final newline reads as kubectl reads it, which ends every line', () => {
  const header = fc.constantFrom('|', '|-', '|+', '>', '>-', '>+', '|2', '>2-', '|1+');
  const line = fc.constantFrom(
    '',
    '  ',
    '  x',
    '  x y  ',
    '   x',
    '   ',
    '    y',
    '  # no comment',
    '# a comment',
    '  - x',
  );
  const text = fc
    .tuple(fc.constantFrom('a: ', 'b: 1\na: ', '- '), header, fc.array(line, { maxLength: 4 }))
    .map(([before, style, lines]) => `${before}${style}\n${['  x', ...lines].join('\n')}`);

  fc.assert(
    fc.property(fc.array(text, { minLength: 20, maxLength: 60 }), (texts) => compare(texts, { sent: withEnd })),
    { numRuns: 60, seed: 1 },
  );
  assert.deepEqual(read('a: |\n  x'), { a: 'x\n' });
  assert.deepEqual(read('a: |-\n  x'), { a: 'x' });
});

test('merge keys read as Kubernetes reads them: in the order of the text', () => {
  compare([
    'base: &b {a: 1, b: 2}\nx:\n  <<: *b\n  a: 3\n',
    'base: &b {a: 1, b: 2}\nx:\n  a: 3\n  <<: *b\n',
    'b: &b {a: 1}\nc: &c {a: 2, d: 3}\nx:\n  <<: [*b, *c]\n  e: 1\n',
    'x:\n  <<: {a: 1}\n',
    'x: {"<<": 1}\n',
    'b: &b {a: {n: 1}}\nx:\n  <<: *b\n  a: {m: 2}\n',
  ]);
});

/** `sent`: the text as it reaches the library in Kubernetes' tools; default as it is. */
function compare(
  texts: readonly string[],
  { sent = (text) => text }: { readonly sent?: (text: string) => string } = {},
): void {
  const expected = decodeLikeKubernetes(texts.map(sent));
  for (const [index, text] of texts.entries()) {
    const theirs = expected[index];
    assert.ok(theirs !== undefined);
    const ours = read(text);
    if (ours instanceof PlumbError) {
      const isOnPurpose = REFUSED.has(ours.code) || theirs.value === undefined;
      assert.ok(isOnPurpose, `${JSON.stringify(text)}: ${ours.code} ${ours.message}, they: ${JSON.stringify(theirs)}`);
      continue;
    }
    assert.notEqual(
      theirs.value,
      undefined,
      `${JSON.stringify(text)} we: ${JSON.stringify(ours)}, they: ${theirs.error}`,
    );
    // JSON has one zero.
    assert.deepEqual(JSON.parse(JSON.stringify(ours)), JSON.parse(JSON.stringify(theirs.value)), JSON.stringify(text));
  }
}

function read(text: string): Json | PlumbError {
  try {
    return decodeYaml(text, 'test.yaml')[0]?.value ?? null;
  } catch (thrown) {
    if (thrown instanceof PlumbError) return thrown;
    throw thrown;
  }
}

const word = fc.constantFrom(
  'name',
  'app',
  'yes',
  'on',
  '0777',
  '1e3',
  'a b',
  'x:y',
  'a#b',
  'é',
  '日本',
  'null',
  '-1',
  '3.10',
);
const quoted = fc
  .string({ unit: fc.constantFrom(...'ab \\"\'\n\té😀:#-{}[]'), maxLength: 8 })
  .map((text) => JSON.stringify(text));
const singleQuoted = fc.constantFrom("'it''s'", "'a: b'", "''", "'yes'");
const block = fc.constantFrom('|\n', '|-\n', '|+\n', '>\n', '>-\n');

/** Documents as nested lines: a generator of texts, not of values, so that styles vary too. */
const documentText: fc.Arbitrary<string> = fc.letrec<{ node: (depth: number) => string; root: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(word, quoted, singleQuoted).map((text) => () => ` ${text}\n`),
    block.map(
      (header) => (depth: number) => ` ${header}${'  '.repeat(depth)}first line\n\n${'  '.repeat(depth)}  second\n`,
    ),
    fc
      .array(fc.oneof(word, quoted), { maxLength: 3 })
      .map((items) => () => ` [${items.map((item) => item.replace('x:y', 'x')).join(', ')}]\n`),
    fc
      .array(tie('node'), { minLength: 1, maxLength: 3 })
      .map(
        (items) => (depth: number) => `\n${items.map((item) => `${'  '.repeat(depth)}-${item(depth + 1)}`).join('')}`,
      ),
    fc
      .array(tie('node'), { minLength: 1, maxLength: 4 })
      .map(
        (items) => (depth: number) =>
          `\n${items.map((item, index) => `${'  '.repeat(depth)}k${index}:${item(depth + 1)}`).join('')}`,
      ),
  ),
  root: tie('node').map((node) => `root:${node(1)}`),
})).root;
