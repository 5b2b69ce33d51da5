import type { Mirror } from '@plumb/git';

type History = Pick<Mirror, 'hasCommit' | 'commit'>;

interface Call {
  readonly signal: AbortSignal;
}

const MAX_WALK = 200;

/**
 * Whether `head` certainly lacks `base`, while both come from one commit. False also where too little of the history is
 * stored to tell.
 */
export async function isBehind(
  history: History,
  { base, head }: { readonly base: string; readonly head: string },
  call: Call,
): Promise<boolean> {
  const ofBase = await walk(history, base, () => false, call);
  const ofHead = await walk(history, head, (commit) => ofBase.seen.has(commit), call);
  return ofHead.isWhole && !ofHead.seen.has(base);
}

/** The stored commits from one on, but not beyond those at which to stop; `isWhole` says that there were no others. */
async function walk(
  history: History,
  from: string,
  isEnd: (commit: string) => boolean,
  call: Call,
): Promise<{ readonly seen: ReadonlySet<string>; readonly isWhole: boolean }> {
  const seen = new Set<string>();
  const open = [from];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    if (seen.has(next)) continue;
    if (seen.size >= MAX_WALK || !(await history.hasCommit(next, call))) return { seen, isWhole: false };
    seen.add(next);
    if (!isEnd(next)) open.push(...(await history.commit(next, call)).parents);
  }
  return { seen, isWhole: true };
}
