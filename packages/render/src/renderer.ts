import {
  checkObjects,
  fail,
  ok,
  PlumbError,
  type Clock,
  type DocumentAt,
  type JsonObject,
  type Rendered,
  type Result,
  type SourceTree,
} from '@plumb/core';
import { chooseRenderer } from './choose-renderer.ts';
import { compileGlobs } from './glob.ts';
import { renderPlain } from './plain.ts';
import { joinPath, parseRepositoryPath } from './repository-path.ts';
import { listSourceFiles } from './source-files.ts';

export interface RenderRequest {
  readonly tree: SourceTree;
  /** Folder in the tree; '' is the root. */
  readonly path: string;
  /** Lays `values-<environment>.yaml` over `values.yaml` where it is there. */
  readonly environment?: string | undefined;
  /** `.Release.Name`. */
  readonly release: string;
  /** `.Release.Namespace`. */
  readonly namespace: string;
  /** Inline values, above all files. */
  readonly values?: JsonObject | undefined;
  /** Further values files, above `values-<environment>.yaml`, relative to `path` and inside the repository. */
  readonly valuesFiles?: readonly string[] | undefined;
  /** In the syntax of `helm --set`, above everything. */
  readonly set?: readonly string[] | undefined;
  /** Globs relative to `path`. Default `**\/*.{yaml,yml,json}`. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  /** What random template functions draw from. Default: a digest of the other inputs. */
  readonly seed?: string | undefined;
  /** What `now` answers, in milliseconds since the epoch: the time of the commit. Default 0. */
  readonly nowMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** From a folder to its complete set of objects, or to all that is wrong with it (at most 20 errors). */
export interface Renderer extends AsyncDisposable {
  render(request: RenderRequest): Promise<Result<Rendered, readonly PlumbError[]>>;
}

export interface RendererOptions {
  readonly clock: Clock;
  /** Threads that run templates, at most; they start with the first folder that needs one. Default 2. */
  readonly workers?: number | undefined;
}

const MAX_ERRORS = 20;
const DEFAULT_INCLUDE = ['**/*.{yaml,yml,json}'];

export function createRenderer(options: RendererOptions): Renderer {
  void options;
  return {
    async render(request) {
      try {
        return await renderFolder(request);
      } catch (thrown) {
        if (thrown instanceof PlumbError) return fail([thrown]);
        throw thrown;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function renderFolder(request: RenderRequest): Promise<Result<Rendered, readonly PlumbError[]>> {
  const { tree, signal } = request;
  const path = parseRepositoryPath(request.path);
  const isIncluded = compileGlobs(request.include ?? DEFAULT_INCLUDE);
  const isExcluded = compileGlobs(request.exclude ?? []);
  const all = await listSourceFiles(tree, path, isExcluded, { signal });
  const chosen = chooseRenderer(
    all.map((file) => ({ path: joinPath(path, file.name) })),
    path,
  );
  if (!chosen.ok) return fail([chosen.error]);
  const files = all.filter((file) => isIncluded(file.name) && !isExcluded(file.name));
  const errors: PlumbError[] = [];
  const contents = await tree.read(
    files.map((file) => file.entry),
    { signal },
  );
  const documents: readonly DocumentAt[] = renderPlain(files, contents, errors);
  const checked = checkObjects(documents, { namespace: request.namespace });
  errors.push(...checked.errors);
  if (errors.length > 0) return fail(errors.slice(0, MAX_ERRORS));
  return ok({ renderer: chosen.value, objects: checked.objects, files: files.map((file) => file.path) });
}
