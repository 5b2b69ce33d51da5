import { hostname } from 'node:os';
import { fieldAt, isAbort, PlumbError, toPlumbError, type Clock, type KubeObject } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';

/**
 * One engine a cluster: it holds a Lease and renews it. Readers of a status believe it while the lease is fresh, so a
 * frozen engine never looks green; and a second engine refuses to start instead of fighting with the first.
 */
export const LEASE_NAME = 'plumb-engine';
const RENEW_MS = 15_000;
/** Past this age the holder counts as gone, and statuses count as stale. */
export const LEASE_SECONDS = 45;
/** When giving the lease back takes longer than this, it is left to run out. */
const GIVE_BACK_MS = 2_000;

export interface LeaseOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Where the lease lies: the system namespace, or the one namespace that the engine is limited to. */
  readonly namespace: string;
  /** Tells this engine from others; default the host's name and the process id. */
  readonly holder?: string;
  readonly signal: AbortSignal;
  /** Another engine has the lease, or it could not be renewed for so long that one might: nothing may be written. */
  lost(error: PlumbError): void;
  /** It could be renewed again. */
  regained(): void;
}

export interface Lease extends AsyncDisposable {
  readonly holder: string;
}

/** Takes the lease, or throws `EngineBusy` where another engine renews it. */
export async function holdLease(options: LeaseOptions): Promise<Lease> {
  const { client, clock, namespace, signal } = options;
  const holder = options.holder ?? `${hostname()}-${process.pid}`;
  const resource = await client.resource({ group: 'coordination.k8s.io', kind: 'Lease' }, { signal });
  const ref = { namespace, name: LEASE_NAME };
  const read = (o: { readonly signal: AbortSignal }): Promise<KubeObject | undefined> => client.get(resource, ref, o);
  const refuse = (lease: KubeObject | undefined): void => {
    const other = lease === undefined ? undefined : heldBy(lease, clock.now());
    if (other === undefined || other === holder || isDeadNeighbour(other)) return;
    throw new PlumbError('EngineBusy', `Another engine runs against this cluster: ${other}`, {
      subject: `Lease/${LEASE_NAME}`,
    });
  };

  const existing = await read({ signal });
  refuse(existing);
  let version = existing?.metadata.resourceVersion;
  // The version that was read is a precondition: of two engines that start at once, one is refused.
  const write = async (holderIdentity: string, o: { readonly signal: AbortSignal }): Promise<void> => {
    const { object } = await client.apply(
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { ...ref, ...(version === undefined ? {} : { resourceVersion: version }) },
        spec: { holderIdentity, leaseDurationSeconds: LEASE_SECONDS, renewTime: microTime(clock.now()) },
      },
      { manager: 'plumb-status', force: true, ...o },
    );
    version = object.metadata.resourceVersion;
  };
  await write(holder, { signal });

  const life = new AbortController();
  const stop = AbortSignal.any([signal, life.signal]);
  const renewing = keepRenewing(options, stop, async () => {
    try {
      await write(holder, { signal: stop });
    } catch (thrown) {
      if (!(thrown instanceof PlumbError) || thrown.code !== 'Conflict') throw thrown;
      const lease = await read({ signal: stop });
      refuse(lease);
      version = lease?.metadata.resourceVersion;
      await write(holder, { signal: stop });
    }
  });
  return {
    holder,
    async [Symbol.asyncDispose]() {
      life.abort();
      await renewing;
      const patience = new AbortController();
      using _timer = clock.timer(GIVE_BACK_MS, () => patience.abort());
      // Given back, so that the next engine need not wait; a lease that cannot be given back runs out.
      await write('', { signal: patience.signal }).catch(() => undefined);
    },
  };
}

async function keepRenewing(options: LeaseOptions, stop: AbortSignal, renew: () => Promise<void>): Promise<void> {
  const { clock } = options;
  let renewedAt = clock.monotonic();
  let isLost = false;
  while (!stop.aborted) {
    try {
      await clock.sleep(RENEW_MS, { signal: stop });
      await renew();
      renewedAt = clock.monotonic();
      if (isLost) options.regained();
      isLost = false;
    } catch (thrown) {
      if (isAbort(thrown, stop) || stop.aborted) return;
      const error = toPlumbError(thrown);
      const tooLong = clock.monotonic() - renewedAt > (LEASE_SECONDS - RENEW_MS / 1_000) * 1_000;
      if (isLost || (error.code !== 'EngineBusy' && !tooLong)) continue;
      isLost = true;
      options.lost(error);
    }
  }
}

/** Who holds a lease that has not run out. */
export function heldBy(lease: KubeObject, now: number): string | undefined {
  const holder = fieldAt(lease, 'spec', 'holderIdentity');
  const renewed = fieldAt(lease, 'spec', 'renewTime');
  const seconds = fieldAt(lease, 'spec', 'leaseDurationSeconds');
  if (typeof holder !== 'string' || holder === '' || typeof renewed !== 'string') return undefined;
  const ageMs = now - Date.parse(renewed);
  return ageMs > (typeof seconds === 'number' ? seconds : LEASE_SECONDS) * 1_000 ? undefined : holder;
}

/** After a crash the next engine on the same machine need not wait for the lease to run out: the process is gone. */
function isDeadNeighbour(holder: string): boolean {
  const prefix = `${hostname()}-`;
  const pid = holder.startsWith(prefix) ? Number(holder.slice(prefix.length)) : Number.NaN;
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH';
  }
}

/** RFC 3339 with microseconds, as `MicroTime` is written. */
function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
