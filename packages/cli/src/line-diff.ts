/** Lines that differ between two versions of a text, with the number of the first one in each. */
export interface Hunk {
  readonly before: number;
  readonly after: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** The longest part in common is looked for up to this many pairs of lines; beyond, all in between counts as changed. */
const MAX_PAIRS = 4_000_000;

/** What has to be taken out and put in, in the order of the text; line ends do not show. */
export function lineDiff(before: string, after: string): readonly Hunk[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  return hunksIn(old.slice(head, old.length - tail), now.slice(head, now.length - tail), head);
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

function hunksIn(old: readonly string[], now: readonly string[], offset: number): readonly Hunk[] {
  const kept = old.length * now.length > MAX_PAIRS ? [] : commonLines(old, now);
  const hunks: Hunk[] = [];
  let [left, right] = [0, 0];
  for (const [nextLeft, nextRight] of [...kept, [old.length, now.length] as const]) {
    if (nextLeft > left || nextRight > right) {
      hunks.push({
        before: offset + left + 1,
        after: offset + right + 1,
        removed: old.slice(left, nextLeft).map(shown),
        added: now.slice(right, nextRight).map(shown),
      });
    }
    [left, right] = [nextLeft + 1, nextRight + 1];
  }
  return hunks;
}

function shown(line: string): string {
  return line.replace(/\r?\n$/, '');
}

/** Positions of a longest common part. */
function commonLines(old: readonly string[], now: readonly string[]): readonly (readonly [number, number])[] {
  const width = now.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  for (let left = old.length - 1; left >= 0; left--) {
    for (let right = now.length - 1; right >= 0; right--) {
      const at = left * width + right;
      lengths[at] =
        old[left] === now[right]
          ? (lengths[at + width + 1] ?? 0) + 1
          : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0);
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let left = 0, right = 0; left < old.length && right < now.length;) {
    if (old[left] === now[right]) pairs.push([left++, right++]);
    else if ((lengths[(left + 1) * width + right] ?? 0) >= (lengths[left * width + right + 1] ?? 0)) left++;
    else right++;
  }
  return pairs;
}
