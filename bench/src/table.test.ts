import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goal } from './result.ts';
import { missedOf, replaceBetween, tableOf } from './table.ts';

const RESULT = {
  bench: 'apps',
  machine: { cores: 2, memoryGiB: 24, load: 0.5 },
  figures: {
    count: 10,
    floor: { seconds: 1 },
    idle: { seconds: 60, floorSeconds: 0, requests: 0, engineCpuSeconds: 0.07, peakRssMiB: 184.9 },
  },
  goals: [goal('idle: requests', 0, 0, 'requests'), goal('memory: peak', 180, 184.9, 'MiB')],
};

test('a result becomes a table of its goals and one of its phases', () => {
  assert.equal(
    tableOf('apps', RESULT),
    `### apps

On 2 cores with 24 GiB, count 10; load average before it 0.5.

| goal           | limit   | measured  | met    |
| -------------- | ------- | --------- | ------ |
| idle: requests | 0       | 0         | yes    |
| memory: peak   | 180 MiB | 184.9 MiB | **no** |

| phase | seconds | floor | requests | engine CPU-s | peak RSS MiB |
| ----- | ------- | ----- | -------- | ------------ | ------------ |
| idle  | 60      | 0     | 0        | 0.07         | 185          |
`,
  );
});

test('a list of figures becomes a table, its fields the columns', () => {
  const cases = [
    { case: 'small', binaryP50Ms: 46.1, warmToBinary: 0.11 },
    { case: 'large', binaryP50Ms: 1800, warmToBinary: 1.2 },
  ];
  const memory = [{ renders: 1000, rssMiB: 512.5, linearMiB: 246 }];

  const table = tableOf('render', { ...RESULT, figures: { differing: 0, cases, memory }, goals: [] });

  assert.ok(
    table.endsWith(`
| case  | binary p50 ms | warm to binary |
| ----- | ------------- | -------------- |
| small | 46.1          | 0.11           |
| large | 1800          | 1.2            |

| renders | RSS MiB | linear MiB |
| ------- | ------- | ---------- |
| 1000    | 512.5   | 246        |
`),
    table,
  );
});

test('only what stands between the marks is replaced', () => {
  const text = 'before\n<!-- results: begin, written by npm run bench -->\nold\n<!-- results: end -->\nafter\n';

  const once = replaceBetween(text, 'new\n');

  assert.equal(
    once,
    'before\n<!-- results: begin, written by npm run bench -->\n\nnew\n\n<!-- results: end -->\nafter\n',
  );
  assert.equal(replaceBetween(once, 'new\n'), once);
});

test('a text without the marks is refused', () => {
  assert.throws(() => replaceBetween('nothing', 'new'), /has lost the marks/);
});

test('a missed goal says what was wanted', () => {
  assert.deepEqual(missedOf(RESULT.goals), ['memory: peak: 184.9 MiB, wanted at most 180 MiB']);
});
