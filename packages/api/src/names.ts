/** The API group and version of the kinds that users write. This file imports nothing, so that it costs nothing. */
export const GROUP = 'plumb.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

export const REPOSITORY = { kind: 'Repository', plural: 'repositories' } as const;
export const APPLICATION = { kind: 'Application', plural: 'applications' } as const;

export const APPROVAL = { kind: 'Approval', plural: 'approvals' } as const;

/** What a person wants to stand on the cluster for a while. */
export const HOLD = { kind: 'Hold', plural: 'holds' } as const;

/** The headline state of a target or of an application, worst first. `Stale` is drawn over any of them. */
export const STATES = [
  'Failed',
  'Degraded',
  'Drifted',
  'Held',
  'Syncing',
  'Pending',
  'Healthy',
  'Suspended',
  'Stale',
] as const;

export type State = (typeof STATES)[number];

/** What `spec` means where it says nothing: also written into the CRDs, so that `kubectl get -o yaml` shows them. */
export const DEFAULTS = {
  interval: '15s',
  webhookKey: 'token',
  pullRequestInterval: '1m',
  conflicts: 'report',
  drift: 'revert',
  timeout: '10m',
  deletion: { maxObjects: 25, maxPercent: 20 },
} as const;

/** How many failures the status of one target lists: the ledger and the events hold the rest. */
export const MAX_FAILURES = 5;

/** How many objects of a blocked deletion the status of one target lists: `plumb plan` shows all. */
export const MAX_LISTED_DELETIONS = 20;
/** Hooks around a deletion that the status lists. */
export const MAX_LISTED_HOOKS = 20;

/** A commit as a column shows it. */
export function shortRevision(revision: string): string {
  return revision.slice(0, 7);
}
