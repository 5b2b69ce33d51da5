import { createHash } from 'node:crypto';
import { PlumbError, type SourceTree } from '@plumb/core';
import type { Commit, Mirror, MirrorOptions, RemoteRefs } from '@plumb/git';
import { memoryTree, type MemoryFiles } from '@plumb/test-support';

/** A Git host in memory with mirrors of it: it answers, refuses or hangs as the test says, and counts what it is asked. */
export class FakeGitHost {
  readonly branches = new Map<string, string>();
  /** What was asked, in order: `list`, `fetch main,v1`, `find a`, `entries a`, `removedBy a`, `open`, `close`. */
  readonly asked: string[] = [];
  /** Thrown by the next calls that contact the host. */
  failing: PlumbError | undefined;
  /** While set, fetches wait for it. */
  hanging: Promise<void> | undefined;
  /** While set, mirrors wait for it to be closed. */
  closing: Promise<void> | undefined;
  readonly #commits = new Map<string, MemoryFiles>();

  commit(files: MemoryFiles, branch = 'main'): string {
    const sha = createHash('sha1').update(`${this.#commits.size}`).digest('hex');
    this.#commits.set(sha, files);
    this.branches.set(branch, sha);
    return sha;
  }

  /** How often something was asked that begins so. */
  count(prefix: string): number {
    return this.asked.filter((asked) => asked.startsWith(prefix)).length;
  }

  readonly openMirror = async ({ url }: MirrorOptions): Promise<Mirror> => {
    this.asked.push('open');
    const life = new AbortController();
    const stored = new Set<string>();
    const contact = async (asked: string, signal: AbortSignal): Promise<void> => {
      this.asked.push(asked);
      const { hanging } = this;
      if (hanging !== undefined) await untilAborted(hanging, AbortSignal.any([signal, life.signal]));
      if (this.failing !== undefined) throw this.failing;
    };
    const filesAt = (sha: string): MemoryFiles => {
      const files = this.#commits.get(sha);
      if (files === undefined || life.signal.aborted) throw new PlumbError('GitFailed', `${sha} is not in the mirror`);
      return files;
    };
    return {
      url,
      lsRemote: async ({ signal }): Promise<RemoteRefs> => {
        await contact('list', signal);
        const refs = new Map([...this.branches].map(([name, sha]) => [`refs/heads/${name}`, sha]));
        return { refs, head: 'refs/heads/main' };
      },
      fetch: async (refs, { signal }) => {
        await contact(`fetch ${refs.join(',')}`, signal);
        return new Map(
          refs.map((ref) => {
            const sha = this.branches.get(ref === 'HEAD' ? 'main' : ref);
            if (sha === undefined) throw new PlumbError('RefMissing', `there is no ${ref}`);
            stored.add(sha);
            return [ref, sha];
          }),
        );
      },
      keepOnly: async (refs) => {
        this.asked.push(`keepOnly ${refs.toSorted().join(',')}`);
        return 0;
      },
      commit: async (sha): Promise<Commit> => {
        filesAt(sha);
        throw new PlumbError('GitFailed', 'not needed');
      },
      hasCommit: async (sha) => this.#commits.has(sha),
      at: (sha): SourceTree => {
        const tree = memoryTree(filesAt(sha));
        return {
          treeId: (path, o) => (this.asked.push(`treeId ${path}`), tree.treeId(path, o)),
          find: (path, o) => (this.asked.push(`find ${path}`), tree.find(path, o)),
          entries: (path, o) => (this.asked.push(`entries ${path}`), tree.entries(path, o)),
          read: (entries, o) => tree.read(entries, o),
        };
      },
      changedSince: async () => undefined,
      prefetch: async () => undefined,
      removedBy: async (_sha, path) => {
        this.asked.push(`removedBy ${path}`);
        return undefined;
      },
      lineBy: async () => undefined,
      store: async () => {
        throw new PlumbError('GitFailed', 'not needed');
      },
      push: async () => undefined,
      [Symbol.asyncDispose]: async () => {
        life.abort(new PlumbError('GitFailed', 'the mirror is closed'));
        await this.closing;
        this.asked.push('close');
      },
    };
  };
}

async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  await Promise.race([work, promise]);
}
