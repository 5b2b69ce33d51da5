import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fields } from './decode.ts';
import type { Page } from './host-client.ts';
import type { PullRequest } from './host.ts';
import { newestFirst } from './newest-first.ts';

async function* pagesOf(
  ...pages: readonly (readonly (readonly [number: number, atMs: number])[])[]
): AsyncGenerator<Page> {
  for (const [index, page] of pages.entries()) {
    const items = page.map(([number, atMs]) => new Fields({ number, atMs }, 'x'));
    yield { items, isLast: index === pages.length - 1 };
  }
}

function decode(item: Fields): PullRequest {
  return { number: item.at('number').integer, updatedAtMs: item.at('atMs').integer } as PullRequest;
}

test('one that changes while pages are read pushes the others on, and none counts twice', async () => {
  // 2 was at the end of the first page, and is at the beginning of the second once 9 has come.
  const pulls = await newestFirst(
    pagesOf(
      [
        [3, 30],
        [2, 20],
      ],
      [
        [2, 20],
        [1, 10],
      ],
    ),
    undefined,
    decode,
  );

  assert.deepEqual(
    pulls.map(({ number }) => number),
    [3, 2, 1],
  );
});

test('one that changed exactly then is read', async () => {
  const pulls = await newestFirst(
    pagesOf([
      [3, 30],
      [2, 20],
      [1, 10],
    ]),
    20,
    decode,
  );

  assert.deepEqual(
    pulls.map(({ number }) => number),
    [3, 2],
  );
});
