import {
  API_VERSION,
  APPLICATION,
  REPOSITORY,
  shortRevision,
  type ApplicationStatus,
  type Condition,
  type Repository,
  type RepositoryStatus,
} from '@plumb/api';
import {
  canonicalJson,
  fieldAt,
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
  readonly client: Pick<KubeClient, 'apply'>;
  readonly clock: Clock;
  readonly identity: string;
  /** Whether this engine is the one that writes. What is not written is made up for at the next report. */
  mayWrite(): boolean;
  application(name: NamespacedName): CatalogApplication | undefined;
  /** The reports of the targets that have come to rest. */
  reportsOf(entry: CatalogApplication): readonly TargetReport[];
  /** Whether any target of it waits for its turn: what it would say now is old in a moment. */
  isBusy(entry: CatalogApplication): boolean;
  handledRequest(name: NamespacedName): string | undefined;
  failed(subject: string, error: Failure): void;
}

/** What stands between Plumb and the pull requests of a repository. */
export interface HostTrouble {
  readonly error: Failure;
  /** Epoch milliseconds. */
  readonly nextTryAt: number;
}

/** True while a host does not do what it is asked, and else not there: pull requests hold up nothing else. */
const HOST_FAILING = 'HostFailing';
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
  /** Of those that were looked at since the start; null: the host does what it is asked. */
  readonly #hostTroubles = new Map<NamespacedName, HostTrouble | null>();
  /** With the uid of the object that it was written to. */
  readonly #repositoryWritten = new Map<NamespacedName, { uid: string | undefined; status: RepositoryStatus }>();

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
    if (this.#newsOf(name) !== undefined) this.#repositories.add(name);
  }

  /** A look at the pull requests of a repository has ended, well where there is no trouble. */
  reportHost(name: NamespacedName, trouble: HostTrouble | undefined): void {
    this.#hostTroubles.set(name, trouble ?? null);
    if (this.#newsOf(name) !== undefined) this.#repositories.add(name);
  }

  /** A spec that cannot be decoded: said at once on the object itself. */
  async reportInvalid(object: KubeObject, error: Failure, signal: AbortSignal): Promise<void> {
    const message = `${error.message}. ${error.fix}`;
    const observedGeneration = object.metadata.generation ?? 0;
    const before = fieldAt(object, 'status', 'conditions');
    const condition = (type: string, status: string): JsonObject => ({
      type,
      status,
      reason: error.code,
      message,
      observedGeneration,
      lastTransitionTime: transitionTime(before, type, status) ?? timestamp(this.#options.clock.now()),
    });
    const status: JsonObject = {
      observedGeneration,
      conditions: [condition('Ready', 'False'), condition('Stalled', 'True')],
      ...(object.kind === APPLICATION.kind ? { state: 'Failed', message } : {}),
    };
    if (!this.#options.mayWrite()) return;
    // What is written here comes back as a change of the object.
    if (canonicalJson(fieldAt(object, 'status') ?? {}) === canonicalJson(status)) return;
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

  forgetRepository(name: NamespacedName): void {
    this.#repositories.forget(name);
    this.#repositoryStates.delete(name);
    this.#hostTroubles.delete(name);
    this.#repositoryWritten.delete(name);
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
    if (entry === undefined || !this.#options.mayWrite()) return;
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
    const status = this.#newsOf(name);
    const repository = this.#repositoryStates.get(name)?.repository;
    if (status === undefined || repository === undefined || !this.#options.mayWrite()) return;
    await this.#apply(REPOSITORY.kind, repository.metadata, status, signal);
    this.#repositoryWritten.set(name, { uid: repository.metadata.uid, status });
  }

  /** The status of a repository, where it says anything that was not written yet, by an earlier run either. */
  #newsOf(name: NamespacedName): RepositoryStatus | undefined {
    const entry = this.#repositoryStates.get(name);
    if (entry === undefined) return undefined;
    const { repository, state } = entry;
    const written = this.#repositoryWritten.get(name);
    const before =
      written !== undefined && written.uid === repository.metadata.uid ? written.status : repository.status;
    const host = { trouble: this.#hostTroubles.get(name) };
    const status = repositoryStatusOf(repository, { ...state, ...host }, before, this.#options.clock.now());
    return repositorySaysTheSame(before, status) ? undefined : status;
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

/**
 * What a state is as a status; `before` is what the status says now, `now` epoch milliseconds. Before the first look at pull
 * requests what an earlier run said of their host stays.
 */
function repositoryStatusOf(
  repository: Repository,
  state: RepositoryState & { readonly trouble: HostTrouble | null | undefined },
  before: RepositoryStatus | undefined,
  now: number,
): RepositoryStatus {
  const { error, touchedRevision, seenAt, trouble } = state;
  const observedGeneration = repository.metadata.generation ?? 0;
  const message =
    error === undefined ? `Follows ${repository.spec.ref ?? 'the default branch'}.` : `${error.message}. ${error.fix}`;
  const condition = (
    type: string,
    status: 'True' | 'False',
    said = { reason: error?.code ?? 'Fetched', message },
  ): Condition => ({
    type,
    status,
    observedGeneration,
    ...said,
    lastTransitionTime: transitionTime(before?.conditions, type, status) ?? timestamp(now),
  });
  const saidBefore = before?.conditions?.filter(({ type }) => type === HOST_FAILING) ?? [];
  const ofHost =
    trouble === undefined
      ? saidBefore
      : trouble === null
        ? []
        : [condition(HOST_FAILING, 'True', troubleSaid(trouble))];
  const isStalled = error !== undefined && error.facts.retry === 'change';
  const fetchedAt = seenAt === undefined ? before?.fetchedAt : timestamp(seenAt);
  return {
    observedGeneration,
    conditions: [
      condition('Ready', error === undefined ? 'True' : 'False'),
      ...(isStalled ? [condition('Stalled', 'True')] : []),
      ...(repository.spec.pullRequests === undefined ? [] : ofHost),
    ],
    ref: repository.spec.ref ?? 'HEAD',
    ...(touchedRevision === undefined
      ? {}
      : { revision: touchedRevision, shortRevision: shortRevision(touchedRevision) }),
    ...(fetchedAt === undefined ? {} : { fetchedAt }),
  };
}

function troubleSaid({ error, nextTryAt }: HostTrouble): Pick<Condition, 'reason' | 'message'> {
  const message = `${error.message}. ${error.fix} The next try is at ${timestamp(nextTryAt)}.`;
  return { reason: error.code, message };
}

/** Since when a condition has had this status, as it says itself; undefined where it has not. */
function transitionTime(conditions: unknown, type: string, status: string): string | undefined {
  if (!Array.isArray(conditions)) return undefined;
  const same: unknown = conditions.find((one) => fieldAt(one, 'type') === type && fieldAt(one, 'status') === status);
  const time = fieldAt(same, 'lastTransitionTime');
  return typeof time === 'string' ? time : undefined;
}
