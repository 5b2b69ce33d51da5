import {
  besidesChanges,
  checkSchema,
  decide,
  diffObjects,
  formatFieldPath,
  isAbort,
  isProtectedKind,
  located,
  lossOf,
  observe,
  ownEntry,
  parseFieldPath,
  PlumbError,
  readAdmissionDenial,
  restartsOf,
  sentObject,
  shortNameOf,
  takeOver,
  toPlumbError,
  touchedOf,
  valueAt,
  withOwners,
  PART_OF_LABEL,
  type CrdSchemas,
  type Decision,
  type DesiredObject,
  type FieldChange,
  type KubeObject,
  type LiveObject,
  type ObjectKey,
  type PlanItem,
  type PlannedUse,
  type SecretMask,
  type TargetKey,
} from '@plumb/core';
import { applyWish } from './apply-wish.ts';
import { leftByWishes, plannedDrift, standingNotes } from './plan-drift.ts';
import { groupKindOf, type PlanKinds } from './plan-kinds.ts';
import type { PlanRequest } from './plan-request.ts';
import { tryCreation } from './replace.ts';

/** An object that somebody writes all the time is compared with what it was a moment ago. */
const MAX_LOOKS = 5;

export interface ObjectContext {
  readonly kinds: PlanKinds;
  readonly newNamespaces: ReadonlySet<string>;
  readonly notes: string[];
  readonly mask: SecretMask;
  /** What objects make of what they run, for the quotas. */
  readonly uses: PlannedUse[];
  /** Of the kinds that the plan itself brings. */
  readonly definitions: CrdSchemas;
  /** The live objects of the application, as they were listed. */
  readonly marked: ReadonlyMap<ObjectKey, KubeObject>;
}

/** Undefined: the object stays as it is. */
export async function planObject(
  request: PlanRequest,
  desired: DesiredObject,
  context: ObjectContext,
  looks = 1,
): Promise<PlanItem | undefined> {
  const { client, spec, signal } = request;
  const { kinds, newNamespaces, notes, marked, mask, uses } = context;
  const { key, object } = desired;
  const { namespace, name } = object.metadata;
  const resource = kinds.get(groupKindOf(object));
  if (resource === undefined) return predictedCreation(desired, context);

  const impersonate = spec.writeAs;
  const listed = looks === 1 ? marked.get(key) : undefined;
  const current = listed ?? (await client.get(resource, { namespace, name }, { signal }));
  const isMarked = current?.metadata.labels?.[PART_OF_LABEL] !== undefined;
  const live = current !== undefined && isMarked ? observe(current) : undefined;
  const owner = ownerOf(request, live);
  const input = {
    target: spec.target,
    key,
    desired,
    live,
    applied: request.applied?.get(key),
    owner,
    replaceable: 'shown',
    policy: { conflicts: spec.conflicts },
  } as const;
  const first = decide(input);
  if (first.action === 'blocked') return itemOf(first, desired, current);
  // As the engine itself tells that there is nothing to do: what was applied is wanted, and nobody has touched it since.
  if (first.action === 'keep' && request.applied?.has(key) === true) {
    if (current !== undefined) request.leftOut?.(key, besidesChanges(current, object, []));
    return undefined;
  }
  const wasApplied = { desired, applied: request.applied?.get(key), live: current, mask };
  if (current === undefined) {
    const gone = plannedDrift(request, { ...wasApplied, healed: undefined });
    if (gone?.isWhole === false) {
      notes.push(...standingNotes(gone));
      return undefined;
    }
  }
  // As the apply itself would be made.
  const force = 'force' in first ? first.force : true;
  const sent = 'force' in first ? sentObject(first) : object;
  const asSent = { client, writeAs: impersonate, createNamespace: undefined, signal };
  const isLeft = leftByWishes(request, desired);
  const dryRun = await applyWish(sent, { force, dryRun: true }, asSent, isLeft).then(
    (answer) => ({
      answer: answer.object,
      left: answer.left,
      changes:
        current === undefined
          ? []
          : [...diffObjects(current, answer.object, { mask }), ...leavingWith(current, answer.object, mask)],
      isOfSameState: current?.metadata.resourceVersion === answer.object.metadata.resourceVersion,
    }),
    (thrown: unknown) => {
      if (isAbort(thrown, signal)) throw thrown;
      return { error: located(toPlumbError(thrown), desired) };
    },
  );
  if ('error' in dryRun) {
    if (dryRun.error.code === 'NamespaceMissing' && newNamespaces.has(namespace ?? '')) {
      return predictedCreation(desired, context);
    }
    if (dryRun.error.code === 'ClusterUnreachable') throw dryRun.error;
    if (dryRun.error.code === 'DryRunUnsupported') return predictedOf(first, desired, current);
  } else if (current !== undefined && !dryRun.isOfSameState && looks < MAX_LOOKS) {
    // Somebody wrote in between: what differs is theirs, not ours.
    return planObject(request, desired, context, looks + 1);
  }
  if ('left' in dryRun) {
    for (const { field, manager } of dryRun.left) notes.push(`${shortNameOf(key)}: ${field} is left to ${manager}`);
  }
  if ('changes' in dryRun && current !== undefined) {
    request.leftOut?.(key, besidesChanges(current, object, dryRun.changes));
  }
  const drift = 'changes' in dryRun ? plannedDrift(request, { ...wasApplied, healed: dryRun.answer }) : undefined;
  if (drift !== undefined) notes.push(...standingNotes(drift));
  const stands = new Set(drift?.stands.map(({ path }) => path));
  const decision = decide({
    ...input,
    dryRun: 'changes' in dryRun ? { changes: dryRun.changes.filter(({ path }) => !stands.has(path)) } : dryRun,
  });
  if (decision.action !== 'replace') {
    if (decision.action !== 'keep') uses.push({ before: current, after: 'answer' in dryRun ? dryRun.answer : object });
    return itemOf(decision, desired, current);
  }
  return await tryCreation(desired, { client, writeAs: impersonate, signal }).then(
    () => itemOf(decision, desired, current),
    (thrown: unknown) => {
      if (isAbort(thrown, signal)) throw thrown;
      const error = located(toPlumbError(thrown), desired);
      return itemOf({ action: 'blocked', key, desired, error }, desired, current);
    },
  );
}

/** What a former tool had put there and goes because Git does not name it: no dry-run of an apply tells of it. */
function leavingWith(current: KubeObject, answer: KubeObject, mask: SecretMask): readonly FieldChange[] {
  const change = ownEntry(current) === undefined ? takeOver(answer) : undefined;
  return (change?.leftovers ?? []).flatMap((path) => {
    const before = valueAt(current, parseFieldPath(path) ?? []);
    if (before === undefined) return [];
    return [{ path, before: current.kind === 'Secret' ? mask(before) : before }];
  });
}

function itemOf(decision: Decision, desired: DesiredObject, current: KubeObject | undefined): PlanItem | undefined {
  const { key } = decision;
  const { origin } = desired;
  if (decision.action === 'blocked') {
    const { error } = decision;
    const deniedBy = error.code === 'AdmissionDenied' ? readAdmissionDenial(error.message) : undefined;
    const item = { action: 'blocked', key, origin, changes: [], predicted: false, error } as const;
    return deniedBy === undefined ? item : { ...item, deniedBy };
  }
  if (decision.action === 'keep' || decision.action === 'delete') return undefined;
  if (decision.action === 'replace') {
    const { action, reason, field: forcedBy } = decision;
    const item = { action, key, reason, origin, changes: [], predicted: false, forcedBy } as const;
    if (current === undefined) return item;
    const { uid } = decision.live;
    const consent = isProtectedKind(key) ? { consent: { uid, loss: lossOf(current) } } : {};
    return { ...item, touched: touchedOf(current, []), ...consent };
  }
  const { reason, changes = [] } = decision;
  // An object that bears no marks is invisible to the decision, which says «create»; a person wants to know.
  const action = decision.action === 'update' ? 'change' : current === undefined ? 'create' : 'adopt';
  const item = { action, key, reason, origin, changes, predicted: false } as const;
  if (current === undefined) return item;
  const restarts = restartsOf(current, changes);
  return {
    ...item,
    changes: withOwners(current, changes),
    touched: touchedOf(current, changes),
    ...(restarts === undefined ? {} : { restarts }),
  };
}

/** What comes once its namespace or its kind is there, held against what is known of the kind without the server. */
function predictedCreation(desired: DesiredObject, { definitions, uses }: ObjectContext): PlanItem {
  const { key, object, origin } = desired;
  const [fault] = checkSchema(object, definitions).faults;
  const item = { key, origin, changes: [], predicted: true } as const;
  if (fault === undefined) {
    uses.push({ before: undefined, after: object });
    return { ...item, action: 'create', reason: 'absent' };
  }
  const field = formatFieldPath(fault.path);
  const error = new PlumbError('FieldInvalid', fault.message, { field, fix: fault.fix });
  return { ...item, action: 'blocked', error: located(error, desired) };
}

/** A webhook that knows no dry-runs keeps the API server from telling: what is known without it. */
function predictedOf(
  decision: Decision,
  desired: DesiredObject,
  current: KubeObject | undefined,
): PlanItem | undefined {
  const item = itemOf(decision, desired, current);
  return item === undefined ? undefined : { ...item, predicted: true };
}

/** The living target, other than this one, that the object's marks name. */
function ownerOf({ spec, targets }: PlanRequest, live: LiveObject | undefined): TargetKey | undefined {
  const target = live?.target;
  return target === undefined || target === spec.target || !targets.has(target) ? undefined : target;
}
