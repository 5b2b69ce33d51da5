import type { TypedFlagParameter } from '@stricli/core';
import { parseDuration } from '@plumb/api/light';
import { PlumbError } from '@plumb/core';
import type { CliContext } from './context.ts';

/** Flags that several verbs share. The ones that every verb has are read by `readGlobalFlags` before any parsing. */
export interface EveryVerb {
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly noColor?: boolean | undefined;
}

export function whether(brief: string): TypedFlagParameter<boolean | undefined, CliContext> {
  return { kind: 'boolean', brief, optional: true, withNegated: false };
}

export const everyVerb = {
  quiet: whether('No progress on standard error'),
  verbose: whether('Stack traces, and more about what is done'),
  noColor: whether('No colours'),
};

export const everyVerbAliases = { q: 'quiet', v: 'verbose' } as const;

export function text(brief: string, placeholder: string): TypedFlagParameter<string | undefined, CliContext> {
  return { kind: 'parsed', parse: String, brief, placeholder, optional: true };
}

export function texts(
  brief: string,
  placeholder: string,
): TypedFlagParameter<readonly string[] | undefined, CliContext> {
  return { kind: 'parsed', parse: String, brief, placeholder, variadic: true, optional: true };
}

export function wholeNumber(
  brief: string,
  placeholder: string,
  fallback: number,
  max: number,
): TypedFlagParameter<number, CliContext> {
  return {
    kind: 'parsed',
    parse: (input) => {
      const value = /^\d{1,9}$/.test(input) ? Number(input) : NaN;
      if (!(value >= 0 && value <= max)) throw new PlumbError('Usage', `must be a whole number up to ${max}`);
      return value;
    },
    brief,
    placeholder,
    default: String(fallback),
  };
}

/** Milliseconds of `30s`, `5m`, `1h`. */
export function duration(brief: string, fallback: string): TypedFlagParameter<number, CliContext> {
  return { kind: 'parsed', parse: parsedDuration, brief, placeholder: 'DURATION', default: fallback };
}

/** As `duration`, without one where it is not given. */
export function someDuration(brief: string): TypedFlagParameter<number | undefined, CliContext> {
  return { kind: 'parsed', parse: parsedDuration, brief, placeholder: 'DURATION', optional: true };
}

function parsedDuration(input: string): number {
  const milliseconds = parseDuration(input);
  if (milliseconds === undefined) throw new PlumbError('Usage', 'must be a duration such as 30s, 5m or 1h30m');
  return milliseconds;
}
