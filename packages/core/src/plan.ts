import type { AdmissionDenial } from './admission-denial.ts';
import { digest } from './canonical.ts';
import type { Reason } from './decide.ts';
import { isProtectedKind, type DeletionVerdict } from './deletion.ts';
import type { FieldChange } from './diff.ts';
import type { PlumbError } from './error.ts';
import { parseFieldPath, valueAt } from './field-path.ts';
import { parseObjectKey, shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import { ownersOf, type FieldOwner } from './managed-fields.ts';
import { fieldAt, type Json, type KubeObject } from './object.ts';
import type { PlannedWait } from './planned-waits.ts';
import { formatChange } from './change-text.ts';
import type { PlanPolicies } from './plan-policies.ts';
import type { QuotaExcess } from './quota.ts';
import type { Origin } from './rendered.ts';

/** A field that a plan changes. */
export interface PlannedChange extends FieldChange {
  /** The line of the repository that makes the change, as far as that can be known. */
  readonly place?: { readonly file: string; readonly line: number };
  /** Others who own the field now: what they made of it goes. */
  readonly owners?: readonly FieldOwner[];
}

/** What a plan does to one object. */
export interface PlanItem {
  /** `adopt`: the object is there, and not (or no longer) managed by a living application. */
  readonly action: 'delete' | 'replace' | 'change' | 'adopt' | 'create' | 'blocked';
  readonly key: ObjectKey;
  readonly reason?: Reason;
  readonly origin?: Origin;
  /** Field by field; empty for what is created or deleted whole. Values of Secrets are masked. */
  readonly changes: readonly PlannedChange[];
  /** The API server could not be asked yet: the namespace or the kind comes with the same plan. */
  readonly predicted: boolean;
  /** The field for which the object has to be deleted and made anew. */
  readonly forcedBy?: string;
  /** Where an object that holds data has to be made anew, which takes an approval: which one, and what is lost with it. */
  readonly consent?: { readonly uid: string; readonly loss: string };
  /** Why the API server, or another application, stands in the way. */
  readonly error?: PlumbError;
  /** The ValidatingAdmissionPolicy of the cluster that refuses it, where it was one. */
  readonly deniedBy?: AdmissionDenial;
  /** Fingerprint of what the plan has seen of the live object and touches; undefined where there is none. */
  readonly touched?: string;
  /** How many pods are made anew; undefined where the object runs none, or they stay. */
  readonly restarts?: number;
}

/** What a commit, or a working copy, would do to one target. */
export interface Plan {
  readonly target: TargetKey;
  readonly namespace: string;
  /** Names all that it does, to what, and under which rules: see `planDigest`. */
  readonly digest: string;
  /** Of the desired set alone. */
  readonly desired: string;
  /** What would not be left as it is: deletions first, then in the order of applying. */
  readonly items: readonly PlanItem[];
  /** How many objects stay as they are. */
  readonly unchanged: number;
  readonly deletions: DeletionVerdict;
  /** Quotas that would not suffice for all of it. */
  readonly quotas: readonly QuotaExcess[];
  /** What a release that does it waits for, in this order. */
  readonly waits: readonly PlannedWait[];
  /** What the policies of the application say of it; undefined where it names none. */
  readonly policies?: PlanPolicies;
  /** What else a person should know: the version of a fetched chart, warnings, what is left out. */
  readonly notes: readonly string[];
}

/**
 * Twelve characters over what Git wants, what is touched of the live objects, and the rules that were applied. Two plans
 * with one digest do the same to the same; a live field that the plan does not touch may change as it likes.
 */
export function planDigest(desired: string, rules: string, items: readonly PlanItem[]): string {
  const touched = items.map(({ action, key, touched: seen = '' }) => `${key} ${action} ${seen}`).sort();
  return digest([desired, rules, ...touched]).slice(0, 12);
}

/** Fingerprint of a live object, as far as these fields go. Without fields: that it is this very object. */
export function touchedOf(live: KubeObject, changes: readonly FieldChange[]): string {
  const values = changes.map(({ path }): Json => {
    return [path, valueAt(live, parseFieldPath(path) ?? []) ?? null];
  });
  return digest([live.metadata.uid ?? '', ...values]).slice(0, 12);
}

/** The changes with those who own the fields now, besides us. */
export function withOwners(live: KubeObject, changes: readonly FieldChange[]): readonly PlannedChange[] {
  return changes.map((change) => {
    const owners = ownersOf(live, parseFieldPath(change.path) ?? []);
    return owners.length === 0 ? change : { ...change, owners };
  });
}

/** How many pods changes of a workload make anew; undefined where none. */
export function restartsOf(live: KubeObject, changes: readonly FieldChange[]): number | undefined {
  if (!changes.some(({ path }) => path.startsWith('spec.template.'))) return undefined;
  const count = live.kind === 'DaemonSet' ? fieldAt(live, 'status', 'desiredNumberScheduled') : replicasOf(live);
  return typeof count === 'number' ? count : undefined;
}

function replicasOf(live: KubeObject): unknown {
  const isRolled = live.kind === 'Deployment' || live.kind === 'StatefulSet';
  return isRolled ? fieldAt(live, 'spec', 'replicas') : undefined;
}

/** How far a plan reaches. */
export interface BlastRadius {
  /** Objects that do not stay as they are. */
  readonly objects: number;
  readonly deletions: number;
  readonly replacements: number;
  /** Workloads whose pods are made anew, and how many pods these are. */
  readonly restarts: number;
  readonly pods: number;
  /** Sorted. */
  readonly namespaces: readonly string[];
  /** What holds data and is deleted or made anew: `PersistentVolumeClaim/reports`. */
  readonly stateful: readonly string[];
}

export function blastRadius(items: readonly PlanItem[]): BlastRadius {
  const count = (action: PlanItem['action']): number => items.filter((item) => item.action === action).length;
  const restarting = items.flatMap(({ restarts }) => restarts ?? []);
  const namespaces = items.map(({ key }) => parseObjectKey(key)?.namespace ?? '').filter((name) => name !== '');
  const lost = items.filter(({ action }) => action === 'delete' || action === 'replace');
  return {
    objects: items.filter(({ action }) => action !== 'blocked').length,
    deletions: count('delete'),
    replacements: count('replace'),
    restarts: restarting.length,
    pods: restarting.reduce((sum, pods) => sum + pods, 0),
    namespaces: [...new Set(namespaces)].sort(),
    stateful: lost.flatMap(({ key }) => (isProtectedKind(key) ? shortNameOf(key) : [])).sort(),
  };
}

const TO_DO: Readonly<Record<PlanItem['action'], string>> = {
  delete: 'to delete',
  replace: 'to replace',
  change: 'to change',
  adopt: 'to adopt',
  create: 'to create',
  blocked: 'refused',
};

/** How many objects there are of each action, the worst first; actions without any are left out. */
export function planCounts(items: readonly PlanItem[]): readonly (readonly [count: number, what: string])[] {
  const actions = Object.keys(TO_DO) as PlanItem['action'][];
  return actions.flatMap((action) => {
    const count = items.filter((item) => item.action === action).length;
    return count === 0 ? [] : [[count, TO_DO[action]] as const];
  });
}

/** Why a plan is void: what has moved since, one sentence each; empty where both do the same. */
export function planDelta(before: ComparedPlan, now: ComparedPlan): readonly string[] {
  const delta: string[] = [];
  if (before.desired !== now.desired) delta.push('Git wants something else now');
  const old = new Map(before.items.map((item) => [item.key, item]));
  for (const item of now.items) {
    const was = old.get(item.key);
    old.delete(item.key);
    const name = shortNameOf(item.key);
    if (was === undefined) delta.push(`${name} would be ${DONE[item.action]} too`);
    else if (was.action !== item.action) delta.push(`${name} would be ${DONE[item.action]}, not ${DONE[was.action]}`);
    else if (was.touched !== item.touched) delta.push(...movedIn(name, was, item));
  }
  for (const { key, action } of old.values()) delta.push(`${shortNameOf(key)} would not be ${DONE[action]} any more`);
  if (delta.length === 0 && before.digest !== now.digest) delta.push('the rules of the application are others now');
  return delta;
}

/** What of a plan is kept to compare it with a later one. */
export type ComparedPlan = Pick<Plan, 'digest' | 'desired'> & {
  readonly items: readonly Pick<PlanItem, 'key' | 'action' | 'changes' | 'touched'>[];
};

const DONE: Readonly<Record<PlanItem['action'], string>> = {
  adopt: 'adopted',
  blocked: 'refused',
  change: 'changed',
  create: 'created',
  delete: 'deleted',
  replace: 'replaced',
};

function movedIn(name: string, was: Pick<PlanItem, 'changes'>, now: Pick<PlanItem, 'changes'>): readonly string[] {
  const before = new Map(was.changes.map((change) => [change.path, change]));
  const moved = now.changes.flatMap((change) => {
    const old = before.get(change.path);
    before.delete(change.path);
    if (old === undefined) return `${name}: ${formatChange(change)} besides`;
    if (digest([old.before ?? null]) === digest([change.before ?? null])) return [];
    return `${name}: ${formatChange({ path: change.path, ...valuesOf(old.before, change.before) })} since`;
  });
  const gone = [...before.values()].map((change) => `${name}: ${change.path} needs no change any more`);
  const told = [...moved, ...gone];
  return told.length === 0 ? [`${name} is not what it was`] : told;
}

function valuesOf(
  before: Json | undefined,
  after: Json | undefined,
): { readonly before?: Json; readonly after?: Json } {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}
