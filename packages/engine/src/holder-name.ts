import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** What a process id is worth something in: one boot of one machine, and there one PID namespace. */
export interface ProcessSpace {
  readonly hostname: string;
  /** Undefined where it cannot be told: then no process id is believed. */
  readonly id: string | undefined;
}

/** The space that this process is in, from `/proc`: machines and containers may share a host name, not this. */
export function processSpace(): ProcessSpace {
  return { hostname: hostname(), id: spaceId() };
}

function spaceId(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const namespace = readlinkSync('/proc/self/ns/pid');
    return createHash('sha256').update(`${boot} ${namespace}`).digest('hex').slice(0, 12);
  } catch {
    return undefined;
  }
}

/** `host-4711-0123456789ab`; without the last part where the space has no id. */
export function holderName(pid: number, { hostname: host, id }: ProcessSpace): string {
  return `${host}-${pid}${id === undefined ? '' : `-${id}`}`;
}

/**
 * Whether the holder is a process of this very space that is no more: after a crash the next engine on the same machine
 * need not wait for the lease to run out.
 */
export function isDeadNeighbour(holder: string, { hostname: host, id }: ProcessSpace): boolean {
  const [prefix, suffix] = [`${host}-`, `-${id}`];
  if (id === undefined || !holder.startsWith(prefix) || !holder.endsWith(suffix)) return false;
  const digits = holder.slice(prefix.length, -suffix.length);
  return /^[1-9][0-9]{0,9}$/.test(digits) && isGone(Number(digits));
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH';
  }
}
