import type { Application } from '@plumb/api';
import { PlumbError, refOf, shortName, type KubeObject, type ObjectRef } from '@plumb/core';
import { listMembers, type TargetSpec } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { isNamed, kindNamed, parseObjectName, type ObjectName } from './named-object.ts';

export interface TargetObject {
  readonly ref: ObjectRef;
  /**
   * Whether it is live and bears the marks of the target. A deleted object can be meant too, and a new one. Undefined where the
   * objects of the target may not be listed.
   */
  readonly isMember: boolean | undefined;
}

/**
 * The object of a target that `KIND/NAME` or `NAMESPACE/KIND/NAME` means: first among its live ones, else as the cluster serves
 * the kind, in the namespace of the target. Errors: `Usage`, `KindMissing`.
 */
export async function objectOfTarget(
  client: Pick<KubeClient, 'resource' | 'list' | 'kinds'>,
  { application, spec }: { readonly application: Application; readonly spec: TargetSpec },
  text: string,
  call: { readonly signal: AbortSignal },
): Promise<TargetObject> {
  const named = parsePlaced(text);
  const members = await membersOf(client, application, spec, call);
  const found = (members ?? []).filter((object) => {
    return isNamed(named, object) && (named.namespace ?? object.metadata.namespace) === object.metadata.namespace;
  });
  const [member, ...others] = found;
  if (others.length > 0) {
    const names = found.map((object) => `${object.metadata.namespace ?? ''}/${object.kind}/${object.metadata.name}`);
    throw new PlumbError('Usage', `several objects are named ${text}`, {
      fix: `Name one of: ${[...new Set(names)].join(', ')}; or its kind with the group, as in deployments.apps/web.`,
    });
  }
  if (member !== undefined) return { ref: refOf(member), isMember: true };
  const resource = await kindNamed(client, named.kind, call);
  const namespace = resource.namespaced ? (named.namespace ?? spec.namespace) : '';
  const { group, kind } = resource;
  return { ref: { group, kind, namespace, name: named.name }, isMember: members === undefined ? undefined : false };
}

/** Undefined for a person who may not list them: a name is enough to wish for something. */
async function membersOf(
  client: Pick<KubeClient, 'resource' | 'list'>,
  application: Application,
  { target }: TargetSpec,
  call: { readonly signal: AbortSignal },
): Promise<readonly KubeObject[] | undefined> {
  try {
    return await listMembers(client, application, target, { metadataOnly: true, ...call });
  } catch (thrown) {
    if (thrown instanceof PlumbError && thrown.code === 'Forbidden') return undefined;
    throw thrown;
  }
}

interface PlacedName extends ObjectName {
  readonly namespace?: string;
}

function parsePlaced(text: string): PlacedName {
  const [namespace = '', kind, name, ...rest] = text.split('/');
  if (name === undefined || kind === undefined || namespace === '' || rest.length > 0) return parseObjectName(text);
  return { namespace, ...parseObjectName(`${kind}/${name}`) };
}

/** `Deployment/web`, with the namespace where it is not that of the target. */
export function shownObject(ref: ObjectRef, { namespace }: Pick<TargetSpec, 'namespace'>): string {
  return ref.namespace === '' || ref.namespace === namespace ? shortName(ref) : `${ref.namespace}/${shortName(ref)}`;
}
