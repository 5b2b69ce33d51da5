import { parentPort, workerData } from 'node:worker_threads';
import { Guest, GuestFailure, type GuestFailureReason } from './guest.ts';
import type { World } from './wasi.ts';

export interface WorkerInput {
  readonly module: WebAssembly.Module;
  /** What is called before the first request; its answer says nothing. */
  readonly warmUp: Uint8Array | undefined;
}

export interface WorkerRequest {
  readonly frame: Uint8Array;
  readonly world: World;
  /** A new instance for this call, because what it renders draws on state that an instance keeps. */
  readonly isFresh: boolean;
}

export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'reply'; readonly frame: Uint8Array; readonly memoryBytes: number }
  | { readonly kind: 'failed'; readonly reason: GuestFailureReason; readonly message: string };

const { module, warmUp } = workerData as WorkerInput;
const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');

let guest: Guest | undefined = new Guest(module, { nowMs: 0, seed: '' });
if (warmUp !== undefined) guest.call(warmUp, { nowMs: 0, seed: '' });
release();
port.on('message', (request: WorkerRequest) => {
  answer(request);
  // Collecting takes longer than many a render does: nobody waits for it.
  release();
});
send({ kind: 'ready' });

function send(reply: WorkerReply, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(reply, transfer);
}

function answer({ frame, world, isFresh }: WorkerRequest): void {
  try {
    if (isFresh) guest = undefined;
    guest ??= new Guest(module, world);
    const reply = guest.call(frame, world);
    send({ kind: 'reply', frame: reply, memoryBytes: guest.memoryBytes }, [reply.buffer]);
  } catch (thrown) {
    guest = undefined;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    send({ kind: 'failed', reason: thrown instanceof GuestFailure ? thrown.reason : 'crash', message });
  }
}

/** An instance that cannot even do this is replaced before the next call. */
function release(): void {
  try {
    guest?.release();
  } catch {
    guest = undefined;
  }
}
