import {
  API_VERSION,
  APPLICATION,
  REPOSITORY,
  shortRevision,
  type ApplicationStatus,
  type Repository,
  type RepositoryStatus,
} from '@plumb/api';
import {
  isAbort,
  PlumbError,
  type Clock,
  type JsonObject,
  type KubeObject,
  type PlumbError as Failure,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import type { CatalogApplication } from './catalog.ts';
import type { RepositoryState } from './source.ts';
import { repositorySaysTheSame, saysTheSame, statusOf, timestamp, type TargetReport } from './status.ts';
import { nameOf, type NamespacedName } from './targets.ts';
import { WorkQueue } from './work-queue.ts';

export interface StatusWriterOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly identity: string;
  application(name: NamespacedName): CatalogApplication | undefined;
  /** The reports of the targets that have come to rest. */
  reportsOf(entry: CatalogApplication): readonly TargetReport[];
  /** Whether any target of it waits for its turn: what it would say now is old in a moment. */
  isBusy(entry: CatalogApplication): boolean;
  handledRequest(name: NamespacedName): string | undefined;
  failed(subject: string, error: Failure): void;
}

/** Work in progress is only written when it takes a person's notice: most of it is over before anybody looks. */
const PROGRESS_DELAY_MS = 3_000;
/** The more rollouts are under way, the longer each may last before it is news: writing of them slows all of them down. */
const PROGRESS_DELAY_PER_ROLLOUT_MS = 25;
/** Targets of one application often come to rest together. */
const GATHER_MS = 100;

/** Writes statuses, on transitions only, and one at a time for each object. */
export class StatusWriter implements AsyncDisposable {
  readonly #options: StatusWriterOptions;
  readonly #applications: WorkQueue<NamespacedName>;
  readonly #written = new Map<NamespacedName, ApplicationStatus>();
  readonly #repositories: WorkQueue<NamespacedName>;
  readonly #repositoryStates = new Map<NamespacedName, { repository: Repository; state: RepositoryState }>();
  readonly #repositoryWritten = new Map<NamespacedName, string>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    const failed = (name: NamespacedName, thrown: unknown): void =>
      options.failed(
        name,
        thrown instanceof PlumbError ? thrown : new PlumbError('Internal', String(thrown), { cause: thrown }),
      );
    this.#applications = new WorkQueue({
      clock: options.clock,
      concurrency: 16,
      work: (name, o) => this.#writeApplication(name, o.signal),
      failed,
    });
    this.#repositories = new WorkQueue({
      clock: options.clock,
      concurrency: 4,
      work: (name, o) => this.#writeRepository(name, o.signal),
      failed,
    });
  }

  /** A target of the application came to rest. */
  report(name: NamespacedName, settled: boolean, targetCount: number): void {
    const now = this.#options.clock.monotonic();
    if (!settled) this.#applications.addAt(name, now + this.#progressDelayMs());
    else if (targetCount > 1) this.#applications.addAt(name, now + GATHER_MS);
    else this.#applications.add(name);
  }

  reportRepository(repository: Repository, state: RepositoryState): void {
    const name = nameOf(repository);
    this.#repositoryStates.set(name, { repository, state });
    if (this.#repositoryWritten.get(name) !== newsOf(repository, state)) this.#repositories.add(name);
  }

  /** A spec that cannot be decoded: said at once on the object itself. */
  async reportInvalid(object: KubeObject, error: Failure, signal: AbortSignal): Promise<void> {
    const message = `${error.message}. ${error.fix}`;
    const now = timestamp(this.#options.clock.now());
    const condition = (type: string, status: string): JsonObject => ({
      type,
      status,
      reason: error.code,
      message,
      observedGeneration: object.metadata.generation ?? 0,
      lastTransitionTime: now,
    });
    const status: JsonObject = {
      observedGeneration: object.metadata.generation ?? 0,
      conditions: [condition('Ready', 'False'), condition('Stalled', 'True')],
      ...(object.kind === APPLICATION.kind ? { state: 'Failed', message } : {}),
    };
    try {
      await this.#apply(object.kind, object.metadata, status, signal);
    } catch (thrown) {
      if (isAbort(thrown, signal)) return;
      this.#options.failed(`${object.kind} ${object.metadata.namespace}/${object.metadata.name}`, thrown as Failure);
    }
  }

  forget(name: NamespacedName): void {
    this.#applications.forget(name);
    this.#written.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#applications[Symbol.asyncDispose]();
    await this.#repositories[Symbol.asyncDispose]();
  }

  #progressDelayMs(): number {
    return PROGRESS_DELAY_MS + PROGRESS_DELAY_PER_ROLLOUT_MS * this.#applications.planned;
  }

  async #writeApplication(name: NamespacedName, signal: AbortSignal): Promise<void> {
    const { clock, identity } = this.#options;
    const entry = this.#options.application(name);
    if (entry === undefined) return;
    const reports = this.#options.reportsOf(entry);
    const written = this.#written.get(name) ?? entry.application.status;
    const status = statusOf({
      application: written === undefined ? entry.application : { ...entry.application, status: written },
      reports,
      targetCount: entry.targets.size,
      identity,
      handledRequest: this.#options.handledRequest(name),
      now: clock.now(),
    });
    if (saysTheSame(written, status)) return;
    const working = status.state === 'Syncing' || status.state === 'Pending';
    if (working && this.#options.isBusy(entry)) {
      this.#applications.addAt(name, clock.monotonic() + this.#progressDelayMs());
      return;
    }
    await this.#apply(APPLICATION.kind, entry.application.metadata, status, signal);
    this.#written.set(name, status);
  }

  async #writeRepository(name: NamespacedName, signal: AbortSignal): Promise<void> {
    const entry = this.#repositoryStates.get(name);
    if (entry === undefined) return;
    const { repository, state } = entry;
    const news = newsOf(repository, state);
    if (this.#repositoryWritten.get(name) === news) return;
    const { clock } = this.#options;
    const generation = repository.metadata.generation ?? 0;
    const error = state.error;
    const before = repository.status?.conditions?.find(({ type }) => type === 'Ready');
    const ready = error === undefined ? 'True' : 'False';
    const condition = {
      status: ready,
      observedGeneration: generation,
      reason: error?.code ?? 'Fetched',
      message:
        error === undefined
          ? `Follows ${repository.spec.ref ?? 'the default branch'}.`
          : `${error.message}. ${error.fix}`,
      lastTransitionTime: before?.status === ready ? before.lastTransitionTime : timestamp(clock.now()),
    };
    const stalled = error !== undefined && error.facts.retry === 'change';
    const status: RepositoryStatus = {
      observedGeneration: generation,
      conditions: [
        { type: 'Ready', ...condition } as const,
        ...(stalled ? [{ type: 'Stalled', ...condition, status: 'True' } as const] : []),
      ].map((item) => ({ ...item, status: item.status as 'True' | 'False' })),
      ref: repository.spec.ref ?? 'HEAD',
      ...(state.touchedRevision === undefined
        ? {}
        : { revision: state.touchedRevision, shortRevision: shortRevision(state.touchedRevision) }),
      ...(state.seenAt === undefined ? {} : { fetchedAt: timestamp(state.seenAt) }),
    };
    const isNew = this.#repositoryWritten.get(name) !== undefined || !repositorySaysTheSame(repository.status, status);
    if (isNew) await this.#apply(REPOSITORY.kind, repository.metadata, status, signal);
    this.#repositoryWritten.set(name, news);
  }

  async #apply(kind: string, metadata: KubeObject['metadata'], status: object, signal: AbortSignal): Promise<void> {
    const { name, namespace, uid } = metadata;
    await this.#options.client.apply(
      {
        apiVersion: API_VERSION,
        kind,
        metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) },
        status,
      },
      { manager: 'plumb-status', subresource: 'status', force: true, signal },
    );
  }
}

/** What makes a repository's status worth a write: a commit that touches no application is no news. */
function newsOf(repository: Repository, state: RepositoryState): string {
  return JSON.stringify([
    repository.metadata.generation,
    state.error?.code,
    state.error?.message,
    state.touchedRevision,
  ]);
}
