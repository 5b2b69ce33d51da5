import { formatWhere } from '@plumb/core';
import { plainLine } from './markdown-text.ts';
import { cut } from './status-text.ts';

/** What a policy of the application says against a plan. */
export interface CommentedFinding {
  readonly policy: string;
  readonly severity: 'warn' | 'deny';
  /** `Deployment/api`; left out where it is about the plan as a whole. */
  readonly object?: string;
  readonly message: string;
  readonly fix: string;
  readonly file?: string;
  readonly line?: number;
}

const MAX_LINE_CHARS = 300;

/** A denial or a warning as a block of a plan: what it is about, what is wrong, and the next step. */
export function findingText({ policy, severity, object, message, fix, file, line }: CommentedFinding): string {
  const sign = severity === 'deny' ? '! denied  ' : '! warning ';
  const where = file === undefined ? undefined : { file, ...(line === undefined ? {} : { line }) };
  const place = where === undefined ? '' : `   ${plainLine(formatWhere(where))}`;
  const about = object === undefined ? '' : `${object}: `;
  const head = cut(`${sign} ${plainLine(`${about}${message} (${policy})`)}${place}`, MAX_LINE_CHARS);
  return `${head}\n    ${cut(plainLine(`fix: ${fix}`), MAX_LINE_CHARS)}\n`;
}

/** As in `1 denied by policies, 2 warnings`; empty where there is nothing to say. */
export function findingCounts(findings: readonly CommentedFinding[]): readonly string[] {
  const denied = findings.filter(({ severity }) => severity === 'deny').length;
  const warned = findings.length - denied;
  return [
    ...(denied === 0 ? [] : [`${denied} denied by policies`]),
    ...(warned === 0 ? [] : [`${warned} ${warned === 1 ? 'warning' : 'warnings'}`]),
  ];
}
