import {
  checkObjects,
  fail,
  ok,
  PlumbError,
  type Clock,
  type JsonObject,
  type Rendered,
  type Result,
  type SourceTree,
} from '@plumb/core';
import { chooseRenderer } from './choose-renderer.ts';
import { compileGlobs } from './glob.ts';
import { renderPlain } from './plain.ts';
import { joinPath, parseRepositoryPath } from './repository-path.ts';
import { loadModule } from './sandbox/module.ts';
import { Sandbox } from './sandbox/pool.ts';
import { listSourceFiles } from './source-files.ts';
import { renderValues } from './values.ts';

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
  /** How long the templates of one folder may run. Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

const MAX_ERRORS = 20;
const DEFAULT_INCLUDE = ['**/*.{yaml,yml,json}'];

const TIMEOUT_MS = 30_000;

export function createRenderer(options: RendererOptions): Renderer {
  const sandbox = new Sandbox({
    clock: options.clock,
    loadModule: () => loadModule('helm'),
    size: options.workers ?? 2,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
  });
  return {
    async render(request) {
      try {
        return await renderFolder(request, sandbox);
      } catch (thrown) {
        if (thrown instanceof PlumbError) return fail([thrown]);
        throw thrown;
      }
    },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

async function renderFolder(
  request: RenderRequest,
  sandbox: Sandbox,
): Promise<Result<Rendered, readonly PlumbError[]>> {
  const { tree, signal } = request;
  const path = parseRepositoryPath(request.path);
  const isIncluded = compileGlobs(request.include ?? DEFAULT_INCLUDE);
  const isExcluded = compileGlobs(request.exclude ?? []);
  const listed = await listSourceFiles(tree, path, isExcluded, { signal });
  const all = listed.filter((file) => !isExcluded(file.name));
  const chosen = chooseRenderer(
    all.map((file) => ({ path: joinPath(path, file.name) })),
    path,
  );
  if (!chosen.ok) return fail([chosen.error]);
  const errors: PlumbError[] = [];
  const { documents, files } =
    chosen.value === 'values'
      ? await renderValues(sandbox, request, { path, all, isIncluded }, errors)
      : await renderPlain(
          tree,
          all.filter((file) => isIncluded(file.name)),
          errors,
          { signal },
        );
  const checked = checkObjects(documents, { namespace: request.namespace });
  errors.push(...checked.errors);
  if (errors.length > 0) return fail(errors.slice(0, MAX_ERRORS));
  return ok({ renderer: chosen.value, objects: checked.objects, files });
}
