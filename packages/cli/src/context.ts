import type { Clock } from '@plumb/core';
import type { StricliProcess } from '@stricli/core';
import { githubInert } from './ci-github.ts';
import { degrade, type Environment, type Style } from './style.ts';

/** The process around a verb: `main.ts` gives the real one, tests give their own. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string;
  readonly clock: Clock;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

interface Output {
  readonly write: (text: string) => void;
  readonly isTTY?: boolean | undefined;
}

/** What every verb runs in (`this` of its function). */
export interface CliContext {
  readonly process: StricliProcess;
  readonly surroundings: Surroundings;
  /** For standard output. */
  readonly style: Style;
  readonly isVerbose: boolean;
  /** The result for programs, to standard output, exactly as it is. */
  print(text: string): void;
  /** The result for people, to standard output. */
  show(text: string): void;
  /** Progress for people, to standard error: one line; nothing with `--quiet`. */
  note(line: string): void;
  /** The exit code of a verb that ended well and whose answer is not yes. */
  answer(code: number): void;
}

export interface GlobalFlags {
  readonly isVerbose: boolean;
  readonly isQuiet: boolean;
  readonly noColor: boolean;
  /** Whether errors are also wanted as JSON on standard output. */
  readonly wantsJson: boolean;
  /** A runner of GitHub reads along, and takes lines of a certain form for commands. */
  readonly isReadByGithub: boolean;
}

/** The flags that count even where the others cannot be parsed, read off the inputs. */
export function readGlobalFlags(inputs: readonly string[], env: Environment): GlobalFlags {
  const end = inputs.indexOf('--');
  const flags = end < 0 ? inputs : inputs.slice(0, end);
  const has = (...names: readonly string[]): boolean => names.some((name) => flags.includes(name));
  const output = flags.findLastIndex((flag) => flag === '-o' || flag === '--output');
  const format = output >= 0 ? flags[output + 1] : flags.find((flag) => flag.startsWith('--output='))?.slice(9);
  return {
    isVerbose: has('-v', '--verbose'),
    isQuiet: has('-q', '--quiet'),
    noColor: has('--no-color'),
    wantsJson: format === 'json' || format === 'jsonl',
    isReadByGithub:
      env['GITHUB_ACTIONS'] === 'true' || flags[flags.lastIndexOf('--ci') + 1] === 'github' || has('--ci=github'),
  };
}

export function createContext(
  surroundings: Surroundings,
  globals: GlobalFlags,
  style: Style,
): CliContext & { readonly answered: number } {
  const { stdout, stderr, env } = surroundings;
  const inert = globals.isReadByGithub ? githubInert : (text: string) => text;
  const context = {
    process: { stdout, stderr, env },
    surroundings,
    style,
    isVerbose: globals.isVerbose,
    answered: 0,
    print: (text: string) => stdout.write(text),
    show: (text: string) => stdout.write(inert(degrade(style, text))),
    note: (line: string) => {
      if (!globals.isQuiet) stderr.write(`${degrade(style, line)}\n`);
    },
    answer: (code: number) => {
      context.answered = code;
    },
  };
  return context;
}
