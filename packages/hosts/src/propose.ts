import type { GitHost, NewPullRequest, OpenedPullRequest } from './host.ts';

export interface ProposedPullRequest extends OpenedPullRequest {
  readonly outcome: 'created' | 'found';
}

/**
 * Opens a pull request, or finds the one that is open between these two branches: asking twice proposes once. One that is
 * found is left as it is, since people may have changed its words.
 */
export async function proposePullRequest(
  host: GitHost,
  wanted: NewPullRequest,
  options: { readonly signal: AbortSignal },
): Promise<ProposedPullRequest> {
  const open = await host.openPullRequests(options);
  const found = open.find(({ branch, base, isFromFork }) => {
    return branch === wanted.branch && base === wanted.base && !isFromFork;
  });
  if (found !== undefined) return { number: found.number, url: found.url, outcome: 'found' };
  return { ...(await host.createPullRequest(wanted, options)), outcome: 'created' };
}
