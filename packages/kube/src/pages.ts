import { PlumbError, type KubeObject } from '@plumb/core';
import { collectionPath, type ApiResource } from './api-resource.ts';
import { decodeListPage, type ListPage } from './decode.ts';
import type { Attempt } from './status-error.ts';
import type { Transport } from './transport.ts';

export interface Selection {
  /** Without it: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Only names, labels, annotations and the like; apiVersion and kind are still those of the resource. */
  readonly metadataOnly?: boolean | undefined;
}

const MAX_RESTARTS = 3;
/** A server that never stops sending pages is not believed: a million objects of one kind. */
const MAX_PAGES = 2_000;

/** The query parameters of a selection, beginning with `?`. */
export function selectionQuery(selection: Selection, more: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(more);
  if (selection.labelSelector !== undefined) query.set('labelSelector', selection.labelSelector);
  if (selection.fieldSelector !== undefined) query.set('fieldSelector', selection.fieldSelector);
  return `?${query.toString()}`;
}

export function attemptOn(verb: string, resource: ApiResource, selection: Selection): Attempt {
  const place = selection.namespace === undefined || selection.namespace === '' ? '' : ` in ${selection.namespace}`;
  return { verb, subject: `${resource.plural}${place}`, secret: resource.kind === 'Secret' };
}

/**
 * A whole list, page by page, of one state of the cluster. When that state expires between two pages, the list starts
 * again: halves of two states are never put together. `keep` sees each object as it comes and says what stays of it.
 */
export async function listPages(
  transport: Transport,
  resource: ApiResource,
  selection: Selection & { readonly limit?: number | undefined },
  options: { readonly keep: (object: KubeObject) => KubeObject; readonly signal: AbortSignal },
): Promise<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string }> {
  const attempt = attemptOn('list', resource, selection);
  const what = `list ${attempt.subject}`;
  const path = collectionPath(resource, selection.namespace);
  const accept = selection.metadataOnly === true ? PARTIAL_LIST : 'application/json';
  const limit = String(selection.limit ?? 500);
  for (let restarts = 0; ; restarts++) {
    const items: KubeObject[] = [];
    let token = '';
    try {
      for (let pages = 1; ; pages++) {
        const query = selectionQuery(selection, token === '' ? { limit } : { limit, continue: token });
        const reply = await transport.send(
          { method: 'GET', path: path + query, headers: ['accept', accept], repeatable: true, attempt },
          { signal: options.signal },
        );
        const page = decodeListPage(reply.body, resource, what);
        for (const item of page.items) items.push(options.keep(item));
        if (page.continueToken === '') return { items, resourceVersion: page.resourceVersion };
        if (page.continueToken === token || pages >= MAX_PAGES) {
          throw new PlumbError('ResponseInvalid', `${what}: the list does not end`);
        }
        token = page.continueToken;
      }
    } catch (error) {
      const expired = error instanceof PlumbError && error.code === 'Expired' && token !== '';
      if (!expired || restarts >= MAX_RESTARTS) throw error;
    }
  }
}

/** How many objects a resource has: one request where the server tells how many follow, else all pages. */
export async function countObjects(
  transport: Transport,
  resource: ApiResource,
  options: { readonly signal: AbortSignal },
): Promise<number> {
  const selection = { metadataOnly: true };
  const { items, continueToken, remaining } = await firstOf(transport, resource, selection, options);
  if (continueToken === '') return items.length;
  if (remaining !== undefined) return items.length + remaining;
  return (await listPages(transport, resource, selection, { keep: (object) => object, ...options })).items.length;
}

/** At which state a resource is on the server now, read past every cache. Labels do not matter, so they are not looked for. */
export async function currentVersion(
  transport: Transport,
  resource: ApiResource,
  { namespace, fieldSelector }: Selection,
  options: { readonly signal: AbortSignal },
): Promise<string> {
  return (await firstOf(transport, resource, { namespace, fieldSelector }, options)).resourceVersion;
}

/** A list of one object, and what it says of the rest. */
async function firstOf(
  transport: Transport,
  resource: ApiResource,
  selection: Selection,
  options: { readonly signal: AbortSignal },
): Promise<ListPage> {
  const attempt = attemptOn('list', resource, selection);
  const path = collectionPath(resource, selection.namespace) + selectionQuery(selection, { limit: '1' });
  const headers = ['accept', PARTIAL_LIST];
  const reply = await transport.send({ method: 'GET', path, headers, repeatable: true, attempt }, options);
  return decodeListPage(reply.body, resource, `list ${attempt.subject}`);
}

const PARTIAL_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
