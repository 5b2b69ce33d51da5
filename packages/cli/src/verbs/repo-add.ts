import { API_VERSION, decodeRepository, REPOSITORY } from '@plumb/api';
import { parseGitUrl } from '@plumb/git';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { namespaceFor, writeObject, type WriteFlags } from '../write-object.ts';

export interface RepoAddFlags extends EveryVerb, WriteFlags {
  readonly url: string;
  readonly ref?: string | undefined;
  readonly interval?: string | undefined;
  readonly secret?: string | undefined;
  readonly webhookSecret?: string | undefined;
}

/** `plumb repo add`: writes a Repository. Mistakes, credentials in the URL above all, show before anything is sent. */
export async function repoAdd(this: CliContext, flags: RepoAddFlags, name: string): Promise<void> {
  const { url, ref, interval, secret, webhookSecret } = flags;
  parseGitUrl(url);
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
    },
  };
  const decoded = decodeRepository(object);
  if (!decoded.ok) throw decoded.error;
  await writeObject(this, flags, object);
}
