import { groupOf, kindName, PlumbError, type KubeObject } from '@plumb/core';
import type { ApiResource, KubeClient } from '@plumb/kube';

/** What a person calls an object: `Deployment/web`, `deployment/web`, `deployments.apps/web`. */
export interface ObjectName {
  readonly kind: string;
  readonly name: string;
}

/** Errors: `Usage`. */
export function parseObjectName(text: string): ObjectName {
  const slash = text.indexOf('/');
  if (slash <= 0 || slash === text.length - 1) {
    throw new PlumbError('Usage', `${text} is not an object`, { fix: 'Name it as KIND/NAME: Deployment/web.' });
  }
  return { kind: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** Whether it is meant: by kind or plural, in any case, with or without the group. */
export function isNamed({ kind, name }: ObjectName, object: KubeObject): boolean {
  const group = groupOf(object.apiVersion);
  return object.metadata.name === name && namesOf({ group, kind: object.kind }).includes(kind.toLowerCase());
}

function namesOf({
  group,
  kind,
  plural,
}: Pick<ApiResource, 'group' | 'kind'> & { plural?: string }): readonly string[] {
  const names = [kind, plural ?? pluralOf(kind)].flatMap((one) => [one, kindName({ group, kind: one })]);
  return names.map((one) => one.toLowerCase());
}

/** As the server makes them up for all built-in kinds but `Endpoints`, which is its own plural. */
function pluralOf(kind: string): string {
  if (/[^aeiou]y$/.test(kind)) return `${kind.slice(0, -1)}ies`;
  return /(?:s|x|ch|sh)$/.test(kind) ? `${kind}es` : `${kind}s`;
}

/** The object of a namespace, or of the whole cluster where its kind is of that. Errors: `KindMissing`, `NotFound`. */
export async function readNamed(
  client: KubeClient,
  named: ObjectName,
  { namespace, signal }: { readonly namespace: string; readonly signal: AbortSignal },
): Promise<KubeObject> {
  const { name } = named;
  const resource = await kindNamed(client, named.kind, { signal });
  const object = await client.get(resource, { name, ...(resource.namespaced ? { namespace } : {}) }, { signal });
  if (object !== undefined) return object;
  const where = resource.namespaced ? ` in ${namespace}` : '';
  throw new PlumbError('NotFound', `There is no ${resource.kind}/${name}${where}`, {
    fix: 'Name the namespace with -n, or the application before the object.',
  });
}

/** How the cluster serves a kind that a person names, the built-in one of several. Errors: `KindMissing`. */
export async function kindNamed(
  client: Pick<KubeClient, 'kinds'>,
  kind: string,
  call: { readonly signal: AbortSignal },
): Promise<ApiResource> {
  const kinds = (await client.kinds(call)).filter((one) => namesOf(one).includes(kind.toLowerCase()));
  // A kind of many groups is the built-in one: those have a short group, or the one of Kubernetes.
  const [resource] = kinds.toSorted((a, b) => foreignness(a) - foreignness(b));
  if (resource === undefined) throw new PlumbError('KindMissing', `The cluster has no kind ${kind}`);
  return resource;
}

function foreignness({ group }: ApiResource): number {
  if (!group.includes('.')) return 0;
  return group.endsWith('.k8s.io') ? 1 : 2;
}
