/** One entry of a folder tree. Paths are slash-separated and relative to the root of the repository. */
export interface TreeEntry {
  readonly path: string;
  readonly mode: 'file' | 'symlink' | 'submodule';
  /** The content's identity: a Git blob id, or any digest of the bytes for a working copy. */
  readonly oid: string;
}

/** What stands at a path itself: a link is not followed. */
export type Found = { readonly mode: 'folder' } | { readonly mode: TreeEntry['mode']; readonly oid: string };

/**
 * A folder tree at one commit, or a working copy: all that a renderer may see. Nothing outside the root exists in it,
 * and reading runs nothing.
 */
export interface SourceTree {
  /** What stands at `path` ('' is the root), or undefined where nothing does. A link on the way leads nowhere. */
  find(path: string, options: { readonly signal: AbortSignal }): Promise<Found | undefined>;
  /** The id of all that is in the folder at `path` (a Git tree id), or undefined where there is no such folder. */
  treeId(path: string, options: { readonly signal: AbortSignal }): Promise<string | undefined>;
  /** All entries below `path`, recursively, sorted by path; empty where there is no such folder. */
  entries(path: string, options: { readonly signal: AbortSignal }): Promise<readonly TreeEntry[]>;
  /** The bytes of each entry, in the same order. A symlink's bytes are its target. */
  read(entries: readonly TreeEntry[], options: { readonly signal: AbortSignal }): Promise<readonly Uint8Array[]>;
}
