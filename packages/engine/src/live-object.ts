import { parseObjectKey, type KubeObject, type ObjectKey } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';

/** An object as it is live; undefined where there is none. Error: `KindMissing`, and what the server says. */
export async function liveObject(
  client: Pick<KubeClient, 'resource' | 'get'>,
  key: ObjectKey,
  options: { readonly signal: AbortSignal },
): Promise<KubeObject | undefined> {
  const ref = parseObjectKey(key);
  if (ref === undefined) return undefined;
  const resource = await client.resource({ group: ref.group, kind: ref.kind }, options);
  const namespace = ref.namespace === '' ? undefined : ref.namespace;
  return await client.get(resource, { namespace, name: ref.name }, options);
}
