import { oneLine } from '@plumb/core';
import { createRenderer } from '@plumb/render';
import { openCi, reportingErrors, type CiFlags } from '../ci.ts';
import { findingsOfReport } from '../ci-finding.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { findingsJunit } from '../findings-junit.ts';
import { findingsSarif } from '../findings-sarif.ts';
import { findingsData, findingsText } from '../findings-text.ts';
import type { EveryVerb } from '../flags.ts';
import { readPolicyFiles } from '../policy-files.ts';
import { jsonText } from '../json-text.ts';
import type { RenderInputFlags } from '../render-folder.ts';
import { warningsOf } from '../render-refusals.ts';
import { PLAIN } from '../style.ts';
import { hasRefusals, validateFolder } from '../validate-folder.ts';

export interface ValidateFlags extends EveryVerb, RenderInputFlags, CiFlags {
  readonly policy?: readonly string[] | undefined;
  readonly output: 'table' | 'json' | 'sarif' | 'junit';
}

/** More findings than these are folded away in a pipeline: the first ones are shown beside their lines. */
const MAX_UNFOLDED = 10;

/** `plumb validate DIR`: what an API server or a policy would refuse, told without a cluster. Exit code 1: something. */
export async function validate(this: CliContext, flags: ValidateFlags, folder = '.'): Promise<void> {
  const { clock, cwd, signal } = this.surroundings;
  const ci = openCi(this, flags);
  const title = `plumb validate ${folder}`;
  await using renderer = createRenderer({ clock, workers: 1 });
  const { outcome, ...report } = await reportingErrors(this, { ci, title }, async () => {
    const policies = await readPolicyFiles(flags.policy ?? [], { cwd, clock });
    return await validateFolder(folder, flags, { policies, renderer, cwd, signal });
  });
  if (outcome.ok) {
    // Policies look at the environment whatever the renderer is, so the flag counts here.
    for (const warning of warningsOf(outcome, { ...flags, env: undefined })) this.note(`warning: ${oneLine(warning)}`);
  }
  if (report.unknownKinds.length > 0) {
    const kinds = report.unknownKinds.map(({ kind, count }) => `${kind} (${count})`).join(', ');
    this.note(`note: fields not checked, since no definition of the kind is here: ${oneLine(kinds)}`);
  }
  switch (flags.output) {
    case 'json':
      this.print(`${jsonText(findingsData(report), 2)}\n`);
      break;
    case 'sarif':
      this.print(`${jsonText(findingsSarif(report), 2)}\n`);
      break;
    case 'junit':
      this.print(findingsJunit(report));
      break;
    case 'table': {
      const whole = findingsText(report, { style: PLAIN });
      const isFolded = report.findings.length > MAX_UNFOLDED && ci.fold(title, whole);
      if (!isFolded) this.show(findingsText(report, { style: this.style }));
      await ci.report(findingsOfReport(report), { title, text: () => whole });
    }
  }
  this.answer(hasRefusals(report) ? EXIT.no : EXIT.yes);
}
