import { attributionText, driftText, shortNameOf, type PlumbError, type TargetKey } from '@plumb/core';
import { releaseName } from '@plumb/ledger';
import type { Metrics } from './metrics.ts';
import type { TargetEvent } from './target-event.ts';

/** A constant message with facts beside it. */
export interface EngineEvent {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly [fact: string]: unknown;
}

export type Log = (event: EngineEvent) => void;

/** What happened to a target, in the log and in the metrics. */
export function narrate(event: TargetEvent, metrics: Metrics, log: Log): void {
  const { target } = event;
  switch (event.type) {
    case 'rendered':
      metrics.add('plumb_render_total', 1, { result: event.result });
      return;
    case 'released':
      log({
        level: 'info',
        message: 'Rolling out',
        target,
        release: releaseName(event.release),
        commit: event.commit.slice(0, 7),
        subject: event.subject,
      });
      return;
    case 'wrote': {
      for (const { action } of event.writes) metrics.add('plumb_write_total', 1, { action, result: 'ok' });
      for (const { action } of event.failed) metrics.add('plumb_write_total', 1, { action, result: 'failed' });
      const healed = event.writes.filter(({ heal }) => heal !== undefined);
      if (healed.length > 0) metrics.add('plumb_heal_total', healed.length);
      for (const { key, reason, heal } of healed) {
        log({
          level: 'warn',
          message: 'Healed',
          target,
          object: shortNameOf(key),
          reason,
          ...(heal === undefined ? {} : { what: driftText(heal.drift), by: attributionText(heal.drift.by) }),
        });
      }
      for (const { error } of event.failed) logFailure(target, error, log);
      return;
    }
    case 'drifted':
      for (const { key, kind, fields, by } of event.drifts) {
        metrics.add('plumb_drift_total', 1, { kind });
        log({
          level: 'warn',
          message: 'Drift',
          target,
          object: shortNameOf(key),
          what: driftText({ kind, fields }),
          by: attributionText(by),
        });
      }
      return;
    case 'hooks':
      log({
        level: event.did === 'failed' ? 'warn' : 'info',
        message: HOOK_MESSAGES[event.did],
        target,
        ...(event.phase === undefined ? {} : { phase: event.phase }),
        objects: event.keys.map(shortNameOf).join(', '),
      });
      return;
    case 'replaced':
      for (const { key, field } of event.replacements) {
        const error = event.failed.get(key);
        if (error !== undefined) logFailure(target, error, log);
        else log({ level: 'warn', message: 'Replacing an object', target, object: shortNameOf(key), field });
      }
      return;
    case 'stopped':
      log({
        level: 'warn',
        message: 'A change was stopped before its first write',
        target,
        errors: event.errors.length,
        code: event.errors[0]?.code,
        error: event.errors[0]?.message,
      });
      return;
    case 'pruned':
      metrics.add('plumb_write_total', event.keys.length, { action: 'delete', result: 'ok' });
      log({
        level: 'info',
        message: 'Deleted what Git no longer has',
        target,
        objects: event.keys.map(shortNameOf).join(', '),
        ...(event.removedBy.length === 0 ? {} : { removedBy: event.removedBy.join(', ') }),
      });
      return;
    case 'disowned':
      log({ level: 'info', message: 'No longer manages', target, objects: event.keys.map(shortNameOf).join(', ') });
      return;
    case 'concluded':
      metrics.add('plumb_sync_total', 1, { result: event.outcome });
      log({
        level: event.outcome === 'healthy' ? 'info' : 'warn',
        message: event.outcome === 'healthy' ? 'Healthy' : 'Failed',
        target,
        release: releaseName(event.release),
        detail: event.message,
      });
      return;
    default:
      event satisfies never;
  }
}

const HOOK_MESSAGES = {
  started: 'Started hooks',
  succeeded: 'Hooks have succeeded',
  failed: 'Hooks have failed',
  cleared: 'Took hooks away',
} as const;

function logFailure(target: TargetKey, error: PlumbError, log: Log): void {
  log({
    level: 'warn',
    message: 'An object could not be written',
    target,
    code: error.code,
    error: error.message,
    ...error.where,
  });
}
