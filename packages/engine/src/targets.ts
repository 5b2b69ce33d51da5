import type { Application } from '@plumb/api';
import {
  applySetId,
  groupOf,
  mergeValues,
  targetKey,
  type DeletionBudget,
  type ObjectRef,
  type TargetKey,
} from '@plumb/core';
import type { RenderInputs } from '@plumb/render';

/** `namespace/name` of an Application or a Repository. */
export type NamespacedName = `${string}/${string}`;

/** One application in one environment, with everything that its spec says about it. */
export interface TargetSpec {
  readonly target: TargetKey;
  readonly application: NamespacedName;
  /** Empty where the application names no environments. */
  readonly environment: string;
  readonly repository: NamespacedName;
  readonly path: string;
  /** A branch, tag or commit to stay at; undefined follows the repository's ref. */
  readonly revision: string | undefined;
  /** Where objects go that name no namespace. */
  readonly namespace: string;
  /** The user to impersonate; undefined writes as the engine itself. */
  readonly writeAs: string | undefined;
  readonly conflicts: 'report' | 'force';
  readonly budget: DeletionBudget;
  readonly approvedDeletion: string | undefined;
  readonly suspended: boolean;
  readonly applySet: string;
  readonly render: RenderInputs;
}

/** On an Application: a new value asks for a look at Git and another try of all that failed. */
export const RECONCILE_ANNOTATION = 'plumb.dev/reconcile-requested-at';
/** On an Application: `<environment or ->=<digest>`, separated by commas: deletions that a person approved. */
export const APPROVE_DELETION_ANNOTATION = 'plumb.dev/approved-deletions';

export function nameOf(object: {
  readonly metadata: { readonly namespace: string; readonly name: string };
}): NamespacedName {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}

/** The targets of an application: one for each environment, or one where it names none. Pure. */
export function targetsOf(application: Application): readonly TargetSpec[] {
  const { metadata, spec } = application;
  const environments = spec.environments ?? [undefined];
  const approvals = parseApprovals(metadata.annotations?.[APPROVE_DELETION_ANNOTATION] ?? '');
  return environments.map((environment) => {
    const namespace = environment?.namespace ?? spec.namespace ?? metadata.namespace;
    const manifests = spec.render?.manifests;
    const values = mergeValues(spec.render?.values, environment?.values);
    const valuesFiles = [...(spec.render?.valuesFiles ?? []), ...(environment?.valuesFiles ?? [])];
    return {
      target: targetKey({ namespace: metadata.namespace, application: metadata.name, environment: environment?.name }),
      application: nameOf(application),
      environment: environment?.name ?? '',
      repository: `${metadata.namespace}/${spec.source.repository}`,
      path: spec.source.path,
      revision: environment?.revision,
      namespace,
      writeAs:
        spec.serviceAccount === undefined ? undefined : `system:serviceaccount:${namespace}:${spec.serviceAccount}`,
      conflicts: spec.conflicts,
      budget: { ...spec.deletion, protect: spec.deletion.protect ?? [] },
      approvedDeletion: approvals.get(environment?.name ?? '-'),
      suspended: (spec.suspend ?? false) || (environment?.suspend ?? false),
      applySet: applySetId(parentOf(application)),
      render: {
        release: spec.render?.release ?? metadata.name,
        namespace,
        ...(environment === undefined ? {} : { environment: environment.name }),
        ...(values === undefined ? {} : { values }),
        ...(valuesFiles.length === 0 ? {} : { valuesFiles }),
        ...(manifests?.include === undefined ? {} : { include: [manifests.include].flat() }),
        ...(manifests?.exclude === undefined ? {} : { exclude: [manifests.exclude].flat() }),
      },
    };
  });
}

/** The Application is the ApplySet parent of all its objects. */
export function parentOf(application: Application): ObjectRef {
  return {
    group: groupOf(application.apiVersion),
    kind: application.kind,
    namespace: application.metadata.namespace,
    name: application.metadata.name,
  };
}

export function parseApprovals(text: string): ReadonlyMap<string, string> {
  const approvals = new Map<string, string>();
  for (const part of text.split(',')) {
    const [environment, digest] = part.split('=', 2);
    if (environment !== undefined && environment !== '' && digest !== undefined) approvals.set(environment, digest);
  }
  return approvals;
}
