import type { PullRequest } from './host.ts';
import type { Fields } from './decode.ts';
import type { Page } from './host-client.ts';

/**
 * Reads pages of pull requests, of which the one that changed last comes first, as far as `sinceMs`. One that changes
 * meanwhile pushes the others on: what is met twice counts once.
 */
export async function newestFirst(
  pages: AsyncIterable<Page>,
  sinceMs: number | undefined,
  decode: (item: Fields) => PullRequest | Promise<PullRequest>,
): Promise<readonly PullRequest[]> {
  const found = new Map<number, PullRequest>();
  for await (const { items } of pages) {
    for (const item of items) {
      const pullRequest = await decode(item);
      if (sinceMs !== undefined && pullRequest.updatedAtMs < sinceMs) return [...found.values()];
      if (!found.has(pullRequest.number)) found.set(pullRequest.number, pullRequest);
    }
  }
  return [...found.values()];
}
