import { isJsonObject, PlumbError, type JsonObject, type KubeObject, type ObjectMeta } from '@plumb/core';
import type { ApiResource } from './api-resource.ts';

/** The largest body that is read as one JSON text. Lists come in pages far below it. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * The one place of this package where text from outside becomes a value. A body that is cut short or is no JSON at all
 * (a proxy's error page) is the error `ResponseInvalid`, never an empty answer.
 */
export function decodeJson(bytes: Buffer, what: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    // The parser's own message quotes the text, which may be that of a Secret.
    const start = bytes.subarray(0, 64).toString('latin1').trimStart();
    const kind = start.startsWith('<') ? 'an HTML page' : start === '' ? 'an empty body' : 'broken JSON';
    throw new PlumbError('ResponseInvalid', `${what}: the server answered with ${kind} (${bytes.length} bytes)`, {
      cause: cause instanceof SyntaxError ? undefined : cause,
    });
  }
}

export function decodeObject(bytes: Buffer, what: string): KubeObject {
  const value = decodeJson(bytes, what);
  if (isKubeObject(value)) return value;
  throw new PlumbError('ResponseInvalid', `${what}: the server answered with something that is no Kubernetes object`);
}

export interface ListPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  readonly continueToken: string;
  /** How many come after this page, where the server says. */
  readonly remaining: number | undefined;
}

/** A page of a list. Items of lists name no apiVersion and kind, and partial ones name another: the resource's are set. */
export function decodeListPage(bytes: Buffer, resource: ApiResource, what: string): ListPage {
  const value = decodeJson(bytes, what);
  const metadata = isJsonObject(value) ? value['metadata'] : undefined;
  const items = isJsonObject(value) ? value['items'] : undefined;
  // A Go slice that is nil is written as null; a list without `items` is no list.
  if (!isJsonObject(metadata) || (items !== null && !Array.isArray(items))) {
    throw new PlumbError('ResponseInvalid', `${what}: the server answered with something that is no list`);
  }
  return {
    items: (items ?? []).map((item: unknown) => typedAs(resource, item, what)),
    resourceVersion: textOf(metadata, 'resourceVersion'),
    continueToken: textOf(metadata, 'continue'),
    remaining: typeof metadata['remainingItemCount'] === 'number' ? metadata['remainingItemCount'] : undefined,
  };
}

/** The value as an object of this resource, whatever type it was sent as. */
export function typedAs(resource: ApiResource, value: unknown, what: string): KubeObject {
  if (!isJsonObject(value) || !hasName(value['metadata'])) {
    throw new PlumbError('ResponseInvalid', `${what}: the server answered with an object that has no name`);
  }
  const { apiVersion: _apiVersion, kind: _kind, ...rest } = value;
  return { apiVersion: resource.apiVersion, kind: resource.kind, ...rest } as KubeObject;
}

export interface WatchLine {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: JsonObject;
}

export function decodeWatchLine(line: Buffer, what: string): WatchLine {
  const value = decodeJson(line, what);
  const type = isJsonObject(value) ? value['type'] : undefined;
  const object = isJsonObject(value) ? value['object'] : undefined;
  if (isWatchType(type) && isJsonObject(object)) return { type, object };
  throw new PlumbError('ResponseInvalid', `${what}: the server answered with something that is no watch event`);
}

export function textOf(value: unknown, field: string): string {
  const text = isJsonObject(value) ? value[field] : undefined;
  return typeof text === 'string' ? text : '';
}

function isWatchType(type: unknown): type is WatchLine['type'] {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK' || type === 'ERROR';
}

function isKubeObject(value: unknown): value is KubeObject {
  return (
    isJsonObject(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    hasName(value['metadata'])
  );
}

function hasName(metadata: unknown): metadata is ObjectMeta & JsonObject {
  return isJsonObject(metadata) && typeof metadata['name'] === 'string' && metadata['name'] !== '';
}
