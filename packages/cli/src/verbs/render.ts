import { stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { PlumbError, type RenderedObject } from '@plumb/core';
import { localTree, repositoryRoot } from '@plumb/git';
import { createRenderer } from '@plumb/render';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { nameFromFolder } from '../folder-name.ts';
import { jsonText, oneLine } from '../printable.ts';
import { throwAll } from '../report-error.ts';
import { readValuesFiles } from '../values-files.ts';
import { yamlText } from '../yaml-text.ts';

export interface RenderFlags extends EveryVerb {
  readonly release?: string | undefined;
  readonly namespace: string;
  readonly values?: readonly string[] | undefined;
  readonly set?: readonly string[] | undefined;
  readonly env?: string | undefined;
  readonly output: 'yaml' | 'json';
}

/** `plumb render DIR`: the objects that a folder renders to, without any cluster. */
export async function render(this: CliContext, flags: RenderFlags, folder: string): Promise<void> {
  const { cwd, clock, signal } = this.surroundings;
  const directory = resolve(cwd, folder);
  if (!(await stat(directory).catch(() => undefined))?.isDirectory()) {
    throw new PlumbError('PathMissing', `there is no folder ${folder}`, { fix: 'Name the folder of the manifests.' });
  }
  const values = await readValuesFiles(flags.values ?? [], cwd);
  const root = await repositoryRoot(directory);
  await using renderer = createRenderer({ clock, workers: 1 });
  const result = await renderer.render({
    tree: localTree(root),
    path: relative(root, directory).split(sep).join('/'),
    release: flags.release ?? nameFromFolder(directory),
    namespace: flags.namespace,
    environment: flags.env,
    set: flags.set,
    values,
    signal,
  });
  if (!result.ok) throwAll(result.error);
  const { objects } = result.value;
  if (flags.output === 'json') this.print(`${jsonText({ objects: objects.map(({ object }) => object) })}\n`);
  else this.print(objects.map(documentText).join('---\n'));
}

function documentText({ object, origin }: RenderedObject): string {
  const place = origin.line === undefined ? origin.file : `${origin.file}:${origin.line}`;
  return `# Source: ${oneLine(place)}\n${yamlText(object)}`;
}
