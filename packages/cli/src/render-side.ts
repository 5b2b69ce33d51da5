import { equalJson, PlumbError, type DocumentAt, type SourceTree } from '@plumb/core';
import { commitTree, localTree } from '@plumb/git';
import { FieldPlaces, followPath, isUnchanged, type ReadSet, type Renderer, type ValuesLayer } from '@plumb/render';
import { inputsOf, type RenderInputFlags } from './render-folder.ts';
import { refusals, warningsOf } from './render-refusals.ts';
import { throwAll } from './report-error.ts';
import { readValuesFilesAt } from './values-files.ts';

/** What one side of a comparison is called. */
export interface SideName {
  /** As it was asked for: `main`, `HEAD~1`; `working copy`. */
  readonly label: string;
  /** Undefined for the working copy. */
  readonly commit: string | undefined;
}

/** The files of a repository at one side of a comparison. */
export interface Side extends AsyncDisposable {
  readonly name: SideName;
  readonly root: string;
  readonly tree: SourceTree;
}

/** What is rendered at both sides: a folder, and how. */
export interface ComparedFolder {
  /** On this machine; it need not be there any more. */
  readonly directory: string;
  /** In the repository. */
  readonly path: string;
  readonly flags: RenderInputFlags;
}

export interface SideRender {
  readonly documents: readonly DocumentAt[];
  readonly warnings: readonly string[];
  readonly reads: ReadSet;
  readonly layers: readonly ValuesLayer[];
  /** Undefined where an API server would refuse what was rendered. */
  readonly places: FieldPlaces | undefined;
}

interface RenderOptions {
  readonly renderer: Renderer;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** The other side's: where this one would read the same, it is the answer, and nothing is rendered. */
  readonly other?: SideRender | undefined;
}

/** Both sides draw from it what templates ask of chance, so that chance is no difference. */
const SEED = 'plumb diff';

/** The repository in `root` at a revision; undefined is the working copy as it is now. */
export async function openSide(
  root: string,
  revision: string | undefined,
  { signal }: { readonly signal: AbortSignal },
): Promise<Side> {
  if (revision === undefined) {
    const name = { label: 'working copy', commit: undefined };
    return { name, root, tree: localTree(root), [Symbol.asyncDispose]: async () => {} };
  }
  const opened = await commitTree(root, revision, { signal });
  const name = { label: revision, commit: opened.commit.sha };
  return { name, root, tree: opened.tree, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

/** The folder as the side has it, rendered; undefined where it has none. */
export async function renderSide(
  side: Side,
  { directory, path, flags }: ComparedFolder,
  { renderer, cwd, signal, other }: RenderOptions,
): Promise<SideRender | undefined> {
  const { tree, root, name } = side;
  if ((await followPath(tree, path, { signal }))?.mode !== 'folder') return undefined;
  const { layers, files } = await readValuesFilesAt({ tree, root, place: placeOf(name) }, flags.values ?? [], {
    cwd,
    signal,
  });
  if (other !== undefined && equalJson(toJson(other.layers), toJson(layers))) {
    if (await isUnchanged(other.reads, { tree }, { signal })) return other;
  }
  const outcome = await renderer.render({ tree, path, ...inputsOf(flags, directory), layers, seed: SEED, signal });
  throwRefusals(outcome.ok ? [] : refusals(outcome), name);
  const { documents, reads } = outcome;
  const rendered = outcome.ok ? outcome.value : undefined;
  const valuesFiles = [...(rendered?.valuesFiles ?? []), ...files];
  const places = rendered === undefined ? undefined : new FieldPlaces(tree, { ...rendered, valuesFiles });
  return { documents, warnings: warningsOf(outcome, flags), reads, layers, places };
}

function toJson(layers: readonly ValuesLayer[]): readonly string[] {
  return layers.flatMap(({ path, text }) => [path, text]);
}

/** Says at which side the input is wrong: the other one may be fine. */
function throwRefusals(errors: readonly PlumbError[], name: SideName): void {
  if (errors.length === 0) return;
  throwAll(
    errors.map(
      (error) =>
        new PlumbError(error.code, `${placeOf(name)}: ${error.message}`, {
          where: error.where,
          subject: error.subject,
          field: error.field,
          fix: error.fix,
          cause: error,
        }),
    ),
  );
}

/** `at main`, `in the working copy`. */
export function placeOf({ label, commit }: SideName): string {
  return commit === undefined ? `in the ${label}` : `at ${label}`;
}
