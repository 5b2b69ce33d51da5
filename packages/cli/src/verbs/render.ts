import { availableParallelism } from 'node:os';
import { PlumbError, type DocumentAt, type RendererName } from '@plumb/core';
import { createRenderer, type Renderer } from '@plumb/render';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { jsonText, oneLine } from '../printable.ts';
import { renderBatch } from '../render-batch.ts';
import { explainRender } from '../render-explanation.ts';
import { renderFolder } from '../render-folder.ts';
import { refusals, warningsOf } from '../render-refusals.ts';
import { throwAll } from '../report-error.ts';
import { yamlText } from '../yaml-text.ts';

export interface RenderFlags extends EveryVerb {
  readonly release?: string | undefined;
  readonly namespace: string;
  readonly values?: readonly string[] | undefined;
  readonly set?: readonly string[] | undefined;
  readonly env?: string | undefined;
  readonly renderer?: RendererName | undefined;
  readonly explain?: boolean | undefined;
  readonly batch?: string | undefined;
  readonly output: 'yaml' | 'json' | 'jsonl';
}

/** `plumb render DIR`: the objects that a folder renders to, without any cluster. */
export async function render(this: CliContext, flags: RenderFlags, folder?: string): Promise<void> {
  const { clock } = this.surroundings;
  if ((flags.batch === undefined) === (folder === undefined)) {
    throw new PlumbError('Usage', 'name either a folder or a file with --batch');
  }
  await using renderer = createRenderer({ clock, workers: flags.batch === undefined ? 1 : availableParallelism() });
  if (flags.batch !== undefined) await batch(this, renderer, flags.batch);
  else if (folder !== undefined) await one(this, renderer, folder, flags);
}

async function one(cli: CliContext, renderer: Renderer, folder: string, flags: RenderFlags): Promise<void> {
  const { cwd, signal } = cli.surroundings;
  const request = { ...flags, folder, environment: flags.env };
  const outcome = await renderFolder(request, { renderer, cwd, signal });
  if (flags.explain === true) {
    const explanation = explainRender(outcome);
    cli.print(flags.output === 'yaml' ? explanation.text : `${jsonText(explanation.json)}\n`);
  }
  const errors = refusals(outcome);
  if (errors.length > 0) throwAll(errors);
  for (const warning of warningsOf(outcome)) cli.note(`warning: ${oneLine(warning)}`);
  if (flags.explain === true) return;
  const { documents } = outcome;
  if (flags.output === 'yaml') cli.print(documents.map(documentText).join('---\n'));
  else cli.print(`${jsonText({ objects: documents.map(({ value }) => value) })}\n`);
}

async function batch(cli: CliContext, renderer: Renderer, file: string): Promise<void> {
  const { cwd, signal } = cli.surroundings;
  for await (const line of renderBatch(file, { renderer, cwd, signal, concurrency: 2 * availableParallelism() })) {
    cli.print(`${jsonText(line)}\n`);
  }
}

function documentText({ value, origin, hook }: DocumentAt): string {
  const place = origin.line === undefined ? origin.file : `${origin.file}:${origin.line}`;
  const marks = hook === undefined ? '' : `# Hook: ${hook.events.join(', ')}; weight ${hook.weight}\n`;
  return `# Source: ${oneLine(place)}\n${marks}${yamlText(value)}`;
}
