import { PlumbError } from '@plumb/core';
import { EVENT_ID, parseEvents, SCALAR_STYLE, YAMLException, type Event } from 'js-yaml';

export { EVENT_ID, getScalarValue, SCALAR_STYLE, type Event, type ScalarEvent } from 'js-yaml';

const MAX_DEPTH = 100;

/** What stands in a text, piece by piece, with offsets into it. */
export class YamlEvents {
  readonly #events: readonly Event[];
  #next = 0;

  constructor(events: readonly Event[]) {
    this.#events = events;
  }

  get isAtEnd(): boolean {
    return this.#next >= this.#events.length;
  }

  take(): Event {
    const event = this.#events[this.#next++];
    if (event === undefined) throw new Error('the parser broke its own grammar');
    return event;
  }
}

/** Throws `YamlSyntax` and `YamlDepthLimit`. */
export function yamlEvents(text: string, file: string): YamlEvents {
  try {
    return new YamlEvents(parseEvents(text, { maxDepth: MAX_DEPTH }));
  } catch (thrown) {
    throw syntaxError(thrown, text, file);
  }
}

function syntaxError(thrown: unknown, text: string, file: string): unknown {
  if (!(thrown instanceof YAMLException)) return thrown;
  const mark = thrown.mark;
  const where = mark === undefined ? { file } : { file, line: mark.line + 1, column: mark.column + 1 };
  if (thrown.reason.includes('maxDepth')) {
    return new PlumbError('YamlDepthLimit', `nested deeper than ${MAX_DEPTH} levels`, { where });
  }
  const reason = text[mark?.position ?? -1] === '\t' ? 'a tab is not allowed as indentation here' : thrown.reason;
  return new PlumbError('YamlSyntax', reason, { where });
}

/** Whether a key is `<<`, which takes over the keys of another map. */
export function isMergeKey(text: string, event: Event): boolean {
  return (
    event.type === EVENT_ID.SCALAR &&
    event.style === SCALAR_STYLE.PLAIN &&
    event.valueEnd - event.valueStart === 2 &&
    event.tagStart < 0 &&
    text.startsWith('<<', event.valueStart)
  );
}
