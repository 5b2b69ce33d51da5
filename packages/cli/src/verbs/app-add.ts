import { API_VERSION, APPLICATION, decodeApplication } from '@plumb/api';
import { PlumbError } from '@plumb/core';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { namespaceFor, writeObject, type WriteFlags } from '../write-object.ts';

export interface AppAddFlags extends EveryVerb, WriteFlags {
  readonly repo: string;
  readonly path: string;
  readonly env?: readonly string[] | undefined;
  readonly serviceAccount?: string | undefined;
}

/** `plumb app add`: writes an Application. */
export async function appAdd(this: CliContext, flags: AppAddFlags, name: string): Promise<void> {
  const { repo, serviceAccount } = flags;
  const environments = (flags.env ?? []).map(parseEnvironment);
  // `.` is how a shell says «the root».
  const path = flags.path
    .replace(/^(?:\.\/)+/, '')
    .replace(/^\.$/, '')
    .replace(/\/+$/, '');
  const object = {
    apiVersion: API_VERSION,
    kind: APPLICATION.kind,
    metadata: { name, namespace: await namespaceFor(this, flags) },
    spec: {
      source: { repository: repo, path },
      ...(environments.length === 0 ? {} : { environments }),
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
    },
  };
  const decoded = decodeApplication(object);
  if (!decoded.ok) throw decoded.error;
  await writeObject(this, flags, object);
}

/** `dev=team-dev`, or `dev` where the objects name their namespace themselves. */
function parseEnvironment(text: string): { readonly name: string; readonly namespace?: string } {
  const [name = '', namespace, ...rest] = text.split('=');
  if (rest.length > 0 || namespace === '') {
    throw new PlumbError('Usage', `--env "${text}" must be NAME or NAME=NAMESPACE`, {
      fix: 'For example: --env dev=shop-dev',
    });
  }
  return namespace === undefined ? { name } : { name, namespace };
}
