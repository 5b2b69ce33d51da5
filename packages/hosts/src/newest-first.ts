import { PlumbError } from '@plumb/core';
import type { PullRequest } from './host.ts';
import type { Fields } from './decode.ts';
import type { Page } from './host-client.ts';

/**
 * Reads pages of pull requests, of which the one that changed last comes first, as far as `sinceMs`. One that changes
 * meanwhile pushes the others on: what is met twice counts once. One without a head must not hide the others.
 */
export async function newestFirst(
  pages: AsyncIterable<Page>,
  sinceMs: number | undefined,
  decode: (item: Fields) => PullRequest | undefined | Promise<PullRequest | undefined>,
): Promise<readonly PullRequest[]> {
  const found = new Map<number, PullRequest>();
  for await (const { items } of pages) {
    for (const item of items) {
      const pullRequest = await decode(item);
      if (pullRequest === undefined) continue;
      if (sinceMs !== undefined && pullRequest.updatedAtMs < sinceMs) return [...found.values()];
      found.set(pullRequest.number, pullRequest);
    }
  }
  return [...found.values()];
}

/** @throws {PlumbError} `HostNotFound` for a pull request that has no commit, or none that we may see. */
export function withHead(pullRequest: PullRequest | undefined, number: number): PullRequest {
  if (pullRequest !== undefined) return pullRequest;
  throw new PlumbError('HostNotFound', `pull request ${number} has no commit that can be seen`, {
    fix: 'Push a commit to it, or let the token read the fork that it comes from.',
  });
}
