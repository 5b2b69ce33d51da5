import { PlumbError, type FieldChange, type Origin, type TargetKey } from '@plumb/core';
import { targetsOf } from '@plumb/engine';
import { FieldPlaces, type Place } from '@plumb/render';
import type { PlacedChange } from './change-lines.ts';
import type { ChosenApplication } from './chosen-application.ts';
import type { Surroundings } from './context.ts';
import { openRemote, repositoryOf, type Remote } from './plan-source.ts';
import { openRendererHere } from './renderer-here.ts';

/** Whoever is answerable for a line of the repository. */
export interface Author {
  /** The full id. */
  readonly commit: string;
  readonly name: string;
  readonly subject: string;
}

/** What is looked for. */
export interface ChangeAt {
  readonly target: TargetKey;
  /** The full id of the commit that is rendered. */
  readonly commit: string;
  /** Of the last commit that did not have the change, where one is known. */
  readonly before: string | undefined;
  readonly origin: Origin;
  readonly changes: readonly FieldChange[];
}

export interface PlacedChanges {
  readonly changes: readonly PlacedChange[];
  /** The line of the first change that has one. */
  readonly place: Place | undefined;
  /** Who wrote that line; undefined where it was there before, or that lies before what was fetched. */
  readonly author: Author | undefined;
}

/** For all of it: somebody waits for the rest of the answer. */
const DEADLINE_MS = 20_000;

type Rendering = Awaited<ReturnType<typeof openRendererHere>>;

/**
 * Which line of the repository makes a change, and who wrote it: the commit is fetched anew and rendered as the engine
 * does it, since the engine's own copy is the engine's. Nothing is fetched before it is needed.
 */
export class FieldAuthors implements AsyncDisposable {
  readonly #surroundings: Surroundings;
  readonly #chosen: ChosenApplication;
  readonly #opened = new AsyncDisposableStack();
  readonly #life = new AbortController();
  readonly #signal: AbortSignal;
  #world: Promise<{ readonly remote: Remote; readonly rendering: Rendering }> | undefined;

  constructor(surroundings: Surroundings, chosen: ChosenApplication) {
    this.#surroundings = surroundings;
    this.#chosen = chosen;
    this.#signal = AbortSignal.any([surroundings.signal, this.#life.signal]);
  }

  /** Errors: whatever fetching and rendering may say. */
  async find({ target, commit, before, origin, changes }: ChangeAt): Promise<PlacedChanges> {
    const signal = this.#signal;
    const spec = targetsOf(this.#chosen.application).find((one) => one.target === target);
    // What is gone stands in no line any more.
    if (spec === undefined || changes.every(({ after }) => after === undefined)) {
      return { changes, place: undefined, author: undefined };
    }
    this.#world ??= this.#open();
    const { remote, rendering } = await this.#world;
    const { renderer } = rendering;
    const { tree, committedMs } = await remote.at(commit, { signal });
    const externals = await renderer.externalsOf(spec, { signal });
    const rendered = await renderer.render(spec, { tree, externals, committedMs }, { signal });
    if (!rendered.ok) throw rendered.error[0] ?? new PlumbError('Internal', 'a render failed without an error');
    const places = new FieldPlaces(tree, rendered.value);
    const found = await Promise.all(changes.map((change) => places.placeOf(origin, change, { signal })));
    const place = found.find((one) => one !== undefined);
    return {
      changes: changes.map((change, index): PlacedChange => {
        const at = found[index];
        return at === undefined ? change : { ...change, place: at };
      }),
      place,
      author: place === undefined ? undefined : await this.#authorOf(remote, { commit, before }, place),
    };
  }

  /** Who wrote a line that `find` has found; as for it undefined where that lies before what was fetched. */
  async authorAt(at: Pick<ChangeAt, 'commit' | 'before'>, place: Place): Promise<Author | undefined> {
    this.#world ??= this.#open();
    return await this.#authorOf((await this.#world).remote, at, place);
  }

  async #authorOf(
    remote: Remote,
    { commit, before }: Pick<ChangeAt, 'commit' | 'before'>,
    place: Place,
  ): Promise<Author | undefined> {
    const wrote = await remote.lineBy(commit, place, { after: before, signal: this.#signal });
    return wrote && { commit: wrote.sha, name: wrote.author.name, subject: wrote.subject };
  }

  async #open(): Promise<{ readonly remote: Remote; readonly rendering: Rendering }> {
    const { client, cluster, application } = this.#chosen;
    const signal = this.#signal;
    const tooLate = new PlumbError('RepositoryUnreachable', `not fetched and rendered within ${DEADLINE_MS / 1_000} s`);
    this.#opened.use(this.#surroundings.clock.timer(DEADLINE_MS, () => this.#life.abort(tooLate)));
    const repository = await repositoryOf(client, application, signal);
    return {
      remote: this.#opened.use(await openRemote(client, repository, signal)),
      rendering: this.#opened.use(await openRendererHere({ ...this.#surroundings, signal }, client, cluster)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
