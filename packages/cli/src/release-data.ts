import { parseTargetKey } from '@plumb/core';
import { releaseName, type Release } from '@plumb/ledger';

/** A release for programs. */
export function releaseData(release: Release): object {
  const ref = parseTargetKey(release.target);
  return {
    namespace: ref?.namespace,
    app: ref?.application,
    env: ref?.environment,
    release: releaseName(release.number),
    repository: release.repository,
    commit: release.commit,
    chart: release.chart,
    outcome: release.outcome,
    message: release.message,
    startedAt: new Date(release.startedAt).toISOString(),
    concludedAt: release.concludedAt === undefined ? undefined : new Date(release.concludedAt).toISOString(),
    author: release.author,
    subject: release.subject,
    objects: release.objectCount,
    digest: release.digest,
  };
}
