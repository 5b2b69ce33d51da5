import type { AuditEvent } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { AuditLog } from './audit-log.ts';
import { AuditTrail, type AuditTrailOptions } from './audit-trail.ts';
import type { Metrics } from './metrics.ts';
import type { Log } from './narrate.ts';

export interface AuditOptions extends Pick<AuditTrailOptions, 'clock' | 'isKnown' | 'isWatched' | 'arrived'> {
  readonly client: Pick<KubeClient, 'kinds' | 'whoAmI'>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly auditToken?: (() => Promise<string | undefined>) | undefined;
  readonly auditLog?: string | undefined;
}

export interface Audit extends AsyncDisposable, Pick<AuditTrail, 'add' | 'eventsFor'> {}

/** What the clients of Plumb call themselves: the engine and the command line. */
const OUR_AGENT = /^plumb(?:[-/]|$)/;

/** The trail of what others write, with the log file that it is read from, where there is one. */
export async function openAudit(options: AuditOptions): Promise<Audit> {
  const { client, metrics, log, signal, auditToken, auditLog } = options;
  const isOn = auditToken !== undefined || auditLog !== undefined;
  const { username } = isOn ? await client.whoAmI({ signal }) : { username: '' };
  const trail = new AuditTrail({
    ...options,
    kinds: () => client.kinds({ signal }),
    isOurs: ({ user, impersonator = user, agent = '' }) => impersonator === username && OUR_AGENT.test(agent),
  });
  const add = async (events: readonly AuditEvent[]): Promise<number> => {
    const kept = await trail.add(events);
    metrics.add('plumb_audit_event_total', kept);
    return kept;
  };
  const file =
    auditLog === undefined
      ? undefined
      : new AuditLog({
          ...options,
          path: auditLog,
          take: add,
          failed: (error) => log({ level: 'warn', message: 'The audit log cannot be read', path: auditLog, error }),
        });
  return {
    add,
    eventsFor: (key, sinceMs) => trail.eventsFor(key, sinceMs),
    [Symbol.asyncDispose]: async () => file?.[Symbol.asyncDispose](),
  };
}
