import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatFieldPath, parseFieldPath } from '../field-path.ts';
import { coversField, parseFieldPattern } from './field-pattern.ts';

const OBJECT = {
  metadata: { labels: { 'app.kubernetes.io/name': 'shop', '0': 'zero' } },
  spec: {
    replicas: 3,
    template: {
      spec: {
        containers: [
          { name: 'api', image: 'a', env: [{ name: 'LEVEL', value: 'x' }] },
          { name: 'side', image: 'b', source: { kind: 'x' } },
        ],
      },
    },
    rules: [{ host: 'a' }, { host: 'b' }],
  },
};

const API = 'spec.template.spec.containers[name="api"]';
const CASES: readonly (readonly [pattern: string, field: string, isCovered: boolean])[] = [
  ['spec.replicas', 'spec.replicas', true],
  ['spec', 'spec.replicas', true],
  ['spec.replicas', 'spec', false],
  ['spec.replicas', 'spec.paused', false],
  [`${API}.image`, `${API}.image`, true],
  [`${API}.image`, 'spec.template.spec.containers[name="side"].image', false],
  ['spec.template.spec.containers[*].image', `${API}.image`, true],
  ['spec.rules[*].host', 'spec.rules[1].host', true],
  ['/spec/replicas', 'spec.replicas', true],
  ['/spec/template/spec/containers/0/image', `${API}.image`, true],
  ['/spec/template/spec/containers/1/image', `${API}.image`, false],
  ['/spec/rules/1', 'spec.rules[1].host', true],
  ['/metadata/labels/app.kubernetes.io~1name', 'metadata.labels["app.kubernetes.io/name"]', true],
  ['/metadata/labels/0', 'metadata.labels["0"]', true],
  ['.spec.replicas', 'spec.replicas', true],
  ['.spec.template.spec.containers[].image', `${API}.image`, true],
  ['.spec.template.spec.containers[]?.image', `${API}.image`, true],
  ['.spec.template.spec.containers[0].image', `${API}.image`, true],
  ['.spec.template.spec.containers[] | select(.name == "api") | .image', `${API}.image`, true],
  ['.spec.template.spec.containers[] | select(.name == "side")', `${API}.image`, false],
  [
    '.spec.template.spec.containers[] | select(.image == "b")',
    'spec.template.spec.containers[name="side"].image',
    true,
  ],
  [
    '.spec.template.spec.containers[] | select(.source.kind == "x" and .name == "side")',
    'spec.template.spec.containers[name="side"].image',
    true,
  ],
  ['.metadata.labels["app.kubernetes.io/name"]', 'metadata.labels["app.kubernetes.io/name"]', true],
  ['.metadata.labels."app.kubernetes.io/name"', 'metadata.labels["app.kubernetes.io/name"]', true],
];

for (const [text, field, isCovered] of CASES) {
  test(`${text} ${isCovered ? 'covers' : 'does not cover'} ${field}`, () => {
    const pattern = parseFieldPattern(text);
    assert.ok(pattern !== undefined);
    assert.equal(coversField(pattern, parseFieldPath(field) ?? [], OBJECT), isCovered);
  });
}

test('what would have to be computed, and what is no pattern, is refused', () => {
  const texts = [
    '',
    '.',
    '/a/~2',
    'spec..x',
    '.spec | keys',
    '.a + .b',
    '.[] | select(.x > 1)',
    'spec.a[',
    '.a[] | select(.b | test("x"))',
    '.. | .image',
    '.spec | select(.x == 1)',
  ];
  for (const text of texts) assert.equal(parseFieldPattern(text), undefined, text);
});

test('any text is read or refused, and never throws', () => {
  const pieces = fc.constantFrom(
    '.',
    '[',
    ']',
    '"',
    'a',
    '|',
    'select(',
    ')',
    '==',
    ' ',
    '/',
    '~1',
    '*',
    '0',
    '\\',
    '=',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      parseFieldPattern(parts.join(''));
    }),
  );
});

test('a path covers itself, as a path and as a pointer', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9/~._-]{0,6}$/);
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => {
      const path = names.map((field) => ({ field }));
      const pointer = names.map((field) => `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
      for (const text of [formatFieldPath(path), pointer]) {
        const pattern = parseFieldPattern(text);
        assert.ok(pattern !== undefined && coversField(pattern, path, {}), text);
      }
    }),
  );
});
