import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What a process has used since it began, with everything that it started. */
export interface Usage {
  readonly cpuSeconds: number;
  /** Of the process alone: the most that it ever held, since `resetPeak`. */
  readonly peakRssMiB: number;
  /** Through system calls, so sockets, pipes and files alike. */
  readonly readMiB: number;
  readonly writtenMiB: number;
}

/** The kernel's clock of processor time ticks a hundred times a second on every Linux that is in use. */
const TICKS = 100;

/** Linux only: https://man7.org/linux/man-pages/man5/proc.5.html */
export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  return {
    cpuSeconds: treeTicks(pid) / TICKS,
    peakRssMiB: field(status, 'VmHWM') / 1024,
    readMiB: field(io, 'rchar') / 2 ** 20,
    writtenMiB: field(io, 'wchar') / 2 ** 20,
  };
}

/** Starts the peak anew; where the kernel does not permit it, the peak is the one since the process began. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    return;
  }
}

/** Processor time of a process, of its children that ended, and of all that still run below it. */
function treeTicks(pid: number): number {
  let ticks: number;
  let children: readonly number[];
  try {
    ticks = ticksOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    children = childrenOf(pid);
  } catch {
    return 0; // ended in between: its parent has counted it
  }
  return children.reduce((sum, child) => sum + treeTicks(child), ticks);
}

/** utime, stime, cutime and cstime: fields 14 to 17. The name in field 2 may hold anything, so it is skipped from behind. */
export function ticksOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, text) => sum + Number(text), 0);
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  });
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
