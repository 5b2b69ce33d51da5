import { setFlagsFromString } from 'node:v8';

/** By how much what is allocated may grow beyond what lives before all of it is collected. */
const GROWTH_PERCENT = 40;
const POOL_BYTES = 8 * 1024;

/**
 * Sets up a process that does nothing but run an engine, before anything is allocated. By itself the heap may grow to a
 * multiple of what lives while much is to be done, as after a commit that changes a thousand applications; and small
 * buffers are cut from blocks of which each stays as long as any part of it. A flag that this Node does not know is no
 * error.
 */
export function keepMemorySmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  Buffer.poolSize = POOL_BYTES;
}
