import {
  blastRadius,
  denialsOf,
  formatWhere,
  parseObjectKey,
  parseTargetKey,
  planCounts,
  shortName,
  type Plan,
  type PlanItem,
  type PlumbError,
  type PolicyFinding,
  type Result,
} from '@plumb/core';
import type { ChangedFiles, CommentedFinding, CommentedPlan, CommitStatus, PullRequest } from '@plumb/hosts';
import type { ReadSet } from '@plumb/render';
import type { Looked } from './source-look.ts';
import type { TargetSpec } from './targets.ts';

export type PlanOutcome = Result<Plan, readonly PlumbError[]>;

/** What is remembered of a pull request. */
export interface PlannedBefore {
  /** What was planned last. */
  readonly planned: { readonly head: string; readonly base: string } | undefined;
  /** Somebody asked for a plan since. */
  readonly isAsked: boolean;
  /** The head that could not be planned, and when it is tried again: monotonic milliseconds. */
  readonly failed: { readonly head: string; readonly retryAt: number } | undefined;
}

/**
 * Whether a pull request is to be planned now: its commit, or what it is held against, is another one; or somebody asked.
 *
 * @param base as `baseOf` names it
 * @param now monotonic milliseconds
 */
export function needsPlan(
  before: PlannedBefore | undefined,
  { head }: Pick<PullRequest, 'head'>,
  base: string,
  now: number,
): boolean {
  if (before === undefined || before.isAsked) return true;
  const { planned, failed } = before;
  if (failed?.head === head) return failed.retryAt <= now;
  return planned?.head !== head || planned.base !== base;
}

/** Names what pull requests are held against: what each target reads at its base. A commit that nobody reads is no news. */
export function baseOf(looked: readonly Pick<Looked, 'spec' | 'fact' | 'key'>[]): string {
  const lines = looked.map(({ spec, fact, key }) => {
    const source = fact.state === 'ready' ? fact.inputs : fact.state === 'failed' ? fact.error.message : '';
    return `${spec.target} ${key} ${source}`;
  });
  return lines.toSorted().join('\n');
}

/** The branch that a ref of a spec names; tags and commits name one that no pull request is into. */
export function branchOf(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}

/**
 * Whether files that a pull request changes are among those that a target reads. What its base has got since it was begun is
 * none of its changes.
 */
export function isChangedBy(changed: ChangedFiles, path: string, reads: ReadSet): boolean {
  if (!changed.isComplete) return true;
  const read = [path.replaceAll(/^(?:\.?\/)+|\/+$/g, ''), ...reads.keys()];
  return changed.paths.some((file) =>
    read.some((place) => place === '' || place === '.' || place === file || file.startsWith(`${place}/`)),
  );
}

/** `plumb/plan/ENV`; with the application between, where the repository has several. */
export function contextOf(spec: TargetSpec, isAmongSeveral: boolean): string {
  const { application = '', environment } = parseTargetKey(spec.target) ?? {};
  return ['plumb/plan', ...(isAmongSeveral ? [application] : []), environment ?? ''].filter(Boolean).join('/');
}

/** Cluster troubles are nobody's fault at the host: `error`. What the author can correct is a `failure`. */
export function statusOf(outcome: PlanOutcome): Pick<CommitStatus, 'state' | 'description'> {
  if (!outcome.ok) {
    const [first] = outcome.error;
    if (first === undefined) return { state: 'error', description: 'cannot be planned' };
    const { code, message, where, facts } = first;
    const place = where === undefined ? '' : `${formatWhere(where)}: `;
    return {
      state: facts.culprit === 'user' ? 'failure' : 'error',
      description: `${code}: ${place}${message}`,
    };
  }
  const { items, deletions, policies } = outcome.value;
  const counts = planCounts(items).map(([count, what]) => `${count} ${what}`);
  const words = counts.length === 0 ? 'nothing changes' : counts.join(', ');
  const denials = policies === undefined ? [] : denialsOf(policies);
  const isRefused = denials.length > 0 || items.some(({ action }) => action === 'blocked');
  const approval = deletions.verdict === 'blocked' ? '; the deletions need an approval' : '';
  return { state: isRefused ? 'failure' : 'success', description: `${denialText(denials)}${words}${approval}` };
}

/** The first one, since a status is one line. */
function denialText([first, ...others]: readonly PlumbError[]): string {
  if (first === undefined) return '';
  return `${first.message}${others.length === 0 ? '' : ` and ${others.length} more`}; `;
}

/** A plan, or why there is none, as the comment takes it. */
export function commentedPlan(spec: TargetSpec, outcome: PlanOutcome, notes: readonly string[]): CommentedPlan {
  const { namespace = '', application = '', environment } = parseTargetKey(spec.target) ?? {};
  const of = { namespace, app: application, ...(environment === undefined ? {} : { env: environment }) };
  if (!outcome.ok) return { ...of, errors: outcome.error.map((error) => error.toRecord()) };
  const plan = outcome.value;
  const { pods } = blastRadius(plan.items);
  const count = (wanted: PlanItem['action']): number => plan.items.filter(({ action }) => action === wanted).length;
  return {
    ...of,
    targetNamespace: plan.namespace,
    digest: plan.digest,
    counts: {
      delete: count('delete'),
      replace: count('replace'),
      change: count('change'),
      adopt: count('adopt'),
      create: count('create'),
      blocked: count('blocked'),
      unchanged: plan.unchanged,
    },
    notes: [...notes, ...(pods === 0 ? [] : [`pods that are made anew: ${pods}`]), ...plan.notes],
    items: plan.items.map(commentedItem),
    ...(plan.policies === undefined ? {} : { findings: plan.policies.results.map(commentedFinding) }),
    ...(plan.deletions.verdict === 'blocked'
      ? { blockedDeletions: { digest: plan.deletions.digest, reason: plan.deletions.reason } }
      : {}),
  };
}

function commentedFinding({ policy, severity, ref, message, fix, where }: PolicyFinding): CommentedFinding {
  return {
    policy,
    severity,
    message,
    fix,
    ...(ref === undefined ? {} : { object: shortName(ref) }),
    ...(where === undefined ? {} : { file: where.file }),
    ...(where?.line === undefined ? {} : { line: where.line }),
  };
}

type CommentedItem = Extract<CommentedPlan, { readonly items: unknown }>['items'][number];

function commentedItem({
  action,
  key,
  reason,
  origin,
  changes,
  predicted,
  forcedBy,
  consent,
  error,
  deniedBy,
}: PlanItem): CommentedItem {
  const { kind = '', name = '', namespace = '' } = parseObjectKey(key) ?? {};
  return {
    action,
    kind,
    name,
    namespace,
    changes,
    predicted,
    ...(reason === undefined ? {} : { reason }),
    ...(origin === undefined ? {} : { file: origin.file }),
    ...(origin?.line === undefined ? {} : { line: origin.line }),
    ...(forcedBy === undefined ? {} : { forcedBy }),
    ...(consent === undefined ? {} : { needsApproval: consent.loss }),
    ...(error === undefined ? {} : { error: { message: error.message, fix: error.fix } }),
    ...(deniedBy === undefined ? {} : { deniedBy }),
  };
}

/**
 * The answer to `/plumb approve`: an approval says who gave it, and only the API server knows that of whoever asks it.
 *
 * @param plans the digest of the plan of each target
 */
export function approvalAnswer(digest: string, plans: ReadonlyMap<string, string>): string {
  const found = [...plans].filter(([, known]) => known.startsWith(digest));
  if (found.length === 0)
    return `No plan of this pull request has the digest \`${digest}\`; \`/plumb plan\` makes new ones.`;
  const commands = found.map(([target, known]) => {
    const { namespace = '', application = '', environment } = parseTargetKey(target) ?? {};
    const inEnvironment = environment === undefined ? '' : ` -e ${environment}`;
    return `plumb approve ${known} ${application} -n ${namespace}${inEnvironment}`;
  });
  const why = 'Approvals are given to the cluster, which knows who gives them. This approves exactly that plan:';
  return `${why}\n\n\`\`\`sh\n${commands.join('\n')}\n\`\`\`\n`;
}
