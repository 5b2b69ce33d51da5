import { createHmac } from 'node:crypto';
import { isSameSecret } from './same-secret.ts';

/** The largest delivery that is read; hosts send at most a few hundred kilobytes for a push. */
export const MAX_HOOK_BYTES = 1024 * 1024;

/**
 * Whether a delivery was signed with the secret. Looks at the raw bytes only: nothing is parsed before this says yes, and
 * nothing needs to be parsed after it, since a delivery only wakes the repository that its URL names.
 *
 * - GitHub, Gitea, Forgejo: `X-Hub-Signature-256: sha256=<hex HMAC-SHA256 of the body>`; SHA-1 is not accepted.
 * - Bitbucket: the same as `X-Hub-Signature`.
 * - GitLab: `X-Gitlab-Token: <secret>`, or signed as Standard Webhooks:
 *   `webhook-signature: v1,<base64 HMAC-SHA256 of "id.timestamp.body">` with `webhook-id` and `webhook-timestamp`, keyed
 *   with what follows `whsec_` in base64, where the secret begins so.
 */
export function isSigned(
  body: Uint8Array,
  header: (name: string) => string | undefined,
  secret: Uint8Array,
  now: number,
): boolean {
  if (secret.length === 0) return false;
  const hub = header('x-hub-signature-256') ?? header('x-hub-signature');
  if (hub !== undefined) {
    const expected = createHmac('sha256', secret).update(body).digest('hex');
    return isSameSecret(hub, `sha256=${expected}`);
  }
  const standard = header('webhook-signature');
  if (standard !== undefined) {
    const id = header('webhook-id') ?? '';
    const sentAt = header('webhook-timestamp') ?? '';
    if (!(Math.abs(now / 1_000 - Number(sentAt)) <= MAX_SKEW_SECONDS)) return false;
    const expected = createHmac('sha256', signingKey(secret)).update(`${id}.${sentAt}.`).update(body).digest('base64');
    return standard.split(' ').some((signature) => isSameSecret(signature, `v1,${expected}`));
  }
  const token = header('x-gitlab-token');
  return token !== undefined && isSameSecret(token, Buffer.from(secret).toString('utf8'));
}

function signingKey(secret: Uint8Array): Uint8Array {
  const text = Buffer.from(secret).toString('utf8');
  return text.startsWith('whsec_') ? Buffer.from(text.slice('whsec_'.length), 'base64') : secret;
}

const MAX_SKEW_SECONDS = 300;
