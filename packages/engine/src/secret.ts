import { fieldAt, isJsonObject, type KubeObject } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';

/** The data of a Secret, decoded; undefined where there is none. */
export async function readSecret(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, Uint8Array>> | undefined> {
  const secret = await readObject(client, 'Secret', namespace, name, signal);
  if (secret === undefined) return undefined;
  return Object.fromEntries(textsIn(secret).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

/** The texts of a ConfigMap; undefined where there is none. */
export async function readConfigMap(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>> | undefined> {
  const configMap = await readObject(client, 'ConfigMap', namespace, name, signal);
  return configMap === undefined ? undefined : Object.fromEntries(textsIn(configMap));
}

async function readObject(
  client: KubeClient,
  kind: 'Secret' | 'ConfigMap',
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const resource = await client.resource({ group: '', kind }, { signal });
  return client.get(resource, { namespace, name }, { signal });
}

function textsIn(object: KubeObject): readonly (readonly [string, string])[] {
  const data = fieldAt(object, 'data');
  if (!isJsonObject(data)) return [];
  return Object.entries(data).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : []));
}
