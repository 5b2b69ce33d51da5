import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PlumbError } from '@plumb/core';
import { ManualClock } from '@plumb/test-support';
import { FrameWriter, readFrame } from './frame.ts';
import { loadModule } from './module.ts';
import { Sandbox, type CallOptions } from './pool.ts';

const { signal } = new AbortController();
const call: CallOptions = { world: { nowMs: 0, seed: '' }, isFresh: false, signal };
const TIMEOUT_MS = 30_000;

function openSandbox(clock: ManualClock, size = 1): Sandbox {
  return new Sandbox({ clock, loadModule: () => loadModule('helm'), size, timeoutMs: TIMEOUT_MS });
}

function templateFrame(template: string): Uint8Array {
  const writer = new FrameWriter();
  const templates = [{ p: 'x.yaml', ...writer.put(new TextEncoder().encode(template)) }];
  return writer.frame({ op: 'renderValues', releaseName: 'a', namespace: 'b', templates, layers: [], set: [] });
}

const ENDLESS = templateFrame('{{ range until 60000 }}{{ range until 60000 }}{{ end }}{{ end }}');
const QUICK = templateFrame('a: {{ .Release.Name }}');

async function waitForTimer(clock: ManualClock): Promise<void> {
  while (clock.pending === 0) await nextTurn();
}

function isError(code: string) {
  return (thrown: unknown) => thrown instanceof PlumbError && thrown.code === code;
}

test('a call that takes too long is ended, and the next one gets a new thread', async () => {
  const clock = new ManualClock();
  await using sandbox = openSandbox(clock);
  const endless = sandbox.call(ENDLESS, call);
  const waiting = sandbox.call(QUICK, call);
  const ended = assert.rejects(endless, isError('RenderTimeout'));

  await waitForTimer(clock);
  clock.advance(TIMEOUT_MS);

  await ended;
  assert.match(JSON.stringify(readFrame(await waiting).header), /"ok":true/);
});

test('an abort ends the running call and takes a waiting one out of the queue', async () => {
  const clock = new ManualClock();
  await using sandbox = openSandbox(clock);
  const controller = new AbortController();
  const running = assert.rejects(sandbox.call(ENDLESS, { ...call, signal: controller.signal }), /stop/);
  const waiting = assert.rejects(sandbox.call(ENDLESS, { ...call, signal: controller.signal }), /stop/);

  await waitForTimer(clock);
  controller.abort(new Error('stop'));

  await Promise.all([running, waiting]);
  assert.match(JSON.stringify(readFrame(await sandbox.call(QUICK, call)).header), /"ok":true/);
});

test('a thread that nobody needs ends after a minute, and the next call starts one', async () => {
  const clock = new ManualClock();
  await using sandbox = openSandbox(clock);
  await sandbox.call(QUICK, call);

  assert.equal(clock.pending, 1);
  clock.advance(60_000);

  assert.equal(clock.pending, 0);
  assert.match(JSON.stringify(readFrame(await sandbox.call(QUICK, call)).header), /"ok":true/);
});

test('closing ends what runs and leaves no timer behind', async () => {
  const clock = new ManualClock();
  const sandbox = openSandbox(clock, 2);
  const calls = [ENDLESS, ENDLESS, ENDLESS].map((frame) =>
    assert.rejects(sandbox.call(frame, call), isError('RenderCrash')),
  );

  await waitForTimer(clock);
  await sandbox[Symbol.asyncDispose]();

  await Promise.all(calls);
  assert.equal(clock.pending, 0);
});

test('a frame that makes no sense is answered, not crashed on', async () => {
  await using sandbox = openSandbox(new ManualClock());

  const reply = await sandbox.call(new FrameWriter().frame({ op: 'nonsense' }), call);

  assert.match(JSON.stringify(readFrame(reply).header), /BAD_REQUEST/);
});

test('calls of one owner leave a thread to the others', async () => {
  const clock = new ManualClock();
  await using sandbox = openSandbox(clock, 2);
  const stop = new AbortController();
  const heavy = [1, 2, 3].map(() =>
    assert.rejects(sandbox.call(ENDLESS, { ...call, owner: 'heavy', signal: stop.signal }), /stop/),
  );

  const reply = await sandbox.call(QUICK, { ...call, owner: 'light' });

  assert.match(JSON.stringify(readFrame(reply).header), /"ok":true/);
  stop.abort(new Error('stop'));
  await Promise.all(heavy);
});

test('a lost thread is replaced before anybody asks for it', async () => {
  const clock = new ManualClock();
  await using sandbox = openSandbox(clock);
  const ended = assert.rejects(sandbox.call(ENDLESS, call), isError('RenderTimeout'));
  await waitForTimer(clock);
  clock.advance(TIMEOUT_MS);
  await ended;

  // The timer is the new thread's: it ends when idle for a minute.
  assert.equal(clock.pending, 1);
  assert.match(JSON.stringify(readFrame(await sandbox.call(QUICK, call)).header), /"ok":true/);
});
