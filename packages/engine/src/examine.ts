import {
  deletionId,
  fieldAt,
  groupOf,
  keyOf,
  kindName,
  parseObjectKey,
  PlumbError,
  type Finding,
  type Findings,
  type GroupKind,
  type LiveObject,
  type ObjectKey,
  type TargetKey,
} from '@plumb/core';
import type { ApiResource, KubeClient } from '@plumb/kube';
import type { LedgerReader } from '@plumb/ledger';

export interface ExamineContext {
  readonly client: Pick<KubeClient, 'resource' | 'kinds' | 'list' | 'get' | 'count' | 'invalidateDiscovery'>;
  readonly signal: AbortSignal;
}

/** What the cluster says about objects that are to go: what else would go with them. */
export async function examine(objects: readonly LiveObject[], context: ExamineContext): Promise<Findings> {
  const going = new Set(objects.map(deletionId));
  const findings = new Map<ObjectKey, Finding>();
  const holders = objects.flatMap(({ key }) => {
    const ref = parseObjectKey(key);
    return ref !== undefined && HOLDERS.has(kindName(ref)) ? { key, ref } : [];
  });
  // A kind that came since the kinds were last read would look as if there was nothing of it.
  if (holders.length > 0) context.client.invalidateDiscovery();
  for (const { key, ref } of holders) {
    const finding =
      kindName(ref) === 'Namespace'
        ? { foreign: await foreignIn(ref.name, going, context) }
        : { instances: await countInstances(ref.name, context) };
    findings.set(key, finding);
  }
  return findings;
}

/** What takes other objects with it. */
const HOLDERS = new Set(['Namespace', 'CustomResourceDefinition.apiextensions.k8s.io']);

async function countInstances(name: string, { client, signal }: ExamineContext): Promise<number> {
  const definitions = await client.resource(
    { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
    { signal },
  );
  const definition = await client.get(definitions, { name }, { signal });
  const group = fieldAt(definition, 'spec', 'group');
  const kind = fieldAt(definition, 'spec', 'names', 'kind');
  if (typeof group !== 'string' || typeof kind !== 'string') return 0;
  const resource = await resourceOf({ group, kind }, { client, signal });
  return resource === undefined ? 0 : client.count(resource, { signal });
}

/** Undefined where the server does not serve the kind, so that there is nothing of it to be seen. */
async function resourceOf(kind: GroupKind, { client, signal }: ExamineContext): Promise<ApiResource | undefined> {
  try {
    return await client.resource(kind, { signal });
  } catch (thrown) {
    if (thrown instanceof PlumbError && thrown.code === 'KindMissing') return undefined;
    throw thrown;
  }
}

/** What controllers write about other objects, and what is measured: it goes with its namespace, and nobody misses it. */
const BYPRODUCTS = new Set([
  'Event',
  'Event.events.k8s.io',
  'Lease.coordination.k8s.io',
  'Endpoints',
  'EndpointSlice.discovery.k8s.io',
]);
/** What Kubernetes itself puts into every namespace. */
const FURNITURE = new Set(['/ConfigMap/kube-root-ca.crt', '/ServiceAccount/default']);

/**
 * What is in a namespace and is not among what goes, by name, sorted. What has an owner goes with its owner. A kind that
 * cannot be listed fails the whole: whether something of it is there is not known.
 */
async function foreignIn(
  namespace: string,
  going: ReadonlySet<string>,
  { client, signal }: ExamineContext,
): Promise<readonly string[]> {
  const kinds = (await client.kinds({ signal })).filter(
    (resource) =>
      resource.namespaced &&
      resource.verbs.includes('list') &&
      // What can be listed and not deleted is computed, as metrics are.
      resource.verbs.includes('delete') &&
      !BYPRODUCTS.has(kindName(resource)),
  );
  const found = new Set<string>();
  const lists = kinds.map(async (resource) => {
    for (const object of (await client.list(resource, { namespace, metadataOnly: true, signal })).items) {
      const { name, uid = '', ownerReferences = [] } = object.metadata;
      const isFurniture = FURNITURE.has(`${groupOf(object.apiVersion)}/${object.kind}/${name}`);
      if (isFurniture || ownerReferences.length > 0 || going.has(deletionId({ key: keyOf(object), uid }))) continue;
      found.add(`${object.kind}/${name}`);
    }
  });
  await Promise.all(lists);
  return [...found].sort();
}

/** Releases that are searched, newest first. */
const MAX_RELEASES = 20;

/**
 * Who removed objects from Git: the commit of the first release that does not have them, as far back as their objects are
 * kept. Where no release tells (none was made of this commit yet), it is the commit at hand.
 */
export async function removersOf(
  keys: readonly ObjectKey[],
  target: TargetKey,
  ledger: Pick<LedgerReader, 'releases' | 'releaseObjects'>,
  atHand: string | undefined,
): Promise<ReadonlyMap<ObjectKey, string>> {
  const removers = new Map<ObjectKey, string>();
  const open = new Set(keys);
  let after = atHand;
  for (const release of await ledger.releases(target, { limit: MAX_RELEASES })) {
    if (open.size === 0) break;
    const objects = await ledger.releaseObjects(target, release.number);
    if (objects === undefined) break;
    for (const { object } of objects) {
      const key = keyOf(object);
      if (!open.delete(key) || after === undefined) continue;
      removers.set(key, after);
    }
    after = `${release.commit.slice(0, 7)} by ${release.author}`;
  }
  return removers;
}
