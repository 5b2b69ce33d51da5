import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from './gate.ts';

test('a gate opens when the last reason is gone, in whatever order they go', () => {
  const turns: boolean[] = [];
  const gate = new Gate<'starting' | 'lease'>((isOpen) => turns.push(isOpen));

  gate.close('starting', 'starting up');
  gate.close('lease', 'the lease is lost');
  gate.open('starting');
  assert.equal(gate.isOpen, false);
  assert.equal(gate.closedBecause, 'the lease is lost');
  gate.open('lease');

  assert.equal(gate.isOpen, true);
  assert.equal(gate.closedBecause, undefined);
  assert.deepEqual(turns, [false, true]);
});

test('a reason that is given twice goes at once, and one that was never given changes nothing', () => {
  const turns: boolean[] = [];
  const gate = new Gate<'starting' | 'lease'>((isOpen) => turns.push(isOpen));

  gate.open('lease');
  gate.close('lease', 'first words');
  gate.close('lease', 'newer words');
  assert.equal(gate.closedBecause, 'newer words');
  gate.open('lease');

  assert.deepEqual(turns, [false, true]);
});
