import { formatChanges, formatWhere, parseObjectKey, parseTargetKey, shortName, type ObjectKey, type Where } from '@plumb/core';
import type { Plan, PlanItem } from '@plumb/engine';
import { oneLine } from './printable.ts';
import { ACTION_SIGNS, paint, showSign, type Style } from './style.ts';
import { formatTable } from './table.ts';

export interface LabelledPlan {
  readonly plan: Plan;
  /** What it is a plan of: `9f3c1ab`, `working copy`. */
  readonly label: string;
}

/** At most this many fields of one object, unless all are asked for. */
const FEW_FIELDS = 6;

/** One plan as people read it: what is lost first, the file and line of each object, then the counts. */
export function planText(
  { plan, label }: LabelledPlan,
  options: { readonly style: Style; readonly isFull: boolean },
): string {
  const { style } = options;
  const ref = parseTargetKey(plan.target);
  const environment = ref?.environment === undefined ? '' : ` → ${ref.environment}`;
  const head = `Plan  ${ref?.application ?? plan.target}@${label}${environment}   namespace ${plan.namespace}   digest ${plan.digest}\n`;
  const rows = plan.items.flatMap((item) => itemRows(item, plan, options));
  const table = rows.length === 0 ? '' : formatTable(rows, { gap: 2 });
  const refusal =
    plan.deletions.verdict === 'blocked'
      ? `${paint(style, 'red', 'Blocked')}: nothing is deleted, because ${oneLine(plan.deletions.reason)}. ` +
        `Approve exactly this set: plumb sync ${commandName(plan)} --approve-deletion ${plan.deletions.digest}\n`
      : '';
  const notes = plan.notes.map((note) => `note: ${oneLine(note)}\n`).join('');
  return `${head}${indented(table)}${countsText(plan)}\n${notes}${refusal}`;
}

function indented(table: string): string {
  return table.replaceAll(/^(?=.)/gm, '  ');
}

function itemRows(
  item: PlanItem,
  plan: Plan,
  { style, isFull }: { readonly style: Style; readonly isFull: boolean },
): readonly (readonly string[])[] {
  const origin = item.origin === undefined ? '' : paint(style, 'gray', oneLine(formatWhere(item.origin)));
  const details = detailsOf(item, plan).map(oneLine);
  const shown = isFull ? details : details.slice(0, FEW_FIELDS);
  const hidden = details.length - shown.length;
  const [first = '', ...others] = hidden > 0 ? [...shown, `and ${hidden} more fields (--full)`] : shown;
  const sign = `${showSign(style, ACTION_SIGNS[item.action])} ${item.action}`;
  const name = nameOf(item.key, plan);
  // What is long stands last in its row, so that it widens no column.
  const head = item.error === undefined ? [sign, name, first, origin] : [sign, name, origin];
  const more = item.error === undefined ? others : [first, ...others];
  return [head, ...more.map((detail) => ['', '', detail])];
}

function detailsOf(item: PlanItem, plan: Plan): readonly string[] {
  if (item.error !== undefined) return [`${item.error.message}`, `fix: ${item.error.fix}`];
  if (item.action === 'delete')
    return [plan.deletions.verdict === 'blocked' ? '!! needs an approval' : 'not in Git any more'];
  if (item.action === 'create') return [item.predicted ? 'its namespace or kind comes first' : ''];
  const reasons = item.action === 'adopt' ? ['is there already, and not managed'] : [];
  if (item.reason === 'drifted') reasons.push('drifted');
  const lines = formatChanges(item.changes);
  return [...reasons, ...item.changes.map(({ place }, index) => `${lines[index] ?? ''}${placeText(place, item.origin)}`)];
}

/** Where the change is made, unless the object's own line says it already. */
function placeText(place: Where | undefined, origin: Where | undefined): string {
  if (place === undefined || (place.file === origin?.file && place.line === origin?.line)) return '';
  return place.file === origin?.file ? `  (line ${place.line ?? ''})` : `  (${formatWhere(place)})`;
}

/** `Deployment/api`, with the namespace where it is not the target's. */
function nameOf(key: ObjectKey, plan: Plan): string {
  const ref = parseObjectKey(key);
  if (ref === undefined) return key;
  const elsewhere = ref.namespace === '' || ref.namespace === plan.namespace ? '' : ` (${ref.namespace})`;
  return shortName(ref) + elsewhere;
}

/** `1 to delete, 2 to change, 1 to create, 36 unchanged.` */
function countsText(plan: Plan): string {
  const words = {
    delete: 'to delete',
    change: 'to change',
    adopt: 'to adopt',
    create: 'to create',
    blocked: 'refused',
  };
  const counts = Object.entries(words).flatMap(([action, word]) => {
    const count = plan.items.filter((item) => item.action === action).length;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  return `${[...counts, `${plan.unchanged} unchanged`].join(', ')}.`;
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
    items: plan.items.map(({ action, key, reason, origin, changes, predicted, error }) => ({
      action,
      ...parseObjectKey(key),
      reason,
      ...(origin === undefined ? {} : { file: origin.file, line: origin.line }),
      ...(changes.length === 0 ? {} : { changes }),
      ...(predicted ? { predicted } : {}),
      ...(error === undefined ? {} : { error: error.toRecord() }),
    })),
  };
}

function countOf({ items }: Plan, action: PlanItem['action']): number {
  return items.filter((item) => item.action === action).length;
}
