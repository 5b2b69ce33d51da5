import assert from 'node:assert/strict';
import { test } from 'node:test';
import { degrade, paint, showSign, STATE_SIGNS, styleOf } from './style.ts';

test('colour follows --no-color, NO_COLOR, FORCE_COLOR, TERM and the terminal, in this order', () => {
  const isColored = (env: Record<string, string>, isTerminal: boolean, noColor = false): boolean =>
    styleOf(env, { isTerminal, noColor }).isColored;

  assert.equal(isColored({}, true), true);
  assert.equal(isColored({}, false), false);
  assert.equal(isColored({ TERM: 'dumb' }, true), false);
  assert.equal(isColored({ FORCE_COLOR: '1' }, false), true);
  assert.equal(isColored({ FORCE_COLOR: '0' }, true), false);
  assert.equal(isColored({ NO_COLOR: '1', FORCE_COLOR: '1' }, true), false);
  assert.equal(isColored({ FORCE_COLOR: '1' }, true, true), false);
});

test('glyphs are ASCII words where the locale is not UTF-8', () => {
  const ascii = styleOf({ LANG: 'C' }, { isTerminal: false, noColor: false });
  const unicode = styleOf({ LC_ALL: 'de_CH.UTF-8', LANG: 'C' }, { isTerminal: false, noColor: false });

  assert.equal(showSign(ascii, STATE_SIGNS.Healthy), 'ok');
  assert.equal(showSign(unicode, STATE_SIGNS.Healthy), '✓');
  assert.equal(degrade(ascii, 'a → b…'), 'a -> b...');
});

test('nothing is painted without colour', () => {
  const plain = { isColored: false, isUnicode: true };

  assert.equal(paint(plain, 'red', 'x'), 'x');
  assert.equal(paint({ ...plain, isColored: true }, 'red', 'x'), '\u001b[31mx\u001b[0m');
});
