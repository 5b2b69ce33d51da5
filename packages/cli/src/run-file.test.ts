import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { announceRun, listRuns, type RunFile } from './run-file.ts';

const RUN: RunFile = {
  pid: process.pid,
  url: 'http://127.0.0.1:8080',
  kubeconfig: '/x/kubeconfig',
  context: 'embedded',
  server: 'https://127.0.0.1:6443',
  stateFolder: '/x/state',
  startedAt: '2026-01-01T00:00:00.000Z',
};

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'plumb-run-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test('a running engine is found until it stops, and its file is private', async () => {
  await using folder = await temporaryFolder();
  {
    await using _run = await announceRun(join(folder.path, 'run'), RUN);

    assert.deepEqual(await listRuns(join(folder.path, 'run')), [RUN]);
    assert.equal((await stat(join(folder.path, 'run', `${process.pid}.json`))).mode & 0o777, 0o600);
  }
  assert.deepEqual(await listRuns(join(folder.path, 'run')), []);
});

test('what a killed engine left behind, or nobody can read, does not count', async () => {
  await using folder = await temporaryFolder();
  // No system gives out this number.
  await writeFile(join(folder.path, 'dead.json'), JSON.stringify({ ...RUN, pid: 2 ** 30 }));
  await writeFile(join(folder.path, 'cut.json'), '{"pid": 1');

  assert.deepEqual(await listRuns(folder.path), []);
});

test('where there is no folder nothing runs', async () => {
  assert.deepEqual(await listRuns('/nonexistent/run'), []);
});
