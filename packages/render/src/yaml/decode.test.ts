import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import fc from 'fast-check';
import { decodeYaml } from './decode.ts';

function errorOf(text: string): PlumbError {
  try {
    decodeYaml(text, 'a.yaml');
  } catch (thrown) {
    if (thrown instanceof PlumbError) return thrown;
    throw thrown;
  }
  return assert.fail('the text was read');
}

function summary(text: string): string {
  const { code, where } = errorOf(text);
  return `${code} ${where?.file}:${where?.line}:${where?.column}`;
}

test('each document has the line of its first value', () => {
  const text = '# a comment\n\na: 1\n---\n\n# more\nb: |\n  text\n  --- not a marker\n---\n- c\n...\n---\nd: 1\n';

  const documents = decodeYaml(text, 'a.yaml');

  assert.deepEqual(documents, [
    { value: { a: 1 }, line: 3 },
    { value: { b: 'text\n--- not a marker\n' }, line: 7 },
    { value: ['c'], line: 11 },
    { value: { d: 1 }, line: 14 },
  ]);
});

test('malformed YAML names line and column (B1)', () => {
  assert.equal(summary('a: 1\n\tb: 2\n'), 'YamlSyntax a.yaml:2:1');
  assert.match(errorOf('a: 1\n\tb: 2\n').message, /tab/);
  assert.match(summary('a: 1\nb: "open\n'), /^YamlSyntax a\.yaml:[23]:/);
  assert.equal(summary('a: [1, 2\nb: 3\n').split(' ')[0], 'YamlSyntax');
  assert.equal(summary('a: *nowhere\n'), 'YamlSyntax a.yaml:1:5');
});

test('what is wrong at the end of a file without a final newline is told of a line that the file has', () => {
  assert.equal(summary('{"type":'), 'YamlSyntax a.yaml:1:9');
  const text = fc.string({ unit: fc.constantFrom(...'ab:- \n\t{}[]"\'|>&*!,#'), maxLength: 20 });

  fc.assert(
    fc.property(text, (whole) => {
      try {
        decodeYaml(whole, 'a.yaml');
      } catch (thrown) {
        assert.ok(thrown instanceof PlumbError);
        assert.ok((thrown.where?.line ?? 1) <= whole.split('\n').length, thrown.message);
      }
    }),
    { numRuns: 5_000, seed: 1 },
  );
});

test('a duplicate key is an error, in maps of any style (B2)', () => {
  assert.equal(summary('a: 1\nb: 2\na: 3\n'), 'YamlDuplicateKey a.yaml:3:1');
  assert.equal(summary('x:\n  - {k: 1, "k": 2}\n'), 'YamlDuplicateKey a.yaml:2:12');
  assert.equal(summary('1: a\n"1": b\n'), 'YamlDuplicateKey a.yaml:2:1');
  assert.equal(summary('{"a": 1, "a": 2}'), 'YamlDuplicateKey a.yaml:1:10');
});

test('aliases that multiply are refused, few small ones are read (B3)', () => {
  const names = [...'abcdefghi'];
  const bomb = names.map((name, level) => {
    const item = level === 0 ? 'lol' : `*${names[level - 1]}`;
    return `${name}: &${name} [${Array.from({ length: 9 }, () => item).join(',')}]\n`;
  });

  assert.equal(errorOf(bomb.join('')).code, 'YamlAliasLimit');
  assert.equal(errorOf(`a: &a x\nb: [${'*a, '.repeat(101)}]`).code, 'YamlAliasLimit');
  assert.deepEqual(decodeYaml('a: &a [x]\nb: *a\n', 'a.yaml')[0]?.value, { a: ['x'], b: ['x'] });
});

test('merge keys are read up to 10,000 merged pairs (B4)', () => {
  const wide = `base: &b {${Array.from({ length: 200 }, (_, index) => `k${index}: 1`).join(', ')}}\n`;
  const merges = Array.from({ length: 60 }, (_, index) => `m${index}: {<<: *b}\n`);

  assert.equal(errorOf(wide + merges.join('')).code, 'YamlMergeDisabled');
  assert.equal(Object.keys(decodeYaml(wide + merges.slice(0, 3).join(''), 'a.yaml')[0]?.value ?? {}).length, 4);
});

test('nesting beyond 100 levels is refused without overflowing the stack (B5)', () => {
  const deep = 100_000;
  const blocks = Array.from({ length: 1000 }, (_, level) => `${' '.repeat(level)}a:`).join('\n');

  for (const text of ['['.repeat(deep), '{a: '.repeat(deep), '- '.repeat(deep), '? '.repeat(deep), blocks]) {
    assert.equal(errorOf(text).code, 'YamlDepthLimit');
  }
});

test('an alias inside of its own anchor is refused (B6)', () => {
  assert.equal(summary('a: &a [1, *a]\n'), 'YamlCycle a.yaml:1:12');
  assert.equal(summary('a: &a\n  b: {c: *a}\n'), 'YamlCycle a.yaml:2:11');
});

test('keys that JavaScript treats specially are data and pollute nothing (B7)', () => {
  const text = '__proto__: {polluted: yes}\nconstructor: {prototype: {polluted: yes}}\nprototype: 1\ntoString: 2\n';

  const value = decodeYaml(text, 'a.yaml')[0]?.value as object;

  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor', 'prototype', 'toString']);
  assert.equal(JSON.stringify(value).includes('"__proto__":{"polluted":true}'), true);
  assert.equal('polluted' in {}, false);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
});

test('tags other than the core ones are refused (B8)', () => {
  for (const tag of ['!!js/function', '!!binary', '!custom', '!!timestamp', '!<tag:example.com,2000:x>']) {
    assert.equal(errorOf(`a: ${tag} aGk=\n`).code, 'YamlTag', tag);
    assert.equal(errorOf(`a: ${tag} [1]\n`).code, 'YamlTag', tag);
    assert.equal(errorOf(`a: ${tag} {b: 1}\n`).code, 'YamlTag', tag);
  }
  assert.equal(errorOf('%TAG !! tag:example.com,2000:\n---\na: !!str x\n').code, 'YamlTag');
  assert.deepEqual(decodeYaml('!!map {a: !!seq [!!str 1]}', 'a.yaml')[0]?.value, { a: ['1'] });
});

test('numbers that 64-bit floats do not hold are refused, minus zero is zero (B10)', () => {
  for (const number of ['9007199254740992', '-9007199254740993', '0xffffffffffffffff', '.inf', '-.Inf', '.nan']) {
    assert.equal(summary(`a:\n  b: ${number}\n`), 'NumberRange a.yaml:2:6', number);
  }
  const value = decodeYaml('a: [9007199254740991, -0, 1e400]', 'a.yaml')[0]?.value;
  assert.deepEqual(value, { a: [9007199254740991, 0, '1e400'] });
});

test('repeated hostile shapes end in a value or a named error, never in another throw', () => {
  const shapes = [
    'a: &a x\n',
    '? a\n',
    '{[',
    '"\\',
    "'",
    '|\n',
    '--- ',
    '%YAML 1.1\n',
    '!!',
    '*a ',
    '#\n',
    ': ',
    '- - ',
  ];

  for (const shape of shapes) {
    const text = shape.repeat(20_000);
    try {
      decodeYaml(text, 'a.yaml');
    } catch (thrown) {
      assert.ok(thrown instanceof PlumbError, `${JSON.stringify(shape)}: ${String(thrown)}`);
    }
  }
});

test('any text ends in values or a named error with its place', () => {
  const piece = fc.constantFrom(
    ...[
      'a',
      ': ',
      '- ',
      '? ',
      '\n',
      '  ',
      '\t',
      '"',
      "'",
      '{',
      '}',
      '[',
      ']',
      ',',
      '|\n',
      '>-\n',
      '&x ',
      '*x',
      '!!str ',
      '!t ',
    ],
    ...['<<', '#', '---\n', '...\n', '%TAG ', '\r', '0x', 'yes', '\\', '\u2028', '😀', '\ufeff', '`', '@', '='],
  );

  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      try {
        decodeYaml(pieces.join(''), 'a.yaml');
      } catch (thrown) {
        assert.ok(thrown instanceof PlumbError && thrown.where?.file === 'a.yaml', String(thrown));
      }
    }),
    { numRuns: 5000, seed: 1 },
  );
});

test('JSON is read as YAML: tabs, escapes, surrogate pairs, long keys', () => {
  const value = { a: ['\t/\u0000é😀\u2028', 1e3, -1.5, true, null], [`k${'x'.repeat(2000)}`]: { b: {} } };

  assert.deepEqual(decodeYaml(JSON.stringify(value, undefined, '\t'), 'a.json')[0]?.value, value);
  assert.deepEqual(decodeYaml('{"s": "\\ud83d\\ude00\\/"}', 'a.json')[0]?.value, { s: '😀/' });
});

test('Windows line ends change nothing', () => {
  assert.deepEqual(decodeYaml('a: |\r\n  x\r\n  y\r\n---\r\nb: 1\r\n', 'a.yaml'), [
    { value: { a: 'x\ny\n' }, line: 1 },
    { value: { b: 1 }, line: 5 },
  ]);
});

test('line breaks that only YAML 1.1 knows are refused outside of quotes and kept inside', () => {
  for (const char of ['\u0085', '\u2028', '\u2029']) {
    assert.equal(errorOf(`a: x${char}y\n`).code, 'YamlSyntax');
    assert.equal(errorOf(`a: |\n  x${char}y\n`).code, 'YamlSyntax');
  }
  assert.deepEqual(decodeYaml('{"a": "x\u2028y", "b": "\\u0085"}', 'a.yaml')[0]?.value, { a: 'x\u2028y', b: '\u0085' });
});
