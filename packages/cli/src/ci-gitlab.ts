import { digest, oneLine } from '@plumb/core';
import type { CiFinding } from './ci-finding.ts';

/**
 * The findings as a code-quality report, which a merge request shows beside the lines. Two findings that say the same of one
 * place differ in their fingerprint: GitLab shows one of each.
 *
 * https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
 */
export function codeQualityReport(findings: readonly CiFinding[]): readonly object[] {
  const seen = new Map<string, number>();
  return findings.map(({ severity, title, message, where, folder }) => {
    const path = pathOf(where?.file ?? folder);
    const subject = JSON.stringify([title, path, message]);
    const count = seen.get(subject) ?? 0;
    seen.set(subject, count + 1);
    return {
      description: oneLine(message),
      check_name: oneLine(title),
      // Not of the line: the same finding before and after lines move.
      fingerprint: digest([subject, String(count)]).slice(0, 32),
      severity: severity === 'error' ? 'major' : 'minor',
      location: { path, lines: { begin: where?.line ?? 1 } },
    };
  });
}

/** Text that is folded away under a title. `id` tells the sections of a job apart; `nowMs` is epoch milliseconds. */
export function gitlabSection(id: string, title: string, text: string, nowMs: number): string {
  const name = id.replaceAll(/[^A-Za-z0-9_.-]+/g, '_');
  const seconds = Math.floor(nowMs / 1_000);
  const body = gitlabInert(text);
  return (
    `${ERASE}section_start:${seconds}:${name}[collapsed=true]\r${ERASE}${gitlabInert(oneLine(title))}\n` +
    `${body}${body.endsWith('\n') ? '' : '\n'}${ERASE}section_end:${seconds}:${name}\r${ERASE}\n`
  );
}

/** The text without what a job's log takes for the mark of a section: it ends in a carriage return. */
function gitlabInert(text: string): string {
  return text.replaceAll('\r', '').replaceAll(/section_(start|end):/g, 'section_$1 :');
}

const ERASE = '\u001b[0K';

/** Relative to the root of the repository. */
function pathOf(path: string): string {
  const plain = path.replaceAll(/^(?:\.?\/)+/g, '');
  return plain === '' ? '.' : plain;
}
