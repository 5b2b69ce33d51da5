import { fieldAt, type KubeObject } from '@plumb/core';

/** Events of one object that say the same, as one. */
export interface EventLine {
  /** RFC 3339, of the last one. */
  readonly at: string;
  readonly type: string;
  readonly reason: string;
  /** `Pod/api-7dc9-4lz`. */
  readonly object: string;
  readonly message: string;
  readonly count: number;
}

/** The events about these objects since a time, the newest last; what is said again and again is one line. Pure. */
export function eventLines(
  events: readonly KubeObject[],
  about: { readonly uids: ReadonlySet<string>; readonly since: number },
): readonly EventLine[] {
  const lines = new Map<string, EventLine>();
  for (const event of events) {
    const at = textOf(event, 'series', 'lastObservedTime') || textOf(event, 'lastTimestamp') || timeOf(event);
    if (!about.uids.has(textOf(event, 'involvedObject', 'uid')) || !(Date.parse(at) >= about.since)) continue;
    const object = `${textOf(event, 'involvedObject', 'kind')}/${textOf(event, 'involvedObject', 'name')}`;
    const [type, reason, message] = [textOf(event, 'type'), textOf(event, 'reason'), textOf(event, 'message')];
    const same = [object, type, reason, message].join('\n');
    const before = lines.get(same);
    const times = fieldAt(event, 'series', 'count') ?? fieldAt(event, 'count');
    const count = (before?.count ?? 0) + (typeof times === 'number' ? times : 1);
    const last = before !== undefined && Date.parse(before.at) > Date.parse(at) ? before.at : at;
    lines.set(same, { at: last, type, reason, object, message, count });
  }
  return [...lines.values()].toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function timeOf(event: KubeObject): string {
  return textOf(event, 'eventTime') || (event.metadata.creationTimestamp ?? '');
}

function textOf(event: KubeObject, ...path: readonly string[]): string {
  const value = fieldAt(event, ...path);
  return typeof value === 'string' ? value : '';
}
