import { parseDuration, type Repository } from '@plumb/api';
import { isAbort, toPlumbError } from '@plumb/core';
import { parseCommand, readPullRequestEvent, type PullRequest } from '@plumb/hosts';
import { abortable } from '@plumb/kube';
import { AnsweredComments } from './answered-comments.ts';
import { backoffMs } from './backoff.ts';
import {
  closeHost,
  knownOf,
  warn,
  type Followed,
  type Look,
  type PullLook,
  type PullRequestsOptions,
} from './followed-pulls.ts';
import { answerAll, ask, readCommands } from './pull-request-commands.ts';
import { baseOf, branchOf, needsPlan } from './pull-request-plan.ts';
import { PullRequestReport } from './pull-request-report.ts';
import { fetchHead, planTouched, touchedBy } from './pull-request-targets.ts';
import { isSameVersion } from './source.ts';
import type { NamespacedName, TargetSpec } from './targets.ts';
import { addressOf, openRepositoryHost } from './repository-host.ts';
import { WorkQueue } from './work-queue.ts';

/** A delivery whose signature was checked. */
export interface Delivery {
  /** By its lower-case name. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

/** What concerns one pull request alone: the others are gone on with. */
const ONE_PULL: readonly string[] = [
  ...['HostNotFound', 'HostRefused', 'HostAnswerInvalid'],
  ...['RefMissing', 'RefInvalid', 'Internal'],
];

/**
 * Plans the pull requests of the repositories that ask for it, and says so at their hosts. Each repository is a loop of its
 * own, woken by its interval and by deliveries; whatever a host does, nothing else of the engine waits for it.
 */
export class PullRequests implements AsyncDisposable {
  readonly #options: PullRequestsOptions;
  readonly #followed = new Map<NamespacedName, Followed>();
  readonly #queue: WorkQueue<NamespacedName>;

  constructor(options: PullRequestsOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      clock: options.clock,
      concurrency: Infinity,
      work: (name, o) => this.#look(name, o.signal),
      failed: (name, thrown) => warn(options.log, 'Pull requests cannot be followed', name, toPlumbError(thrown)),
    });
    this.#queue.pause();
  }

  /** Before it nothing is asked. */
  start(): void {
    this.#queue.resume();
  }

  /** A repository is new, another one, or gone; or only its status is. */
  changed(name: NamespacedName): void {
    const followed = this.#followed.get(name);
    const repository = this.#options.sources.repository(name);
    const isSame = followed !== undefined && repository !== undefined && isSameVersion(followed.repository, repository);
    if (!isSame) this.#queue.add(name);
  }

  /** Says nothing of a delivery that is about something else, or is none at all. */
  delivered(name: NamespacedName, { header, body }: Delivery): void {
    const repository = this.#options.sources.repository(name);
    if (repository?.spec.pullRequests === undefined) return;
    try {
      const followed = this.#followed.get(name);
      const { kind, project } = followed?.address ?? addressOf(repository);
      const event = readPullRequestEvent(kind, header, body);
      if (event === undefined || event.project.toLowerCase() !== project.toLowerCase()) return;
      if (event.comment !== undefined) {
        const command = parseCommand(event.comment.body);
        if (command === undefined || followed === undefined) return;
        const { number, user, head, comment } = event;
        const seenHead = head ?? followed.pulls.get(number)?.statusHead;
        if (!ask(followed, { number, user, seenHead, commentId: comment.id, command })) return;
      }
      this.#queue.add(name);
    } catch (thrown) {
      warn(this.#options.log, 'A delivery about a pull request cannot be read', name, toPlumbError(thrown));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
    for (const followed of this.#followed.values()) await closeHost(followed);
  }

  async #look(name: NamespacedName, signal: AbortSignal): Promise<void> {
    const { clock, random, sources, log } = this.#options;
    const repository = sources.repository(name);
    const config = repository?.spec.pullRequests;
    if (repository === undefined || config === undefined || repository.spec.suspend === true) {
      await this.#unfollow(name);
      // Nothing is asked of the host, so there is nothing that it does not do.
      if (repository !== undefined) this.#options.reported(name, undefined);
      return;
    }
    const intervalMs = (parseDuration(config.interval) ?? 60_000) * (0.85 + 0.1 * random.next());
    const followed = await this.#follow(name, repository);
    const now = clock.monotonic();
    if (!this.#options.mayAct() || followed.notBefore > now) {
      this.#queue.addAt(name, Math.max(followed.notBefore, now + 1_000));
      return;
    }
    try {
      followed.address ??= addressOf(repository);
      followed.host ??= await openRepositoryHost(repository, { ...this.#options, signal });
      await this.#lookAt({ name, followed, host: followed.host, signal });
      followed.failures = 0;
      this.#options.reported(name, undefined);
      this.#queue.addAt(name, clock.monotonic() + intervalMs);
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      const error = toPlumbError(thrown);
      followed.failures += 1;
      const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(followed.failures));
      followed.notBefore = clock.monotonic() + waitMs;
      this.#options.reported(name, { error, nextTryAt: clock.now() + waitMs });
      warn(log, 'The pull requests of a repository cannot be looked at', name, error);
      this.#queue.addAt(name, followed.notBefore);
      // The Secret is read anew: it may hold another token by then.
      await closeHost(followed);
    }
  }

  async #follow(name: NamespacedName, repository: Repository): Promise<Followed> {
    const before = this.#followed.get(name);
    if (before !== undefined && isSameVersion(before.repository, repository)) return before;
    await this.#unfollow(name);
    const isSameObject = before?.repository.metadata.uid === repository.metadata.uid;
    const followed: Followed = {
      repository,
      address: undefined,
      pulls: new Map(before?.pulls),
      hasClosed: before?.hasClosed ?? true,
      host: undefined,
      asked: before?.asked ?? [],
      answered: isSameObject && before !== undefined ? before.answered : await this.#answeredBefore(repository),
      failures: 0,
      notBefore: 0,
    };
    this.#followed.set(name, followed);
    return followed;
  }

  async #answeredBefore({ metadata }: Repository): Promise<AnsweredComments> {
    return new AnsweredComments(await this.#options.answered.read(metadata.uid ?? ''));
  }

  async #unfollow(name: NamespacedName): Promise<void> {
    const followed = this.#followed.get(name);
    this.#followed.delete(name);
    if (followed !== undefined) await closeHost(followed);
  }

  async #lookAt(look: Look): Promise<void> {
    const { name, followed, host, signal } = look;
    const { clock, sources } = this.#options;
    const pulls = await host.openPullRequests({ signal });
    const open = new Set(pulls.map(({ number }) => number));
    const targets = [...this.#options.targetsOf(name).values()];
    for (const number of followed.pulls.keys()) {
      if (open.has(number)) continue;
      await this.#closed(look, number, targets);
      followed.hasClosed = followed.pulls.delete(number);
    }
    if (followed.hasClosed) await this.#letGo(look, pulls);
    if (followed.answered.keepOnly(open)) {
      await this.#options.answered.write(followed.repository.metadata.uid ?? '', followed.answered.toText());
    }
    if (followed.repository.spec.webhook === undefined) await readCommands(look, pulls, clock.monotonic());
    await answerAll(look, { pulls, targets }, this.#options);
    if (pulls.length === 0 || targets.length === 0) return;

    // What pull requests are held against has to be known.
    await abortable(sources.targetsChanged(name), signal);
    const mirror = await sources.mirrorOf(name);
    const ref = followed.repository.spec.ref ?? (await mirror.lsRemote({ signal })).head ?? 'HEAD';
    for (const pull of pulls) {
      const into = targets.filter(({ revision }) => branchOf(revision ?? ref) === pull.base);
      const base = baseOf(into.flatMap((spec) => sources.lastLook(spec) ?? []));
      const known = knownOf(followed, pull.number);
      if (into.length === 0 || !needsPlan(known, pull, base, clock.monotonic())) continue;
      await this.#planAlone({ ...look, pull, known, into, mirror }, base);
    }
  }

  /** What was approved on it is read once more; where the host does not answer now, it is asked again. */
  async #closed(look: Look, number: number, targets: readonly TargetSpec[]): Promise<void> {
    const { name, followed, host, signal } = look;
    const hostName = new URL(followed.repository.spec.url).hostname;
    try {
      await this.#options.reviews.closed({ repository: name, number, host, hostName, targets, signal });
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      const error = toPlumbError(thrown);
      if (!ONE_PULL.includes(error.code)) throw thrown;
      warn(this.#options.log, 'The reviews of a pull request cannot be read', name, error, { pull: number });
    }
  }

  /** The mirror lets go of closed pull requests; where that fails, it is tried again with the next look. */
  async #letGo({ name, followed, signal }: Look, pulls: readonly PullRequest[]): Promise<void> {
    try {
      const refs = pulls.flatMap(({ headRef }) => headRef ?? []);
      const count = await this.#options.sources.keepRefs(name, refs, { signal });
      followed.hasClosed = false;
      const message = 'Let go of refs that nobody follows';
      if (count > 0) this.#options.log({ level: 'info', message, repository: name, count });
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      warn(this.#options.log, 'Closed pull requests are still in the mirror', name, toPlumbError(thrown));
    }
  }

  /** What concerns this one alone stops no other. */
  async #planAlone(look: PullLook, base: string): Promise<void> {
    const { name, pull, known, signal } = look;
    try {
      const isDone = await this.#plan(look);
      known.isAsked = false;
      known.planned = { head: pull.head, base };
      if (isDone) {
        known.failures = 0;
        known.failed = undefined;
      } else this.#retryLater(look);
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      const error = toPlumbError(thrown);
      if (!ONE_PULL.includes(error.code)) throw thrown;
      warn(this.#options.log, 'A pull request cannot be planned', name, error, { pull: pull.number });
      known.isAsked = false;
      this.#retryLater(look);
    }
  }

  #retryLater({ name, pull: { head }, known }: PullLook): void {
    known.failures += 1;
    const retryAt = this.#options.clock.monotonic() + backoffMs(known.failures);
    known.failed = { head, retryAt };
    this.#queue.addAt(name, retryAt);
  }

  /** Returns false where the cluster or a chart's host stood in the way, so that it is worth another try. */
  async #plan(look: PullLook): Promise<boolean> {
    await fetchHead(look);
    const touched = await touchedBy(this.#options, look);
    const report = new PullRequestReport(this.#options, look);
    if (look.pull.isFromFork && look.known.allowedHead !== look.pull.head) {
      await report.waits(touched);
      return true;
    }
    await report.begins(touched);
    const planned = await planTouched(this.#options, look, touched);
    await report.planned(planned);
    return planned.every(({ status }) => status.state !== 'error');
  }
}
