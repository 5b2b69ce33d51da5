import { fieldAt, minuteText, PlumbError, SYSTEM_NAMESPACE, type KubeObject } from '@plumb/core';
import { LEASE_NAME, LEASE_SECONDS } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';

/** Whether an engine looks after the cluster, told by its Lease. */
export interface EngineSign {
  readonly isRunning: boolean;
  /** Epoch milliseconds of the last sign of life; undefined where there never was one. */
  readonly seenAt: number | undefined;
}

/**
 * What the Lease says: the one of the whole cluster, or that of an engine that looks after one of these namespaces only.
 * Where it may not be read nothing is claimed: the engine counts as running.
 */
export async function readEngineSign(
  client: KubeClient,
  options: { readonly namespaces: Iterable<string>; readonly now: number; readonly signal: AbortSignal },
): Promise<EngineSign> {
  const { now, signal } = options;
  let newest: EngineSign = { isRunning: false, seenAt: undefined };
  try {
    const resource = await client.resource({ group: 'coordination.k8s.io', kind: 'Lease' }, { signal });
    for (const namespace of new Set([SYSTEM_NAMESPACE, ...options.namespaces])) {
      const sign = signOf(await client.get(resource, { namespace, name: LEASE_NAME }, { signal }), now);
      if (sign.isRunning) return sign;
      if ((sign.seenAt ?? -1) > (newest.seenAt ?? -1)) newest = sign;
    }
    return newest;
  } catch (thrown) {
    if (thrown instanceof PlumbError && thrown.code === 'Forbidden') return { isRunning: true, seenAt: now };
    throw thrown;
  }
}

function signOf(lease: KubeObject | undefined, now: number): EngineSign {
  const renewed = fieldAt(lease, 'spec', 'renewTime');
  if (typeof renewed !== 'string') return { isRunning: false, seenAt: undefined };
  const seenAt = Date.parse(renewed);
  const isHeld = fieldAt(lease, 'spec', 'holderIdentity') !== '';
  return { isRunning: isHeld && now - seenAt <= (LEASE_SECONDS + GRACE_SECONDS) * 1000, seenAt };
}

/** For clocks that differ a little. */
const GRACE_SECONDS = 15;

/** `no engine has looked since 14:02 (3 h ago)`. */
export function describeAbsence({ seenAt }: EngineSign, now: number): string {
  if (seenAt === undefined) return 'no engine has ever looked';
  return `no engine has looked since ${minuteText(seenAt)} UTC (${formatAge(now - seenAt)} ago)`;
}

/** `40s`, `3m`, `2h`, `9d`: one unit, as people say it. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

/** Fails with the way to start it where no engine looks after the namespace: nobody would carry out what is asked. */
export async function requireEngine(
  client: KubeClient,
  namespace: string,
  context: string,
  o: { readonly now: number; readonly signal: AbortSignal },
): Promise<void> {
  const engine = await readEngineSign(client, { namespaces: [namespace], ...o });
  if (engine.isRunning) return;
  throw new PlumbError('NotRunning', `No engine looks after this cluster: ${describeAbsence(engine, o.now)}`, {
    fix: `Start it with: plumb up --context ${context}`,
  });
}
