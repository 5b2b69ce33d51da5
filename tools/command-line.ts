import { runCli } from '@plumb/cli';
import { systemClock } from '@plumb/engine/clock';

import { routes } from '../packages/cli/src/commands.ts';

/** One verb of the command line, as its table declares it. */
export interface Verb {
  /** `['app', 'add']`. */
  readonly words: readonly string[];
  /** By the name on the command line, `--dry-run` or `-n`: whether a value follows. */
  readonly flags: ReadonlyMap<string, boolean>;
  readonly maxArguments: number;
}

type Entries = ReturnType<typeof routes.getAllEntries>;

/** All verbs, in the order of the table. */
export const VERBS: readonly Verb[] = verbsOf(routes.getAllEntries(), []);

/** What the first word of a group does alone: `plumb drift` is `plumb drift list`. */
const ALONE: readonly Verb[] = VERBS.flatMap((verb) =>
  verb.words.length > 1 && verb.words.at(-1) === 'list' ? [{ ...verb, words: verb.words.slice(0, -1) }] : [],
);

function verbsOf(entries: Entries, prefix: readonly string[]): readonly Verb[] {
  return entries.flatMap(({ name, target }): readonly Verb[] => {
    const words = [...prefix, name.original];
    if ('getAllEntries' in target) return verbsOf(target.getAllEntries(), words);
    const { flags = {}, aliases = {}, positional } = target.parameters;
    const takesValue = (flag: string): boolean => flags[flag]?.kind !== 'boolean';
    const known = new Map<string, boolean>([
      ['--help', false],
      ['-h', false],
    ]);
    for (const flag of Object.keys(flags)) known.set(`--${kebab(flag)}`, takesValue(flag));
    for (const [alias, flag] of Object.entries(aliases)) known.set(`-${alias}`, takesValue(String(flag)));
    const maxArguments = positional?.kind === 'tuple' ? positional.parameters.length : 0;
    return [{ words, flags: known, maxArguments }];
  });
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Why the table of verbs would refuse these words (without the leading `plumb`), or undefined where it would not. */
export function whyRefused(words: readonly string[]): string | undefined {
  if (words.length === 1 && (words[0] === '--help' || words[0] === '--version')) return undefined;
  const verb = [...VERBS, ...ALONE].find((candidate) => candidate.words.every((word, index) => words[index] === word));
  if (verb === undefined) return `there is no verb "${words.slice(0, 2).join(' ')}"`;
  const rest = words.slice(verb.words.length);
  let count = 0;
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? '';
    if (!word.startsWith('-')) {
      count += 1;
      continue;
    }
    const [flag = '', value] = word.split('=', 2);
    const takesValue = verb.flags.get(flag);
    if (takesValue === undefined) return `"${verb.words.join(' ')}" has no flag ${flag}`;
    if (takesValue && value === undefined) {
      index += 1;
      if (rest[index] === undefined) return `${flag} needs a value`;
    }
  }
  return count > verb.maxArguments
    ? `"${verb.words.join(' ')}" takes at most ${verb.maxArguments} arguments`
    : undefined;
}

/** What `plumb … --help` prints. */
export async function helpOf(words: readonly string[]): Promise<string> {
  let text = '';
  const output = { write: (part: string) => void (text += part) };
  const code = await runCli([...words, '--help'], {
    stdout: output,
    stderr: output,
    env: { NO_COLOR: '1' },
    cwd: '/',
    home: '/',
    clock: systemClock,
    signal: new AbortController().signal,
  });
  if (code !== 0) throw new Error(`plumb ${words.join(' ')} --help ended with ${code}: ${text}`);
  return text;
}
