import { createHash } from 'node:crypto';
import type { Found, SourceTree } from '@plumb/core';
import type { Capabilities } from './request.ts';

/**
 * All that a render asked of its source tree: path → what stood there. The same answers give the same result, whatever
 * else changed; so a commit is news to an application only where one of them differs.
 */
export type ReadSet = ReadonlyMap<string, string>;

interface Call {
  readonly signal: AbortSignal;
}

const ABSENT = '-';
/** Stands among the paths for what the cluster can do; no path begins with NUL. */
export const CAPABILITIES = '\0capabilities';

/** Whether the render asked what the cluster can do. */
export function readsCapabilities(reads: ReadSet): boolean {
  return reads.has(CAPABILITIES);
}

/** Begins the mark of a folder that was listed: its content counts. Of others it counts that they are there. */
const LISTED = 'tree ';

/** Writes down what is read, as it is read. */
export class Trace {
  readonly #reads = new Map<string, string>();
  /** Folders that were listed; their ids are asked for at the end, since a working copy has to compute them. */
  readonly #listed = new Set<string>();
  readonly #tree: SourceTree;

  constructor(tree: SourceTree) {
    this.#tree = tree;
  }

  get untraced(): SourceTree {
    return this.#tree;
  }

  /** The tree, every question to it written down. */
  get tree(): SourceTree {
    return {
      find: async (path, call) => {
        const found = await this.#tree.find(path, call);
        this.note(path, found);
        return found;
      },
      treeId: (path, call) => {
        this.#listed.add(path);
        return this.#tree.treeId(path, call);
      },
      entries: (path, call) => {
        this.#listed.add(path);
        return this.#tree.entries(path, call);
      },
      read: (entries, call) => this.#tree.read(entries, call),
    };
  }

  note(path: string, found: Found | undefined): void {
    this.#reads.set(path, markOf(found));
  }

  /** Something that is no path. */
  mark(name: string, mark: string): void {
    this.#reads.set(name, mark);
  }

  async reads(call: Call): Promise<ReadSet> {
    for (const path of this.#listed) this.#reads.set(path, await listedMark(this.#tree, path, call));
    return this.#reads;
  }
}

/** What a read set is held against. */
export interface ReadSources {
  readonly tree: Pick<SourceTree, 'find' | 'treeId'>;
  readonly capabilities?: Capabilities | undefined;
}

/** Whether all questions of an earlier render would be answered as they were answered then. */
export async function isUnchanged(
  reads: ReadSet,
  { tree, capabilities }: ReadSources,
  { signal }: Call,
): Promise<boolean> {
  const call = { signal };
  for (const [path, mark] of reads) {
    const now =
      path === CAPABILITIES
        ? capabilitiesMark(capabilities)
        : mark.startsWith(LISTED)
          ? await listedMark(tree, path, call)
          : markOf(await tree.find(path, call));
    if (now !== mark) return false;
  }
  return true;
}

/** Names a read set: the same one, the same content. */
export function readSetDigest(reads: ReadSet): string {
  const lines = [...reads].map(([path, mark]) => `${path}\0${mark}\n`).toSorted();
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** A tree that answers each question once: many applications ask the same of one commit. */
export function askedOnce(tree: SourceTree): Pick<SourceTree, 'find' | 'treeId'> {
  const found = new Map<string, Promise<Found | undefined>>();
  const ids = new Map<string, Promise<string | undefined>>();
  return {
    find: (path, call) => remembered(found, path, () => tree.find(path, call)),
    treeId: (path, call) => remembered(ids, path, () => tree.treeId(path, call)),
  };
}

function remembered<T>(known: Map<string, Promise<T>>, path: string, ask: () => Promise<T>): Promise<T> {
  let answer = known.get(path);
  if (answer === undefined) {
    answer = ask();
    known.set(path, answer);
  }
  return answer;
}

const marks = new WeakMap<Capabilities, string>();

export function capabilitiesMark(capabilities: Capabilities | undefined): string {
  if (capabilities === undefined) return ABSENT;
  let mark = marks.get(capabilities);
  if (mark === undefined) {
    const { kubeVersion, apiVersions } = capabilities;
    mark = createHash('sha256')
      .update([kubeVersion, ...apiVersions].join('\n'))
      .digest('hex');
    marks.set(capabilities, mark);
  }
  return mark;
}

async function listedMark(tree: Pick<SourceTree, 'treeId'>, path: string, call: Call): Promise<string> {
  const id = await tree.treeId(path, call);
  return id === undefined ? ABSENT : LISTED + id;
}

function markOf(found: Found | undefined): string {
  if (found === undefined) return ABSENT;
  return found.mode === 'folder' ? found.mode : `${found.mode} ${found.oid}`;
}
