import { PlumbError, type Clock } from '@plumb/core';
import type { TargetSpec } from '@plumb/engine';
import { addressOf, branchOf, fetchHead, isChangedBy, mergedTree } from '@plumb/engine/pull-requests';
import { hostOf, type ChangedFiles, type HostKind } from '@plumb/hosts';
import type { KubeClient } from '@plumb/kube';
import { isUnchanged, type ReadSet } from '@plumb/render';
import { openHostHere } from './host-here.ts';
import { type PlanSource, type Remote } from './plan-source.ts';

/** A pull request, with its newest commit in the mirror of the remote. */
export interface PullRequestHere {
  readonly number: number;
  /** The newest commit, in full. */
  readonly head: string;
  /** The branch that it is to be merged into; undefined where no host was asked. */
  readonly base: string | undefined;
  /** What it changes, held against a ref that was fetched. */
  changedFrom(ref: string): Promise<ChangedFiles>;
}

interface OpenOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Finds a pull request: at the host where the Repository has a token for it, and otherwise by the refs that the host serves
 * to every clone, which tell neither its base nor whether it is still open.
 *
 * @throws {PlumbError} `PullRequestMissing`, `PullRequestClosed`; what the host, its Secret or Git says.
 */
export async function openPullRequest(remote: Remote, number: number, options: OpenOptions): Promise<PullRequestHere> {
  return remote.repository.spec.pullRequests === undefined
    ? await findByRef(remote, number, options)
    : await askHost(remote, number, options);
}

async function askHost(
  { repository, mirror }: Remote,
  number: number,
  { client, clock, signal }: OpenOptions,
): Promise<PullRequestHere> {
  const address = addressOf(repository);
  await using host = await openHostHere(repository, { client, clock, signal });
  const pull = await host.pullRequest(number, { signal }).catch((thrown: unknown) => {
    if (!(thrown instanceof PlumbError) || thrown.code !== 'HostNotFound') throw thrown;
    throw new PlumbError('PullRequestMissing', `${address.project} has no pull request ${number}`, { cause: thrown });
  });
  if (pull.state !== 'open') {
    throw new PlumbError('PullRequestClosed', `Pull request ${number} of ${address.project} is ${pull.state}`);
  }
  const changed = await host.changedFiles(number, { signal });
  await fetchHead({ mirror, pull, signal });
  return { number, head: pull.head, base: pull.base, changedFrom: async () => changed };
}

/** The refs under which hosts keep the heads of pull requests, also of closed ones. */
const HEAD_REFS: Readonly<Record<HostKind, (number: number) => readonly string[]>> = {
  github: (number) => [`refs/pull/${number}/head`],
  gitea: (number) => [`refs/pull/${number}/head`],
  gitlab: (number) => [`refs/merge-requests/${number}/head`],
  bitbucket: () => [],
};

async function findByRef(
  { repository, mirror }: Remote,
  number: number,
  { signal }: OpenOptions,
): Promise<PullRequestHere> {
  const { url } = repository.spec;
  const found = await fetchFirst(mirror, headRefs(url, number), signal);
  if (found === undefined) {
    throw new PlumbError('PullRequestMissing', `${mirror.url.toString()} serves no head of a pull request ${number}`, {
      fix: 'Check the number; where the host serves no such refs, give the Repository a token with spec.pullRequests.',
    });
  }
  const { ref: headRef, commit: head } = found;
  return {
    number,
    head,
    base: undefined,
    async changedFrom(ref) {
      const changed = await mirror.changedSince(ref, headRef, { signal });
      if (changed?.since === head) {
        throw new PlumbError('PullRequestClosed', `Pull request ${number} is merged: ${ref} has its newest commit`);
      }
      return changed === undefined ? { paths: [], isComplete: false } : { paths: changed.paths, isComplete: true };
    },
  };
}

async function fetchFirst(
  mirror: Remote['mirror'],
  refs: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly ref: string; readonly commit: string } | undefined> {
  for (const ref of refs) {
    try {
      const commit = (await mirror.fetch([ref], { signal })).get(ref);
      if (commit !== undefined) return { ref, commit };
    } catch (thrown) {
      if (!(thrown instanceof PlumbError) || thrown.code !== 'RefMissing') throw thrown;
    }
  }
  return undefined;
}

/** Of a host of unknown kind all that there are. */
function headRefs(url: string, number: number): readonly string[] {
  try {
    return HEAD_REFS[hostOf(url).kind](number);
  } catch (thrown) {
    if (!(thrown instanceof PlumbError)) throw thrown;
    return [...HEAD_REFS.github(number), ...HEAD_REFS.gitlab(number)];
  }
}

/**
 * What a merge would leave for a target: the newest commit of the ref that it follows, with the files that the pull request
 * changes, as the engine plans it. Undefined where the pull request is into another branch.
 */
export async function mergedSource(
  pull: PullRequestHere,
  remote: Remote,
  { revision }: Pick<TargetSpec, 'revision'>,
  { base, signal }: { readonly base: PlanSource; readonly signal: AbortSignal },
): Promise<(PlanSource & { readonly changed: ChangedFiles }) | undefined> {
  const { mirror, repository } = remote;
  const { number, head } = pull;
  const ref = revision ?? repository.spec.ref ?? (await mirror.lsRemote({ signal })).head ?? 'HEAD';
  if (pull.base !== undefined && branchOf(ref) !== pull.base) return undefined;
  const changed = await pull.changedFrom(revision ?? repository.spec.ref ?? 'HEAD');
  const short = head.slice(0, 7);
  return {
    tree: changed.isComplete ? mergedTree(base.tree, mirror.at(head), changed.paths) : mirror.at(head),
    commit: undefined,
    label: `pull request ${number} at ${short}`,
    removedBy: short,
    committedMs: (await mirror.commit(head, { signal })).committer.time,
    pullRequest: { number, head, isWhole: changed.isComplete },
    changed,
  };
}

/** Whether a target whose render at the base read this would read something else after the merge. */
export async function isTouched(
  spec: Pick<TargetSpec, 'path'>,
  reads: ReadSet,
  { changed, tree }: Pick<PlanSource, 'tree'> & { readonly changed: ChangedFiles },
  { signal }: { readonly signal: AbortSignal },
): Promise<boolean> {
  if (!isChangedBy(changed, spec.path, reads)) return false;
  // What is no path is what the cluster can do, and that is the same for both.
  const files = new Map([...reads].filter(([path]) => !path.startsWith('\0')));
  return !(await isUnchanged(files, { tree }, { signal }));
}
