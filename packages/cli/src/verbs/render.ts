import { availableParallelism } from 'node:os';
import { PlumbError, oneLine } from '@plumb/core';
import { createRenderer } from '@plumb/render';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { hooksLast } from '../hook-order.ts';
import { objectYaml } from '../object-yaml.ts';
import { jsonText } from '../json-text.ts';
import { renderBatch } from '../render-batch.ts';
import { explanationData, explanationText } from '../render-explanation.ts';
import { renderFolder, type RenderInputFlags } from '../render-folder.ts';
import { refusals, warningsOf } from '../render-refusals.ts';
import { throwAll } from '../report-error.ts';

export interface RenderFlags extends EveryVerb, RenderInputFlags {
  readonly explain?: boolean | undefined;
  readonly batch?: string | undefined;
  readonly output: 'yaml' | 'json' | 'jsonl';
}

/** `plumb render DIR`: the objects that a folder renders to, without any cluster. */
export async function render(this: CliContext, flags: RenderFlags, folder?: string): Promise<void> {
  if (flags.batch !== undefined) {
    checkBatchFlags(flags, folder);
    await batch(this, flags.batch);
  } else if (folder !== undefined) await one(this, folder, flags);
  else {
    throw new PlumbError('Usage', 'the folder is missing', {
      fix: 'Name it: plumb render DIR; or name a file of many with --batch.',
    });
  }
}

async function one(cli: CliContext, folder: string, flags: RenderFlags): Promise<void> {
  const { clock, cwd, signal } = cli.surroundings;
  await using renderer = createRenderer({ clock, workers: 1 });
  const outcome = await renderFolder(folder, flags, { renderer, cwd, signal });
  const errors = refusals(outcome);
  const isText = flags.output === 'yaml';
  // Programs get one document; people see what was read before it went wrong.
  if (flags.explain === true && isText) cli.show(explanationText(outcome, flags, cli.style));
  if (errors.length > 0) throwAll(errors);
  for (const warning of warningsOf(outcome, flags)) cli.note(`warning: ${oneLine(warning)}`);
  if (flags.explain === true) {
    if (!isText) cli.print(`${jsonText(explanationData(outcome, flags))}\n`);
    return;
  }
  const documents = hooksLast(outcome.documents);
  if (isText) cli.print(documents.map(objectYaml).join('---\n'));
  else cli.print(`${jsonText({ objects: documents.map(({ value }) => value) })}\n`);
}

async function batch(cli: CliContext, file: string): Promise<void> {
  const { clock, cwd, signal } = cli.surroundings;
  const workers = availableParallelism();
  await using renderer = createRenderer({ clock, workers });
  for await (const line of renderBatch(file, { renderer, cwd, signal, concurrency: 2 * workers })) {
    cli.print(`${jsonText(line)}\n`);
  }
}

/** A batch says in its lines what is rendered and how: a flag that would not count is refused. */
function checkBatchFlags(flags: RenderFlags, folder: string | undefined): void {
  if (folder !== undefined) {
    throw new PlumbError('Usage', `--batch names the folders itself, so ${folder} is one too many`, {
      fix: 'Leave out the folder, or --batch.',
    });
  }
  if (flags.explain === true) {
    throw new PlumbError('Usage', '--explain explains one folder, and --batch renders many', {
      fix: 'Leave out one of them.',
    });
  }
  for (const flag of ['release', 'namespace', 'env', 'renderer', 'values', 'set'] as const) {
    if (flags[flag] === undefined) continue;
    throw new PlumbError('Usage', `--${flag} does not count with --batch`, {
      fix: `Write "${flag}" into the lines of the file.`,
    });
  }
  if (flags.output !== 'jsonl') {
    throw new PlumbError('Usage', '--batch answers line by line, so it needs -o jsonl', { fix: 'Add -o jsonl.' });
  }
}
