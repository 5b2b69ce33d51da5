import { randomBytes } from 'node:crypto';
import {
  canonicalJson,
  crdSchemas,
  fail,
  keyOf,
  kindName,
  observe,
  ok,
  parseGroupKinds,
  place,
  planDigest,
  plannedWaits,
  PlumbError,
  secretMask,
  shortNameOf,
  syncOptionsOf,
  trackedTarget,
  APPLYSET_GROUP_KINDS_ANNOTATION,
  type DesiredObject,
  type DesiredSet,
  type HookPhase,
  type KubeObject,
  type LiveObject,
  type ObjectKey,
  type Plan,
  type PlanItem,
  type PlannedUse,
  type Rendered,
  type Result,
} from '@plumb/core';
import { FieldPlaces, FindingPlaces } from '@plumb/render';
import type { Externals } from './externals.ts';
import { judgePlan } from './judge-plan.ts';
import { deletion, plannedDeletions } from './plan-deletions.ts';
import { unreadNotes } from './plan-drift.ts';
import { groupKindOf, PlanKinds } from './plan-kinds.ts';
import { PlanLive } from './plan-live.ts';
import { planObject } from './plan-object.ts';
import { quotasOf } from './plan-quotas.ts';
import type { PlanRequest } from './plan-request.ts';
import type { NamedPolicies } from './policy-files.ts';
import type { TargetSpec } from './targets.ts';

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
  const kinds = await PlanKinds.load(
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
  const { deletions, kept } = await plannedDeletions(request, members, desired);
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

/** The live objects that bear the label of the application, of the kinds that it has or wants. */
async function listMarked(
  { client, spec, parent, signal, live = new PlanLive(client, { isWide: false }) }: PlanRequest,
  kinds: PlanKinds,
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

/** A key that lives as long as one plan: a tag tells what is equal in it, and nothing in another. */
const TAG_KEY_BYTES = 32;
