import {
  blastRadius,
  formatAdmissionDenial,
  parseObjectKey,
  parseTargetKey,
  planCounts,
  shortName,
  shortNameOf,
  waitText,
  type NormalisedObject,
  type BlastRadius,
  type ObjectKey,
  type Plan,
  type PlanItem,
  type PlannedChange,
  oneLine,
} from '@plumb/core';
import { changeLines } from './change-lines.ts';
import { changeTable, countsLine, type ChangeTableOptions, type ObjectChange } from './change-table.ts';
import { fieldCountsText, normalisedData, normalisedText, type Listing } from './normalised-text.ts';
import { paint, type Style } from './style.ts';

export interface LabelledPlan {
  readonly plan: Plan;
  /** What it is a plan of: `9f3c1ab`, `working copy`. */
  readonly label: string;
  /** What differs and is no change; undefined where nobody has looked. */
  readonly normalised?: readonly NormalisedObject[];
}

/** One plan as people read it: what is lost first, the file and line of each object, then the counts. */
export function planText(
  { plan, label, normalised }: LabelledPlan,
  { isListed = false, ...options }: ChangeTableOptions & Partial<Listing>,
): string {
  const { style } = options;
  const ref = parseTargetKey(plan.target);
  const environment = ref?.environment === undefined ? '' : ` → ${ref.environment}`;
  const head = `Plan  ${ref?.application ?? plan.target}@${label}${environment}   namespace ${plan.namespace}   digest ${plan.digest}\n`;
  const table = changeTable(
    plan.items.map((item) => toObjectChange(item, plan)),
    options,
  );
  const refusal =
    plan.deletions.verdict === 'blocked'
      ? `${paint(style, 'red', 'Blocked')}: nothing is deleted, because ${oneLine(plan.deletions.reason)}. ` +
        `Approve exactly this set: plumb sync ${commandName(plan)} --approve-deletion ${plan.deletions.digest}\n`
      : '';
  const notes = plan.notes.map((note) => `note: ${oneLine(note)}\n`).join('');
  const fields = normalised === undefined ? '' : `${fieldCountsText(changeCount(plan), normalised)}\n`;
  const listing = isListed && normalised !== undefined ? normalisedText(normalised) : '';
  return `${head}${table}${countsText(plan)}${fields}${radiusText(plan)}${quotasText(plan, style)}${waitsText(plan)}${notes}${refusal}${listing}`;
}

function toObjectChange(item: PlanItem, plan: Plan): ObjectChange {
  return {
    action: item.action,
    name: nameOf(item.key, plan),
    origin: item.origin,
    details: detailsOf(item, plan),
    hasSentences: item.error !== undefined || item.consent !== undefined,
  };
}

function detailsOf(item: PlanItem, plan: Plan): readonly string[] {
  if (item.deniedBy !== undefined) return [formatAdmissionDenial(item.deniedBy), `fix: ${item.error?.fix}`];
  if (item.error !== undefined) return [`${item.error.message}`, `fix: ${item.error.fix}`];
  if (item.action === 'delete')
    return [plan.deletions.verdict === 'blocked' ? '!! needs an approval' : 'not in Git any more'];
  if (item.action === 'replace') {
    const consent = item.consent === undefined ? [] : [`!! needs an approval: ${item.consent.loss}`];
    return [`!! deleted and made anew: ${item.forcedBy} cannot be changed`, ...consent];
  }
  if (item.action === 'create') return [item.predicted ? 'its namespace or kind comes first' : ''];
  const reasons = item.action === 'adopt' ? ['is there already, and not managed'] : [];
  if (item.reason === 'drifted') reasons.push('drifted');
  const lines = changeLines(item.changes, item.origin);
  const restarts = item.restarts === undefined ? [] : [`restarts ${countText(item.restarts, 'pod')}`];
  return [...reasons, ...lines.map((line, index) => line + resetText(item.changes[index])), ...restarts];
}

/** Whose change goes: `, resets kubectl-edit of 2026-01-02 01:12 UTC`. */
function resetText(change: PlannedChange | undefined): string {
  const [owner] = change?.owners ?? [];
  if (owner === undefined) return '';
  const time = owner.time === undefined ? '' : ` of ${owner.time.slice(0, 16).replace('T', ' ')} UTC`;
  return `, resets ${owner.manager}${time}`;
}

function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What else is touched than objects; empty where nothing is. */
function radiusText(plan: Plan): string {
  const { restarts, pods, stateful } = blastRadius(plan.items);
  const words = [
    ...(restarts === 0 ? [] : [`${countText(pods, 'pod')} of ${countText(restarts, 'workload')} made anew`]),
    ...(stateful.length === 0 ? [] : [`!! data is at stake: ${stateful.join(', ')}`]),
  ];
  return words.map((line) => `${line}\n`).join('');
}

function changeCount({ items }: Plan): number {
  return items.reduce((sum, { changes }) => sum + changes.length, 0);
}

function quotasText({ quotas }: Plan, style: Style): string {
  return quotas
    .map(({ namespace, quota, resource, needed, left }) => {
      const where = oneLine(`${namespace}/${quota}: ${resource} needs ${needed} more, and ${left} is left`);
      return `${paint(style, 'red', '!! quota')} ${where}\n`;
    })
    .join('');
}

/** `waits until: Job/migrate has succeeded (PreSync) → Deployment/api is healthy`. */
function waitsText({ waits }: Plan): string {
  return waits.length === 0 ? '' : `waits until: ${oneLine(waits.map(waitText).join(' → '))}\n`;
}

/** `Deployment/api`, with the namespace where it is not the target's. */
function nameOf(key: ObjectKey, plan: Plan): string {
  const ref = parseObjectKey(key);
  if (ref === undefined) return key;
  const elsewhere = ref.namespace === '' || ref.namespace === plan.namespace ? '' : ` (${ref.namespace})`;
  return shortName(ref) + elsewhere;
}

function countsText(plan: Plan): string {
  return countsLine(planCounts(plan.items), plan.unchanged);
}

function commandName(plan: Plan): string {
  const ref = parseTargetKey(plan.target);
  if (ref === undefined) return '';
  return `${ref.application} -n ${ref.namespace}${ref.environment === undefined ? '' : ` -e ${ref.environment}`}`;
}

export interface PlanTotal extends BlastRadius {
  readonly applications: number;
  /** Environments of applications, and those of them in which something is done. */
  readonly targets: number;
  readonly changing: number;
}

/** How far several plans reach together. */
export function totalOf(plans: readonly Plan[]): PlanTotal {
  const names = plans.map(({ target }) => {
    const ref = parseTargetKey(target);
    return `${ref?.namespace}/${ref?.application}`;
  });
  return {
    applications: new Set(names).size,
    targets: plans.length,
    changing: plans.filter(({ items }) => items.length > 0).length,
    ...blastRadius(plans.flatMap(({ items }) => items)),
  };
}

/** `All: 3 of 12 targets of 8 applications, 5 objects in 2 namespaces; 1 deletion; 6 pods of 2 workloads made anew.` */
export function totalText(total: PlanTotal): string {
  const { applications, targets, changing, objects, namespaces, deletions, replacements, restarts, pods } = total;
  const parts = [
    `${changing} of ${countText(targets, 'target')} of ${countText(applications, 'application')}, ${countText(objects, 'object')} in ${countText(namespaces.length, 'namespace')}`,
    ...(deletions === 0 ? [] : [countText(deletions, 'deletion')]),
    ...(replacements === 0 ? [] : [countText(replacements, 'replacement')]),
    ...(restarts === 0 ? [] : [`${countText(pods, 'pod')} of ${countText(restarts, 'workload')} made anew`]),
  ];
  return `All: ${parts.join('; ')}.\n`;
}

/** The same as data. */
export function planData(
  { plan, label, normalised }: LabelledPlan,
  commit: string | undefined,
  listing: Listing = { isListed: false },
): object {
  const ref = parseTargetKey(plan.target);
  const { deletions } = plan;
  return {
    namespace: ref?.namespace,
    app: ref?.application,
    env: ref?.environment,
    source: commit === undefined ? { label } : { label, commit },
    targetNamespace: plan.namespace,
    digest: plan.digest,
    counts: {
      delete: countOf(plan, 'delete'),
      replace: countOf(plan, 'replace'),
      change: countOf(plan, 'change'),
      adopt: countOf(plan, 'adopt'),
      create: countOf(plan, 'create'),
      blocked: countOf(plan, 'blocked'),
      unchanged: plan.unchanged,
    },
    ...(deletions.verdict === 'blocked'
      ? { blockedDeletions: { digest: deletions.digest, reason: deletions.reason } }
      : {}),
    radius: blastRadius(plan.items),
    quotas: plan.quotas,
    waits: plan.waits.map(({ objects, ...wait }) => ({ ...wait, objects: objects.map(shortNameOf) })),
    notes: plan.notes,
    ...(normalised === undefined ? {} : { normalised: normalisedData(normalised, listing) }),
    items: plan.items.map(
      ({ action, key, reason, origin, changes, predicted, forcedBy, consent, restarts, error, deniedBy }) => ({
        action,
        ...parseObjectKey(key),
        reason,
        ...(origin === undefined ? {} : { file: origin.file, line: origin.line }),
        ...(changes.length === 0 ? {} : { changes: changes.map(changeData) }),
        ...(predicted ? { predicted } : {}),
        ...(forcedBy === undefined ? {} : { forcedBy }),
        ...(consent === undefined ? {} : { needsApproval: consent.loss }),
        ...(restarts === undefined ? {} : { restarts }),
        ...(error === undefined ? {} : { error: error.toRecord() }),
        ...(deniedBy === undefined ? {} : { deniedBy }),
      }),
    ),
  };
}

function changeData({ isOrder, ...change }: PlannedChange): object {
  return { ...change, ...(isOrder === true ? { order: true } : {}) };
}

function countOf({ items }: Plan, action: PlanItem['action']): number {
  return items.filter((item) => item.action === action).length;
}
