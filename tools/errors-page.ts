import { ERROR_CODES, type ErrorFacts } from '@plumb/core';

import { cell, madeFrom, table } from './generated-page.ts';

const CULPRITS: Readonly<Record<ErrorFacts['culprit'], string>> = {
  user: 'the input',
  cluster: 'the cluster',
  source: 'the source',
  engine: 'Plumb',
};

const RETRIES: Readonly<Record<ErrorFacts['retry'], string>> = {
  change: 'when the input changes',
  backoff: 'by itself, with growing pauses',
};

const INTRODUCTION = `# Errors

${madeFrom('packages/core/src/error-codes.ts')}

Every error has one of these codes. A code never changes its meaning: it is the \`reason\` of a condition, the \`code\` in
\`-o json\`, and the word to search for. An error names the file and line, the object and the field where there is one.

"Lies with" says where the next step lies; "Tried again" says what makes Plumb try once more.
`;

/** The page `docs/errors.md`: every code with where it lies, when it is tried again and the next step. */
export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, { culprit, retry, fix }]) => {
    const anchor = `<a id="${code.toLowerCase()}"></a>`;
    return [`${anchor}\`${code}\``, CULPRITS[culprit], RETRIES[retry], cell(fix)];
  });
  return [INTRODUCTION, ...table(['Code', 'Lies with', 'Tried again', 'Next step'], rows), ''].join('\n');
}
