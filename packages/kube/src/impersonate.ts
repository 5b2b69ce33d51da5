import { PlumbError } from '@plumb/core';

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * The headers that make a request act as another user. A service account gets the groups that the API server would give
 * it. An empty user is a bug that would act with Plumb's own rights, so it throws `Internal`.
 */
export function impersonationHeaders(user: string | undefined): readonly string[] {
  if (user === undefined) return [];
  // A control character would end the header and begin another one.
  if (user === '' || /[^\x20-\x7e]/.test(user)) {
    throw new PlumbError('Internal', 'a request should act as a user whose name is empty or no plain text');
  }
  const namespace = SERVICE_ACCOUNT.exec(user)?.[1];
  if (namespace === undefined) return ['impersonate-user', user];
  return [
    'impersonate-user',
    user,
    'impersonate-group',
    'system:serviceaccounts',
    'impersonate-group',
    `system:serviceaccounts:${namespace}`,
    'impersonate-group',
    'system:authenticated',
  ];
}
