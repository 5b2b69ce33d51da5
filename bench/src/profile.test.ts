import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfTimes } from './profile.ts';

test('each sample stands for the time until the next, and waiting does not count', () => {
  const frame = (functionName: string, url = ''): { functionName: string; url: string; lineNumber: number } => ({
    functionName,
    url,
    lineNumber: 9,
  });

  const times = selfTimes({
    nodes: [
      { id: 1, callFrame: frame('(idle)') },
      { id: 2, callFrame: frame('apply', 'file:///x/packages/kube/src/apply.ts') },
      { id: 3, callFrame: frame('', 'node:net') },
      { id: 4, callFrame: frame('apply', 'file:///x/packages/kube/src/apply.ts') },
    ],
    samples: [1, 2, 3, 4, 1],
    timeDeltas: [0, 500_000, 100_000, 200_000, 300_000],
  });

  assert.deepEqual(times, [
    { place: 'apply packages/kube/src/apply.ts:10', seconds: 0.4 },
    { place: '(anonymous) node:net:10', seconds: 0.2 },
  ]);
});
