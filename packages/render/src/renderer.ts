import {
  checkObjects,
  fail,
  listDocuments,
  ok,
  PlumbError,
  type Clock,
  type DocumentAt,
  type Rendered,
  type RendererName,
  type Result,
} from '@plumb/core';
import { chooseRenderer, type Choice } from './choose-renderer.ts';
import { followPath } from './follow-path.ts';
import { compileGlobs } from './glob.ts';
import { renderChart } from './helm.ts';
import { buildKustomization } from './kustomize.ts';
import { renderPlain } from './plain.ts';
import { capabilitiesMark, isUnchanged, Trace, type ReadSet } from './read-set.ts';
import type { CachedRender, RenderCache } from './render-cache.ts';
import { renderKey } from './render-key.ts';
import { joinPath, parseRepositoryPath } from './repository-path.ts';
import type { RenderRequest } from './request.ts';
import { loadModule } from './sandbox/module.ts';
import { Sandbox } from './sandbox/pool.ts';
import { listSourceFiles } from './source-files.ts';
import { substitute } from './substitute.ts';
import { renderValues } from './values.ts';

/** What came of a render, and what it depends on. */
export type RenderOutcome = Result<Rendered, readonly PlumbError[]> & {
  /** Everything that was asked of the tree. A tree that answers the same gives the same outcome. */
  readonly reads: ReadSet;
  /** Which renderer, and why. Undefined where not even that could be told. */
  readonly choice: Choice | undefined;
  /** Names the result, together with what was read (hex). */
  readonly key: string;
  readonly isCached: boolean;
  /** The documents before they were checked: upstream's own result, whether or not an API server would take it. */
  readonly documents: readonly DocumentAt[];
};

/** From a folder to its complete set of objects, or to all that is wrong with it (at most 20 errors). */
export interface Renderer extends AsyncDisposable {
  render(request: RenderRequest): Promise<RenderOutcome>;
  /** What an earlier render of the same read, where it is kept and nothing of it has changed. Renders nothing. */
  recall(request: RenderRequest): Promise<ReadSet | undefined>;
}

export interface RendererOptions {
  readonly clock: Clock;
  /** Threads that run templates, and as many that build kustomizations; they start when needed. Default 2. */
  readonly workers?: number | undefined;
  /** How long the templates of one folder may run. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Default: nothing is kept. */
  readonly cache?: RenderCache | undefined;
}

const MAX_ERRORS = 20;
const DEFAULT_INCLUDE = ['**/*.{yaml,yml,json}'];
const TIMEOUT_MS = 30_000;

/** The files whose presence tells the renderer of a folder. */
const MARKS = ['Chart.yaml', 'kustomization.yaml', 'kustomization.yml', 'Kustomization', 'values.yaml'];

export function createRenderer(options: RendererOptions): Renderer {
  return new FolderRenderer(options);
}

/** What one render came to, before checks and substitution: what is worth keeping. */
interface Work extends CachedRender {
  readonly isCached: boolean;
}

/** What a renderer gives. */
interface Built {
  readonly documents: readonly DocumentAt[];
  readonly files: readonly string[];
  readonly valuesFiles?: readonly string[];
  readonly warnings?: readonly string[];
}

interface Progress {
  choice: Choice | undefined;
  key: string;
}

class FolderRenderer implements Renderer {
  readonly #templates: Sandbox;
  readonly #kustomize: Sandbox;
  readonly #cache: RenderCache | undefined;
  /** Renders under way, by key and tree: who wants the same waits for it. */
  readonly #running = new Map<string, Promise<Work>>();

  constructor({ clock, workers, timeoutMs, cache }: RendererOptions) {
    const limits = { clock, size: workers ?? 2, timeoutMs: timeoutMs ?? TIMEOUT_MS };
    this.#templates = new Sandbox({ ...limits, loadModule: () => loadModule('helm') });
    this.#kustomize = new Sandbox({ ...limits, loadModule: () => loadModule('kustomize'), isWarmed: true });
    this.#cache = cache;
  }

  async render(request: RenderRequest): Promise<RenderOutcome> {
    const trace = new Trace(request.tree);
    const progress: Progress = { choice: undefined, key: '' };
    const { signal } = request;
    const about = (reads: ReadSet, isCached: boolean, documents: readonly DocumentAt[] = []) => ({
      reads,
      choice: progress.choice,
      key: progress.key,
      isCached,
      documents,
    });
    try {
      const work = await this.#work({ ...request, tree: trace.tree }, trace, progress);
      const errors = [...work.errors];
      const documents = substituted(work.documents, request, errors);
      const finished = about(work.reads, work.isCached, listDocuments(documents));
      const checked = checkObjects(documents, { namespace: request.namespace });
      errors.push(...checked.errors);
      if (errors.length > 0) return { ...fail(errors.slice(0, MAX_ERRORS)), ...finished };
      const { renderer, files, valuesFiles, warnings } = work;
      return { ...ok({ renderer, objects: checked.objects, files, valuesFiles, warnings }), ...finished };
    } catch (thrown) {
      if (!(thrown instanceof PlumbError)) throw thrown;
      return { ...fail([thrown]), ...about(await trace.reads({ signal }), false) };
    }
  }

  async recall(request: RenderRequest): Promise<ReadSet | undefined> {
    const cache = this.#cache;
    if (cache === undefined) return undefined;
    try {
      const path = parseRepositoryPath(request.path);
      const { renderer } = await this.#choose(request, path);
      return (await findKept(cache, renderKey(renderer, { ...request, path }), request))?.reads;
    } catch (thrown) {
      if (thrown instanceof PlumbError) return undefined;
      throw thrown;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#templates[Symbol.asyncDispose](), this.#kustomize[Symbol.asyncDispose]()]);
  }

  async #work(request: RenderRequest, trace: Trace, progress: Progress): Promise<Work> {
    const { signal } = request;
    const path = parseRepositoryPath(request.path);
    const choice = await this.#choose(request, path);
    const key = renderKey(choice.renderer, { ...request, path });
    progress.choice = choice;
    progress.key = key;
    const cache = this.#cache;
    const run = async (): Promise<Work> => {
      const done = await this.#run(choice.renderer, request, path, trace);
      if (done.errors.length === 0) await cache?.store(key, done);
      return { ...done, isCached: false };
    };
    // Chance is nobody else's, and not what it was the last time.
    if (cache === undefined || request.isVolatile === true || request.isFresh === true) return run();
    const root = await trace.untraced.treeId('', { signal });
    const flight = `${key} ${root} ${capabilitiesMark(request.capabilities)}`;
    for (let running = this.#running.get(flight); running !== undefined; running = this.#running.get(flight)) {
      try {
        return await joined(running, signal);
      } catch (thrown) {
        // Who ran it gave up; we did not.
        if (signal.aborted || thrown instanceof PlumbError) throw thrown;
      }
    }
    const work = (async (): Promise<Work> => {
      const known = await findKept(cache, key, request);
      return known === undefined ? run() : { ...known, isCached: true };
    })().finally(() => this.#running.delete(flight));
    this.#running.set(flight, work);
    return work;
  }

  async #choose(request: RenderRequest, path: string): Promise<Choice> {
    const { tree, signal, chart, renderer } = request;
    const folder = await followPath(tree, path, { signal });
    if (folder?.mode !== 'folder') {
      throw new PlumbError('PathMissing', `there is no folder ${path || '.'} in the repository`);
    }
    if (chart !== undefined) return { renderer: 'helm', because: `spec.source.chart names ${chart.name}` };
    if (renderer !== undefined) return { renderer, because: 'spec.render.renderer says so' };
    const present: string[] = [];
    for (const name of MARKS) {
      if ((await followPath(tree, joinPath(folder.path, name), { signal }))?.mode === 'file') present.push(name);
    }
    const chosen = chooseRenderer(present);
    if (chosen.ok) return chosen.value;
    const { code, message } = chosen.error;
    throw new PlumbError(code, message, { where: { file: joinPath(path, present[0] ?? '') } });
  }

  /** Never throws a `PlumbError`: who shares the run has to know what it read, also where it failed. */
  async #run(renderer: RendererName, request: RenderRequest, path: string, trace: Trace): Promise<CachedRender> {
    const { signal } = request;
    const errors: PlumbError[] = [];
    let built: Built = { documents: [], files: [] };
    try {
      built = await this.#build(renderer, request, path, trace, errors);
    } catch (thrown) {
      if (!(thrown instanceof PlumbError)) throw thrown;
      errors.push(thrown);
    }
    const { documents, files, valuesFiles = [], warnings = [] } = built;
    return { renderer, documents, files, valuesFiles, warnings, reads: await trace.reads({ signal }), errors };
  }

  async #build(
    renderer: RendererName,
    request: RenderRequest,
    path: string,
    trace: Trace,
    errors: PlumbError[],
  ): Promise<Built> {
    const { tree, signal } = request;
    if (renderer === 'kustomize') {
      // It says itself what it read; what it is given besides does not count.
      return buildKustomization(this.#kustomize, { ...request, tree: trace.untraced }, path, trace, errors);
    }
    if (renderer === 'helm') {
      const all = request.chart === undefined ? await listSourceFiles(tree, path, () => false, { signal }) : [];
      return renderChart(this.#templates, request, { path, all }, trace, errors);
    }
    const isIncluded = compileGlobs(request.include ?? DEFAULT_INCLUDE);
    const isExcluded = compileGlobs(request.exclude ?? []);
    const listed = await listSourceFiles(tree, path, isExcluded, { signal });
    const all = listed.filter((file) => !isExcluded(file.name));
    if (renderer === 'values') return renderValues(this.#templates, request, { path, all, isIncluded }, errors);
    const manifests = all.filter((file) => isIncluded(file.name));
    return renderPlain(tree, manifests, errors, { signal });
  }
}

/**
 * A render that was kept, of which nothing that it read has changed. What it said of the time stays: `now` is the time of
 * the commit that last changed what was read.
 */
async function findKept(cache: RenderCache, key: string, request: RenderRequest): Promise<CachedRender | undefined> {
  for (const kept of await cache.load(key)) if (await isUnchanged(kept.reads, request, request)) return kept;
  return undefined;
}

/** Somebody else's render: its end is waited for, but one's own signal still counts. */
async function joined(work: Promise<Work>, signal: AbortSignal): Promise<Work> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function substituted(
  documents: readonly DocumentAt[],
  { substitution }: RenderRequest,
  errors: PlumbError[],
): readonly DocumentAt[] {
  return substitution === undefined ? documents : substitute(documents, substitution, errors);
}
