import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { holderName, isDeadNeighbour, processSpace } from './holder-name.ts';

const HERE = { hostname: 'node-1', id: '0123456789ab' };

/** The id of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

test('a process of the same boot and PID namespace that has ended is a dead neighbour', () => {
  assert.equal(isDeadNeighbour(holderName(deadPid(), HERE), HERE), true);
  assert.equal(isDeadNeighbour(holderName(process.pid, HERE), HERE), false);
});

test('a process id counts for nothing in another container, on another boot or another machine', () => {
  const pid = deadPid();

  assert.equal(isDeadNeighbour(holderName(pid, { ...HERE, id: 'ba9876543210' }), HERE), false);
  assert.equal(isDeadNeighbour(holderName(pid, { ...HERE, hostname: 'node-2' }), HERE), false);
  assert.equal(isDeadNeighbour(holderName(pid, { ...HERE, id: undefined }), HERE), false);
});

test('where the space cannot be told no process id is believed', () => {
  const unknown = { ...HERE, id: undefined };

  assert.equal(isDeadNeighbour(holderName(deadPid(), unknown), unknown), false);
});

test('names that no engine gives itself are nobody', () => {
  for (const holder of ['', 'node-1-', 'node-1--0123456789ab', 'node-1-0-0123456789ab', 'node-1-1e3-0123456789ab']) {
    assert.equal(isDeadNeighbour(holder, HERE), false, holder);
  }
});

test('the space of a process stays the same', () => {
  assert.deepEqual(processSpace(), processSpace());
});
