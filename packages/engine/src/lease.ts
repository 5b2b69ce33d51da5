import { hostname } from 'node:os';
import { fieldAt, PlumbError, type Clock, type KubeObject } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';

/**
 * One engine a cluster: it holds a Lease and renews it. Readers of a status believe it while the lease is fresh, so a
 * frozen engine never looks green; and a second engine refuses to start instead of fighting with the first.
 */
export const LEASE_NAME = 'plumb-engine';
const RENEW_MS = 15_000;
/** Past this age the holder counts as gone, and statuses count as stale. */
export const LEASE_SECONDS = 45;

export interface LeaseOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Where the lease lies: the system namespace, or the one namespace that the engine is limited to. */
  readonly namespace: string;
  /** Tells this engine from others; default the host's name and the process id. */
  readonly holder?: string;
  readonly signal: AbortSignal;
  /** The lease could not be renewed in time, or somebody else has it: nothing may be written any more. */
  lost(error: PlumbError): void;
}

export interface Lease extends AsyncDisposable {
  readonly holder: string;
}

/** Takes the lease, or throws `EngineBusy` where another engine renews it. */
export async function holdLease(options: LeaseOptions): Promise<Lease> {
  const { client, clock, namespace, signal, lost } = options;
  const holder = options.holder ?? `${hostname()}-${process.pid}`;
  const resource = await client.resource({ group: 'coordination.k8s.io', kind: 'Lease' }, { signal });
  const ref = { namespace, name: LEASE_NAME };
  const existing = await client.get(resource, ref, { signal });
  const other = existing === undefined ? undefined : heldBy(existing, clock.now());
  if (other !== undefined && other !== holder && !isDeadNeighbour(other)) {
    throw new PlumbError('EngineBusy', `Another engine runs against this cluster: ${other}`, {
      subject: `Lease/${LEASE_NAME}`,
    });
  }

  const life = new AbortController();
  const stop = AbortSignal.any([signal, life.signal]);
  const write = (renewing: boolean): Promise<unknown> =>
    client.apply(
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: ref,
        spec: {
          holderIdentity: renewing ? holder : '',
          leaseDurationSeconds: LEASE_SECONDS,
          renewTime: new Date(clock.now()).toISOString().replace('Z', '000Z'),
        },
      },
      { manager: 'plumb-status', force: true, signal: renewing ? stop : AbortSignal.timeout(2_000) },
    );
  await write(true);
  let renewedAt = clock.monotonic();
  const renewing = (async () => {
    while (!stop.aborted) {
      await clock.sleep(RENEW_MS, { signal: stop });
      try {
        await write(true);
        renewedAt = clock.monotonic();
      } catch (thrown) {
        if (stop.aborted) return;
        if (clock.monotonic() - renewedAt > (LEASE_SECONDS * 1_000) / 2) {
          lost(new PlumbError('ClusterUnreachable', 'The lease could not be renewed', { cause: thrown }));
          renewedAt = clock.monotonic();
        }
      }
    }
  })().catch(() => undefined);
  return {
    holder,
    async [Symbol.asyncDispose]() {
      life.abort();
      await renewing;
      // Given back, so that the next engine need not wait; a lease that cannot be given back runs out.
      await write(false).catch(() => undefined);
    },
  };
}

/** Who holds a lease that has not run out. */
export function heldBy(lease: KubeObject, now: number): string | undefined {
  const holder = fieldAt(lease, 'spec', 'holderIdentity');
  const renewed = fieldAt(lease, 'spec', 'renewTime');
  const seconds = fieldAt(lease, 'spec', 'leaseDurationSeconds');
  if (typeof holder !== 'string' || holder === '' || typeof renewed !== 'string') return undefined;
  const age = now - Date.parse(renewed);
  return age > (typeof seconds === 'number' ? seconds : LEASE_SECONDS) * 1_000 ? undefined : holder;
}

/** After a crash the next engine on the same machine need not wait for the lease to run out: the process is gone. */
function isDeadNeighbour(holder: string): boolean {
  const prefix = `${hostname()}-`;
  if (!holder.startsWith(prefix)) return false;
  const pid = Number(holder.slice(prefix.length));
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return pid === process.pid;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
