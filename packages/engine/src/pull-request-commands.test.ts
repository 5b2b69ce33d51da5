import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullComment } from '@plumb/hosts';
import { AnsweredComments } from './answered-comments.ts';
import { knownOf, type Asked, type Known } from './followed-pulls.ts';
import { readCommands } from './pull-request-commands.ts';

const { signal } = new AbortController();
const ALICE = { id: 'alice', name: 'alice' };

/** One open pull request whose comments are read as the test says. */
function setUp() {
  const comments: PullComment[] = [];
  const followed = { pulls: new Map<number, Known>(), answered: new AnsweredComments(), asked: [] as Asked[] };
  const world = { reads: 0 };
  const host = {
    async comments() {
      world.reads += 1;
      return [...comments];
    },
  };
  return {
    comments,
    followed,
    world,
    known: knownOf(followed, 7),
    read: (activity: string, nowMs: number) =>
      readCommands({ followed, host, signal }, [{ number: 7, activity }], nowMs),
    asked: () => followed.asked.map(({ commentId, seenHead }) => `${commentId} ${seenHead}`),
  };
}

function comment(id: string, writtenAtMs: number, more: Partial<PullComment> = {}): PullComment {
  return { id, user: ALICE, body: '/plumb plan', writtenAtMs, isEdited: false, ...more };
}

test('comments are read where something happened, once more a while later, and then no more', async () => {
  const { comments, world, read, asked } = setUp();
  await read('a', 0);
  assert.equal(world.reads, 1);
  await read('a', 1_000);
  assert.equal(world.reads, 1);

  // In the second of the last change, so that the host says nothing new.
  comments.push(comment('1', 5_000));
  await read('a', 2_000);
  assert.deepEqual(asked(), ['1 undefined']);
  for (const nowMs of [3_000, 60_000, 3_600_000]) await read('a', nowMs);
  assert.equal(world.reads, 2);

  await read('b', 3_700_000);
  assert.equal(world.reads, 3);
});

test('a comment asks once, however often it is read, and not once it was answered', async () => {
  const { comments, followed, read, asked } = setUp();
  comments.push(comment('1', 0), comment('2', 0, { isEdited: true }), comment('3', 0, { body: 'fine' }));
  await read('a', 0);
  await read('b', 10_000);
  assert.deepEqual(asked(), ['1 undefined']);

  followed.asked.shift();
  followed.answered.add(7, '1', undefined);
  await read('c', 20_000);

  assert.deepEqual(asked(), []);
});

test('a comment allows the head that was there before it was written, and none that may have come later', async () => {
  const { comments, known, read, asked } = setUp();
  known.statusHead = 'a'.repeat(40);
  known.statusHeadAtMs = 5_000;
  comments.push(comment('1', 4_999), comment('2', 5_000), comment('3', 5_001));

  await read('a', 0);

  assert.deepEqual(asked(), ['1 undefined', '2 undefined', `3 ${'a'.repeat(40)}`]);
});

test('where too many commands wait, the comments are read again later', async () => {
  const { comments, followed, read } = setUp();
  for (let id = 0; id < 120; id++) comments.push(comment(String(id), 0));

  await read('a', 0);
  assert.equal(followed.asked.length, 100);
  for (const { commentId } of followed.asked.splice(0)) followed.answered.add(7, commentId, undefined);
  await read('a', 1);

  assert.equal(followed.asked.length, 20);
});
