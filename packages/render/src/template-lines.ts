/**
 * From a line of rendered text back to the line of its template, so that an error points at what a person can change.
 * Returns undefined where it is not known. Lines are 1-based.
 *
 * A template without control structures keeps its line count, so the lines are the same. Else the two are aligned: the
 * best-scoring way to pair lines in order, where a pair needs the template line's literal text in the rendered line.
 */
export function mapToTemplate(template: string, rendered: string): (line: number) => number | undefined {
  const from = template.trimEnd().split('\n');
  const to = rendered.trimEnd().split('\n');
  if (from.length === to.length) return (line) => Math.min(line, from.length);
  if (from.length * to.length > MAX_PAIRS) return () => undefined;
  let alignment: readonly (number | undefined)[] | undefined;
  return (line) => (alignment ??= align(from, to))[Math.min(line, to.length) - 1];
}

/**
 * The line of a template where the `nth` (from 0) object of a kind begins: that of its `kind:`, or of the `apiVersion:`
 * right above it. A loop writes many objects at one place; then it is the last one found. Undefined where the kind is
 * not written out.
 */
export function templateLine(template: string, kind: string, nth: number): number | undefined {
  const lines = template.split('\n');
  const found: number[] = [];
  for (const [index, line] of lines.entries()) {
    const [, written] = KIND.exec(line) ?? [];
    if (written !== kind) continue;
    const isBelow = index > 0 && lines[index - 1]?.trimStart().startsWith('apiVersion:') === true;
    found.push(isBelow ? index : index + 1);
  }
  return found[Math.min(nth, found.length - 1)];
}

const KIND = /^kind:\s*["']?([A-Za-z0-9]+)["']?\s*$/;
const MAX_PAIRS = 1_000_000;
const ACTION = /\{\{.*?\}\}/g;

/** For each rendered line its template line (1-based); a line that no literal text gave gets the one before it. */
function align(from: readonly string[], to: readonly string[]): readonly (number | undefined)[] {
  const literals = from.map((line) =>
    line
      .split(ACTION)
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
  const width = to.length + 1;
  // score[i * width + j]: the best total of pairing the template's lines from i on with the rendered ones from j on.
  const score = new Int32Array((from.length + 1) * width);
  const pairScore = (i: number, j: number) => scorePair(literals[i] ?? [], to[j] ?? '');
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      const pair = pairScore(i, j);
      const skip = Math.max(score[(i + 1) * width + j] ?? 0, score[i * width + j + 1] ?? 0);
      const taken = pair === 0 ? 0 : pair + (score[(i + 1) * width + j + 1] ?? 0);
      score[i * width + j] = Math.max(skip, taken);
    }
  }
  const lines: (number | undefined)[] = [];
  let last: number | undefined;
  for (let i = 0, j = 0; j < to.length;) {
    const best = score[i * width + j] ?? 0;
    const pair = i < from.length ? pairScore(i, j) : 0;
    if (pair > 0 && best === pair + (score[(i + 1) * width + j + 1] ?? 0)) {
      last = ++i;
      lines[j++] = last;
    } else if (i < from.length && best === (score[(i + 1) * width + j] ?? 0)) i++;
    else lines[j++] = last;
  }
  return lines;
}

/** The length of the literal text if all of it is in the line, in order; else 0. */
function scorePair(literals: readonly string[], line: string): number {
  let at = 0;
  let length = 0;
  for (const literal of literals) {
    const found = line.indexOf(literal, at);
    if (found < 0) return 0;
    at = found + literal.length;
    length += literal.length;
  }
  return length;
}
