import { PlumbError } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';

/** The part of a client that changes a cluster, and what it has to ask for that. */
export type WriteClient = Pick<KubeClient, 'resource' | 'get' | 'apply' | 'patchOwners' | 'delete' | 'disown'>;

/**
 * A client whose writes leave only while the lease is held. A process that was stopped goes on where it stood, with all
 * its requests decided and queued: so each is held against the clocks when its first byte is about to be sent.
 */
export function whileHeld(client: WriteClient, mayWrite: () => boolean): WriteClient {
  const objection = (): PlumbError | undefined =>
    mayWrite() ? undefined : new PlumbError('EngineBusy', 'The lease was lost before the request was sent');
  return {
    resource: (kind, options) => client.resource(kind, options),
    get: (resource, ref, options) => client.get(resource, ref, options),
    apply: (object, options) => client.apply(object, { ...options, objection }),
    patchOwners: (object, patch, options) => client.patchOwners(object, patch, { ...options, objection }),
    delete: (resource, ref, options) => client.delete(resource, ref, { ...options, objection }),
    disown: (resource, live, options) => client.disown(resource, live, { ...options, objection }),
  };
}
