/**
 * Globs over slash-separated paths: `*` and `?` within one name, `**` over any number of folders, `{a,b}`. Like a shell
 * they pass over names that begin with a dot unless the pattern writes the dot. Matching takes time linear in pattern
 * times path, whatever the pattern.
 */
export type PathMatcher = (path: string) => boolean;

export function compileGlobs(patterns: readonly string[]): PathMatcher {
  const alternatives = patterns.flatMap(expandBraces).map((pattern) => pattern.split('/'));
  return (path) => {
    const names = path.split('/');
    return alternatives.some((pattern) => matchFolders(pattern, names));
  };
}

const MAX_ALTERNATIVES = 256;

function expandBraces(pattern: string): readonly string[] {
  let open: readonly string[] = [pattern];
  const done: string[] = [];
  while (open.length > 0 && open.length + done.length <= MAX_ALTERNATIVES) {
    const next: string[] = [];
    for (const text of open) {
      const braces = /\{([^{}]*)\}/.exec(text);
      if (braces === null) done.push(text);
      else {
        const [whole, inner = ''] = braces;
        const rest = text.slice(braces.index + whole.length);
        next.push(...inner.split(',').map((choice) => text.slice(0, braces.index) + choice + rest));
      }
    }
    open = next;
  }
  return done;
}

/** Greedy with one point to come back to, for `**` over names as for `*` over characters. */
function matchFolders(pattern: readonly string[], names: readonly string[]): boolean {
  return matchGreedy(
    pattern.length,
    names.length,
    (at) => pattern[at] === '**',
    (at, name) => matchName(pattern[at] ?? '', names[name] ?? ''),
    (name) => names[name]?.startsWith('.') !== true,
  );
}

function matchName(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  return matchGreedy(
    pattern.length,
    name.length,
    (at) => pattern[at] === '*',
    (at, char) => pattern[at] === '?' || pattern[at] === name[char],
    () => true,
  );
}

function matchGreedy(
  patternLength: number,
  length: number,
  isStar: (patternAt: number) => boolean,
  matches: (patternAt: number, at: number) => boolean,
  mayStarTake: (at: number) => boolean,
): boolean {
  let patternAt = 0;
  let at = 0;
  let star: { readonly patternAt: number; at: number } | undefined;
  while (at < length) {
    if (patternAt < patternLength && isStar(patternAt)) {
      star = { patternAt, at };
      patternAt++;
    } else if (patternAt < patternLength && matches(patternAt, at)) {
      patternAt++;
      at++;
    } else if (star !== undefined && mayStarTake(star.at)) {
      star.at++;
      at = star.at;
      patternAt = star.patternAt + 1;
    } else return false;
  }
  while (patternAt < patternLength && isStar(patternAt)) patternAt++;
  return patternAt === patternLength;
}
