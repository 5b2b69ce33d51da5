import { canonicalJson, digest, PlumbError, type SourceFact, type SourceTree } from '@plumb/core';
import type { Mirror } from '@plumb/git';
import {
  askedOnce,
  followPath,
  isUnchanged,
  readsCapabilities,
  readSetDigest,
  type Capabilities,
  type ReadSet,
} from '@plumb/render';
import type { Externals } from './externals.ts';
import type { TargetSpec } from './targets.ts';

/** What a render takes from elsewhere than its repository, and what is remembered of earlier ones. */
export interface Elsewhere {
  /** Chart and variables of a target, as they are now. */
  externalsOf(spec: TargetSpec, o: { readonly signal: AbortSignal }): Promise<Externals | undefined>;
  /** What an earlier render of the same read, where that is known and nothing of it has changed. */
  recall(
    spec: TargetSpec,
    source: { readonly tree: SourceTree; readonly externals: Externals | undefined },
    o: { readonly signal: AbortSignal },
  ): Promise<ReadSet | undefined>;
  capabilitiesOf(spec: TargetSpec): Promise<Capabilities>;
  /** A chart's host or an object with variables cannot be read; what was read before stays in force. */
  unreadable(spec: TargetSpec, error: PlumbError): void;
}

/** What a target's source was found to be, and for what. */
export interface Looked {
  readonly spec: TargetSpec;
  /** The commit of its ref, or why there is none. */
  readonly commit: string | PlumbError;
  readonly fact: SourceFact;
  /** Names all that the spec says about a render, and what comes to it from elsewhere. */
  readonly key: string;
  readonly externals: Externals | undefined;
  /** What the last render read; before the first one the target's folder stands for it. */
  readonly reads: ReadSet;
}

/** Where commits are looked up. */
type LookedIn = Pick<Mirror, 'at' | 'removedBy'>;

interface Commit {
  readonly tree: SourceTree;
  /** The same, for questions that many targets ask. */
  readonly asked: Pick<SourceTree, 'find' | 'treeId'>;
}

/** One look at a repository: what the source of each target is at its commit. */
export class SourceLook {
  readonly #mirror: LookedIn;
  readonly #elsewhere: Elsewhere | undefined;
  readonly #signal: AbortSignal;
  readonly #commits = new Map<string, Commit>();

  constructor(mirror: LookedIn, elsewhere: Elsewhere | undefined, signal: AbortSignal) {
    this.#mirror = mirror;
    this.#elsewhere = elsewhere;
    this.#signal = signal;
  }

  /**
   * The target's source at a commit; `before` is what the last look found. Where a render would read the same as the last
   * one did, the fact stays the very same. What is wrong with one target is its own fact; other troubles are thrown.
   */
  async at(spec: TargetSpec, commit: string | PlumbError, before: Looked | undefined): Promise<Looked> {
    if (commit instanceof PlumbError) return failed(spec, commit, commit);
    let externals: Externals | undefined;
    try {
      externals = await this.#elsewhere?.externalsOf(spec, { signal: this.#signal });
    } catch (thrown) {
      if (!(thrown instanceof PlumbError)) throw thrown;
      this.#elsewhere?.unreadable(spec, thrown);
      // The last good state stays in force, unless the spec asks for something else now.
      const isSame = before?.fact.state === 'ready' && before.key === keyOf(spec, before.externals);
      if (!isSame) return failed(spec, commit, thrown);
      externals = before.externals;
    }
    try {
      return await this.#atCommit(spec, commit, externals, before);
    } catch (thrown) {
      // A path or a file that cannot be read for what it is: it stops this target alone.
      if (!(thrown instanceof PlumbError) || thrown.facts.culprit !== 'user') throw thrown;
      return failed(spec, commit, thrown);
    }
  }

  async #atCommit(
    spec: TargetSpec,
    commit: string,
    externals: Externals | undefined,
    before: Looked | undefined,
  ): Promise<Looked> {
    const call = { signal: this.#signal };
    const key = keyOf(spec, externals);
    const { tree, asked } = this.#commit(commit);
    const capabilities = await this.#elsewhere?.capabilitiesOf(spec);
    const isSame = before?.fact.state === 'ready' && before.key === key;
    if (isSame && (await isUnchanged(before.reads, { tree: asked, capabilities }, call))) {
      return { ...before, spec, commit, externals };
    }
    const folder = await folderOf(spec, tree, this.#signal);
    if (folder === undefined) return failed(spec, commit, await this.#pathMissing(spec, commit));
    const ready = (reads: ReadSet, inputs: string): Looked => ({
      spec,
      commit,
      key,
      externals,
      reads,
      fact: { state: 'ready', commit, inputs },
    });
    const recalled = await this.#elsewhere?.recall(spec, { tree, externals }, call);
    if (recalled !== undefined) return ready(recalled, nameOfContent(key, recalled));
    // What a render will read is not known before it. Until then the whole repository names it.
    return ready(new Map([folder]), `${await asked.treeId('', call)} ${key}`);
  }

  #commit(id: string): Commit {
    let known = this.#commits.get(id);
    if (known === undefined) {
      const tree = this.#mirror.at(id);
      known = { tree, asked: askedOnce(tree) };
      this.#commits.set(id, known);
    }
    return known;
  }

  async #pathMissing({ path }: TargetSpec, commit: string): Promise<PlumbError> {
    const removed = await this.#mirror.removedBy(commit, path, { signal: this.#signal }).catch(() => undefined);
    this.#signal.throwIfAborted();
    const by = removed === undefined ? '' : `; ${removed.sha.slice(0, 7)} by ${removed.author.name} removed it`;
    const message = `The repository has no folder ${path} at ${commit.slice(0, 7)}${by}`;
    return new PlumbError('PathMissing', message, { where: { file: path } });
  }
}

function failed(spec: TargetSpec, commit: string | PlumbError, error: PlumbError): Looked {
  return { spec, commit, key: '', externals: undefined, reads: new Map(), fact: { state: 'failed', error } };
}

/** The target's folder as an entry of a read set, or undefined where there is none. */
export async function folderOf(
  { path }: TargetSpec,
  tree: SourceTree,
  signal: AbortSignal,
): Promise<readonly [path: string, mark: string] | undefined> {
  const folder = await followPath(tree, path, { signal });
  if (folder?.mode !== 'folder') return undefined;
  return [folder.path, `tree ${await tree.treeId(folder.path, { signal })}`];
}

/** Names all that a spec says about a render, and what comes to it from elsewhere. */
function keyOf(spec: TargetSpec, externals: Externals | undefined): string {
  const { path, render, capabilities, isVolatile, policies } = spec;
  const elsewhere = [canonicalJson({ ...spec.externals }), externals?.mark ?? ''];
  // Others have to be read then, and an application without any keeps its key.
  if (policies !== undefined) elsewhere.push(canonicalJson({ ...policies }));
  return digest([path, canonicalJson({ ...render }), canonicalJson({ ...capabilities }), isVolatile, ...elsewhere]);
}

export function nameOfContent(key: string, reads: ReadSet): string {
  return `${readSetDigest(reads)} ${key}`;
}

/** Whether something else than a commit may change what it is made from. */
export function dependsOnOthers({ spec, reads }: Looked): boolean {
  return spec.externals !== undefined || readsCapabilities(reads);
}
