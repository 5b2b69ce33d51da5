import { formatWhere, toPlumbError, type PlumbError, oneLine, printable } from '@plumb/core';

/** All errors in what a verb threw: several come as an `AggregateError`. */
export function errorsOf(thrown: unknown): readonly PlumbError[] {
  return thrown instanceof AggregateError ? thrown.errors.map(toPlumbError) : [toPlumbError(thrown)];
}

/** Several errors as one throw; the first one decides about the exit code. */
export function throwAll(errors: readonly PlumbError[]): never {
  const [first, ...others] = errors;
  throw others.length === 0 && first !== undefined ? first : new AggregateError(errors, first?.message);
}

/**
 *     error: WHAT
 *     at: file:line:column
 *     cause: …
 *     fix: …
 */
export function formatErrors(errors: readonly PlumbError[], options: { readonly isVerbose: boolean }): string {
  return errors.map((error) => formatError(error, options)).join('\n');
}

function formatError(error: PlumbError, { isVerbose }: { readonly isVerbose: boolean }): string {
  const lines = [`error: ${printable(error.message).trim()}`];
  if (error.where !== undefined) lines.push(`at: ${oneLine(formatWhere(error.where))}`);
  const cause = causeOf(error);
  if (cause !== undefined) lines.push(`cause: ${oneLine(cause)}`);
  lines.push(`fix: ${oneLine(error.fix)}`);
  if (isVerbose) lines.push(...stacksOf(error));
  return lines.join('\n');
}

/** What lies beneath, where it says something that the message does not. */
function causeOf(error: PlumbError): string | undefined {
  for (let { cause } = error as Error; cause instanceof Error; { cause } = cause) {
    if (cause.message !== '' && !error.message.includes(cause.message)) return cause.message;
  }
  return undefined;
}

function stacksOf(error: Error): readonly string[] {
  const own = printable(error.stack ?? '')
    .split('\n')
    .slice(1);
  return error.cause instanceof Error
    ? [...own, `caused by ${printable(error.cause.message)}`, ...stacksOf(error.cause)]
    : own;
}
