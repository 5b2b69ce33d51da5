import { isJsonObject, PlumbError, type Found, type Json, type SourceTree, type TreeEntry } from '@plumb/core';
import { followPath, type Followed } from './follow-path.ts';
import { folderOf, joinPath, resolveFrom } from './repository-path.ts';
import { decodeYaml } from './yaml/decode.ts';
import { decodeText } from './yaml/text.ts';

export const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

type FollowedFile = Followed & { readonly mode: 'file' };

interface Call {
  readonly signal: AbortSignal;
}

/**
 * The part of a repository that a Kustomize build is given. A build says itself which paths it missed, so this may guess
 * wrong; what it guesses right saves a second build: all that a kustomization file names, and so on from there.
 */
export class RepositoryPart {
  readonly #tree: SourceTree;
  readonly #files = new Map<string, TreeEntry>();
  readonly #contents = new Map<string, Uint8Array>();
  readonly #links = new Map<string, string>();
  readonly #folders = new Set<string>();
  #bytes = 0;

  constructor(tree: SourceTree) {
    this.#tree = tree;
  }

  get files(): ReadonlyMap<string, Uint8Array> {
    return this.#contents;
  }

  /** Where a link lies → its target as it is written. */
  get links(): ReadonlyMap<string, string> {
    return this.#links;
  }

  /** Folders that were looked for as such. */
  get folders(): ReadonlySet<string> {
    return this.#folders;
  }

  foundAt(path: string): Found | undefined {
    return this.#files.get(path);
  }

  /** Where a path leads through the links that were met; itself where they lead in circles. */
  realPath(path: string): string {
    let at = '';
    let hops = 0;
    let pending = path.split('/');
    for (let step = pending.shift(); step !== undefined; step = pending.shift()) {
      const next = joinPath(at, step);
      const target = this.#links.get(next);
      const landed = target === undefined ? undefined : resolveFrom(at, target);
      if (landed === undefined) {
        at = next;
        continue;
      }
      if (++hops > this.#links.size) return path;
      pending = [...landed.split('/'), ...pending];
      at = '';
    }
    return at;
  }

  /**
   * Adds what paths name, and all that these files seem to name in turn. Returns how many of the paths are there. Throws
   * for links that lead out of the repository; guesses beyond the paths are silent about them.
   */
  async add(paths: readonly string[], call: Call): Promise<number> {
    const found: Followed[] = [];
    for (const path of paths) {
      const there = await this.#follow(path, call);
      if (there !== undefined) found.push(there);
    }
    for (let level: readonly Followed[] = found; level.length > 0;) level = await this.#take(level, call);
    return found.length;
  }

  /** Reads a level of files and folders; returns what they name and was not seen yet. */
  async #take(level: readonly Followed[], call: Call): Promise<readonly Followed[]> {
    const entries: TreeEntry[] = [];
    for (const there of level) {
      const files = there.mode === 'file' ? [there] : await this.#open(there.path, call);
      for (const file of files) {
        if (this.#files.has(file.path)) continue;
        const entry = { path: file.path, mode: 'file', oid: file.oid } as const;
        this.#files.set(file.path, entry);
        entries.push(entry);
      }
    }
    const contents = await this.#tree.read(entries, call);
    const next: Followed[] = [];
    for (const [index, { path }] of entries.entries()) {
      const bytes = contents[index] ?? new Uint8Array();
      this.#contents.set(path, bytes);
      this.#bytes += bytes.length;
      if (this.#bytes > MAX_BYTES) {
        throw new PlumbError('FileTooLarge', 'the files of the kustomization have more than 64 MiB', {
          where: { file: path },
        });
      }
      next.push(...(await this.#named(path, bytes, call)));
    }
    return next;
  }

  /** The kustomization files of a folder. */
  async #open(folder: string, call: Call): Promise<readonly FollowedFile[]> {
    if (this.#folders.has(folder)) return [];
    this.#folders.add(folder);
    const files: FollowedFile[] = [];
    for (const name of KUSTOMIZATION_NAMES) {
      const file = await this.#follow(joinPath(folder, name), call);
      if (file?.mode === 'file') files.push(file);
    }
    return files;
  }

  /** What the texts in a file name: any of them that is the path of something. Other files than kustomizations are asked too where they configure a plugin. */
  async #named(path: string, bytes: Uint8Array, call: Call): Promise<readonly Followed[]> {
    const named: Followed[] = [];
    for (const text of namesIn(path, bytes)) {
      const target = resolveFrom(folderOf(path), text);
      if (target === undefined) continue;
      try {
        const there = await this.#follow(target, call);
        if (there !== undefined) named.push(there);
      } catch (thrown) {
        // Only a guess: where the build wants it, it is missed, and asked for by name.
        if (!(thrown instanceof PlumbError)) throw thrown;
      }
    }
    return named;
  }

  #follow(path: string, call: Call): Promise<Followed | undefined> {
    return followPath(this.#tree, path, {
      ...call,
      onLink: (link, target) => this.#links.set(link, target),
    });
  }
}

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_NAME_CHARS = 1024;

function namesIn(path: string, bytes: Uint8Array): ReadonlySet<string> {
  const names = new Set<string>();
  const isKustomization = KUSTOMIZATION_NAMES.some((name) => path === name || path.endsWith(`/${name}`));
  // Resources name no files; the configurations of Kustomize's own plugins do.
  if (!isKustomization && !/^apiVersion:\s*["']?builtin\b/m.test(Buffer.from(bytes).toString('latin1'))) return names;
  try {
    for (const { value } of decodeYaml(decodeText(bytes, path), path)) collectNames(value, names, isKustomization);
  } catch (thrown) {
    // The build says what is wrong with it.
    if (!(thrown instanceof PlumbError)) throw thrown;
  }
  return names;
}

/** Texts that could be paths; of a plugin's configuration only what stands under `path`. */
function collectNames(value: Json, names: Set<string>, isWanted: boolean): void {
  if (typeof value === 'string') {
    if (!isWanted || value.length > MAX_NAME_CHARS || value === '' || /[\n\0]/.test(value)) return;
    names.add(value);
    // `files: [key=path]` of generators.
    const equals = value.indexOf('=');
    if (equals > 0) names.add(value.slice(equals + 1));
  } else if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) collectNames(item, names, isWanted);
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) collectNames(item, names, isWanted || key === 'path');
  }
}
