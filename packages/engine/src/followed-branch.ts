import { checkRef, isSameRepository, parseGitUrl, type Mirror } from '@plumb/git';
import type { NamespacedName, TargetSpec } from './targets.ts';

interface Call {
  readonly signal: AbortSignal;
}

/**
 * The full name of the branch that a ref is: `refs/heads/main`. Undefined where it is a tag or a commit, which nothing is
 * pushed to.
 */
export async function followedBranch(
  mirror: Pick<Mirror, 'lsRemote'>,
  ref: string,
  call: Call,
): Promise<string | undefined> {
  const full = ref === 'HEAD' ? (await mirror.lsRemote(call)).head : checkRef(ref);
  return full?.startsWith('refs/heads/') === true ? full : undefined;
}

export interface FollowedRepository {
  readonly name: NamespacedName;
  readonly url: string;
  readonly ref: string | undefined;
}

/** The other targets that follow the same branch of the same repository, whatever it is called there. */
export async function othersOnBranch(
  spec: TargetSpec,
  branch: string,
  known: {
    readonly specs: Iterable<TargetSpec>;
    readonly repositories: Iterable<FollowedRepository>;
    branchOf(ref: string): Promise<string | undefined>;
  },
): Promise<readonly TargetSpec[]> {
  const repositories = [...known.repositories];
  const own = repositories.find(({ name }) => name === spec.repository);
  const url = own === undefined ? undefined : parseGitUrl(own.url);
  const refs = new Map<NamespacedName, string>();
  for (const repository of repositories) {
    if (url === undefined || !isSameRepository(parseGitUrl(repository.url), url)) continue;
    refs.set(repository.name, repository.ref ?? 'HEAD');
  }
  const branches = new Map<string, string | undefined>();
  const others: TargetSpec[] = [];
  for (const other of known.specs) {
    const followed = refs.get(other.repository);
    if (other.target === spec.target || followed === undefined) continue;
    const ref = other.revision ?? followed;
    if (!branches.has(ref)) branches.set(ref, await known.branchOf(ref));
    if (branches.get(ref) === branch) others.push(other);
  }
  return others;
}
