import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { fail, ok, type Result } from '@plumb/core';
import { StepCounter, type StepLimits } from './counted-steps.ts';
import { whyPatternRefused } from './patterns.ts';
import type { CelValue } from './value.ts';

export interface CelOptions {
  /** What one evaluation may cost. */
  readonly limits: StepLimits;
  /** Milliseconds that only ever grow. */
  readonly monotonic: () => number;
  /** The variables that there are. Default: every name may be one, and a misspelt one is found out when it is asked. */
  readonly variables?: readonly string[] | undefined;
  /** Functions besides those of CEL, by signature: `selects(dyn, dyn): bool`. */
  readonly functions?: Readonly<Record<string, (...values: readonly never[]) => CelValue>> | undefined;
}

export interface CelFault {
  readonly code: 'CelSyntax' | 'CelType' | 'CelCost';
  readonly message: string;
}

export type CelAnswer<T> =
  | { readonly kind: 'value'; readonly value: T }
  /** It asks for a field that is not there. */
  | { readonly kind: 'missing'; readonly message: string }
  | { readonly kind: 'fault'; readonly fault: CelFault };

/** An expression that was read and checked. Evaluating never throws, and ends within the limits. */
export interface CelExpression<T> {
  readonly text: string;
  evaluate(variables: Readonly<Record<string, CelValue>>): CelAnswer<T>;
}

export interface CelTypes {
  readonly bool: boolean;
  readonly string: string;
}

/** Reads expressions of one kind. */
export interface Cel {
  /** An expression that gives this type, as far as that can be known before; otherwise what is wrong with it. */
  compile<T extends keyof CelTypes>(text: string, gives: T): Result<CelExpression<CelTypes[T]>, CelFault>;
}

export function createCel(options: CelOptions): Cel {
  const { variables, functions = {} } = options;
  const environment = new Environment({
    unlistedVariablesAreDyn: variables === undefined,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxAstNodes: 2_000, maxDepth: 50, maxListElements: 500, maxMapEntries: 500, maxCallArguments: 16 },
  });
  for (const name of variables ?? []) environment.registerVariable(name, 'dyn');
  for (const [signature, call] of Object.entries(functions)) environment.registerFunction(signature, call);
  return { compile: (text, gives) => compile(environment, text, gives, options) };
}

function compile<T extends keyof CelTypes>(
  environment: Environment,
  text: string,
  gives: T,
  { limits, monotonic }: CelOptions,
): Result<CelExpression<CelTypes[T]>, CelFault> {
  let parsed: ParseResult;
  try {
    parsed = environment.parse(text);
  } catch (thrown) {
    return fail({ code: 'CelSyntax', message: `the expression cannot be read: ${firstLine(thrown)}` });
  }
  const { valid, type, error } = parsed.check();
  if (!valid) return fail({ code: 'CelType', message: `the expression cannot be right: ${firstLine(error)}` });
  if (type !== gives && type !== 'dyn') {
    return fail({ code: 'CelType', message: `the expression gives ${type} instead of a ${gives}` });
  }
  const pattern = whyPatternRefused(parsed.ast);
  if (pattern !== undefined) return fail({ code: 'CelCost', message: pattern });
  const counter = new StepCounter(parsed, limits, monotonic);
  return ok({ text, evaluate: (variables) => evaluate(parsed, counter, limits, gives, variables) });
}

function evaluate<T extends keyof CelTypes>(
  parsed: ParseResult,
  counter: StepCounter,
  limits: StepLimits,
  gives: T,
  variables: Readonly<Record<string, CelValue>>,
): CelAnswer<CelTypes[T]> {
  let value: unknown;
  let thrown: unknown;
  counter.start();
  try {
    value = parsed(variables);
  } catch (caught) {
    thrown = caught;
  }
  if (counter.exceeded === 'steps') return fault('CelCost', `takes more than ${limits.steps} steps`);
  if (counter.exceeded === 'time') return fault('CelCost', `takes longer than ${limits.timeMs} ms`);
  if (thrown !== undefined) {
    return isMissing(thrown) ? { kind: 'missing', message: firstLine(thrown) } : fault('CelType', firstLine(thrown));
  }
  if (typeof value !== JS_TYPE[gives]) return fault('CelType', `gives ${typeof value} instead of a ${gives}`);
  return { kind: 'value', value: value as CelTypes[T] };
}

const JS_TYPE = { bool: 'boolean', string: 'string' } as const;

function fault(code: CelFault['code'], message: string): CelAnswer<never> {
  return { kind: 'fault', fault: { code, message } };
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && /no such key|unknown variable|no such field|index out of/i.test(thrown.message);
}

function firstLine(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).split('\n', 1)[0] ?? '';
}
