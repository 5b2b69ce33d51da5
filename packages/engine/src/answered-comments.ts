/** What outlives a restart of an open pull request. The host has the rest. */
export interface Answered {
  /** The ids of the comments whose command was acted on. */
  readonly comments: ReadonlySet<string>;
  /** The head of a fork that somebody who may write asked a plan of. */
  readonly allowedHead: string | undefined;
}

const NOTHING: Answered = { comments: new Set(), allowedHead: undefined };

/** Which commands were acted on, by pull request: each is acted on once. */
export class AnsweredComments {
  readonly #pulls: Map<number, Answered>;

  /** @param text what `toText` made; anything else counts as nothing */
  constructor(text?: string) {
    this.#pulls = new Map(text === undefined ? [] : parse(text));
  }

  of(pull: number): Answered {
    return this.#pulls.get(pull) ?? NOTHING;
  }

  has(pull: number, comment: string): boolean {
    return this.of(pull).comments.has(comment);
  }

  add(pull: number, comment: string, allowedHead: string | undefined): void {
    this.#pulls.set(pull, { comments: new Set([...this.of(pull).comments, comment]), allowedHead });
  }

  /** Returns whether anything was forgotten. */
  keepOnly(open: ReadonlySet<number>): boolean {
    const closed = [...this.#pulls.keys()].filter((pull) => !open.has(pull));
    for (const pull of closed) this.#pulls.delete(pull);
    return closed.length > 0;
  }

  /** A line for each pull request: its number, the allowed head or a dash, and the ids of comments, which are numbers. */
  toText(): string {
    return [...this.#pulls]
      .map(([pull, { comments, allowedHead = '-' }]) => [pull, allowedHead, ...comments].join(' '))
      .join('\n');
  }
}

function parse(text: string): readonly (readonly [number, Answered])[] {
  return text.split('\n').flatMap((line): (readonly [number, Answered])[] => {
    const [, pull, head, comments = ''] = /^(\d{1,15}) (-|[0-9a-f]{40,64})((?: \d+)*)$/.exec(line) ?? [];
    if (pull === undefined) return [];
    const ids = comments.split(' ').filter((id) => id !== '');
    return [[Number(pull), { comments: new Set(ids), allowedHead: head === '-' ? undefined : head }]];
  });
}
