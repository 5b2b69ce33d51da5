import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { compareFiles, PlumbError, secretMask, shortName, type KubeObject, type ObjectRef, oneLine } from '@plumb/core';
import { repositoryRoot } from '@plumb/git';
import { createRenderer } from '@plumb/render';
import { diffApplication } from '../application-diff.ts';
import { openApplication } from '../chosen-application.ts';
import { openCi, reportingErrors, type Ci, type CiFlags } from '../ci.ts';
import { findingsOfDiff, type CiFinding } from '../ci-finding.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { EveryVerb } from '../flags.ts';
import { pathBelow } from '../folder-tree.ts';
import { objectDiffData, objectDiffText } from '../object-diff-text.ts';
import { objectsIn, readInput } from '../objects-file.ts';
import { jsonText } from '../json-text.ts';
import { diffRenders, withPlaces } from '../render-diff.ts';
import { renderDiffData, renderDiffText } from '../render-diff-text.ts';
import { DEFAULT_NAMESPACE, type RenderInputFlags } from '../render-folder.ts';
import { openSide, placeOf, renderSide } from '../render-side.ts';
import { parseRange } from '../revision-range.ts';
import { PLAIN, type Style } from '../style.ts';

export interface DiffFlags extends EveryVerb, RenderInputFlags, CiFlags {
  readonly context?: string | undefined;
  readonly render?: boolean | undefined;
  readonly live?: string | undefined;
  readonly desired?: string | undefined;
  readonly manager?: string | undefined;
  readonly showNormalised?: boolean | undefined;
  readonly full?: boolean | undefined;
  readonly output: 'table' | 'json';
}

/**
 * `plumb diff --live FILE --desired FILE`: what applying objects would change in others, both from files; `plumb diff
 * --render A..B [DIR]`: what a folder renders to at two commits. Both without any cluster. `plumb diff APP A..B`: two states
 * of an application. Exit code 1: they differ.
 */
export async function diff(this: CliContext, flags: DiffFlags, range?: string, folder?: string): Promise<void> {
  const ci = openCi(this, flags);
  await reportingErrors(this, { ci, title: TITLE }, () => compare(this, flags, ci, { range, folder }));
}

const TITLE = 'plumb diff';

async function compare(
  cli: CliContext,
  flags: DiffFlags,
  ci: Ci,
  { range, folder }: { readonly range: string | undefined; readonly folder: string | undefined },
): Promise<void> {
  const { live, desired } = flags;
  if (live !== undefined || desired !== undefined) {
    if (live === undefined || desired === undefined || flags.render === true || range !== undefined) {
      throw new PlumbError('Usage', 'objects are compared with objects, from one file each', { fix: OBJECTS_FIX });
    }
    return await diffFiles(cli, flags, ci, { live, desired });
  }
  if (flags.render !== true && range !== undefined && folder?.includes('..') === true) {
    return await diffStates(cli, flags, ci, { name: range, range: folder });
  }
  if (flags.render !== true) {
    throw new PlumbError('Usage', 'what is compared is missing: objects, renders, or states of an application', {
      fix: `${OBJECTS_FIX} Or write plumb diff --render A..B, or plumb diff APP A..B with two of live, git, r12 and an environment. What would change on a cluster is told by "plumb plan".`,
    });
  }
  if (range === undefined) {
    throw new PlumbError('Usage', 'A..B is missing', { fix: 'Write plumb diff --render A..B.' });
  }
  await diffRendered(cli, flags, ci, { range, folder: folder ?? '.' });
}

const OBJECTS_FIX = 'Write plumb diff --live FILE --desired FILE; one of the two may be - for standard input.';

async function diffFiles(
  context: CliContext,
  flags: DiffFlags,
  ci: Ci,
  files: { readonly live: string; readonly desired: string },
): Promise<void> {
  const { cwd } = context.surroundings;
  if (files.live === '-' && files.desired === '-') {
    throw new PlumbError('Usage', 'both files are standard input', { fix: OBJECTS_FIX });
  }
  const [live, desired] = [await objectsOf(files.live, cwd), await objectsOf(files.desired, cwd)];
  const { namespace, manager } = flags;
  // A key that lives as long as this command: a tag tells what is equal in one answer, and nothing in another.
  const mask = secretMask(randomBytes(TAG_KEY_BYTES));
  const comparison = compareFiles(live.objects, desired.objects, { namespace, manager, mask });
  const { liveOnly, withoutOwners, items } = comparison;
  if (desired.objects.length === 0) context.note(oneLine(`note: there is no object in ${desired.name}`));
  if (liveOnly.length > 0) context.note(oneLine(`note: only in ${live.name}, and not compared: ${namesOf(liveOnly)}`));
  if (withoutOwners.length > 0) {
    context.note(
      oneLine(
        `note: without managedFields, so what is not desired was left alone: ${namesOf(withoutOwners)}; read them with --show-managed-fields`,
      ),
    );
  }
  const compared = { comparison, live: live.name, desired: desired.name };
  const isListed = flags.showNormalised ?? false;
  if (flags.output === 'json') context.print(`${jsonText(objectDiffData(compared, { isListed }), 2)}\n`);
  else {
    await show(context, ci, [], (style, isFull) => objectDiffText(compared, { style, isFull, isListed }), flags);
  }
  context.answer(items.length === 0 ? EXIT.yes : EXIT.no);
}

const TAG_KEY_BYTES = 32;
/** More would fill the screen with what was not asked for. */
const MAX_NAMES = 5;

function namesOf(refs: readonly ObjectRef[]): string {
  const rest = refs.length - MAX_NAMES;
  return [...refs.slice(0, MAX_NAMES).map(shortName), ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ');
}

async function objectsOf(
  file: string,
  cwd: string,
): Promise<{ readonly objects: readonly KubeObject[]; readonly name: string }> {
  const { text, name } = await readInput(file, cwd);
  return { objects: objectsIn(text, name), name };
}

async function diffStates(
  context: CliContext,
  flags: DiffFlags,
  ci: Ci,
  { name, range }: { readonly name: string; readonly range: string },
): Promise<void> {
  await using chosen = await openApplication(context, flags, name);
  const found = await diffApplication(context, chosen, parseRange(range), flags.env);
  const { name: application } = chosen.application.metadata;
  const compared = { ...found, path: '', namespace: '', what: `Diff  ${application}` };
  if (flags.output === 'json')
    context.print(`${jsonText({ ...renderDiffData(compared), kind: 'StateDiff', app: application }, 2)}\n`);
  else {
    const text = (style: Style, isFull: boolean) => renderDiffText(compared, { style, isFull });
    await show(context, ci, findingsOfDiff(compared), text, flags);
  }
  context.answer(found.diff.items.length === 0 ? EXIT.yes : EXIT.no);
}

async function diffRendered(
  context: CliContext,
  flags: DiffFlags,
  ci: Ci,
  { range, folder }: { readonly range: string; readonly folder: string },
): Promise<void> {
  const { clock, cwd, signal } = context.surroundings;
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
  if (before === undefined) context.note(oneLine(`note: ${placeOf(from.name)} there is no folder ${folder}`));
  if (after === undefined) context.note(oneLine(`note: ${placeOf(to.name)} there is no folder ${folder}`));
  for (const warning of new Set([...(before?.warnings ?? []), ...(after?.warnings ?? [])])) {
    context.note(`warning: ${oneLine(warning)}`);
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
  if (flags.output === 'json') context.print(`${jsonText(renderDiffData(result), 2)}\n`);
  else {
    const text = (style: Style, isFull: boolean) => renderDiffText(result, { style, isFull });
    await show(context, ci, findingsOfDiff(result), text, flags);
  }
  context.answer(result.diff.items.length === 0 ? EXIT.yes : EXIT.no);
}

/** Shows a comparison to people, and to the pipeline that it runs in: what is lost, and all of it where it was cut. */
async function show(
  cli: CliContext,
  ci: Ci,
  findings: readonly CiFinding[],
  text: (style: Style, isFull: boolean) => string,
  { full = false }: DiffFlags,
): Promise<void> {
  cli.show(text(cli.style, full));
  const whole = text(PLAIN, true);
  if (whole !== text(PLAIN, full)) ci.fold('All fields', whole);
  await ci.report(findings, { title: TITLE, text: () => whole });
}
