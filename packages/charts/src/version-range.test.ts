import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newestFirst, parseVersionRange, pickVersion } from './version-range.ts';

const VERSIONS = [
  '1.18.0',
  '1.19.0',
  '1.19.4',
  '1.20.0-rc.1',
  '1.20.0',
  'v2.0.0',
  '2.1.0',
  '3.0.0-beta.1',
  '0.3.0',
  'main',
];

function pick(range: string, versions: readonly string[] = VERSIONS): string | undefined {
  return pickVersion(parseVersionRange(range), versions);
}

test('no version or a star is the newest release, never a prerelease', () => {
  assert.equal(pick(''), '2.1.0');
  assert.equal(pick(' * '), '2.1.0');
  assert.equal(pick('*', ['1.0.0-rc.1']), undefined);
});

test('a range is read as Helm reads it', () => {
  const expected: Readonly<Record<string, string | undefined>> = {
    '1': '1.20.0',
    '1.19': '1.19.4',
    '1.x': '1.20.0',
    '~1.19.0': '1.19.4',
    '~>1.19': '1.19.4',
    '^1.18.0': '1.20.0',
    '^0.3': '0.3.0',
    '1.18 - 1.19': '1.19.4',
    '>=1.18, <1.20': '1.19.4',
    '>=1.18 <1.20': '1.19.4',
    '>= 1.18, != 1.19.4, < 1.20': '1.19.0',
    '!=2.1.0': 'v2.0.0',
    '!=2.x': '1.20.0',
    '=>1.19,=<1.19': '1.19.4',
    '>2.1.0 || <1': '0.3.0',
    '>1.19': '2.1.0',
    '>9': undefined,
  };

  for (const [range, version] of Object.entries(expected)) assert.equal(pick(range), version, range);
});

test('a prerelease matches where its alternative names one, and there within all bounds', () => {
  assert.equal(pick('>=2.0.0'), '2.1.0');
  assert.equal(pick('>=2.0.0-0'), '3.0.0-beta.1');
  assert.equal(pick('>2.1-0'), '3.0.0-beta.1');
  assert.equal(pick('>=1.19-0, <1.20.0'), '1.20.0-rc.1');
  assert.equal(pick('*-0'), '3.0.0-beta.1');
  assert.equal(pick('^3.0.0-0 || ^1.0.0'), '3.0.0-beta.1');
  assert.equal(pick('>=1.20.0-0, <1.20.0 || ^0.3'), '1.20.0-rc.1');
  assert.equal(pick('1.20.0-rc.1'), '1.20.0-rc.1');
});

test('a "v" in front is read over, on either side, and what is written the same comes first', () => {
  assert.equal(pick('2.0.0'), 'v2.0.0');
  assert.equal(pick('v2.1.0'), '2.1.0');
  assert.equal(pick('v2.0.0', ['2.0.0', 'v2.0.0']), 'v2.0.0');
  assert.equal(pick('>=v2.0.0, <v2.1.0'), 'v2.0.0');
});

test('an exact version takes any build, one with build metadata takes that build alone', () => {
  assert.equal(pick('1.0.0', ['1.0.0+a', '1.0.0+b']), '1.0.0+b');
  assert.equal(pick('1.0.0+a', ['1.0.0+a', '1.0.0+b']), '1.0.0+a');
  assert.equal(pick('1.0.0+c', ['1.0.0+a', '1.0.0+b']), undefined);
});

test('the only versions that need no list are those that name all three numbers', () => {
  assert.equal(parseVersionRange(' v1.2.3-rc.1+b ').exact, 'v1.2.3-rc.1+b');
  for (const range of ['1.2', '=1.2.3', '^1.2.3', '', '1.2.x']) assert.equal(parseVersionRange(range).exact, undefined);
});

test('what is no version and no range is refused by name', () => {
  for (const text of ['latest', '1.2.3,', '||', '1.2.3.4', '>', '!=', '01.2.3', 'x'.repeat(300)]) {
    assert.throws(() => parseVersionRange(text), { code: 'SpecInvalid', field: 'version' }, text);
  }
});

const number = fc.nat({ max: 4 });
const version = fc
  .tuple(number, number, number, fc.constantFrom('', '', '-alpha', '-rc.1'), fc.constantFrom('', '', '+b1'))
  .map(([major, minor, patch, prerelease, build]) => `${major}.${minor}.${patch}${prerelease}${build}`);
const bound = fc
  .tuple(fc.constantFrom('^', '~', '>=', '<', '<=', '>', '!=', '', '='), number, number, number)
  .map(([operator, major, minor, patch]) => `${operator}${major}.${minor}.${patch}`);

test('what is picked is in the list, matches, and is as new as anything that matches', () => {
  fc.assert(
    fc.property(bound, fc.array(version), (text, versions) => {
      const range = parseVersionRange(text);

      const picked = pickVersion(range, versions);

      const matching = versions.filter((candidate) => range.matches(candidate));
      assert.equal(picked === undefined, matching.length === 0);
      if (picked === undefined) return;
      assert.ok(matching.includes(picked));
      if (range.exact === undefined) assert.equal(newestFirst(matching)[0], picked);
      assert.ok(!picked.includes('-'), 'no prerelease was asked for');
    }),
  );
});

test('a comma narrows, "||" widens, and the order of the list does not matter', () => {
  fc.assert(
    fc.property(bound, bound, fc.array(version), (left, right, versions) => {
      const matching = (text: string): string[] => versions.filter((each) => parseVersionRange(text).matches(each));
      // One bound alone may be an exact version, whose build counts; in a range it never does.
      const [a, b] = [matching(`${left},>=0.0.0`), matching(`${right},>=0.0.0`)];

      assert.deepEqual(
        matching(`${left}, ${right}`),
        a.filter((each) => b.includes(each)),
      );
      assert.deepEqual(
        matching(`${left} || ${right}`),
        versions.filter((each) => a.includes(each) || b.includes(each)),
      );
      assert.equal(pick(`${left} || ${right}`, versions.toReversed()), pick(`${left} || ${right}`, versions));
    }),
  );
});

test('any text ends in a range or in a refusal', () => {
  const piece = fc.constantFrom(
    '1',
    '.',
    '2',
    'x',
    '*',
    '-',
    '+',
    'v',
    ' ',
    ',',
    '||',
    '>',
    '<',
    '=',
    '!',
    '~',
    '^',
    'a',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        pick(pieces.join(''));
      } catch (thrown) {
        assert.equal((thrown as { code?: string }).code, 'SpecInvalid');
      }
    }),
    { numRuns: 500 },
  );
});
