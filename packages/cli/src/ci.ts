import { appendFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isAbort, PlumbError } from '@plumb/core';
import { findingsOfErrors, type CiFinding } from './ci-finding.ts';
import { githubAnnotations, githubGroup, githubSummary } from './ci-github.ts';
import { codeQualityReport, gitlabSection } from './ci-gitlab.ts';
import type { CliContext } from './context.ts';
import { jsonText } from './json-text.ts';
import { errorsOf } from './report-error.ts';
import type { Environment } from './style.ts';

export interface CiFlags {
  readonly ci: 'none' | 'auto' | 'github' | 'gitlab';
  readonly ciReport?: string | undefined;
  readonly output: string;
}

/** What a verb says to the pipeline that it runs in, besides what it says to people. */
export interface Ci {
  /** Shows a text folded away. Returns false where there is no pipeline that could, and nothing was shown. */
  fold(title: string, text: string): boolean;
  /** Says what was found: beside the lines, in the summary, or in a report. */
  report(
    findings: readonly CiFinding[],
    summary: { readonly title: string; readonly text: () => string },
  ): Promise<void>;
}

const REPORT_FILE = 'gl-code-quality-report.json';
const NONE: Ci = { fold: () => false, report: async () => undefined };

/** Which pipeline: of `auto` the one that the environment tells. */
export function ciKind(ci: CiFlags['ci'], env: Environment): 'none' | 'github' | 'gitlab' {
  if (ci !== 'auto') return ci;
  if (env['GITHUB_ACTIONS'] === 'true') return 'github';
  return env['GITLAB_CI'] === 'true' ? 'gitlab' : 'none';
}

/** @throws {PlumbError} `Usage` where a program reads the output. */
export function openCi(cli: CliContext, { ci, ciReport, output }: CiFlags): Ci {
  const { env, cwd, clock } = cli.surroundings;
  const kind = output === 'table' || ci !== 'auto' ? ciKind(ci, env) : 'none';
  if (ciReport !== undefined && kind !== 'gitlab') {
    throw new PlumbError('Usage', '--ci-report is the file of the report for GitLab', { fix: 'Add --ci gitlab.' });
  }
  if (kind === 'none') return NONE;
  if (output !== 'table') {
    throw new PlumbError('Usage', `--ci ${ci} writes beside what people read, and -o ${output} is read by programs`, {
      fix: 'Leave one of the two out.',
    });
  }
  if (kind === 'github') {
    const file = env['GITHUB_STEP_SUMMARY'];
    return {
      fold(title, text) {
        cli.print(githubGroup(title, text));
        return true;
      },
      async report(findings, { title, text }) {
        cli.print(githubAnnotations(findings));
        if (file !== undefined && file !== '') await appendFile(file, githubSummary(title, text()));
      },
    };
  }
  let sections = 0;
  return {
    fold(title, text) {
      sections += 1;
      cli.print(gitlabSection(`plumb_${sections}`, title, text, clock.now()));
      return true;
    },
    async report(findings) {
      await writeFile(resolve(cwd, ciReport ?? REPORT_FILE), `${jsonText(codeQualityReport(findings), 2)}\n`);
    },
  };
}

/** Runs a verb; what it throws is said to the pipeline too. */
export async function reportingErrors<T>(
  { surroundings }: CliContext,
  { ci, title }: { readonly ci: Ci; readonly title: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (isAbort(thrown, surroundings.signal)) throw thrown;
    const errors = errorsOf(thrown);
    await ci.report(findingsOfErrors(errors), { title, text: () => errors.map(({ message }) => message).join('\n') });
    throw thrown;
  }
}
