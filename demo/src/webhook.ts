import { createHmac, randomBytes } from 'node:crypto';

/**
 * The Git host's side of a webhook: after each push it tells the engine, signed as GitHub, Gitea and Forgejo sign. The
 * story asks by commit how the delivery was answered.
 */
export class Webhook {
  readonly secret = randomBytes(24).toString('hex');
  readonly #answers = new Map<string, PromiseWithResolvers<number>>();
  #url: string | undefined;

  /** Deliver to this URL from now on. */
  aim(url: string): void {
    this.#url = url;
  }

  /** The HTTP status with which the delivery about a commit was answered. */
  answerTo(commit: string): Promise<number> {
    return this.#answerTo(commit).promise;
  }

  pushed(ref: string, commit: string): void {
    if (this.#url === undefined) return;
    const body = JSON.stringify({ ref, after: commit });
    const signature = createHmac('sha256', this.secret).update(body).digest('hex');
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` };
    const { resolve } = this.#answerTo(commit);
    // The poll comes round without it, so a lost delivery is only slow; the story sees it as status 0.
    fetch(this.#url, { method: 'POST', headers, body }).then(
      ({ status }) => resolve(status),
      () => resolve(0),
    );
  }

  #answerTo(commit: string): PromiseWithResolvers<number> {
    const answer = this.#answers.get(commit) ?? Promise.withResolvers<number>();
    this.#answers.set(commit, answer);
    return answer;
  }
}
