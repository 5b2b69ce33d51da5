import { randomBytes } from 'node:crypto';
import {
  driftState,
  findDrift,
  isAbort,
  observe,
  parseObjectKey,
  PlumbError,
  secretMask,
  sentObject,
  toPlumbError,
  type AuditEvent,
  type Clock,
  type Drift,
  type DriftEvidence,
  type Json,
  type KubeObject,
  type LiveObject,
  type ObjectKey,
  type TargetKey,
  type Write,
} from '@plumb/core';
import type { NamespaceContext } from './create-namespace.ts';
import { fieldsWithoutSecrets } from './without-secrets.ts';

export interface InspectContext extends NamespaceContext {
  readonly target: TargetKey;
  readonly clock: Clock;
  /** Whether the stamps of the admission policy can be relied on. */
  readonly isStamped: boolean;
  /** The uid under which an object was applied last. */
  uidOf(key: ObjectKey): string;
  /** The object as it was read just now. */
  answered(object: KubeObject): void;
  /** As it is known now, which may be newer than what was read. */
  liveOf(key: ObjectKey): LiveObject | undefined;
  /** The last version that is known to have been as it should, and when that was. */
  knownOf(key: ObjectKey): DriftEvidence['known'];
  eventsFor(key: ObjectKey, sinceMs?: number): readonly AuditEvent[];
  /** Values of Secrets that variables have brought into objects of other kinds: no record tells them. */
  secrets(): Promise<readonly string[]>;
}

export interface Inspected {
  readonly drift: Drift;
  /** What it was told from: events that arrive later may tell more. */
  readonly evidence: Omit<DriftEvidence, 'events'>;
}

/**
 * Finds out what happened to objects that are not as they were applied: each is read, and an apply is tried without effect,
 * which tells the fields. Two requests an object; one where it is gone, and one more for each namespace of these.
 */
export async function inspectAll(writes: readonly Write[], context: InspectContext): Promise<readonly Inspected[]> {
  const namespaces = new Map<string, Promise<boolean>>();
  const secrets = await context.secrets();
  const told = (value: Json): Json => fieldsWithoutSecrets(value, secrets);
  return await Promise.all(writes.map((write) => inspect(write, { ...context, told }, namespaces)));
}

async function inspect(
  write: Write,
  context: InspectContext & Required<Pick<DriftEvidence, 'told'>>,
  namespaces: Map<string, Promise<boolean>>,
): Promise<Inspected> {
  const { target, clock, isStamped } = context;
  const { key, desired } = write;
  const { namespace } = desired.object.metadata;
  const foundAt = clock.now();
  const { live, healed } = await lookAt(write, context);
  if (live !== undefined && observe(live).target !== undefined) context.answered(live);
  const isNamespaceGone =
    live === undefined && namespace !== undefined && (await isGone(namespace, context, namespaces));
  const known = context.knownOf(key);
  const evidence = {
    target,
    desired,
    uid: context.uidOf(key),
    live,
    healed,
    isNamespaceGone,
    mask: secretMask(randomBytes(TAG_KEY_BYTES)),
    told: context.told,
    state: driftState(context.liveOf(key)),
    foundAt,
    isStamped,
    ...(known === undefined ? {} : { known }),
  };
  return { drift: findDrift({ ...evidence, events: context.eventsFor(key, known?.sinceMs) }), evidence };
}

/** An object that somebody writes all the time is looked at so often at most. */
const MAX_LOOKS = 5;

/** The object, and what an apply would make of that very state of it: what is written in between is nobody's drift. */
async function lookAt(
  write: Write,
  context: InspectContext,
): Promise<{ readonly live: KubeObject | undefined; readonly healed: KubeObject | undefined }> {
  const { client, signal } = context;
  const ref = parseObjectKey(write.key);
  if (ref === undefined) throw new PlumbError('Internal', `${write.key} is not an object key`);
  const { namespace, name } = write.desired.object.metadata;
  const place = { name, ...(namespace === undefined ? {} : { namespace }) };
  const resource = await client.resource({ group: ref.group, kind: ref.kind }, { signal });
  for (let looks = 1; ; looks += 1) {
    const live = await client.get(resource, place, { signal });
    if (live === undefined) return { live, healed: undefined };
    const healed = await tried(write, context);
    const isOfSameState = healed?.metadata.resourceVersion === live.metadata.resourceVersion;
    if (healed === undefined || isOfSameState || looks === MAX_LOOKS) return { live, healed };
  }
}

/** A key that lives as long as one look: a tag tells what is equal in it, and nothing in another. */
const TAG_KEY_BYTES = 32;

/** Undefined where that cannot be tried: what hinders it is told by the write itself. */
async function tried(write: Write, { client, writeAs, signal }: InspectContext): Promise<KubeObject | undefined> {
  const options = { force: true, dryRun: true, signal, ...(writeAs === undefined ? {} : { impersonate: writeAs }) };
  try {
    return (await client.apply(sentObject(write), options)).object;
  } catch (thrown) {
    if (isAbort(thrown, signal) || toPlumbError(thrown).code === 'ClusterUnreachable') throw thrown;
    return undefined;
  }
}

/** Whether a namespace is gone or on its way; each is asked for once. */
function isGone(
  namespace: string,
  { client, signal }: InspectContext,
  known: Map<string, Promise<boolean>>,
): Promise<boolean> {
  const ask = async (): Promise<boolean> => {
    const resource = await client.resource({ group: '', kind: 'Namespace' }, { signal });
    try {
      const found = await client.get(resource, { name: namespace }, { signal });
      return found === undefined || found.metadata.deletionTimestamp !== undefined;
    } catch (thrown) {
      // Whether it is there is worth a word and no failure.
      if (isAbort(thrown, signal) || toPlumbError(thrown).code !== 'Forbidden') throw thrown;
      return false;
    }
  };
  const answer = known.get(namespace) ?? ask();
  known.set(namespace, answer);
  return answer;
}
