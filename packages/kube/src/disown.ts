import { FIELD_MANAGER, HOOK_RUN_ANNOTATION, PART_OF_LABEL, TRACKING_ANNOTATION, type KubeObject } from '@plumb/core';
import { objectPath, subjectOf, type ApiResource } from './api-resource.ts';
import type { Objection } from './exchange.ts';
import { impersonationHeaders } from './impersonate.ts';
import type { Transport } from './transport.ts';

export interface DisownOptions {
  readonly impersonate?: string | undefined;
  readonly objection?: Objection | undefined;
  readonly signal: AbortSignal;
}

/**
 * Takes our marks and our entry among the field managers off an object, and leaves everything else as it is: an apply
 * cannot do that, since it would remove the fields that nobody else owns. Only in the state that was read: a later one is
 * the error `Conflict`.
 */
export async function disownObject(
  transport: Transport,
  resource: ApiResource,
  live: KubeObject,
  options: DisownOptions,
): Promise<void> {
  const { metadata } = live;
  const subject = subjectOf(resource, metadata);
  await transport.send(
    {
      method: 'PATCH',
      path: `${objectPath(resource, metadata)}?fieldManager=plumb-request`,
      headers: [...HEADERS, ...impersonationHeaders(options.impersonate)],
      body: Buffer.from(JSON.stringify(disowning(live))),
      repeatable: true,
      objection: options.objection,
      attempt: { verb: 'patch', subject, secret: resource.kind === 'Secret' },
    },
    options,
  );
}

const HEADERS = ['accept', 'application/json', 'content-type', 'application/json-patch+json'];

/** The JSON patch. Another resource version than the server's is refused as a conflict, as with any update. */
function disowning({ metadata }: KubeObject): readonly object[] {
  const { labels = {}, annotations = {}, managedFields = [] } = metadata;
  const others = managedFields.filter(({ manager }) => manager !== FIELD_MANAGER);
  const remove = (at: string, from: object, key: string): readonly object[] =>
    Object.hasOwn(from, key) ? [{ op: 'remove', path: `/metadata/${at}/${key.replaceAll('/', '~1')}` }] : [];
  return [
    { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
    ...remove('labels', labels, PART_OF_LABEL),
    ...remove('annotations', annotations, TRACKING_ANNOTATION),
    ...remove('annotations', annotations, HOOK_RUN_ANNOTATION),
    // One empty entry is how the server is told that nobody owns anything: no entry at all would change nothing.
    { op: 'replace', path: '/metadata/managedFields', value: others.length > 0 ? others : [{}] },
  ];
}
