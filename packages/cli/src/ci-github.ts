import { oneLine, printable } from '@plumb/core';
import type { CiFinding } from './ci-finding.ts';

/** As many annotations as GitHub shows of one step. */
const MAX_ANNOTATIONS = 10;
/** A summary of more than 1 MiB is refused whole; other commands of the step may write to it too. */
const MAX_SUMMARY_CHARS = 200_000;

/**
 * The findings as workflow commands, errors first and ten at most: `::error file=…,line=…,title=…::MESSAGE`.
 *
 * https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
 */
export function githubAnnotations(findings: readonly CiFinding[]): string {
  const worstFirst = findings.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
  return worstFirst.slice(0, MAX_ANNOTATIONS).map(annotation).join('');
}

function annotation({ severity, title, message, where }: CiFinding): string {
  const properties = [
    ...(where === undefined ? [] : [['file', where.file] as const]),
    ...(where?.line === undefined ? [] : [['line', String(where.line)] as const]),
    ...(where?.column === undefined ? [] : [['col', String(where.column)] as const]),
    ['title', title] as const,
  ];
  const text = properties.map(([name, value]) => `${name}=${escapeProperty(inLine(value))}`).join(',');
  return `::${severity} ${text}::${escapeData(inLine(message))}\n`;
}

/** Text that is folded away under a title. */
export function githubGroup(title: string, text: string): string {
  const body = githubInert(text);
  return `::group::${escapeData(inLine(title))}\n${body}${body.endsWith('\n') ? '' : '\n'}::endgroup::\n`;
}

/**
 * The text with nothing in it that a runner takes for a command: a line that begins with `::`, after whatever white space,
 * and `##[` anywhere, which is the older form. What strangers wrote into a repository must not set variables of a job.
 */
export function githubInert(text: string): string {
  return withoutOldForm(text).replaceAll(/(^|[\r\n])((?:[^\S\r\n]|[\u0085\u180e\u200b])*)::/g, '$1$2: :');
}

/** Markdown for the page of the run: a title and the text as it is. */
export function githubSummary(title: string, text: string): string {
  const whole = printable(text).trimEnd();
  const isCut = whole.length > MAX_SUMMARY_CHARS;
  const shown = isCut ? `${whole.slice(0, MAX_SUMMARY_CHARS).toWellFormed()}\n… the rest is in the log` : whole;
  const runs = shown.match(/`+/g) ?? [];
  // A fence that nothing in the text can close.
  const fence = '`'.repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `### ${title.replaceAll(/[^A-Za-z0-9 ._/-]+/g, '-')}\n\n${fence}text\n${shown}\n${fence}\n\n`;
}

function inLine(text: string): string {
  return withoutOldForm(oneLine(text));
}

function withoutOldForm(text: string): string {
  return text.replaceAll('##[', '## [');
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
