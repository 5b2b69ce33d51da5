import { parseDuration, type Repository } from '@plumb/api';
import {
  digest,
  fail,
  isAbort,
  parseTargetKey,
  PlumbError,
  toPlumbError,
  type Clock,
  type Random,
  type SourceTree,
  type TargetKey,
} from '@plumb/core';
import type { Mirror } from '@plumb/git';
import {
  hostCredentialsFromSecret,
  hostOf,
  includesPermission,
  openHost,
  parseCommand,
  planComment,
  readPullRequestEvent,
  stickyMarker,
  type Command,
  type CommentedPlan,
  type CommitStatus,
  type GitHost,
  type HostAddress,
  type HostUser,
  type PullRequest,
} from '@plumb/hosts';
import { abortable } from '@plumb/kube';
import { backoffMs } from './backoff.ts';
import { mergedTree } from './merged-tree.ts';
import type { Log } from './narrate.ts';
import { planTarget, type PlanRequest } from './plan.ts';
import {
  approvalAnswer,
  baseOf,
  branchOf,
  commentedPlan,
  contextOf,
  isChangedBy,
  needsPlan,
  statusOf,
  withoutSecrets,
  type PlannedBefore,
  type PlanOutcome,
} from './pull-request-plan.ts';
import { SourceLook, type Elsewhere } from './source-look.ts';
import { isSameVersion, sameFact, type Sources } from './source.ts';
import type { NamespacedName, TargetSpec } from './targets.ts';
import { WorkQueue } from './work-queue.ts';

export interface PullRequestsOptions extends Pick<PlanRequest, 'client' | 'renderer'> {
  readonly clock: Clock;
  readonly random: Random;
  readonly sources: Pick<Sources, 'repository' | 'targetsChanged' | 'lastLook' | 'mirrorOf'>;
  readonly elsewhere: Elsewhere;
  targetsOf(repository: NamespacedName): ReadonlyMap<TargetKey, TargetSpec>;
  planContext(target: TargetKey): Pick<PlanRequest, 'parent' | 'targets' | 'applied'>;
  readSecret(
    namespace: string,
    name: string,
    o: { readonly signal: AbortSignal },
  ): Promise<Readonly<Record<string, Uint8Array>> | undefined>;
  /** Whether this engine is the one that acts. */
  mayAct(): boolean;
  readonly log: Log;
}

/** A delivery whose signature was checked. */
export interface Delivery {
  /** By its lower-case name. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

interface Asked {
  readonly number: number;
  readonly user: HostUser;
  readonly head: string | undefined;
  readonly commentId: string;
  readonly command: Command;
}

/** What is known of an open pull request. After a restart it is nothing: the host has the comment, and is told the same. */
interface Known extends PlannedBefore {
  planned: PlannedBefore['planned'];
  failed: PlannedBefore['failed'];
  isAsked: boolean;
  failures: number;
  /** Targets that somebody asked a plan of, touched or not. */
  readonly wanted: Set<TargetKey>;
  /** The head of a fork that somebody who may write asked a plan of. */
  allowedHead: string | undefined;
  hasComment: boolean;
  /** What was said of `statusHead`, by context. */
  readonly statuses: Map<string, string>;
  /** The head that was looked at last. */
  statusHead: string | undefined;
  readonly digests: Map<TargetKey, string>;
}

interface Followed {
  readonly repository: Repository;
  /** Known from the first look on. */
  address: HostAddress | undefined;
  readonly pulls: Map<number, Known>;
  host: GitHost | undefined;
  asked: Asked[];
  failures: number;
  /** Monotonic milliseconds: the host is left alone until then. */
  notBefore: number;
}

interface Look {
  readonly name: NamespacedName;
  readonly followed: Followed;
  readonly host: GitHost;
  readonly signal: AbortSignal;
}

interface Touched {
  readonly spec: TargetSpec;
  /** What a merge would leave. */
  readonly tree: SourceTree;
  readonly notes: readonly string[];
  /** Why there is nothing to plan: the folder is gone. */
  readonly error: PlumbError | undefined;
}

/** What concerns one pull request alone: the others are gone on with. */
const ONE_PULL: readonly string[] = [
  ...['HostNotFound', 'HostRefused', 'HostAnswerInvalid'],
  ...['RefMissing', 'RefInvalid', 'Internal'],
];
/** The host may answer the same question later. */
const PASSING: readonly string[] = ['HostUnreachable', 'HostRateLimited'];
/** What somebody asked for is not there. */
const NOT_THERE: readonly string[] = ['ApplicationMissing', 'EnvironmentMissing'];
const MAX_ASKED = 100;

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
      failed: (name, thrown) => this.#say('Pull requests cannot be followed', name, toPlumbError(thrown)),
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
        if (command === undefined || followed === undefined || followed.asked.length >= MAX_ASKED) return;
        const { number, user, head, comment } = event;
        followed.asked.push({ number, user, head, commentId: comment.id, command });
      }
      this.#queue.add(name);
    } catch (thrown) {
      this.#say('A delivery about a pull request cannot be read', name, toPlumbError(thrown));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
    for (const followed of this.#followed.values()) await closeHost(followed);
  }

  #say(message: string, repository: NamespacedName, error: PlumbError, facts: object = {}): void {
    this.#options.log({ level: 'warn', message, repository, ...facts, code: error.code, error: error.message });
  }

  async #look(name: NamespacedName, signal: AbortSignal): Promise<void> {
    const { clock, random, sources } = this.#options;
    const repository = sources.repository(name);
    const config = repository?.spec.pullRequests;
    if (repository === undefined || config === undefined || repository.spec.suspend === true) {
      await this.#unfollow(name);
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
      followed.host ??= await this.#open(repository, followed.address, signal);
      await this.#lookAt({ name, followed, host: followed.host, signal });
      followed.failures = 0;
      this.#queue.addAt(name, clock.monotonic() + intervalMs);
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      const error = toPlumbError(thrown);
      followed.failures += 1;
      followed.notBefore = clock.monotonic() + Math.max(error.retryAfterMs ?? 0, backoffMs(followed.failures));
      this.#say('The pull requests of a repository cannot be looked at', name, error);
      this.#queue.addAt(name, followed.notBefore);
      // The Secret is read anew: it may hold another token by then.
      await closeHost(followed);
    }
  }

  async #follow(name: NamespacedName, repository: Repository): Promise<Followed> {
    const before = this.#followed.get(name);
    if (before !== undefined && isSameVersion(before.repository, repository)) return before;
    await this.#unfollow(name);
    const followed: Followed = {
      repository,
      address: undefined,
      pulls: new Map(before?.pulls),
      host: undefined,
      asked: before?.asked ?? [],
      failures: 0,
      notBefore: 0,
    };
    this.#followed.set(name, followed);
    return followed;
  }

  async #unfollow(name: NamespacedName): Promise<void> {
    const followed = this.#followed.get(name);
    this.#followed.delete(name);
    if (followed !== undefined) await closeHost(followed);
  }

  async #open(repository: Repository, address: HostAddress, signal: AbortSignal): Promise<GitHost> {
    const { readSecret, clock } = this.#options;
    const { namespace } = repository.metadata;
    const name = repository.spec.pullRequests?.secretRef.name ?? '';
    const data = await readSecret(namespace, name, { signal });
    if (data === undefined) {
      throw new PlumbError('SecretMissing', `Secret ${name} in ${namespace} does not exist`, {
        subject: `Secret/${name}`,
      });
    }
    return openHost({ address, credentials: hostCredentialsFromSecret(data), clock });
  }

  async #lookAt(look: Look): Promise<void> {
    const { name, followed, host, signal } = look;
    const { clock, sources } = this.#options;
    const pulls = await host.openPullRequests({ signal });
    const open = new Set(pulls.map(({ number }) => number));
    for (const number of followed.pulls.keys()) if (!open.has(number)) followed.pulls.delete(number);
    const targets = [...this.#options.targetsOf(name).values()];
    await this.#answerAll(look, pulls, targets);
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
      try {
        const isDone = await this.#plan(look, pull, known, into, mirror);
        known.isAsked = false;
        known.planned = { head: pull.head, base };
        if (isDone) this.#succeeded(known);
        else this.#retryLater(look, pull, known);
      } catch (thrown) {
        if (isAbort(thrown, signal)) throw thrown;
        const error = toPlumbError(thrown);
        if (!ONE_PULL.includes(error.code)) throw thrown;
        this.#say('A pull request cannot be planned', name, error, { pull: pull.number });
        known.isAsked = false;
        this.#retryLater(look, pull, known);
      }
    }
  }

  #succeeded(known: Known): void {
    known.failures = 0;
    known.failed = undefined;
  }

  #retryLater({ name }: Look, { head }: PullRequest, known: Known): void {
    known.failures += 1;
    const retryAt = this.#options.clock.monotonic() + backoffMs(known.failures);
    known.failed = { head, retryAt };
    this.#queue.addAt(name, retryAt);
  }

  /** Returns false where the cluster or a chart's host stood in the way, so that it is worth another try. */
  async #plan(
    look: Look,
    pull: PullRequest,
    known: Known,
    into: readonly TargetSpec[],
    mirror: Mirror,
  ): Promise<boolean> {
    const { name, followed, host, signal } = look;
    const { number, head } = pull;
    await fetchHead(mirror, pull, signal);
    const touched = await this.#touchedBy(look, pull, known, into, mirror);
    if (known.statusHead !== head) known.statuses.clear();
    known.statusHead = head;

    const isSeveral =
      new Set([...this.#options.targetsOf(name).values()].map(({ application }) => application)).size > 1;
    const say = async (spec: TargetSpec, status: Pick<CommitStatus, 'state' | 'description'>): Promise<void> => {
      const context = contextOf(spec, isSeveral);
      const said = `${status.state} ${status.description}`;
      if (known.statuses.get(context) === said) return;
      const where = { url: pull.url, ...(pull.isFromFork ? {} : { branch: pull.branch }) };
      try {
        await host.setStatus({ commit: head, context, ...status, ...where }, { signal });
      } catch (thrown) {
        // Some hosts keep the commit of a fork in the fork alone. The comment says the same.
        const error = toPlumbError(thrown);
        const isElsewhere = pull.isFromFork && (error.code === 'HostNotFound' || error.code === 'HostRefused');
        if (!isElsewhere || isAbort(thrown, signal)) throw thrown;
        this.#say('A status cannot be set on the commit of a fork', name, error, { pull: number });
      }
      known.statuses.set(context, said);
    };
    if (pull.isFromFork && known.allowedHead !== head) {
      // Whoever wrote it has no right here, and a plan shows what is in the cluster.
      const description = 'From a fork: somebody who may write says /plumb plan';
      for (const { spec } of touched) await say(spec, { state: 'pending', description });
      this.#options.log({
        level: 'info',
        message: 'A pull request waits for somebody who may write',
        repository: name,
        pull: number,
        commit: head.slice(0, 7),
      });
      return true;
    }
    for (const { spec } of touched) {
      const isNew = known.isAsked || !known.statuses.has(contextOf(spec, isSeveral));
      if (isNew) await say(spec, { state: 'pending', description: 'is being planned' });
    }
    const paths = touched.map(({ spec }) => spec.path);
    if (paths.length > 0) await mirror.prefetch(head, paths, { signal });
    const planned: {
      readonly spec: TargetSpec;
      readonly outcome: PlanOutcome;
      readonly status: Pick<CommitStatus, 'state' | 'description'>;
      readonly commented: CommentedPlan;
    }[] = [];
    for (const { spec, tree, error, notes } of touched) {
      const outcome = error === undefined ? await this.#planTarget(spec, head, tree, mirror, signal) : fail([error]);
      const secrets = await this.#secretsOf(spec, signal);
      const commented = withoutSecrets(commentedPlan(spec, outcome, notes), secrets);
      planned.push({ spec, outcome, commented, status: withoutSecrets(statusOf(outcome), secrets) });
    }

    known.digests.clear();
    for (const { spec, outcome } of planned) if (outcome.ok) known.digests.set(spec.target, outcome.value.digest);
    let comment = 'none';
    if (planned.length > 0 || known.hasComment || known.isAsked) {
      const marker = markerOf(followed.repository);
      const body = planComment(
        planned.map(({ commented }) => commented),
        { limits: host.limits, marker, label: head.slice(0, 7) },
      );
      comment = (await host.upsertSticky({ number, marker, body }, { signal })).outcome;
      known.hasComment = true;
    }
    for (const { spec, status } of planned) await say(spec, status);
    const targets = planned.map(({ spec }) => spec.target);
    this.#options.log({
      level: 'info',
      message: 'Planned a pull request',
      repository: name,
      pull: number,
      commit: head.slice(0, 7),
      targets,
      comment,
    });
    return planned.every(({ status }) => status.state !== 'error');
  }

  /** The targets that would read something else after a merge. */
  async #touchedBy(
    { host, signal }: Look,
    pull: PullRequest,
    known: Known,
    into: readonly TargetSpec[],
    mirror: Mirror,
  ): Promise<readonly Touched[]> {
    const changed = await host.changedFiles(pull.number, { signal });
    const head = mirror.at(pull.head);
    // Without all of them nobody can tell what is a change of the branch, and what its base has got since.
    const notes = changed.isComplete
      ? []
      : [`the host does not list all changed files: what ${pull.base} has got since shows as undone`];
    const touched: Touched[] = [];
    const looks = new Map<string | undefined, { readonly tree: SourceTree; readonly look: SourceLook }>();
    for (const spec of into) {
      const before = this.#options.sources.lastLook(spec);
      const isWanted = known.wanted.has(spec.target);
      if (!isWanted && !isChangedBy(changed, spec.path, before?.reads ?? new Map())) continue;
      const base = typeof before?.commit === 'string' && changed.isComplete ? before.commit : undefined;
      let at = looks.get(base);
      if (at === undefined) {
        const tree = base === undefined ? head : mergedTree(mirror.at(base), head, changed.paths);
        const where = { at: () => tree, removedBy: mirror.removedBy.bind(mirror) };
        at = { tree, look: new SourceLook(where, this.#options.elsewhere, signal) };
        looks.set(base, at);
      }
      const { fact } = await at.look.at(spec, pull.head, before);
      if (!isWanted && before !== undefined && sameFact(before.fact, fact)) continue;
      touched.push({ spec, tree: at.tree, notes, error: fact.state === 'failed' ? fact.error : undefined });
    }
    return touched;
  }

  async #planTarget(
    spec: TargetSpec,
    head: string,
    tree: SourceTree,
    mirror: Mirror,
    signal: AbortSignal,
  ): Promise<PlanOutcome> {
    const { client, renderer, planContext } = this.#options;
    try {
      return await planTarget({
        client,
        renderer,
        spec,
        tree,
        committedMs: (await mirror.commit(head, { signal })).committer.time,
        removedBy: head.slice(0, 7),
        signal,
        ...planContext(spec.target),
      });
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      return fail([toPlumbError(thrown)]);
    }
  }

  /** The values of the Secrets that variables of a target come from, as they are now. */
  async #secretsOf({ externals }: TargetSpec, signal: AbortSignal): Promise<readonly string[]> {
    const values: string[] = [];
    for (const { kind, name } of externals?.substitute?.from ?? []) {
      if (kind !== 'Secret' || externals === undefined) continue;
      const data = await this.#options.readSecret(externals.namespace, name, { signal });
      for (const bytes of Object.values(data ?? {})) values.push(Buffer.from(bytes).toString('utf8'));
    }
    return values;
  }

  /** Commands are kept for the next look while the host does not answer; else each is answered once. */
  async #answerAll(look: Look, pulls: readonly PullRequest[], targets: readonly TargetSpec[]): Promise<void> {
    const { followed, host, name, signal } = look;
    for (let asked = followed.asked[0]; asked !== undefined; asked = followed.asked[0]) {
      try {
        await this.#answer(look, asked, pulls, targets);
      } catch (thrown) {
        if (isAbort(thrown, signal)) throw thrown;
        const error = toPlumbError(thrown);
        if (PASSING.includes(error.code)) throw thrown;
        if (NOT_THERE.includes(error.code)) {
          await host.reply(asked.number, `${error.message} (${error.code}).`, { signal });
        }
        this.#say('A command on a pull request cannot be answered', name, error, { pull: asked.number });
      }
      followed.asked.shift();
    }
  }

  async #answer(
    { name, followed, host, signal }: Look,
    { number, user, head, commentId, command }: Asked,
    pulls: readonly PullRequest[],
    targets: readonly TargetSpec[],
  ): Promise<void> {
    const pull = pulls.find((candidate) => candidate.number === number);
    if (pull === undefined) return;
    if (!includesPermission(await host.permissionOf(user, { signal }), 'write')) {
      const facts = { repository: name, pull: number, user: user.id };
      this.#options.log({
        level: 'info',
        message: 'A command of somebody who may not write is not followed',
        ...facts,
      });
      return;
    }
    await host.acknowledge(number, commentId, { signal });
    const known = knownOf(followed, number);
    if (command.type === 'unclear') {
      const usage = '`/plumb plan [APP] [-e ENV]` and `/plumb approve DIGEST`';
      await host.reply(number, `Not understood: ${command.why}. There are ${usage}.`, { signal });
    } else if (command.type === 'approve') {
      await host.reply(number, approvalAnswer(command.digest, known.digests), { signal });
    } else {
      const { app, env } = command;
      const wanted = targets.filter(({ target }) => {
        const { application, environment } = parseTargetKey(target) ?? {};
        return (app === undefined || app === application) && (env === undefined || env === environment);
      });
      if (wanted.length === 0) {
        throw new PlumbError(
          app === undefined ? 'EnvironmentMissing' : 'ApplicationMissing',
          'No application of this repository has that name or environment',
        );
      }
      if (app !== undefined || env !== undefined) for (const { target } of wanted) known.wanted.add(target);
      known.isAsked = true;
      // Not what was pushed since: that was seen by nobody who asked.
      known.allowedHead = head ?? known.statusHead;
    }
    const facts = { repository: name, pull: number, user: user.id, command: command.type };
    this.#options.log({ level: 'info', message: 'Answered a command', ...facts });
  }
}

function knownOf({ pulls }: Followed, number: number): Known {
  const known: Known = pulls.get(number) ?? {
    planned: undefined,
    failed: undefined,
    isAsked: false,
    failures: 0,
    wanted: new Set(),
    allowedHead: undefined,
    hasComment: false,
    statuses: new Map(),
    statusHead: undefined,
    digests: new Map(),
  };
  pulls.set(number, known);
  return known;
}

function addressOf({ spec }: Repository): HostAddress {
  const { host, api } = spec.pullRequests ?? {};
  return hostOf(spec.url, { ...(host === undefined ? {} : { kind: host }), ...(api === undefined ? {} : { api }) });
}

/** Engines of several clusters may follow one repository: the object is another one in each. */
function markerOf({ metadata }: Repository): string {
  return stickyMarker(`${metadata.namespace}/${metadata.name}/${digest([metadata.uid]).slice(0, 8)}`);
}

async function closeHost(followed: Followed): Promise<void> {
  const { host } = followed;
  followed.host = undefined;
  await host?.[Symbol.asyncDispose]();
}

async function fetchHead(mirror: Mirror, { number, head, headRef }: PullRequest, signal: AbortSignal): Promise<void> {
  if (await mirror.hasCommit(head, { signal })) return;
  if (headRef !== undefined) await mirror.fetch([headRef], { signal });
  if (await mirror.hasCommit(head, { signal })) return;
  const why = headRef === undefined ? 'only the fork has it' : `${headRef} is another commit`;
  throw new PlumbError(
    'RefMissing',
    `The commit ${head.slice(0, 7)} of pull request ${number} cannot be fetched: ${why}`,
  );
}
