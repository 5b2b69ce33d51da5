import {
  fieldAt,
  kindName,
  parseObjectKey,
  PlumbError,
  refOf,
  shortName,
  trackedTarget,
  keyOf,
  type Contents,
  type GroupKind,
  type KubeObject,
  type LiveObject,
  type ObjectKey,
  type TargetKey,
} from '@plumb/core';
import type { ApiResource, KubeClient } from '@plumb/kube';

export interface ContentsQuestion {
  readonly client: Pick<KubeClient, 'apiVersions' | 'resource' | 'get' | 'list' | 'count'>;
  readonly target: TargetKey;
  /** What is to be deleted. */
  readonly objects: readonly LiveObject[];
  /** What Git wants of this target: deleting a namespace would take it along. */
  readonly wanted: ReadonlySet<ObjectKey>;
  readonly signal: AbortSignal;
}

/** Names that are told of what a namespace holds; the rest is counted. */
const NAMED = 3;

/**
 * What deleting these objects would take along: the instances of definitions, and what namespaces hold that is not on its
 * way out with this target. A list that fails fails the whole look: what could not be read may be anything.
 */
export async function contentsOf(question: ContentsQuestion): Promise<ReadonlyMap<ObjectKey, Contents>> {
  const contents = new Map<ObjectKey, Contents>();
  for (const { key } of question.objects) {
    const ref = parseObjectKey(key);
    const kind = ref === undefined ? '' : kindName(ref);
    if (kind === 'CustomResourceDefinition.apiextensions.k8s.io') contents.set(key, await instancesOf(key, question));
    if (kind === 'Namespace') contents.set(key, await foreignIn(ref?.name ?? '', question));
  }
  return contents;
}

async function instancesOf(definition: ObjectKey, { client, signal }: ContentsQuestion): Promise<Contents> {
  const name = parseObjectKey(definition)?.name ?? '';
  const resource = await client.resource(
    { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
    { signal },
  );
  const crd = await client.get(resource, { name }, { signal });
  const group = fieldAt(crd, 'spec', 'group');
  const kind = fieldAt(crd, 'spec', 'names', 'kind');
  if (typeof group !== 'string' || typeof kind !== 'string') return { count: 0, some: [] };
  const instances = await servedAs(client, { group, kind }, signal);
  return { count: instances === undefined ? 0 : await client.count(instances, { signal }), some: [] };
}

async function foreignIn(namespace: string, question: ContentsQuestion): Promise<Contents> {
  const { client, target, wanted, signal } = question;
  const all: KubeObject[] = [];
  for (const resource of await namespacedKinds(client, signal)) {
    all.push(...(await client.list(resource, { namespace, metadataOnly: true, signal })).items);
  }
  const going = new Set(question.objects.map(({ uid }) => uid));
  // What an object owns goes with it, and what that owns too.
  for (let before = -1; before !== going.size;) {
    before = going.size;
    for (const object of all) {
      if (isGoing(object, { target, wanted, going })) going.add(object.metadata.uid ?? '');
    }
  }
  const foreign = all.filter(({ metadata }) => !going.has(metadata.uid ?? ''));
  return { count: foreign.length, some: foreign.slice(0, NAMED).map((object) => shortName(refOf(object))) };
}

interface Going {
  readonly target: TargetKey;
  readonly wanted: ReadonlySet<ObjectKey>;
  /** Uids. */
  readonly going: ReadonlySet<string>;
}

function isGoing(object: KubeObject, { target, wanted, going }: Going): boolean {
  const { metadata } = object;
  if (metadata.deletionTimestamp !== undefined || isMadeByKubernetes(object)) return true;
  if (trackedTarget(object) === target && !wanted.has(keyOf(object))) return true;
  const owners = fieldAt(object, 'metadata', 'ownerReferences');
  return Array.isArray(owners) && owners.some((owner) => going.has(String(fieldAt(owner, 'uid'))));
}

/** Made in every namespace, or derived from other objects: nobody misses it. */
function isMadeByKubernetes({ kind, metadata }: KubeObject): boolean {
  if (kind === 'ConfigMap') return metadata.name === 'kube-root-ca.crt' || metadata.name === 'openshift-service-ca.crt';
  if (kind === 'ServiceAccount') return metadata.name === 'default';
  return kind === 'Secret' && metadata.annotations?.['kubernetes.io/service-account.name'] === 'default';
}

const DERIVED = new Set(['Event', 'Event.events.k8s.io', 'Endpoints', 'EndpointSlice.discovery.k8s.io']);

/** Every kind that can lie in a namespace, in the version that the server prefers. */
async function namespacedKinds(
  client: ContentsQuestion['client'],
  signal: AbortSignal,
): Promise<readonly ApiResource[]> {
  const kinds = new Map<string, GroupKind>();
  for (const name of await client.apiVersions({ signal })) {
    // `v1`, `v1/Pod`, `apps/v1`, `apps/v1/Deployment`: a kind begins with a capital letter.
    const parts = name.split('/');
    const kind = parts.at(-1) ?? '';
    if (!/^[A-Z]/.test(kind)) continue;
    const groupKind = { group: parts.length === 3 ? (parts[0] ?? '') : '', kind };
    const isLease = groupKind.group === 'coordination.k8s.io' || groupKind.group === 'metrics.k8s.io';
    if (!isLease && !DERIVED.has(kindName(groupKind))) kinds.set(kindName(groupKind), groupKind);
  }
  const served = await Promise.all([...kinds.values()].map((groupKind) => servedAs(client, groupKind, signal)));
  return served.filter((resource) => resource?.namespaced === true && resource.verbs.includes('list')) as ApiResource[];
}

/** Undefined where the kind has gone meanwhile. */
async function servedAs(
  client: ContentsQuestion['client'],
  groupKind: GroupKind,
  signal: AbortSignal,
): Promise<ApiResource | undefined> {
  try {
    return await client.resource(groupKind, { signal });
  } catch (thrown) {
    if (thrown instanceof PlumbError && thrown.code === 'KindMissing') return undefined;
    throw thrown;
  }
}
