import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlumbError, type SourceTree } from '@plumb/core';
import { classifyGitFailure, isCorruption, missingRef, redact } from './classify.ts';
import { parseCommit, type Commit } from './commit.ts';
import { openAccess, type GitCredentials } from './credentials.ts';
import { runGit, type GitOutcome } from './git-process.ts';
import { lineBy, type LinePlace } from './line-by.ts';
import { importedCommit, importStream, isExecutableIn, pushFailure, type NewCommit } from './new-commit.ts';
import { ObjectReader, UnusableRepository, untilAborted } from './object-reader.ts';
import { checkRef, isCommitId } from './ref.ts';
import { sharedRun } from './shared-run.ts';
import { TreeReader } from './tree-reader.ts';
import { type GitUrl } from './url.ts';

export interface MirrorOptions {
  readonly url: GitUrl;
  /** The bare repository's folder, made where it is missing. It has one owner at a time: whoever holds the state folder. */
  readonly folder: string;
  /** Asked anew for every contact with the remote, so that a changed Secret counts at once. */
  readonly credentials: () => Promise<GitCredentials>;
  /** For the opening alone; the mirror lives until it is disposed. */
  readonly signal: AbortSignal;
  /** Packs are joined after a fetch that leaves more than this many. Default 64. */
  readonly maxPacks?: number;
}

type Config = readonly (readonly [key: string, value: string])[];

interface Call {
  readonly signal: AbortSignal;
}

export interface RemoteRefs {
  /** Full name of every branch and tag to its commit; an annotated tag is followed to what it is on. */
  readonly refs: ReadonlyMap<string, string>;
  /** The default branch's full name. */
  readonly head: string | undefined;
}

export interface BranchChanges {
  /** The newest commit that both have. */
  readonly since: string;
  /** Relative to the root of the repository; of a renamed file both names. */
  readonly paths: readonly string[];
}

/** One remote repository as far as it is needed: a bare, shallow, partial copy that is read without a checkout. */
export interface Mirror extends AsyncDisposable {
  readonly url: GitUrl;
  /**
   * Asks the remote what its branches and tags point to; stores nothing.
   *
   * @throws {PlumbError} `RefMissing` where it names none: an empty answer is never an empty repository.
   */
  lsRemote(call: Call): Promise<RemoteRefs>;
  /**
   * Fetches these refs or commit ids with one run of git and returns the commit that each is now. `HEAD` is the default
   * branch. Nothing is asked where all are commit ids that are stored.
   *
   * @throws {PlumbError} `RefMissing` with the ref as `subject`; the others were then not fetched either.
   */
  fetch(refs: readonly string[], call: Call): Promise<ReadonlyMap<string, string>>;
  /**
   * Lets go of what was fetched for any other ref: of a branch that is gone, of a pull request that is closed. What of it is
   * asked for again is fetched again. Contacts nothing. Returns how many refs that were.
   *
   * @param refs as `fetch` takes them
   */
  keepOnly(refs: readonly string[], call: Call): Promise<number>;
  /** @throws {PlumbError} `GitFailed` where the commit is not stored. */
  commit(sha: string, call: Call): Promise<Commit>;
  hasCommit(sha: string, call: Call): Promise<boolean>;
  /** The folder tree at a commit. Reading it fetches the files that are not stored yet, all at once. */
  at(commit: string): SourceTree;
  /**
   * What `head` has changed since it left `base`, file by file; undefined where they have nothing in common within some
   * 20,000 commits. Both are refs that were fetched. Fetches as much more history as it takes.
   */
  changedSince(base: string, head: string, call: Call): Promise<BranchChanges | undefined>;
  /** Fetches the files below these paths that are not stored yet, for many readers at once. */
  prefetch(commit: string, paths: readonly string[], call: Call): Promise<void>;
  /**
   * The newest commit before or at `commit` that removed `path`; undefined where `path` exists, or where that happened
   * before what is stored.
   */
  removedBy(commit: string, path: string, call: Call): Promise<Commit | undefined>;
  /**
   * The commit at or before `commit` that wrote a line (from 1) of a file as it is there; undefined where there is no such
   * line, where `after` has it already, or where it was written before what is stored.
   */
  lineBy(
    commit: string,
    place: LinePlace,
    call: Call & { readonly after?: string | undefined },
  ): Promise<Commit | undefined>;
  /** Stores a commit with some files replaced or added, and returns its id. Nobody else sees it before it is pushed. */
  store(commit: NewCommit, call: Call): Promise<string>;
  /**
   * Moves a branch of the remote to a commit that is stored, or makes the branch; never over what somebody else pushed.
   *
   * @throws {PlumbError} `BranchMoved` where the branch has other commits, `PushRejected` where the remote says no.
   */
  push(commit: string, branch: string, call: Call): Promise<void>;
}

/** How much history is kept at least: enough to name the commit that removed a folder, and a bound after a force push. */
const HISTORY_COMMITS = 20;
/** How far it is looked back for where a branch began, step by step. */
const MERGE_BASE_COMMITS = [HISTORY_COMMITS, 200, 2_000, 20_000];
/**
 * The first fetch brings no file at all. Later ones bring the small files that changed along with the commit, which saves
 * the second round trip; a large one waits until it is read.
 */
const FIRST_FILTER = 'blob:none';
const LATER_FILTER = 'blob:limit=256k';
const CACHED_COMMITS = 1000;
const MAX_HISTORY_WALK = 10_000;
const DEFAULT_MAX_PACKS = 64;
/** Written last: a folder without it is half made. */
const MARKER = 'plumb-mirror';

/** Only while git fetches or joins packs is the mirror a partial clone: the reader's git knows no remote, so it can never fetch by itself. */
const PARTIAL: Config = [
  ['remote.origin.promisor', 'true'],
  ['remote.origin.partialclonefilter', FIRST_FILTER],
];

const FETCH = [
  ...['fetch', '--quiet', '--stdin', '--no-tags', '--no-auto-gc', '--no-auto-maintenance', '--no-write-fetch-head'],
  ...['--no-recurse-submodules', '--no-show-forced-updates'],
];

const PUSH = ['push', '--porcelain', '--no-progress', '--no-verify', '--recurse-submodules=no', 'origin'];

/** Opens the mirror in `folder`, or makes it; contacts nothing. What a killed run left there is removed. */
export async function openMirror(options: MirrorOptions): Promise<Mirror> {
  const mirror = new BareMirror(options);
  await mirror.prepare();
  return mirror;
}

class BareMirror implements Mirror {
  readonly url: GitUrl;
  readonly #name: string;
  readonly #options: MirrorOptions;
  readonly #reader: ObjectReader;
  readonly #tree: TreeReader;
  /** Commits that are stored. */
  readonly #commits = new Map<string, Commit>();
  /** What is being read: many readers ask for the same at once, and it is read for the first of them. */
  readonly #loadingCommits = new Map<string, Promise<Commit | undefined>>();
  /** Counts how often the mirror was made anew, so that readers who met the same damage mend it once. */
  #generation = 0;
  #objectFormat: 'sha1' | 'sha256' = 'sha1';
  /** Files are left out until they are read; false for a server that cannot bring them later. */
  #isPartial = true;
  /** A run was killed: its lock files are in the way. */
  #needsSweep = false;
  /** Aborts when the mirror is disposed: for what no single caller waits for. */
  readonly #lifetime = new AbortController();
  #queue: Promise<void> = Promise.resolve();
  #background: Promise<void> = Promise.resolve();

  constructor(options: MirrorOptions) {
    this.url = options.url;
    this.#name = options.url.toString();
    this.#options = options;
    this.#reader = new ObjectReader(options.folder);
    this.#tree = new TreeReader({
      reader: this.#reader,
      lifetime: this.#lifetime.signal,
      fetchBlobs: (oids, signal) => this.#fetchBlobs(oids, signal),
    });
  }

  async prepare(): Promise<void> {
    const { folder } = this.#options;
    const marker = await readFile(join(folder, MARKER), 'utf8').catch(() => undefined);
    const [url, format] = marker?.split('\n') ?? [];
    const isWhole = url === this.#name && (await hasFiles(folder, ['HEAD', 'config', 'objects', 'refs']));
    this.#objectFormat = format === 'sha256' ? 'sha256' : 'sha1';
    if (isWhole) await sweep(folder);
    else await this.#create(this.#options.signal);
  }

  async lsRemote({ signal }: Call): Promise<RemoteRefs> {
    const { outcome, secrets } = await this.#runRemote(['ls-remote', '--quiet', '--symref', 'origin'], signal);
    const attempted = `listing the refs of ${this.#name}`;
    if (outcome.code !== 0) throw classifyGitFailure(attempted, outcome.stderr, { secrets });
    const remote = parseRemoteRefs(outcome.stdout.toString('utf8'));
    if (remote.refs.size > 0) return remote;
    throw new PlumbError('RefMissing', `${attempted}: it names no branch and no tag`);
  }

  async fetch(refs: readonly string[], { signal }: Call): Promise<ReadonlyMap<string, string>> {
    const wanted = new Map(refs.map((ref): [string, string] => [ref, checkRef(ref)]));
    const full = [...new Set(wanted.values())];
    const commits = await this.#mending(signal, () =>
      this.#exclusive(signal, async () => {
        const missing = await this.#missingCommits(full.filter(isCommitId), signal);
        const asked = full.filter((ref) => !isCommitId(ref) || missing.has(ref));
        if (asked.length > 0) await this.#fetchRefs(asked, signal);
        return this.#commitsOf(full, signal);
      }),
    );
    this.#background = this.#joinPacks().catch(() => {});
    return new Map([...wanted].map(([given, ref]): [string, string] => [given, commits.get(ref) ?? absent(ref)]));
  }

  async keepOnly(refs: readonly string[], { signal }: Call): Promise<number> {
    const kept = new Set(refs.map((ref) => localRef(checkRef(ref))));
    return this.#exclusive(signal, async () => {
      const listed = await this.#runLocal(['for-each-ref', '--format=%(refname)', 'refs/plumb/'], signal);
      const gone = listed.split('\n').filter((ref) => ref !== '' && !kept.has(ref));
      if (gone.length === 0) return 0;
      await this.#runLocal(['update-ref', '--stdin'], signal, gone.map((ref) => `delete ${ref}\n`).join(''));
      return gone.length;
    });
  }

  async changedSince(base: string, head: string, { signal }: Call): Promise<BranchChanges | undefined> {
    const refs = [checkRef(base), checkRef(head)];
    const [left = '', right = ''] = refs.map(localRef);
    for (const depth of MERGE_BASE_COMMITS) {
      if (depth > HISTORY_COMMITS) await this.#exclusive(signal, () => this.#deepen(refs, depth, signal));
      const found = await this.#exclusive(signal, async () => {
        const since = (await this.#askLocal(['merge-base', left, right], signal))?.trim();
        if (since === undefined || !isCommitId(since)) return undefined;
        // Of trees alone: the files may not be here.
        const diff = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', since, right];
        const paths = (await this.#runLocal(diff, signal)).split('\0').filter((path) => path !== '');
        return { since, paths };
      });
      if (found !== undefined) return found;
      const isShallow = await this.#exclusive(signal, () =>
        this.#runLocal(['rev-parse', '--is-shallow-repository'], signal),
      );
      if (isShallow.trim() !== 'true') return undefined;
    }
    return undefined;
  }

  async commit(sha: string, { signal }: Call): Promise<Commit> {
    return this.#mending(signal, () => this.#needCommit(sha, signal));
  }

  async hasCommit(sha: string, { signal }: Call): Promise<boolean> {
    return this.#mending(signal, async () => (await this.#missingCommits([sha], signal)).size === 0);
  }

  at(commit: string): SourceTree {
    return this.#tree.sourceTree(
      async (signal) => (await this.#needCommit(commit, signal)).tree,
      (signal, attempt) => this.#mending(signal, attempt),
    );
  }

  async prefetch(commit: string, paths: readonly string[], { signal }: Call): Promise<void> {
    await this.#mending(signal, async () => {
      const root = (await this.#needCommit(commit, signal)).tree;
      const oids = new Set<string>();
      for (const path of paths) {
        const item = await this.#tree.locate(root, path, signal);
        if (item?.mode === 'tree') {
          const entries = await this.#tree.walk(path, item.oid, signal);
          for (const { mode, oid } of entries) if (mode !== 'submodule') oids.add(oid);
        } else if (item && item.mode !== 'submodule') oids.add(item.oid);
      }
      const headers = await this.#reader.read(
        [...oids].map((name) => ({ name, want: 'header' })),
        { signal },
      );
      for (const header of headers) if (header) oids.delete(header.oid);
      await this.#fetchBlobs([...oids], signal);
    });
  }

  async removedBy(commit: string, path: string, { signal }: Call): Promise<Commit | undefined> {
    const exists = async (at: Commit): Promise<boolean> =>
      (await this.#tree.locate(at.tree, path, signal)) !== undefined;
    const start = await this.commit(commit, { signal });
    if (await exists(start)) return undefined;
    const seen = new Set<string>();
    const open: Commit[] = [start];
    // A merge that took the removal over from a branch names itself only if nothing older on that branch does.
    let merge: Commit | undefined;
    for (let next = open.shift(); next && seen.size < MAX_HISTORY_WALK; next = open.shift()) {
      if (seen.has(next.sha)) continue;
      seen.add(next.sha);
      let hadIt = false;
      const without: Commit[] = [];
      for (const sha of next.parents) {
        const parent = await this.#findCommit(sha, signal);
        if (!parent) continue;
        if (await exists(parent)) hadIt = true;
        else without.push(parent);
      }
      if (hadIt && without.length === 0) return next;
      if (hadIt) merge ??= next;
      open.push(...without);
    }
    return merge;
  }

  lineBy(commit: string, place: LinePlace, { after, signal }: Call & { readonly after?: string | undefined }) {
    return lineBy(commit, place, {
      commitOf: (sha) => this.#findCommit(sha, signal),
      treeOf: (sha) => this.at(sha),
      after,
      signal,
    });
  }

  async store(commit: NewCommit, { signal }: Call): Promise<string> {
    return this.#mending(signal, async () => {
      await this.#needCommit(commit.parent, signal);
      const modes = new Map<string, string>();
      for (const path of commit.files.keys()) {
        const isExecutable = await isExecutableIn(this.#reader, commit.parent, path, signal);
        modes.set(path, isExecutable ? '100755' : '100644');
      }
      return this.#exclusive(signal, async () => {
        const outcome = await runGit({
          folder: this.#options.folder,
          args: ['fast-import', '--quiet', '--force'],
          input: importStream(commit, modes),
          config: PARTIAL,
          signal,
        });
        return importedCommit(outcome, this.#name);
      });
    });
  }

  async push(commit: string, branch: string, { signal }: Call): Promise<void> {
    const ref = checkRef(branch);
    if (!ref.startsWith('refs/heads/') || !isCommitId(commit)) {
      throw new PlumbError('RefInvalid', `${branch} is not a branch that can be pushed to`);
    }
    await this.#exclusive(signal, async () => {
      const { outcome, secrets } = await this.#runRemote(PUSH, signal, '', [
        ...PARTIAL,
        ['remote.origin.push', `${commit}:${ref}`],
      ]);
      const failure = pushFailure(outcome, { ref, url: this.#name, secrets });
      if (failure !== undefined) throw failure;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort(new Error('the mirror is closed'));
    await this.#background;
    await this.#queue;
    await this.#reader[Symbol.asyncDispose]();
  }

  // Reading

  async #findCommit(sha: string, signal: AbortSignal): Promise<Commit | undefined> {
    if (!isCommitId(sha)) throw new PlumbError('RefInvalid', `${JSON.stringify(sha)} is not a full commit id`);
    return (
      this.#commits.get(sha) ??
      untilAborted(
        sharedRun(this.#loadingCommits, sha, () => this.#readCommit(sha)),
        signal,
      )
    );
  }

  async #readCommit(sha: string): Promise<Commit | undefined> {
    const [object] = await this.#reader.read([{ name: sha, want: 'contents' }], { signal: this.#lifetime.signal });
    if (object?.type !== 'commit' || !object.bytes) return undefined;
    const commit = parseCommit(sha, object.bytes);
    if (this.#commits.size >= CACHED_COMMITS) this.#commits.clear();
    this.#commits.set(sha, commit);
    return commit;
  }

  /** A commit that was fetched once and is gone since the mirror was made anew is fetched again. */
  async #needCommit(sha: string, signal: AbortSignal): Promise<Commit> {
    const stored = await this.#findCommit(sha, signal);
    if (stored) return stored;
    await this.#exclusive(signal, () => this.#fetchRefs([sha], signal));
    return (await this.#findCommit(sha, signal)) ?? notStored(sha, this.#name);
  }

  async #missingCommits(shas: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    const objects = await this.#reader.read(
      shas.map((name) => ({ name, want: 'header' })),
      { signal },
    );
    return new Set(shas.filter((_, index) => objects[index]?.type !== 'commit'));
  }

  // Fetching

  /** Fetches the refs into `refs/plumb/`, where they keep their objects and tell the next fetch what is here. */
  async #fetchRefs(refs: readonly string[], signal: AbortSignal): Promise<void> {
    const isFirst = (await this.#packs()).length === 0;
    const filter = this.#isPartial ? `--filter=${isFirst ? FIRST_FILTER : LATER_FILTER}` : '--no-filter';
    const { outcome, secrets } = await this.#runFetch(
      [`--depth=${HISTORY_COMMITS}`, filter],
      signal,
      refs.map((ref) => `+${ref}:${localRef(ref)}\n`).join(''),
    );
    if (outcome.code === 0) return;
    if (isCorruption(outcome.stderr)) throw this.#corruption(outcome.stderr);
    const error = classifyGitFailure(`fetching ${this.#name}`, outcome.stderr, { secrets });
    const ref = missingRef(outcome.stderr);
    throw error.code === 'RefMissing' && ref !== undefined ? missingAt(this.#name, ref) : error;
  }

  async #deepen(refs: readonly string[], depth: number, signal: AbortSignal): Promise<void> {
    const input = refs.map((ref) => `+${ref}:${localRef(ref)}\n`).join('');
    const { outcome, secrets } = await this.#runFetch([`--depth=${depth}`, '--filter=blob:none'], signal, input);
    if (outcome.code !== 0) throw classifyGitFailure(`fetching history of ${this.#name}`, outcome.stderr, { secrets });
  }

  /** Fetches blobs by id, as git itself would in a partial clone, but all at once and with credentials. */
  async #fetchBlobs(oids: readonly string[], signal: AbortSignal): Promise<void> {
    if (oids.length === 0) return;
    await this.#exclusive(signal, async () => {
      const { outcome, secrets } = await this.#runFetch(
        ['--filter=blob:none'],
        signal,
        `${[...new Set(oids)].join('\n')}\n`,
        [['fetch.negotiationAlgorithm', 'noop']],
      );
      if (outcome.code === 0) return;
      if (isCorruption(outcome.stderr)) throw this.#corruption(outcome.stderr);
      // An old server filters, and then gives no file alone: it must give them all with their commit.
      if (this.#isPartial && /unadvertised object/.test(outcome.stderr)) {
        this.#isPartial = false;
        throw new UnusableRepository('the server gives no single files');
      }
      throw classifyGitFailure(`fetching files of ${this.#name}`, outcome.stderr, { secrets });
    });
  }

  /** What each ref's local copy points to, tags followed to their commit. */
  async #commitsOf(refs: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const names = refs.map((ref) => (isCommitId(ref) ? ref : localRef(ref)));
    const headers = await this.#reader.read(
      names.map((name) => ({ name: `${name}^{commit}`, want: 'header' })),
      { signal },
    );
    return new Map(
      refs.map((ref, index): [string, string] => {
        const header = headers[index];
        if (header?.type === 'commit') return [ref, header.oid];
        throw new PlumbError('RefMissing', `${ref} of ${this.#name} is not a commit`, { subject: ref });
      }),
    );
  }

  /** One fetch at a time; what a killed one left is removed before the next. */
  async #runFetch(
    args: readonly string[],
    signal: AbortSignal,
    input: string,
    config: Config = [],
  ): Promise<{ outcome: GitOutcome; secrets: readonly string[] }> {
    if (this.#needsSweep) await sweep(this.#options.folder);
    this.#needsSweep = true;
    const run = await this.#runRemote([...FETCH, ...args, 'origin'], signal, input, [...PARTIAL, ...config]);
    this.#needsSweep = run.outcome.code !== 0;
    return run;
  }

  async #runRemote(
    args: readonly string[],
    signal: AbortSignal,
    input = '',
    config: Config = [],
  ): Promise<{ outcome: GitOutcome; secrets: readonly string[] }> {
    await using access = await openAccess(this.url, await this.#options.credentials());
    const outcome = await runGit({
      folder: this.#options.folder,
      args,
      input,
      signal: AbortSignal.any([signal, this.#lifetime.signal]),
      env: access.env,
      config: [...access.config, ...config],
    });
    return { outcome, secrets: access.secrets };
  }

  /** Without the remote; what git printed. */
  async #runLocal(args: readonly string[], signal: AbortSignal, input = ''): Promise<string> {
    return (await this.#askLocal(args, signal, input)) ?? fail(`${args[0]} in the mirror of ${this.#name}: no`);
  }

  /** As `#runLocal`; undefined where git answers no. */
  async #askLocal(args: readonly string[], signal: AbortSignal, input = ''): Promise<string | undefined> {
    if (this.#needsSweep) await sweep(this.#options.folder);
    this.#needsSweep = true;
    const outcome = await runGit({ folder: this.#options.folder, args, input, signal });
    this.#needsSweep = outcome.code !== 0 && outcome.code !== 1;
    if (outcome.code === 1) return undefined;
    if (outcome.code !== 0) throw classifyGitFailure(`${args[0]} in the mirror of ${this.#name}`, outcome.stderr);
    return outcome.stdout.toString('utf8');
  }

  // Keeping whole

  async #create(signal: AbortSignal): Promise<void> {
    const { folder } = this.#options;
    await this.#reader.close();
    this.#commits.clear();
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const outcome = await runGit({
      folder,
      args: ['init', '--quiet', '--bare', '--template=', `--object-format=${this.#objectFormat}`],
      signal,
    });
    if (outcome.code !== 0) throw classifyGitFailure(`making the mirror ${folder}`, outcome.stderr);
    await writeFile(join(folder, MARKER), `${this.#name}\n${this.#objectFormat}\n`);
    this.#needsSweep = false;
    // A read in between may have opened what was then removed.
    await this.#reader.close();
  }

  #corruption(stderr: string): UnusableRepository {
    if (/mismatched algorithms/.test(stderr)) this.#objectFormat = this.#objectFormat === 'sha1' ? 'sha256' : 'sha1';
    return new UnusableRepository(redact(stderr, []).trim());
  }

  /** Runs `attempt`; where it meets damage, makes the mirror anew and runs it once more, which fetches what it needs. */
  async #mending<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    const generation = this.#generation;
    try {
      return await attempt();
    } catch (damage) {
      if (!(damage instanceof UnusableRepository)) throw damage;
    }
    await this.#exclusive(signal, async () => {
      if (generation !== this.#generation) return;
      await this.#create(signal);
      this.#generation++;
    });
    try {
      return await attempt();
    } catch (damage) {
      if (!(damage instanceof UnusableRepository)) throw damage;
      throw new PlumbError('GitFailed', `the mirror of ${this.#name} is damaged again after it was made anew`, {
        cause: damage,
      });
    }
  }

  /** One run against the remote at a time: two would wait for each other's lock files, or fail on them. */
  async #exclusive<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    const before = this.#queue;
    const turn = Promise.withResolvers<void>();
    this.#queue = turn.promise;
    try {
      await before;
      signal.throwIfAborted();
      return await run();
    } finally {
      turn.resolve();
    }
  }

  /**
   * Every fetch leaves a pack, and every look-up asks each of them. So they are joined now and then, after the fetch was
   * answered and before the next one. It saves time only: where it fails, the next fetch tries again.
   */
  async #joinPacks(): Promise<void> {
    const { folder, maxPacks = DEFAULT_MAX_PACKS } = this.#options;
    const { signal } = this.#lifetime;
    if ((await this.#packs()).length <= maxPacks) return;
    await this.#exclusive(signal, async () => {
      this.#needsSweep = true;
      const outcome = await runGit({ folder, args: ['repack', '-a', '-d', '--quiet'], config: PARTIAL, signal });
      this.#needsSweep = outcome.code !== 0;
    });
  }

  async #packs(): Promise<readonly string[]> {
    const files = await readdir(join(this.#options.folder, 'objects', 'pack')).catch(() => []);
    return files.filter((file) => file.endsWith('.pack'));
  }
}

/** `<id>\t<ref>`, `<id>\t<tag>^{}` for what an annotated tag is on, `ref: <ref>\tHEAD` for the default branch. */
function parseRemoteRefs(text: string): RemoteRefs {
  const refs = new Map<string, string>();
  let head: string | undefined;
  for (const line of text.split('\n')) {
    const [left = '', right = ''] = line.split('\t');
    if (right === 'HEAD' && left.startsWith('ref: ')) head = left.slice('ref: '.length);
    const ref = right.endsWith('^{}') ? right.slice(0, -3) : right;
    // The peeled line follows the tag's own and replaces it.
    if (isCommitId(left) && /^refs\/(?:heads|tags)\//.test(ref)) refs.set(ref, left);
  }
  return { refs, head };
}

/** A flat name: branches `a` and `a/b` may come and go without being in each other's way. */
function localRef(ref: string): string {
  return `refs/plumb/${createHash('sha256').update(ref).digest('hex').slice(0, 40)}`;
}

/** Removes what a killed git left: lock files and half-written packs. Nothing else of ours runs in the folder. */
async function sweep(folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true });
  const stale = files.filter((file) => /\.lock$|(?:^|\/)(?:tmp_|\.tmp-)[^/]*$/.test(file));
  await Promise.all(stale.map((file) => rm(join(folder, file), { recursive: true, force: true })));
}

async function hasFiles(folder: string, names: readonly string[]): Promise<boolean> {
  const files: readonly string[] = await readdir(folder).catch(() => []);
  return names.every((name) => files.includes(name));
}

function missingAt(url: string, ref: string): PlumbError {
  const hint = ref.startsWith('refs/heads/') ? { fix: 'Push the branch, or write a tag as refs/tags/NAME.' } : {};
  return new PlumbError('RefMissing', `${url} has no ${ref}`, { subject: ref, ...hint });
}

function notStored(sha: string, url: string): never {
  throw new PlumbError('GitFailed', `the commit ${sha} of ${url} is not in the mirror`, {
    fix: 'Nothing to do: it is fetched again.',
  });
}

function fail(message: string): never {
  throw new PlumbError('GitFailed', message);
}

function absent(what: string): never {
  throw new Error(`no answer for ${what}`);
}
