import { fieldAt, isJsonObject } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';

/** The data of a Secret, decoded; undefined where there is none. */
export async function readSecret(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, Uint8Array>> | undefined> {
  const resource = await client.resource({ group: '', kind: 'Secret' }, { signal });
  const secret = await client.get(resource, { namespace, name }, { signal });
  if (secret === undefined) return undefined;
  const data = fieldAt(secret, 'data');
  if (!isJsonObject(data)) return {};
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, Buffer.from(value, 'base64')]] : [],
    ),
  );
}
