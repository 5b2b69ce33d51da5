import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { read } from './repository.ts';

const ROW = /^\| D(\d+) +\| .*? \| (.*?) *\|$/gm;

test('each of the 37 rows of reliability names a test that is there, or a decision', () => {
  const rows = [...read('docs/reference/reliability.md').matchAll(ROW)];
  assert.deepEqual(
    rows.map(([, number]) => Number(number)),
    Array.from({ length: 37 }, (_, index) => index + 1),
  );
  const missing = rows.flatMap(([, number, held = '']) => {
    const decision = /^\[decision \d+\]\(\.\.\/(decisions\/[^)]+)\)$/.exec(held)?.[1];
    if (decision !== undefined) return existsSync(`docs/${decision}`) ? [] : [`D${number}: ${decision}`];
    const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(held) ?? [];
    return existsSync(file) && title !== '' && read(file).includes(title) ? [] : [`D${number}: ${held}`];
  });
  assert.deepEqual(missing, []);
});
