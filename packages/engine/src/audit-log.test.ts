import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AuditEvent } from '@plumb/core';
import { ManualClock } from '@plumb/test-support';
import { AuditLog } from './audit-log.ts';

const { signal } = new AbortController();

function line(name: string, padding = ''): string {
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    auditID: name,
    stage: 'ResponseComplete',
    requestURI: '/api/v1/namespaces/shop/configmaps',
    verb: 'delete',
    user: { username: 'j.doe' },
    objectRef: { resource: 'configmaps', namespace: 'shop', name },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: '2026-01-01T10:00:00.250000Z',
    stageTimestamp: '2026-01-01T10:00:00.300000Z',
    annotations: { padding },
  });
}

async function openWorld(before?: string) {
  await using opening = new AsyncDisposableStack();
  const folder = opening.adopt(await mkdtemp(join(tmpdir(), 'plumb-audit-')), (path) => rm(path, { recursive: true }));
  const path = join(folder, 'audit.log');
  if (before !== undefined) await writeFile(path, before);
  const events: AuditEvent[] = [];
  const failures: string[] = [];
  const clock = new ManualClock();
  const log = opening.use(
    new AuditLog({
      path,
      clock,
      signal,
      take: async (some) => events.push(...some),
      failed: (reason) => failures.push(reason),
    }),
  );
  const open = opening.move();
  return {
    path,
    log,
    clock,
    failures,
    /** What a look at the file brings. */
    async look(): Promise<readonly string[]> {
      events.length = 0;
      await log.look();
      return events.map(({ name }) => name);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

test('what is there and what is appended is read, a line that is not whole when it is', async () => {
  await using world = await openWorld(`${line('one')}\n${line('two').slice(0, 40)}`);

  const first = await world.look();
  await appendFile(world.path, `${line('two').slice(40)}\n${line('three')}\n`);

  assert.deepEqual(first, ['one']);
  assert.deepEqual(await world.look(), ['two', 'three']);
  assert.deepEqual(await world.look(), []);
});

test('after a rotation the old file is read to its end and the new one from its beginning', async () => {
  await using world = await openWorld(`${line('one')}\n`);
  await world.look();
  await appendFile(world.path, `${line('last of the old')}\n${line('cut').slice(0, 40)}`);
  await rename(world.path, `${world.path}.1`);
  await writeFile(world.path, `${line('first of the new')}\n`);

  assert.deepEqual(await world.look(), ['last of the old', 'first of the new']);
});

test('a file that became shorter is read from its beginning', async () => {
  await using world = await openWorld(`${line('one')}\n${line('two')}\n`);
  await world.look();
  await truncate(world.path);
  await appendFile(world.path, `${line('three')}\n`);

  assert.deepEqual(await world.look(), ['three']);
});

test('a line of ten megabytes and a line that is no JSON are passed over', async () => {
  await using world = await openWorld('');
  await appendFile(world.path, `${line('huge', 'x'.repeat(10 * 1024 * 1024))}\n{"apiVersion":\n\n${line('small')}\n`);

  assert.deepEqual(await world.look(), ['small']);
});

test('of a long file only the end is read, and of the line that this cuts nothing', async () => {
  const old = `${line('old', 'x'.repeat(1_000))}\n`.repeat(5_000);
  await using world = await openWorld(`${old}${line('new')}\n`);

  const names = await world.look();

  assert.ok(names.length > 2_500 && names.length < 3_500, String(names.length));
  assert.equal(names.at(-1), 'new');
});

test('a file that is not there is waited for, and that is said once', async () => {
  await using world = await openWorld();

  const before = [await world.look(), await world.look()];
  await writeFile(world.path, `${line('one')}\n`);
  const after = await world.look();
  await rm(world.path);
  await world.look();

  assert.deepEqual([before, after], [[[], []], ['one']]);
  assert.equal(world.failures.length, 2);
  assert.match(world.failures[0] ?? '', /ENOENT/);
});

test('it looks by itself once a second, and not any more after its end', async () => {
  const world = await openWorld('');
  world.clock.advance(0);
  await world.look();

  await world[Symbol.asyncDispose]();

  assert.equal(world.clock.pending, 0);
});
