import { parseObjectKey, parseTargetKey, shortName, type ObjectKey } from '@plumb/core';
import type { Plan, PlanItem } from '@plumb/engine';
import { changeLines } from './change-lines.ts';
import { changeTable, countsLine, type ChangeTableOptions, type ObjectChange } from './change-table.ts';
import { oneLine } from './printable.ts';
import { paint } from './style.ts';

export interface LabelledPlan {
  readonly plan: Plan;
  /** What it is a plan of: `9f3c1ab`, `working copy`. */
  readonly label: string;
}

/** One plan as people read it: what is lost first, the file and line of each object, then the counts. */
export function planText({ plan, label }: LabelledPlan, options: ChangeTableOptions): string {
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
  return `${head}${table}${countsText(plan)}${notes}${refusal}`;
}

function toObjectChange(item: PlanItem, plan: Plan): ObjectChange {
  return {
    action: item.action,
    name: nameOf(item.key, plan),
    origin: item.origin,
    details: detailsOf(item, plan),
    hasSentences: item.error !== undefined,
  };
}

function detailsOf(item: PlanItem, plan: Plan): readonly string[] {
  if (item.error !== undefined) return [`${item.error.message}`, `fix: ${item.error.fix}`];
  if (item.action === 'delete')
    return [plan.deletions.verdict === 'blocked' ? '!! needs an approval' : 'not in Git any more'];
  if (item.action === 'replace') {
    return [`!! deleted and made anew: ${item.forcedBy} cannot be changed`];
  }
  if (item.action === 'create') return [item.predicted ? 'its namespace or kind comes first' : ''];
  const reasons = item.action === 'adopt' ? ['is there already, and not managed'] : [];
  if (item.reason === 'drifted') reasons.push('drifted');
  return [...reasons, ...changeLines(item.changes, item.origin)];
}

/** `Deployment/api`, with the namespace where it is not the target's. */
function nameOf(key: ObjectKey, plan: Plan): string {
  const ref = parseObjectKey(key);
  if (ref === undefined) return key;
  const elsewhere = ref.namespace === '' || ref.namespace === plan.namespace ? '' : ` (${ref.namespace})`;
  return shortName(ref) + elsewhere;
}

function countsText(plan: Plan): string {
  const words = {
    delete: 'to delete',
    replace: 'to replace',
    change: 'to change',
    adopt: 'to adopt',
    create: 'to create',
    blocked: 'refused',
  } as const;
  const actions = Object.keys(words) as (keyof typeof words)[];
  return countsLine(
    actions.map((action) => [countOf(plan, action), words[action]] as const),
    plan.unchanged,
  );
}

function commandName(plan: Plan): string {
  const ref = parseTargetKey(plan.target);
  if (ref === undefined) return '';
  return `${ref.application} -n ${ref.namespace}${ref.environment === undefined ? '' : ` -e ${ref.environment}`}`;
}

/** The same as data. */
export function planData({ plan, label }: LabelledPlan, commit: string | undefined): object {
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
    notes: plan.notes,
    items: plan.items.map(({ action, key, reason, origin, changes, predicted, forcedBy, error }) => ({
      action,
      ...parseObjectKey(key),
      reason,
      ...(origin === undefined ? {} : { file: origin.file, line: origin.line }),
      ...(changes.length === 0 ? {} : { changes }),
      ...(predicted ? { predicted } : {}),
      ...(forcedBy === undefined ? {} : { forcedBy }),
      ...(error === undefined ? {} : { error: error.toRecord() }),
    })),
  };
}

function countOf({ items }: Plan, action: PlanItem['action']): number {
  return items.filter((item) => item.action === action).length;
}
