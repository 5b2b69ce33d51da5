import { shortNameOf } from '@plumb/core';
import type { CompareOptions } from '@plumb/kube';
import type { Metrics } from './metrics.ts';
import type { Log } from './narrate.ts';

/** Rare, since a watch that loses something is: an idle engine sends one list of each kind in an hour. */
export const COMPARE_EVERY_MS = 3_600_000;

/** More names say no more. */
const NAMED = 5;

/** What comes of holding the watches against the cluster, for people and alerts. */
export function sayComparisons(metrics: Metrics, log: Log): Pick<CompareOptions, 'lost' | 'failed'> {
  return {
    lost({ kind }, keys) {
      metrics.add('plumb_watch_lost_total', keys.length);
      log({
        level: 'warn',
        message: 'A watch has lost events: everything of its kind is read anew',
        kind,
        count: keys.length,
        objects: keys.slice(0, NAMED).map(shortNameOf),
      });
    },
    failed({ kind }, { code, message }) {
      log({ level: 'warn', message: 'A watch could not be held against a list', kind, code, error: message });
    },
  };
}
