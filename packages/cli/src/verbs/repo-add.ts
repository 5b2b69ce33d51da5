import { API_VERSION, decodeRepository, REPOSITORY } from '@plumb/api';
import { PlumbError } from '@plumb/core';
import { parseGitUrl } from '@plumb/git';
import { hostOf, type HostKind } from '@plumb/hosts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { namespaceFor, writeObject, type WriteFlags } from '../write-object.ts';

export interface RepoAddFlags extends EveryVerb, WriteFlags {
  readonly url: string;
  readonly ref?: string | undefined;
  readonly interval?: string | undefined;
  readonly secret?: string | undefined;
  readonly webhookSecret?: string | undefined;
  readonly hostSecret?: string | undefined;
  readonly host?: HostKind | undefined;
  readonly hostApi?: string | undefined;
}

/** `plumb repo add`: writes a Repository. Mistakes, credentials in the URL above all, show before anything is sent. */
export async function repoAdd(this: CliContext, flags: RepoAddFlags, name: string): Promise<void> {
  const { url, ref, interval, secret, webhookSecret } = flags;
  parseGitUrl(url);
  const pullRequests = pullRequestsOf(flags);
  const object = {
    apiVersion: API_VERSION,
    kind: REPOSITORY.kind,
    metadata: { name, namespace: await namespaceFor(this, flags) },
    spec: {
      url,
      ...(ref === undefined ? {} : { ref }),
      ...(interval === undefined ? {} : { interval }),
      ...(secret === undefined ? {} : { secretRef: { name: secret } }),
      ...(webhookSecret === undefined ? {} : { webhook: { secretRef: { name: webhookSecret } } }),
      ...(pullRequests === undefined ? {} : { pullRequests }),
    },
  };
  const decoded = decodeRepository(object);
  if (!decoded.ok) throw decoded.error;
  await writeObject(this, flags, object);
}

/** How the host is asked for pull requests; that it is no host that Plumb speaks to shows before anything is sent. */
function pullRequestsOf({ url, hostSecret, host, hostApi }: RepoAddFlags): object | undefined {
  if (hostSecret === undefined) {
    if (host === undefined && hostApi === undefined) return undefined;
    throw new PlumbError('Usage', 'the Secret with the token for the host is missing', {
      fix: 'Add --host-secret NAME: without it nothing is asked of the host.',
    });
  }
  const given = { ...(host === undefined ? {} : { host }), ...(hostApi === undefined ? {} : { api: hostApi }) };
  hostOf(url, {
    ...(host === undefined ? {} : { kind: host }),
    ...(hostApi === undefined ? {} : { api: hostApi }),
  });
  return { secretRef: { name: hostSecret }, ...given };
}
