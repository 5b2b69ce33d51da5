import { setImmediate } from 'node:timers/promises';
import { fieldAt, type KubeObject } from '@plumb/core';
import { collectionPath, type ApiResource } from './api-resource.ts';
import { decodeWatchLine, MAX_BODY_BYTES, textOf, typedAs } from './decode.ts';
import { LineSplitter } from './line-splitter.ts';
import { attemptOn, selectionQuery, type Selection } from './pages.ts';
import { statusObjectError } from './status-error.ts';
import type { Transport } from './transport.ts';

export type WatchEvent =
  | { readonly type: 'opened' }
  | { readonly type: 'set'; readonly object: KubeObject }
  | { readonly type: 'gone'; readonly object: KubeObject }
  /** Where the watch stands. `complete`: everything that was there at its start has now been sent. */
  | { readonly type: 'bookmark'; readonly resourceVersion: string; readonly complete: boolean };

/** Where a watch starts: after a known state, or with everything there is (a streaming list, KEP-3157). */
export type WatchStart = { readonly after: string } | 'everything';

const PARTIAL = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
/** Other work gets its turn after this many bytes of JSON: a millisecond or two. */
const TURN_BYTES = 128 * 1024;
const MIN_WATCH_SECONDS = 1_200;

/**
 * The changes of a resource as they happen, until the server ends the watch. An ERROR event is thrown as what it says
 * (`Expired`: the server no longer has the history since the start). A last line that is cut short is dropped: the next
 * watch gets its event again.
 */
export async function* watch(
  transport: Transport,
  resource: ApiResource,
  selection: Selection,
  start: WatchStart,
  options: { readonly spread: number; readonly signal: AbortSignal },
): AsyncGenerator<WatchEvent, void> {
  const attempt = attemptOn('watch', resource, selection);
  const what = `watch ${attempt.subject}`;
  const query = selectionQuery(selection, {
    watch: 'true',
    allowWatchBookmarks: 'true',
    // Spread, so that not all watches end in the same moment.
    timeoutSeconds: String(Math.round(MIN_WATCH_SECONDS * (1 + options.spread))),
    ...(start === 'everything'
      ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
      : { resourceVersion: start.after }),
  });
  const accept = selection.metadataOnly === true ? PARTIAL : 'application/json';
  const body = await transport.stream(
    {
      method: 'GET',
      path: collectionPath(resource, selection.namespace) + query,
      headers: ['accept', accept],
      repeatable: true,
      attempt,
    },
    { signal: options.signal },
  );
  yield { type: 'opened' };
  const splitter = new LineSplitter(MAX_BODY_BYTES);
  let turn = 0;
  for await (const chunk of body) {
    for (const line of splitter.push(chunk)) {
      const { type, object } = decodeWatchLine(line, what);
      if (type === 'ERROR') throw statusObjectError(object, attempt);
      if (type === 'BOOKMARK') {
        yield {
          type: 'bookmark',
          resourceVersion: textOf(object['metadata'], 'resourceVersion'),
          complete: fieldAt(object, 'metadata', 'annotations', 'k8s.io/initial-events-end') === 'true',
        };
      } else {
        yield { type: type === 'DELETED' ? 'gone' : 'set', object: typedAs(resource, object, what) };
      }
      turn += line.length;
      if (turn < TURN_BYTES) continue;
      turn = 0;
      await setImmediate();
    }
  }
}
