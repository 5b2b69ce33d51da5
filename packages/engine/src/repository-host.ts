import type { Repository } from '@plumb/api';
import { PlumbError, type Clock } from '@plumb/core';
import { hostCredentialsFromSecret, hostOf, openHost, type GitHost, type HostAddress } from '@plumb/hosts';
import type { ReadSecret } from './named-data.ts';

export interface RepositoryHostOptions {
  readonly clock: Clock;
  readonly readSecret: ReadSecret;
  readonly signal: AbortSignal;
}

/** @throws {PlumbError} `HostUnknown`, `UrlScheme` */
export function addressOf({ spec }: Repository): HostAddress {
  const { host, api } = spec.pullRequests ?? {};
  return hostOf(spec.url, { ...(host === undefined ? {} : { kind: host }), ...(api === undefined ? {} : { api }) });
}

/**
 * The host of a Repository with `spec.pullRequests`, with the token that is named there. Sends nothing yet.
 *
 * @throws {PlumbError} `HostUnknown`, `UrlScheme`, `SecretMissing`, `SecretInvalid`
 */
export async function openRepositoryHost(
  repository: Repository,
  { clock, readSecret, signal }: RepositoryHostOptions,
): Promise<GitHost> {
  const address = addressOf(repository);
  const { namespace } = repository.metadata;
  const name = repository.spec.pullRequests?.secretRef.name ?? '';
  const data = await readSecret(namespace, name, { signal });
  if (data === undefined) {
    throw new PlumbError('SecretMissing', `Secret ${name} in ${namespace} does not exist`, {
      subject: `Secret/${name}`,
    });
  }
  return openHost({ address, credentials: hostCredentialsFromSecret(data), clock });
}
