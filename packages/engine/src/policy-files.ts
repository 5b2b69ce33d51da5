import { digest, fail, ok, PlumbError, type Json, type Result, type SourceTree, type TreeEntry } from '@plumb/core';
import { readPolicies, STARTER_SET, starterPolicies, type Policy, type PolicyFile } from '@plumb/policy';
import { decodeText, decodeYamlWithLines, followPath, Trace, type ReadSet } from '@plumb/render';

interface Call {
  readonly signal: AbortSignal;
}

/** Which policies an application names. */
export interface PolicySource {
  /** Files, and folders of which the YAML and JSON files count by name, from the root of the repository. */
  readonly files: readonly string[];
  /** Whether the starter set comes first. */
  readonly starter: boolean;
}

/** The policies that an application names, as they are at one commit. */
export interface NamedPolicies {
  readonly policies: readonly Policy[];
  /** Names what they say; comments and line breaks of the files are no part of it. */
  readonly digest: string;
}

/** More than this is no set of policies that a person has written. */
const MAX_FILES = 100;
/** Sets that are kept, read and compiled: the applications of a repository mostly share one. */
const MAX_KEPT = 32;

/** Reads the policies of applications from the commits that they are judged at. */
export class PolicyFiles {
  readonly #monotonic: () => number;
  readonly #kept = new Map<string, Result<NamedPolicies, readonly PlumbError[]>>();

  /** `monotonic`: milliseconds that only ever grow. */
  constructor({ monotonic }: { readonly monotonic: () => number }) {
    this.#monotonic = monotonic;
  }

  /** What is asked of the tree for them: a commit that answers the same has the same policies. */
  async reads(source: PolicySource, tree: SourceTree, call: Call): Promise<ReadSet> {
    const trace = new Trace(tree);
    await filesOf(source, trace.tree, call);
    return trace.reads(call);
  }

  /** The policies, or all that is wrong with their files, each with its place. */
  async read(
    source: PolicySource,
    tree: SourceTree,
    call: Call,
  ): Promise<Result<NamedPolicies, readonly PlumbError[]>> {
    const { entries, errors } = await filesOf(source, tree, call);
    if (errors.length > 0) return fail(errors);
    const key = digest([source.starter, ...entries.map(({ path, oid }) => `${path} ${oid}`)]);
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const contents = await tree.read(entries, call);
    const read = this.#compile(
      source,
      entries.map(({ path }, index) => ({ path, bytes: contents[index] ?? new Uint8Array() })),
    );
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, read);
    return read;
  }

  #compile(
    { starter }: PolicySource,
    contents: readonly { readonly path: string; readonly bytes: Uint8Array }[],
  ): Result<NamedPolicies, readonly PlumbError[]> {
    const monotonic = this.#monotonic;
    const files: PolicyFile[] = [];
    const errors: PlumbError[] = [];
    for (const { path, bytes } of contents) {
      try {
        const { documents, lineOf } = decodeYamlWithLines(decodeText(bytes, path), path);
        files.push({ documents: documents.map(({ value }) => value), file: path, lineOf });
      } catch (thrown) {
        if (!(thrown instanceof PlumbError)) throw thrown;
        errors.push(thrown);
      }
    }
    if (errors.length > 0) return fail(errors);
    const read = readPolicies(files, { base: starter ? starterPolicies({ monotonic }) : [], monotonic });
    if (!read.ok) return read;
    // The starter set is a part of it: a version of Plumb with another one judges by other rules.
    const said: readonly Json[] = [
      ...(starter ? STARTER_SET : []),
      ...files.flatMap(({ documents }) => documents.map((document) => document ?? null)),
    ];
    return ok({ policies: read.value, digest: digest(said) });
  }
}

/** The files in the order in which they count, and what cannot be found. */
async function filesOf(
  { files }: PolicySource,
  tree: SourceTree,
  call: Call,
): Promise<{ readonly entries: readonly TreeEntry[]; readonly errors: readonly PlumbError[] }> {
  const entries: TreeEntry[] = [];
  const errors: PlumbError[] = [];
  for (const file of files) {
    try {
      entries.push(...(await filesAt(normal(file), tree, call)));
    } catch (thrown) {
      // A path that is not there, or a link that leads nowhere. What cannot be read at all is no fault of the files.
      if (!(thrown instanceof PlumbError) || thrown.facts.culprit !== 'user') throw thrown;
      errors.push(thrown);
    }
  }
  if (entries.length > MAX_FILES) {
    errors.push(
      new PlumbError('PolicyInvalid', `spec.policies names ${entries.length} files, and ${MAX_FILES} are read`, {
        fix: 'Name fewer files, or put several policies into one.',
      }),
    );
  }
  return { entries, errors };
}

async function filesAt(path: string, tree: SourceTree, call: Call): Promise<readonly TreeEntry[]> {
  const found = await followPath(tree, path, call);
  if (found === undefined)
    throw missing(`The repository has no file or folder ${path}, which spec.policies names`, path);
  if (found.mode === 'file') return [{ path: found.path, mode: 'file', oid: found.oid }];
  const below = await tree.entries(found.path, call);
  const inside = below.filter(({ path: at, mode }) => {
    const name = at.slice(found.path === '' ? 0 : found.path.length + 1);
    return mode !== 'submodule' && !name.includes('/') && /\.(?:ya?ml|json)$/.test(name);
  });
  const entries = await Promise.all(
    inside.map(async (entry) => {
      const real = await followPath(tree, entry.path, call);
      return real?.mode === 'file' ? { path: real.path, mode: real.mode, oid: real.oid } : [];
    }),
  );
  if (entries.flat().length === 0)
    throw missing(`The folder ${path}, which spec.policies names, holds no YAML or JSON`, path);
  return entries.flat();
}

function missing(message: string, file: string): PlumbError {
  return new PlumbError('PolicyInvalid', message, {
    where: { file },
    fix: 'Restore it in Git, or correct spec.policies of the Application.',
  });
}

function normal(path: string): string {
  return path
    .split('/')
    .filter((step) => step !== '' && step !== '.')
    .join('/');
}
