import type { DocumentAt, Hook } from '@plumb/core';

/** Helm's events, in the order in which a release comes to them. */
const EVENTS = [
  ...['pre-install', 'post-install', 'pre-upgrade', 'post-upgrade', 'pre-rollback', 'post-rollback'],
  ...['pre-delete', 'post-delete'],
];

/**
 * The documents of a chart in the order in which they are read best: what is kept, as Helm installs it (CRDs of `crds/`
 * first), then the hooks, by the first event that runs them and by weight, as Helm runs them.
 */
export function hooksLast(documents: readonly DocumentAt[]): readonly DocumentAt[] {
  const kept = documents.filter(({ hook }) => hook === undefined);
  const hooks = documents.flatMap((document) =>
    document.hook === undefined ? [] : [{ document, hook: document.hook }],
  );
  hooks.sort((a, b) => firstEvent(a.hook) - firstEvent(b.hook) || a.hook.weight - b.hook.weight);
  return [...kept, ...hooks.map(({ document }) => document)];
}

function firstEvent({ events }: Hook): number {
  const places = events.map((event) => EVENTS.indexOf(event)).filter((place) => place >= 0);
  return Math.min(EVENTS.length, ...places);
}
