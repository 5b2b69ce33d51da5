import { resolve } from 'node:path';
import { PlumbError } from '@plumb/core';
import { repositoryRoot } from '@plumb/git';
import { createRenderer } from '@plumb/render';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { EveryVerb } from '../flags.ts';
import { pathBelow } from '../folder-tree.ts';
import { jsonText, oneLine } from '../printable.ts';
import { diffRenders, withPlaces } from '../render-diff.ts';
import { renderDiffData, renderDiffText } from '../render-diff-text.ts';
import { DEFAULT_NAMESPACE, type RenderInputFlags } from '../render-folder.ts';
import { openSide, placeOf, renderSide } from '../render-side.ts';
import { parseRange } from '../revision-range.ts';

export interface DiffFlags extends EveryVerb, RenderInputFlags {
  readonly render: boolean;
  readonly full?: boolean | undefined;
  readonly output: 'table' | 'json';
}

/** `plumb diff --render A..B [DIR]`: what a folder renders to at two commits, without any cluster. Exit code 1: it differs. */
export async function diff(this: CliContext, flags: DiffFlags, range: string, folder = '.'): Promise<void> {
  const { clock, cwd, signal } = this.surroundings;
  if (!flags.render) {
    throw new PlumbError('Usage', 'what is compared is missing: only renders can be yet', {
      fix: 'Write plumb diff --render A..B. What would change on a cluster is told by "plumb plan".',
    });
  }
  const revisions = parseRange(range);
  const directory = resolve(cwd, folder);
  const root = (await repositoryRoot(directory)) ?? directory;
  const compared = { directory, path: pathBelow(root, directory), flags };
  await using from = await openSide(root, revisions.from, { signal });
  await using to = await openSide(root, revisions.to, { signal });
  await using renderer = createRenderer({ clock, workers: 1 });
  const before = await renderSide(from, compared, { renderer, cwd, signal });
  const after = await renderSide(to, compared, { renderer, cwd, signal, other: before });
  if (before === undefined && after === undefined) {
    const places = `neither ${placeOf(from.name)} nor ${placeOf(to.name)}`;
    throw new PlumbError('PathMissing', `there is no folder ${folder}, ${places}`, {
      fix: 'Name the folder of the manifests.',
    });
  }
  if (before === undefined) this.note(oneLine(`note: ${placeOf(from.name)} there is no folder ${folder}`));
  if (after === undefined) this.note(oneLine(`note: ${placeOf(to.name)} there is no folder ${folder}`));
  for (const warning of new Set([...(before?.warnings ?? []), ...(after?.warnings ?? [])])) {
    this.note(`warning: ${oneLine(warning)}`);
  }

  const namespace = flags.namespace ?? DEFAULT_NAMESPACE;
  const found = diffRenders(before?.documents ?? [], after?.documents ?? [], { namespace });
  const result = {
    diff: after?.places === undefined ? found : await withPlaces(found, after.places, { signal }),
    path: compared.path,
    namespace,
    from: from.name,
    to: to.name,
  };
  if (flags.output === 'json') this.print(`${jsonText(renderDiffData(result), 2)}\n`);
  else this.show(renderDiffText(result, { style: this.style, isFull: flags.full ?? false }));
  this.answer(result.diff.items.length === 0 ? EXIT.yes : EXIT.no);
}
