import type { Fields } from './decode.ts';
import type { HostUser, PullComment } from './host.ts';

/** Some hosts write the two times of a new comment one after the other. */
const SAME_MOMENT_MS = 1_000;

/** What all hosts say of a comment, under names of their own. */
export function pullComment(given: {
  readonly id: Fields;
  readonly user: HostUser;
  readonly body: Fields;
  readonly created: Fields;
  readonly updated: Fields;
}): PullComment {
  const { id, user, body, created, updated } = given;
  const writtenAtMs = created.timeMs;
  return {
    id: String(id.integer),
    user,
    body: body.maybeText ?? '',
    writtenAtMs,
    isEdited: (updated.maybeTimeMs ?? writtenAtMs) - writtenAtMs > SAME_MOMENT_MS,
  };
}
