import { randomBytes } from 'node:crypto';
import {
  besidesChanges,
  canonicalJson,
  checkSchema,
  crdSchemas,
  decide,
  diffObjects,
  exceededQuotas,
  fail,
  formatFieldPath,
  groupOf,
  isAbort,
  isProtectedKind,
  keyOf,
  judgeDeletions,
  kindName,
  located,
  lossOf,
  observe,
  ok,
  ownEntry,
  parseFieldPath,
  parseGroupKinds,
  place,
  planDigest,
  plannedWaits,
  PlumbError,
  readAdmissionDenial,
  restartsOf,
  secretMask,
  sentObject,
  shortNameOf,
  syncOptionsOf,
  takeOver,
  toPlumbError,
  touchedOf,
  usesQuota,
  trackedTarget,
  valueAt,
  versionOf,
  withhold,
  withOwners,
  APPLYSET_GROUP_KINDS_ANNOTATION,
  PART_OF_LABEL,
  type AppliedObject,
  type CrdSchemas,
  type Decision,
  type DeletionVerdict,
  type DesiredObject,
  type DesiredSet,
  type DriftHold,
  type FieldChange,
  type GroupKind,
  type HookPhase,
  type KubeObject,
  type LiveObject,
  type Normalised,
  type ObjectKey,
  type Plan,
  type PlanItem,
  type PlannedUse,
  type QuotaExcess,
  type PlanPolicies,
  type Rendered,
  type Result,
  type SecretMask,
  type SourceTree,
  type TargetKey,
} from '@plumb/core';
import type { ApiResource, KubeClient } from '@plumb/kube';
import type { Policy } from '@plumb/policy';
import { FieldPlaces, FindingPlaces } from '@plumb/render';
import { examine } from './examine.ts';
import { leftByWishes, plannedDrift, standingNotes, unreadNotes } from './plan-drift.ts';
import { applyWish } from './apply-wish.ts';
import type { Externals } from './externals.ts';
import { judgePlan } from './judge-plan.ts';
import { tryCreation } from './replace.ts';
import { PlanLive } from './plan-live.ts';
import type { NamedPolicies } from './policy-files.ts';
import type { TargetRenderer } from './target-renderer.ts';
import type { TargetSpec } from './targets.ts';

export interface PlanRequest {
  readonly client: KubeClient;
  /** What is live; default: read for this plan alone. */
  readonly live?: PlanLive | undefined;
  readonly spec: TargetSpec;
  readonly tree: SourceTree;
  /** Epoch milliseconds: what `now` answers in templates. */
  readonly committedMs: number;
  readonly renderer: TargetRenderer;
  /** The Application as it is on the cluster; undefined where it is not there, so nothing can be deleted. */
  readonly parent: KubeObject | undefined;
  /** The targets that there are: an object that bears the marks of another one of them is not taken. */
  readonly targets: ReadonlySet<TargetKey>;
  /** What the ledger knows of the target's objects; without it a drift shows as a change. */
  readonly applied?: ReadonlyMap<ObjectKey, AppliedObject> | undefined;
  /** What people want to stand, and when that is asked (epoch milliseconds); default: nothing, and rules that end count. */
  readonly standing?:
    | {
        readonly holds: readonly DriftHold[];
        readonly time: number;
        /** Why there may be holds that are not known. */
        readonly unread?: string | undefined;
      }
    | undefined;
  /** The commit that is planned, which removes what is not in it: `3f2a1bc`. */
  readonly removedBy?: string | undefined;
  /** Hears what of an object differs from its manifest and is no change. Costs a comparison of every object. */
  readonly leftOut?: ((key: ObjectKey, fields: readonly Normalised[]) => void) | undefined;
  /** Told how to hold the plan against other policies than `own`, those of the application: for whoever only looks. */
  readonly judging?: ((judge: Judge, own: readonly Policy[] | undefined) => Promise<void>) | undefined;
  readonly signal: AbortSignal;
}

export type Judge = (policies: readonly Policy[]) => Promise<PlanPolicies>;

/**
 * What would happen: rendered by the same renderer, placed and decided by the same functions as the engine's own work,
 * and checked by the API server with a dry run of every object. Writes nothing. Errors of the input are returned; what
 * hinders a single object is an item of the plan.
 */
export async function planTarget(request: PlanRequest): Promise<Result<Plan, readonly PlumbError[]>> {
  const { client, spec, tree, renderer, committedMs, signal } = request;
  const externals = await renderer.externalsOf(spec, { signal });
  const rendered = await renderer.render(spec, { tree, externals, committedMs }, { signal });
  if (!rendered.ok) return fail(rendered.error);
  const named = await renderer.policiesOf(spec, tree, { signal });
  if (named?.ok === false) return fail(named.error);
  const { objects } = rendered.value;
  const kinds = await Kinds.load(
    client,
    objects.map(({ object }) => object),
    signal,
  );
  const { desired, errors } = place(objects, {
    target: spec.target,
    namespace: spec.namespace,
    applySet: spec.applySet,
    scopeOf: (groupKind) => kinds.scopeOf(groupKind),
  });
  if (errors.length > 0) return fail(errors);

  const newNamespaces = new Set(spec.createNamespace === undefined ? [] : [spec.createNamespace]);
  for (const { object } of desired.objects) {
    if (object.kind === 'Namespace' && object.apiVersion === 'v1') newNamespaces.add(object.metadata.name);
  }
  const left: string[] = [];
  const definitions = crdSchemas(desired.objects.map(({ object }) => object));
  const uses: PlannedUse[] = [];
  const mask = secretMask(randomBytes(TAG_KEY_BYTES));
  const marked = await listMarked(request, kinds, desired.objects);
  const members = [...marked.values()].flatMap((object) =>
    trackedTarget(object) === spec.target ? observe(object) : [],
  );
  const context = { kinds, newNamespaces, notes: left, marked, mask, definitions, uses };
  const outcomes = await Promise.all(desired.objects.map((object) => planObject(request, object, context)));
  const { deletions, kept } = await judge(request, members, desired);
  if (desired.objects.length === 0 && deletions.verdict === 'none') {
    return fail([new PlumbError('SuspiciouslyEmpty', `The source of ${spec.target} holds no manifests`)]);
  }

  if (deletions.verdict === 'allowed') {
    for (const { key } of deletions.objects) uses.push({ before: marked.get(key), after: undefined });
  }
  const quotas = await quotasOf(request, kinds, uses);
  const places = new FieldPlaces(tree, rendered.value);
  const items = await Promise.all(
    outcomes.filter((outcome) => outcome !== undefined).map((item) => withPlaces(item, places, signal)),
  );
  const leaving = deletions.verdict === 'none' ? [] : deletions.objects;
  const all = [...leaving.map(deletion), ...kept, ...items];
  const judged = {
    spec,
    desired,
    items: all,
    marked,
    places: new FindingPlaces(tree, rendered.value),
    isExact: true,
    signal,
  };
  const policies = named === undefined ? {} : { policies: await judgePlan(named.value.policies, judged) };
  await request.judging?.((more) => judgePlan(more, { ...judged, isExact: false }), named?.value.policies);
  return ok({
    target: spec.target,
    namespace: spec.namespace,
    digest: planDigest(desired.digest, rulesOf(spec, named?.value), all),
    desired: desired.digest,
    items: all,
    unchanged: outcomes.length - items.length,
    deletions,
    quotas: quotas.exceeded,
    waits: plannedWaits(desired, all),
    ...policies,
    notes: [
      ...notesOf(rendered.value, desired, externals, spec),
      ...keptNotes(members, desired),
      ...left.sort(),
      ...unreadNotes(request, all),
      ...quotas.notes,
    ],
  });
}

async function withPlaces(item: PlanItem, places: FieldPlaces, signal: AbortSignal): Promise<PlanItem> {
  const { origin } = item;
  if (origin === undefined) return item;
  const changes = item.changes.map(async (change) => {
    const place = await places.placeOf(origin, change, { signal });
    return place === undefined ? change : { ...change, place };
  });
  return { ...item, changes: await Promise.all(changes) };
}

/** What a person should know who reads the plan: what a range came to, and what is left out. */
function notesOf(
  { warnings }: Rendered,
  { objects, hooks, awaiting }: DesiredSet,
  externals: Externals | undefined,
  { isVolatile }: TargetSpec,
): readonly string[] {
  const notes = [...warnings];
  if (isVolatile) notes.push('random values are others with every render (spec.render.random: upstream)');
  for (const { subject, kind } of awaiting) {
    notes.push(`${subject} is applied once the cluster has the kind ${kindName(kind)}`);
  }
  for (const { key, object } of objects) {
    for (const note of syncOptionsOf(object).notes) notes.push(`${shortNameOf(key)}: ${note}`);
  }
  for (const phase of UNAWAITED_PHASES) {
    const run = hooks.filter(({ hook }) => hook.phases.includes(phase)).map(({ key }) => shortNameOf(key));
    if (run.length > 0) notes.push(`${phase} hooks: ${run.join(', ')}`);
  }
  const { chart } = externals ?? {};
  return chart === undefined ? notes : [`chart ${chart.name} ${chart.version} (${chart.digest})`, ...notes];
}

/** The hooks that no release waits for as long as all goes well. */
const UNAWAITED_PHASES: readonly HookPhase[] = ['SyncFail', 'PreDelete', 'PostDelete'];

/** What Git has let go of and an annotation keeps. */
function keptNotes(members: readonly LiveObject[], { objects, hooks }: DesiredSet): readonly string[] {
  const wanted = new Set([...objects, ...hooks].map(({ key }) => key));
  return members.flatMap(({ key, keep, hookRun }) =>
    keep === undefined || hookRun !== undefined || wanted.has(key)
      ? []
      : [`${shortNameOf(key)} is not in Git and is kept (${keep})`],
  );
}

/** What of a spec decides how a plan is carried out, besides what it renders to. */
function rulesOf({ conflicts, budget, writeAs = '' }: TargetSpec, named: NamedPolicies | undefined): string {
  const policies = named === undefined ? {} : { policies: named.digest };
  return canonicalJson({ conflicts, budget: { ...budget }, writeAs, ...policies });
}

function deletion({ key, uid }: LiveObject): PlanItem {
  return { action: 'delete', key, reason: 'removed', changes: [], predicted: false, touched: uid };
}

/** How the cluster serves the kinds of a plan, in the versions that the plan names. */
class Kinds {
  readonly #client: KubeClient;
  readonly #signal: AbortSignal;
  readonly #byKind = new Map<string, ApiResource>();

  static async load(client: KubeClient, objects: readonly KubeObject[], signal: AbortSignal): Promise<Kinds> {
    const kinds = new Kinds(client, signal);
    const wanted = new Map(objects.map((object) => [object.kind + ' ' + object.apiVersion, groupKindOf(object)]));
    await Promise.all([...wanted.values()].map((groupKind) => kinds.find(groupKind)));
    return kinds;
  }

  constructor(client: KubeClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  get(groupKind: GroupKind): ApiResource | undefined {
    return this.#byKind.get(kindName(groupKind));
  }

  scopeOf(groupKind: GroupKind): 'namespaced' | 'cluster' | undefined {
    const resource = this.get(groupKind);
    return resource === undefined ? undefined : resource.namespaced ? 'namespaced' : 'cluster';
  }

  /** Undefined where the cluster does not serve the kind. */
  async find(groupKind: GroupKind & { readonly version?: string }): Promise<ApiResource | undefined> {
    const known = this.get(groupKind);
    if (known !== undefined) return known;
    try {
      const resource = await this.#client.resource(groupKind, { signal: this.#signal });
      this.#byKind.set(kindName(groupKind), resource);
      return resource;
    } catch (thrown) {
      if (thrown instanceof PlumbError && thrown.code === 'KindMissing') return undefined;
      throw thrown;
    }
  }
}

/** An object that somebody writes all the time is compared with what it was a moment ago. */
const MAX_LOOKS = 5;

/** A key that lives as long as one plan: a tag tells what is equal in it, and nothing in another. */
const TAG_KEY_BYTES = 32;

interface ObjectContext {
  readonly kinds: Kinds;
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
async function planObject(
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

/** The quotas of the namespaces in which the plan runs more than there was; what cannot be read is a note. */
async function quotasOf(
  { client, signal }: PlanRequest,
  kinds: Kinds,
  uses: readonly PlannedUse[],
): Promise<{ readonly exceeded: readonly QuotaExcess[]; readonly notes: readonly string[] }> {
  const namespaces = new Set(
    uses.flatMap(({ after }) => (after === undefined || !usesQuota(after) ? [] : (after.metadata.namespace ?? []))),
  );
  if (namespaces.size === 0) return { exceeded: [], notes: [] };
  const resource = await kinds.find({ group: '', kind: 'ResourceQuota' });
  const notes: string[] = [];
  const lists = await Promise.all(
    [...namespaces].map(async (namespace): Promise<readonly KubeObject[]> => {
      try {
        return resource === undefined ? [] : (await client.list(resource, { namespace, signal })).items;
      } catch (thrown) {
        if (!(thrown instanceof PlumbError) || thrown.code !== 'Forbidden') throw thrown;
        notes.push(`the quotas of ${namespace} are not known: ${thrown.message}`);
        return [];
      }
    }),
  );
  return { exceeded: exceededQuotas(lists.flat(), uses), notes };
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

/** The live objects that bear the label of the application, of the kinds that it has or wants. */
async function listMarked(
  { client, spec, parent, signal, live = new PlanLive(client, { isWide: false }) }: PlanRequest,
  kinds: Kinds,
  desired: readonly DesiredObject[],
): Promise<ReadonlyMap<ObjectKey, KubeObject>> {
  if (parent === undefined) return new Map();
  const recorded = parseGroupKinds(parent.metadata.annotations?.[APPLYSET_GROUP_KINDS_ANNOTATION] ?? '');
  const wanted = desired.map(({ object }) => groupKindOf(object));
  const all = new Map([...recorded, ...wanted].map((groupKind) => [kindName(groupKind), groupKind]));
  const lists = await Promise.all(
    [...all.values()].map(async (groupKind) => {
      const resource = await kinds.find(groupKind);
      return resource === undefined ? [] : live.objectsOf(spec.applySet, resource, { signal });
    }),
  );
  return new Map(lists.flat().map((object) => [keyOf(object), object]));
}

async function judge(
  request: PlanRequest,
  members: readonly LiveObject[],
  { objects, hooks }: DesiredSet,
): Promise<{ readonly deletions: DeletionVerdict; readonly kept: readonly PlanItem[] }> {
  const { spec, client, signal, removedBy } = request;
  const wanted = new Set([...objects, ...hooks].map(({ key }) => key));
  const unwanted = members.filter((live) => {
    // Hooks have their own delete policies.
    if (wanted.has(live.key) || live.hookRun !== undefined) return false;
    const { target, conflicts } = spec;
    const question = { target, key: live.key, desired: undefined, live, applied: undefined, owner: undefined };
    return decide({ ...question, policy: { conflicts } }).action === 'delete';
  });
  const examined = await examine(unwanted, { client, signal });
  const findings = new Map(unwanted.map(({ key }) => [key, { removedBy, ...examined.get(key) }]));
  const { candidates, kept } = withhold(unwanted, findings);
  const deletions = judgeDeletions({
    candidates,
    memberCount: members.length,
    desiredCount: objects.length,
    budget: spec.budget,
    approved: spec.approvedDeletion,
    findings,
  });
  const items = kept.map((error): PlanItem => ({
    action: 'blocked',
    key: unwanted.find(({ key }) => shortNameOf(key) === error.subject)?.key ?? ('' as ObjectKey),
    changes: [],
    predicted: false,
    error,
  }));
  return { deletions, kept: items };
}

/** The living target, other than this one, that the object's marks name. */
function ownerOf({ spec, targets }: PlanRequest, live: LiveObject | undefined): TargetKey | undefined {
  const target = live?.target;
  return target === undefined || target === spec.target || !targets.has(target) ? undefined : target;
}

function groupKindOf({ apiVersion, kind }: KubeObject): GroupKind & { readonly version: string } {
  return { group: groupOf(apiVersion), version: versionOf(apiVersion), kind };
}
