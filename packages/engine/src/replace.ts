import {
  digest,
  isAbort,
  located,
  toPlumbError,
  type DesiredObject,
  type Json,
  type KubeObject,
  type Replacement,
} from '@plumb/core';
import { pruneAll, type WriteContext, type WriteResult } from './apply.ts';

/**
 * Deletes objects that have to be made anew, each in exactly the state that was judged, and only once the API server has
 * said that it would take the new one. The creation is not done here: an object that is gone is created by the next look,
 * whoever takes that look and whatever happened in between.
 */
export async function replaceAll(
  replacements: readonly Replacement[],
  context: WriteContext,
): Promise<readonly WriteResult[]> {
  const tried = await Promise.all(
    replacements.map(async ({ key, desired }): Promise<WriteResult | undefined> => {
      try {
        await tryCreation(desired, context);
        return undefined;
      } catch (thrown) {
        if (isAbort(thrown, context.signal)) throw thrown;
        return { key, ok: false, error: located(toPlumbError(thrown), desired) };
      }
    }),
  );
  const accepted = replacements.filter((_replacement, index) => tried[index] === undefined);
  const deleted = await pruneAll(
    accepted.map(({ live }) => live),
    context,
    'immutable',
  );
  const results = new Map(
    [...tried.flatMap((result) => result ?? []), ...deleted].map((result) => [result.key, result]),
  );
  return replacements.flatMap(({ key }) => results.get(key) ?? []);
}

/** Throws what the API server would say to the object if it were new. Its name is taken as yet, so it gets another one. */
export async function tryCreation(
  { object }: DesiredObject,
  { client, writeAs, signal }: Pick<WriteContext, 'client' | 'writeAs' | 'signal'>,
): Promise<void> {
  await client.apply(underAnotherName(object), {
    force: true,
    dryRun: true,
    signal,
    ...(writeAs === undefined ? {} : { impersonate: writeAs }),
  });
}

/** Short enough for the kinds whose names are labels (63 characters), and the same every time. */
const LONGEST_NAME = 50;

function underAnotherName(object: KubeObject): KubeObject {
  const { name } = object.metadata;
  const other = `${name.slice(0, LONGEST_NAME).replace(/[^a-z0-9]+$/, '')}-${digest([name]).slice(0, 8)}`;
  return { ...withoutNodePorts(object), metadata: { ...object.metadata, name: other } };
}

/** They are taken by the very Service that is to be replaced. */
function withoutNodePorts(object: KubeObject): KubeObject {
  const spec = object['spec'] as { readonly ports?: readonly { readonly [field: string]: Json }[] } | undefined;
  if (object.apiVersion !== 'v1' || object.kind !== 'Service' || !Array.isArray(spec?.ports)) return object;
  const ports = spec.ports.map(({ nodePort: _nodePort, ...port }: { readonly [field: string]: Json }) => port);
  return { ...object, spec: { ...spec, ports } };
}
