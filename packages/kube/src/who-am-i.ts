import { fieldAt } from '@plumb/core';
import { decodeJson, textOf } from './decode.ts';
import type { Transport } from './transport.ts';

/** Who the API server takes somebody for. */
export interface Identity {
  readonly username: string;
  readonly groups: readonly string[];
}

/** Asks the server who its caller is (SelfSubjectReview, since Kubernetes 1.28; everybody may). */
export async function whoAmI(transport: Transport, options: { readonly signal: AbortSignal }): Promise<Identity> {
  const what = 'ask who I am';
  const reply = await transport.send(
    {
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      headers: ['accept', 'application/json', 'content-type', 'application/json'],
      body: Buffer.from(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })),
      // It creates nothing.
      repeatable: true,
      attempt: { verb: 'ask', subject: 'who I am' },
    },
    options,
  );
  const review = decodeJson(reply.body, what);
  const user = fieldAt(review, 'status', 'userInfo');
  const groups = fieldAt(user, 'groups');
  return {
    username: textOf(user, 'username'),
    groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
  };
}
