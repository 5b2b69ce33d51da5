import { parseDuration, type Application, type ApplicationSpec } from '@plumb/api';
import {
  applySetId,
  groupOf,
  mergeValues,
  targetKey,
  type ApprovalRule,
  type DeletionBudget,
  type DriftRules,
  type DriftWishes,
  type ObjectKey,
  type ObjectRef,
  type Retirement,
  type TargetKey,
} from '@plumb/core';
import { driftRulesOf } from './drift-rules.ts';
import type { ChartSource } from '@plumb/charts';
import type { RenderInputs } from '@plumb/render';
import type { PolicySource } from './policy-files.ts';

/** `namespace/name` of an Application or a Repository. */
export type NamespacedName = `${string}/${string}`;

/** One application in one environment, with everything that its spec says about it. */
export interface TargetSpec {
  readonly target: TargetKey;
  readonly application: NamespacedName;
  /** Of the Application's spec that this is from. */
  readonly generation: number;
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
  /** The namespace that is made where it is missing; undefined makes none. */
  readonly createNamespace: string | undefined;
  readonly budget: DeletionBudget;
  /** The policies that each plan is held against; undefined: none. */
  readonly policies: PolicySource | undefined;
  readonly approvedDeletion: string | undefined;
  /** Who has to approve the plan of a release; undefined: nobody. */
  readonly approvals: ApprovalRule | undefined;
  /** The plan that a person asked to be applied, made when this release was the last one (0 for none). */
  readonly planWish: { readonly digest: string; readonly release: number } | undefined;
  /** What happens to what others change. */
  readonly drift: DriftRules;
  /** What a person asked to be healed, whatever the rules say: see `HEAL_ANNOTATION`. */
  readonly healWish: DriftWishes['heal'];
  /** Set where the target is to end. */
  readonly retirement: Retirement | undefined;
  readonly suspended: boolean;
  /** Applications that have to be healthy before this one rolls out. */
  readonly dependsOn: readonly NamespacedName[];
  /** How long one thing may be waited for before a release counts as failed, in milliseconds. */
  readonly deadlineMs: number;
  readonly applySet: string;
  readonly render: RenderInputs;
  /** What a render takes from elsewhere than the repository; undefined takes nothing. */
  readonly externals: ExternalSpec | undefined;
  /** What a chart is told instead of what the cluster can do. */
  readonly capabilities: { readonly kubeVersion?: string; readonly apiVersions?: readonly string[] };
  /** Whether random functions of templates draw from chance, anew with every render. */
  readonly isVolatile: boolean;
}

export interface ExternalSpec {
  /** Where the Secrets and ConfigMaps are that it names. */
  readonly namespace: string;
  readonly chart?: ChartSource & { readonly secret?: string };
  readonly substitute?: {
    readonly variables: Readonly<Record<string, string>>;
    readonly from: readonly {
      readonly kind: 'ConfigMap' | 'Secret';
      readonly name: string;
      readonly optional: boolean;
    }[];
    readonly strict: boolean;
  };
}

/** What `spec.timeout` is where it cannot be read: the default of the API. */
const DEFAULT_DEADLINE_MS = 10 * 60_000;

/** On an Application: a new value asks for a look at Git and another try of all that failed. */
export const RECONCILE_ANNOTATION = 'plumb.dev/reconcile-requested-at';
/** On an Application: `<environment or ->=<digest>`, separated by commas: deletions that a person approved. */
export const APPROVE_DELETION_ANNOTATION = 'plumb.dev/approved-deletions';

/**
 * On an Application: `<environment or ->=<digest>@<number of the last release>`, separated by commas: the plan that a person
 * asked to be applied, and nothing else. It is spent with the next release.
 */
export const PLAN_ANNOTATION = 'plumb.dev/plan';

/**
 * On an Application: `<environment or ->=<time>`, separated by commas, optionally with `@<object key>` behind the time
 * (RFC 3339): what had drifted by then is healed once, of that object or of all.
 */
export const HEAL_ANNOTATION = 'plumb.dev/heal-drift';

/**
 * On an Application: `<environment or ->=forget` or `<environment or ->=decommission:<digest>`, separated by commas: targets
 * that are to end.
 */
export const RETIRE_ANNOTATION = 'plumb.dev/retire';

export function nameOf(object: {
  readonly metadata: { readonly namespace: string; readonly name: string };
}): NamespacedName {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}

/** How people read a target: `shop → prod`, or `shop` where there are no environments. */
export function targetName({ application, environment }: TargetSpec): string {
  const name = application.slice(application.indexOf('/') + 1);
  return environment === '' ? name : `${name} → ${environment}`;
}

/** The targets of an application: one for each environment, or one where it names none. Pure. */
export function targetsOf(application: Application): readonly TargetSpec[] {
  const { metadata, spec } = application;
  const environments = spec.environments ?? [undefined];
  const approvals = parseApprovals(metadata.annotations?.[APPROVE_DELETION_ANNOTATION] ?? '');
  const wishes = parsePlanWishes(metadata.annotations?.[PLAN_ANNOTATION] ?? '');
  const heals = parseHealWishes(metadata.annotations?.[HEAL_ANNOTATION] ?? '');
  const retirements = parseRetirements(metadata.annotations?.[RETIRE_ANNOTATION] ?? '');
  return environments.map((environment) => {
    const namespace = environment?.namespace ?? spec.namespace ?? metadata.namespace;
    return {
      target: targetKey({ namespace: metadata.namespace, application: metadata.name, environment: environment?.name }),
      application: nameOf(application),
      generation: metadata.generation ?? 0,
      environment: environment?.name ?? '',
      repository: `${metadata.namespace}/${spec.source.repository}`,
      path: spec.source.path,
      revision: environment?.revision,
      namespace,
      writeAs:
        spec.serviceAccount === undefined ? undefined : `system:serviceaccount:${namespace}:${spec.serviceAccount}`,
      conflicts: spec.conflicts,
      createNamespace: spec.createNamespace === true ? namespace : undefined,
      budget: { ...spec.deletion, protect: spec.deletion.protect ?? [] },
      policies: policiesOf(spec),
      approvedDeletion: approvals.get(environment?.name ?? '-'),
      approvals: approvalRuleOf(environment?.gates ?? spec.gates),
      planWish: wishes.get(environment?.name ?? '-'),
      drift: rulesOf(environment?.drift ?? spec.drift),
      healWish: heals.get(environment?.name ?? '-'),
      retirement: retirements.get(environment?.name ?? '-'),
      suspended: (spec.suspend ?? false) || (environment?.suspend ?? false),
      dependsOn: (spec.dependsOn ?? []).map((other): NamespacedName => {
        return `${other.namespace ?? metadata.namespace}/${other.name}`;
      }),
      deadlineMs: parseDuration(spec.timeout) ?? DEFAULT_DEADLINE_MS,
      applySet: applySetId(parentOf(application)),
      render: renderInputsOf(application, environment, namespace),
      externals: externalsOf(application),
      capabilities: capabilitiesOf(spec.render?.helm),
      isVolatile: spec.render?.random === 'upstream',
    };
  });
}

type Environment = NonNullable<Application['spec']['environments']>[number];
type HelmSpec = NonNullable<Application['spec']['render']>['helm'];

function renderInputsOf(
  { metadata, spec }: Application,
  environment: Environment | undefined,
  namespace: string,
): RenderInputs {
  const { render = {} } = spec;
  const { manifests, helm, kustomize, renderer, parameters = [] } = render;
  const values = mergeValues(render.values, environment?.values);
  const valuesFiles = [...(render.valuesFiles ?? []), ...(environment?.valuesFiles ?? [])].map((file) =>
    file.replaceAll(ENVIRONMENT, environment?.name ?? ''),
  );
  const set = parameters.filter(({ forceString }) => forceString !== true).map(setExpression);
  const setString = parameters.filter(({ forceString }) => forceString === true).map(setExpression);
  return {
    release: render.release ?? metadata.name,
    namespace,
    ...(renderer === undefined ? {} : { renderer }),
    ...(environment === undefined ? {} : { environment: environment.name }),
    ...(values === undefined ? {} : { values }),
    ...(valuesFiles.length === 0 ? {} : { valuesFiles }),
    ...(set.length === 0 ? {} : { set }),
    ...(setString.length === 0 ? {} : { setString }),
    ...(manifests?.include === undefined ? {} : { include: [manifests.include].flat() }),
    ...(manifests?.exclude === undefined ? {} : { exclude: [manifests.exclude].flat() }),
    ...(helm === undefined
      ? {}
      : { helm: { skipCRDs: helm.skipCRDs, skipSchemaValidation: helm.skipSchemaValidation } }),
    ...(kustomize === undefined ? {} : { kustomize }),
  };
}

const ENVIRONMENT = /\{\{\s*environment\s*\}\}/g;

/** As `helm --set` wants it. A comma would begin the next value, except inside of the braces of a list. */
function setExpression({ name, value }: { readonly name: string; readonly value: string }): string {
  const isList = value.startsWith('{') && value.endsWith('}');
  return `${name}=${isList ? value : value.replaceAll(/(?<!\\),/g, '\\,')}`;
}

function capabilitiesOf(helm: HelmSpec): TargetSpec['capabilities'] {
  return {
    ...(helm?.kubeVersion === undefined ? {} : { kubeVersion: helm.kubeVersion }),
    ...(helm?.apiVersions === undefined ? {} : { apiVersions: helm.apiVersions }),
  };
}

function externalsOf({ metadata, spec }: Application): ExternalSpec | undefined {
  const { chart } = spec.source;
  const substitute = spec.render?.substitute;
  if (chart === undefined && substitute === undefined) return undefined;
  return {
    namespace: metadata.namespace,
    ...(chart === undefined
      ? {}
      : {
          chart: {
            url: chart.url,
            name: chart.name,
            version: chart.version,
            ...(chart.secretRef === undefined ? {} : { secret: chart.secretRef.name }),
          },
        }),
    ...(substitute === undefined
      ? {}
      : {
          substitute: {
            variables: substitute.variables ?? {},
            from: (substitute.from ?? []).map(({ kind, name, optional }) => ({
              kind,
              name,
              optional: optional ?? false,
            })),
            strict: substitute.strict ?? false,
          },
        }),
  };
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

function parsePlanWishes(text: string): ReadonlyMap<string, NonNullable<TargetSpec['planWish']>> {
  const wishes = new Map<string, NonNullable<TargetSpec['planWish']>>();
  for (const [environment, wish] of parseApprovals(text)) {
    const [digest = '', release = ''] = wish.split('@', 2);
    if (/^\d+$/.test(release)) wishes.set(environment, { digest, release: Number(release) });
  }
  return wishes;
}

function policiesOf({ policies }: ApplicationSpec): PolicySource | undefined {
  return policies === undefined ? undefined : { files: policies.files ?? [], starter: policies.starter };
}

/** A spec that cannot be read is refused before; should one come this far, nothing is put back by mistake. */
function rulesOf(spec: ApplicationSpec['drift']): DriftRules {
  const rules = driftRulesOf(spec);
  return rules.ok ? rules.value : { policy: 'report', rules: [] };
}

export function parseHealWishes(text: string): ReadonlyMap<string, NonNullable<TargetSpec['healWish']>> {
  const wishes = new Map<string, NonNullable<TargetSpec['healWish']>>();
  for (const [environment, wish] of parseApprovals(text)) {
    const [time = '', ...key] = wish.split('@');
    const at = Date.parse(time);
    if (Number.isNaN(at)) continue;
    wishes.set(environment, { at, ...(key.length === 0 ? {} : { key: key.join('@') as ObjectKey }) });
  }
  return wishes;
}

export function formatHealWishes(wishes: ReadonlyMap<string, NonNullable<TargetSpec['healWish']>>): string {
  return [...wishes]
    .map(([environment, { at, key }]) => {
      return `${environment}=${new Date(at).toISOString()}${key === undefined ? '' : `@${key}`}`;
    })
    .join(',');
}

type Gates = ApplicationSpec['gates'];

function approvalRuleOf(gates: Gates): ApprovalRule | undefined {
  const rule = gates?.approvals;
  return rule === undefined ? undefined : { ...rule, from: rule.from ?? [] };
}

const DECOMMISSION = 'decommission:';

/** What is neither of the two words is left out: a target that is not clearly told to end goes on. */
export function parseRetirements(text: string): ReadonlyMap<string, Retirement> {
  const retirements = new Map<string, Retirement>();
  for (const [environment, how] of parseApprovals(text)) {
    if (how === 'forget') retirements.set(environment, { how });
    else if (how.startsWith(DECOMMISSION)) {
      retirements.set(environment, { how: 'decommission', approved: how.slice(DECOMMISSION.length) });
    }
  }
  return retirements;
}

export function formatRetirements(retirements: ReadonlyMap<string, Retirement>): string {
  return [...retirements]
    .map(([environment, wish]) => {
      return `${environment}=${wish.how === 'forget' ? wish.how : DECOMMISSION + wish.approved}`;
    })
    .join(',');
}
