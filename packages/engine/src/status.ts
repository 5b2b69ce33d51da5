import {
  MAX_FAILURES,
  MAX_LISTED_DELETIONS,
  MAX_LISTED_HOOKS,
  shortRevision,
  type Application,
  type ApplicationStatus,
  type Condition,
  type RepositoryStatus,
  type TargetStatus,
} from '@plumb/api';
import {
  canonicalJson,
  parseObjectKey,
  shortName,
  shortNameOf,
  type BlockedDeletion,
  type DesiredHook,
  type HeadlineState,
  type HookPhase,
  type Rest,
} from '@plumb/core';
import { releaseName } from '@plumb/ledger';

/** What a target says of itself when it has nothing more to do. */
export interface TargetReport {
  /** Empty where the application names no environments. */
  readonly environment: string;
  readonly namespace: string;
  readonly rest: Rest;
  /** The commit that was last rolled out. */
  readonly revision: string | undefined;
  readonly release: number | undefined;
  /** Of the spec that it answers. Default: the one that there is now. */
  readonly generation?: number | undefined;
  readonly objects: number;
  /** A release that waits for approvals. */
  readonly pendingPlan?: TargetStatus['pendingPlan'];
  /** What is run and not kept. */
  readonly hooks: readonly DesiredHook[];
  /** Epoch milliseconds since when it is in this state. */
  readonly since: number;
}

export interface StatusInput {
  readonly application: Application;
  /** One for each target that has been looked at. */
  readonly reports: readonly TargetReport[];
  /** How many targets the application has. */
  readonly targetCount: number;
  readonly identity: string;
  readonly handledRequest: string | undefined;
  readonly now: number;
}

/** Worst first. */
export const HEADLINE_STATES: readonly HeadlineState[] = [
  'Failed',
  'Degraded',
  'Drifted',
  'Held',
  'Syncing',
  'Pending',
  'Healthy',
  'Suspended',
];

/** The status of an application as it should be written. Pure; times of conditions that did not turn are kept. */
export function statusOf(input: StatusInput): ApplicationStatus {
  const { application, reports, targetCount, identity, handledRequest, now } = input;
  const current = application.metadata.generation ?? 0;
  // What is said of an older spec is none of the new one's.
  const generation = Math.min(current, ...reports.map((report) => report.generation ?? current));
  const environments = reports.map((report) => targetStatus(report, application.status));
  const state = reports.length < targetCount ? 'Pending' : worstOf(reports);
  const headline = reports.find(({ rest }) => rest.state === state);
  const message = headline?.rest.message ?? 'Not looked at yet.';
  const named = environments.length > 1 && headline !== undefined ? `${headline.environment}: ${message}` : message;
  const revisions = new Set(reports.map(({ revision }) => revision));
  const revision =
    revisions.size === 1 ? [...revisions][0] : reports.findLast((report) => report.revision !== undefined)?.revision;
  const single = reports.length === 1 ? reports[0] : undefined;
  return {
    observedGeneration: generation,
    conditions: conditionsOf(application, { state, rest: headline?.rest, message: named, generation }, now),
    state,
    message: named,
    identity,
    comparedAt: timestamp(now),
    ...(revision === undefined ? {} : { revision, shortRevision: shortRevision(revision) }),
    ...(single?.release === undefined ? {} : { release: releaseName(single.release) }),
    ...(environments.length === 0 ? {} : { environments }),
    ...(handledRequest === undefined ? {} : { handledRequest }),
  };
}

/** Whether two statuses say the same: the time of the comparison alone is no news. */
export function saysTheSame(before: ApplicationStatus | undefined, after: ApplicationStatus): boolean {
  if (before === undefined) return false;
  const { comparedAt: _before, ...left } = before;
  const { comparedAt: _after, ...right } = after;
  return isSame(left, right);
}

/** As `saysTheSame`: the time of the last fetch is no news. */
export function repositorySaysTheSame(before: RepositoryStatus | undefined, after: RepositoryStatus): boolean {
  if (before === undefined) return false;
  const { fetchedAt: _before, ...left } = before;
  const { fetchedAt: _after, ...right } = after;
  return isSame(left, right);
}

/** A status that was read has its fields in another order than one that was made. */
function isSame(left: object, right: object): boolean {
  return canonicalJson(left) === canonicalJson(right);
}

function worstOf(reports: readonly TargetReport[]): HeadlineState {
  return HEADLINE_STATES.find((state) => reports.some(({ rest }) => rest.state === state)) ?? 'Pending';
}

function targetStatus(report: TargetReport, written: ApplicationStatus | undefined): TargetStatus {
  const { environment, namespace, rest, revision, release, objects, hooks, since } = report;
  const before = written?.environments?.find(({ name }) => name === environment);
  const failures = rest.failures.slice(0, MAX_FAILURES).map((error) => {
    const record = error.toRecord();
    return {
      code: record.code,
      message: record.message,
      fix: record.fix,
      ...(record.file === undefined ? {} : { file: record.file }),
      ...(record.line === undefined ? {} : { line: record.line }),
      ...(record.object === undefined ? {} : { object: record.object }),
    };
  });
  const deletionHooks = hooksOf(hooks, 'PreDelete').concat(hooksOf(hooks, 'PostDelete')).slice(0, MAX_LISTED_HOOKS);
  return {
    name: environment,
    namespace,
    state: rest.state,
    reason: reasonOf(rest),
    message: rest.message,
    // After a restart the state is as old as the status says, not as the engine.
    since: before?.state === rest.state ? (before.since ?? timestamp(since)) : timestamp(since),
    objects,
    ...(revision === undefined ? {} : { revision }),
    ...(release === undefined ? {} : { release: releaseName(release) }),
    ...(report.pendingPlan === undefined ? {} : { pendingPlan: report.pendingPlan }),
    ...(deletionHooks.length === 0 ? {} : { deletionHooks }),
    ...(rest.deletions.verdict === 'blocked' ? { pendingDeletions: pendingOf(rest.deletions) } : {}),
    ...(failures.length === 0 ? {} : { failures }),
  };
}

function hooksOf(hooks: readonly DesiredHook[], phase: HookPhase): readonly string[] {
  return hooks.flatMap(({ key, hook }) => (hook.phases.includes(phase) ? `${phase} ${shortNameOf(key)}` : []));
}

function pendingOf({
  digest,
  objects,
  reason,
  findings,
}: BlockedDeletion): NonNullable<TargetStatus['pendingDeletions']> {
  const listed = objects
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, MAX_LISTED_DELETIONS)
    .map(({ key }) => {
      const ref = parseObjectKey(key);
      const { removedBy, instances } = findings.get(key) ?? {};
      const place = ref === undefined || ref.namespace === '' ? '' : ` in ${ref.namespace}`;
      return {
        object: ref === undefined ? key : shortName(ref) + place,
        ...(removedBy === undefined ? {} : { removedBy }),
        ...(instances === undefined ? {} : { takes: instances }),
      };
    });
  return { digest, count: objects.length, reason, objects: listed };
}

function reasonOf(rest: Rest): string {
  return rest.failures[0]?.code ?? rest.reason ?? rest.state;
}

interface Headline {
  readonly state: HeadlineState;
  readonly rest: Rest | undefined;
  readonly message: string;
  /** Of the spec that it is about. */
  readonly generation: number;
}

/** Ready always; Reconciling and Stalled only while they are true (kstatus). */
function conditionsOf(
  application: Application,
  { state, rest, message, generation }: Headline,
  now: number,
): readonly Condition[] {
  const reason = rest === undefined ? state : reasonOf(rest);
  const working = state === 'Syncing' || state === 'Pending' || state === 'Drifted';
  // What only a person can mend; what is tried again by itself is not stuck.
  const stuck =
    state === 'Failed' && rest !== undefined && rest.failures.every(({ facts }) => facts.retry === 'change');
  const conditions: Condition[] = [];
  const add = (type: string, status: 'True' | 'False'): void => {
    const before = application.status?.conditions?.find((condition) => condition.type === type);
    conditions.push({
      type,
      status,
      reason,
      message,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : timestamp(now),
    });
  };
  add('Ready', state === 'Healthy' ? 'True' : 'False');
  if (working) add('Reconciling', 'True');
  if (stuck) add('Stalled', 'True');
  return conditions;
}

/** RFC 3339 without fractions, as Kubernetes writes times. */
export function timestamp(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
