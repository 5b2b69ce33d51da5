import type { FieldConflict } from './field-conflict.ts';
import { ERROR_CODES, type ErrorCode, type ErrorFacts } from './error-codes.ts';

/** A place in the user's files. Line and column are 1-based. */
export interface Where {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export interface ErrorOptions {
  readonly where?: Where | undefined;
  /** The object it is about, as people write it: `Deployment/api in shop`. */
  readonly subject?: string | undefined;
  /** The path of the field it is about: `spec.template.spec.containers[app].image`. */
  readonly field?: string | undefined;
  /** The next step, where it is better known than in the table. */
  readonly fix?: string | undefined;
  /** Not before this many milliseconds (a server's Retry-After). */
  readonly retryAfterMs?: number | undefined;
  /** Of a `FieldConflict`: who owns what. */
  readonly conflicts?: readonly FieldConflict[] | undefined;
  readonly cause?: unknown;
}

/**
 * The one domain error. The message says what was attempted, on what, and what was answered; it never holds a secret
 * value. What to do about it is in the table of codes, so the reconcile loop, the HTTP edge and the command line each
 * read one table and no message.
 */
export class PlumbError extends Error {
  override readonly name = 'PlumbError';
  readonly code: ErrorCode;
  readonly where: Where | undefined;
  readonly subject: string | undefined;
  readonly field: string | undefined;
  readonly fix: string;
  readonly retryAfterMs: number | undefined;
  readonly conflicts: readonly FieldConflict[];

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.where = options.where;
    this.subject = options.subject;
    this.field = options.field;
    this.fix = options.fix ?? ERROR_CODES[code].fix;
    this.retryAfterMs = options.retryAfterMs;
    this.conflicts = options.conflicts ?? [];
  }

  get facts(): ErrorFacts {
    return ERROR_CODES[this.code];
  }

  /** The fields that leave the process: what `-o json` prints and what the ledger keeps. */
  toRecord(): ErrorRecord {
    return {
      code: this.code,
      message: this.message,
      fix: this.fix,
      ...(this.where?.file === undefined ? {} : { file: this.where.file }),
      ...(this.where?.line === undefined ? {} : { line: this.where.line }),
      ...(this.where?.column === undefined ? {} : { column: this.where.column }),
      ...(this.subject === undefined ? {} : { object: this.subject }),
      ...(this.field === undefined ? {} : { field: this.field }),
    };
  }
}

export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly object?: string;
  readonly field?: string;
}

/** `file:line:column` as far as it is known. */
export function formatWhere(where: Where): string {
  return [where.file, where.line, where.column].filter((part) => part !== undefined).join(':');
}

/** An unknown throw as a `PlumbError`, once, at a boundary. An abort passes through unchanged: it is not a failure. */
export function toPlumbError(thrown: unknown): PlumbError {
  if (thrown instanceof PlumbError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PlumbError('Internal', message, { cause: thrown });
}

export function isAbort(thrown: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (thrown === signal.reason || (thrown instanceof Error && thrown.name === 'AbortError'));
}
