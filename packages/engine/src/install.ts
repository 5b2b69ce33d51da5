import { OWN_NAME_GUARDS, CRDS } from '@plumb/api';
import { PlumbError, SYSTEM_NAMESPACE, type Clock, type KubeObject } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';

const DISCOVERY_PAUSE_MS = 100;
const DISCOVERY_ATTEMPTS = 100;

const NAMESPACE: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SYSTEM_NAMESPACE } };

/**
 * Puts Plumb's own kinds and namespace on the cluster and waits, by watch, until the kinds are served. Idempotent: what is
 * there already is brought up to date. Throws `Forbidden` with the missing permission where the account may not.
 */
export async function install(
  client: KubeClient,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const waiting = new Set(CRDS.map((crd) => crd.metadata.name));
  const resource = await client.resource(
    { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
    { signal },
  );
  await using _definitions = client.reflect(resource, {
    signal,
    onChange(event) {
      if (event.type === 'failed') reject(event.error);
      if (event.type !== 'added' && event.type !== 'updated') return;
      if (isEstablished(event.object)) waiting.delete(event.object.metadata.name);
      if (waiting.size === 0) resolve();
    },
  });
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  promise.catch(() => undefined);
  await Promise.all(
    [NAMESPACE, ...CRDS, ...OWN_NAME_GUARDS].map((object) => client.apply(object, { force: true, signal })),
  );
  await promise;
  // Established comes a moment before discovery lists the kinds, and discovery cannot be watched.
  for (let attempt = 0; !(await isInstalled(client, { signal })); attempt += 1) {
    if (attempt === DISCOVERY_ATTEMPTS)
      throw new PlumbError('KindMissing', 'The API server does not list the kinds of Plumb');
    await clock.sleep(DISCOVERY_PAUSE_MS, { signal });
    client.invalidateDiscovery();
  }
}

function isEstablished(crd: KubeObject): boolean {
  const conditions = (crd['status'] as { conditions?: readonly { type: string; status: string }[] } | undefined)
    ?.conditions;
  return conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
}

/** Whether the cluster serves Plumb's kinds. */
export async function isInstalled(client: KubeClient, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
  try {
    for (const crd of CRDS) {
      const names = crd['spec'] as { group: string; names: { kind: string } };
      await client.resource({ group: names.group, kind: names.names.kind }, { signal });
    }
    return true;
  } catch (thrown) {
    if (thrown instanceof PlumbError && thrown.code === 'KindMissing') return false;
    throw thrown;
  }
}
