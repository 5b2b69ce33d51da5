import { join } from 'node:path';
import { REPOSITORY, type Application, type Hold } from '@plumb/api';
import {
  attributionText,
  isAbort,
  isOlderVersion,
  parseObjectKey,
  parseTargetKey,
  shortNameOf,
  SYSTEM_NAMESPACE,
  toPlumbError,
  type Clock,
  type ObjectKey,
  type GivenApproval,
  type Random,
  type TargetKey,
} from '@plumb/core';
import type { HealthAssessor } from '@plumb/health';
import type { KubeClient } from '@plumb/kube';
import { openLedger } from '@plumb/ledger';
import { openDiskCache } from '@plumb/render';
import { openAudit } from './audit.ts';
import { Catalog, rawName, type CatalogApplication } from './catalog.ts';
import { Claims } from './claims.ts';
import { BREAKER_WINDOW_MS, DeletionBreaker } from './deletion-breaker.ts';
import { dependentsOf } from './dependencies.ts';
import { Diagnosis } from './diagnosis.ts';
import { DriftBook } from './drift-book.ts';
import { dataNamesOf } from './externals.ts';
import { keepEditStamp } from './edit-stamp.ts';
import { Gate } from './gate.ts';
import { HookSecrets } from './http/hook-secrets.ts';
import { createHttp, listen, type ListenAddress } from './http/server.ts';
import { HoldBook } from './hold-book.ts';
import { HoldProposals } from './hold-proposals.ts';
import { HoldReminders } from './hold-reminders.ts';
import { install } from './install.ts';
import { holdLease } from './lease.ts';
import { Metrics } from './metrics.ts';
import { NamedData, readDataOnce } from './named-data.ts';
import { narrate, type Log } from './narrate.ts';
import { LiveIndex } from './observe.ts';
import { openTargetRenderer } from './open-target-renderer.ts';
import { Parents } from './parents.ts';
import { PullRequestReviews } from './pull-request-reviews.ts';
import { PullRequests } from './pull-requests.ts';
import type { PlanRequest } from './plan-request.ts';
import { Reconciler } from './reconcile.ts';
import { Requests } from './requests.ts';
import type { Elsewhere } from './source-look.ts';
import { Sources } from './source.ts';
import { HEADLINE_STATES } from './status.ts';
import { StatusWriter } from './status-writer.ts';
import { COMPARE_EVERY_MS, sayComparisons } from './say-comparisons.ts';
import { reportsOf } from './target-reports.ts';
import { nameOf, RECONCILE_ANNOTATION, type NamespacedName, type TargetSpec } from './targets.ts';
import { WorkQueue } from './work-queue.ts';
import { whileHeld } from './write-client.ts';

export interface EngineOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Where the ledger lives; one engine at a time. */
  readonly stateFolder: string;
  /** Where the mirrors live; may be deleted at any time. */
  readonly cacheFolder: string;
  /** Watch Applications and Repositories of one namespace only; default all. */
  readonly namespace?: string | undefined;
  /** Where webhooks and probes are answered; undefined opens no port. */
  readonly listen?: ListenAddress | undefined;
  /** Who writes where an application names no service account: said in every status and record. */
  readonly identity: string;
  /** Targets worked on at once; default 24. */
  readonly concurrency?: number | undefined;
  /** Tells this engine from others on the lease; default host name and process id. */
  readonly holder?: string | undefined;
  /** Health by rules of the user; default without such rules. */
  readonly health?: HealthAssessor | undefined;
  /** Have the API server write on managed objects who edits them; default false, and then a policy of ours is removed. */
  readonly stampEdits?: boolean | undefined;
  /** The token with which audit events may be sent to the listener, read at each delivery; default none are taken. */
  readonly auditToken?: (() => Promise<string | undefined>) | undefined;
  /** The audit log of the API server, where it is a file here; default none is read. */
  readonly auditLog?: string | undefined;
  /** How often each watch is held against a list, in case it lost something without a word; default an hour. */
  readonly compareEveryMs?: number | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface Engine extends AsyncDisposable {
  /** Of the listener, where there is one. */
  readonly url: string | undefined;
  /** Wakes a repository at once, as a webhook does. */
  trigger(repository: NamespacedName): void;
}

/**
 * The composition root: opens everything in order and gives it back in the reverse order. When it resolves, all that
 * exists has been read and the loops run.
 *
 * Errors: `Forbidden`, `ClusterUnreachable` …, `EngineBusy`, `LedgerBusy`, `LedgerUnavailable`.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { client, clock, random, log, signal, identity } = options;
  await using opening = new AsyncDisposableStack();

  const metrics = new Metrics();
  const queue = new WorkQueue<TargetKey>({
    clock,
    concurrency: options.concurrency ?? 24,
    // Writes that are on their way are answered and recorded before the engine stops.
    drainMs: 5_000,
    async work(target, o) {
      const startedAt = clock.monotonic();
      await reconciler.reconcile(target, o.signal);
      metrics.add('plumb_reconcile_total');
      metrics.add('plumb_reconcile_duration_seconds_sum', (clock.monotonic() - startedAt) / 1_000);
    },
    failed: (target, thrown) => {
      const error = toPlumbError(thrown);
      log({
        level: 'error',
        message: 'A look at a target failed',
        target,
        code: error.code,
        error: error.message,
        stack: error.stack,
      });
    },
  });
  const gate = new Gate<'starting' | 'lease'>((isOpen) => (isOpen ? queue.resume() : queue.pause()));
  gate.close('starting', 'it is starting');

  let isRewound = false;
  let rewound = (): void => {
    isRewound = true;
  };
  await install(client, { clock, signal });
  const lease = opening.use(
    await holdLease({
      client,
      clock,
      signal,
      namespace: options.namespace ?? SYSTEM_NAMESPACE,
      ...(options.holder === undefined ? {} : { holder: options.holder }),
      lost: (error) => {
        gate.close('lease', `the lease is lost: ${error.message}`);
        log({ level: 'error', message: 'Lost the lease: nothing is written', code: error.code, error: error.message });
      },
      regained: () => {
        gate.open('lease');
        log({ level: 'info', message: 'Has the lease again' });
        // What was broken off is looked at again.
        if (gate.isOpen) for (const { targets } of catalog.applications()) wake(targets.keys());
      },
      rewound: () => {
        client.rewound();
        rewound();
      },
    }),
  );
  const ledger = opening.use(await openLedger({ folder: options.stateFolder, clock }));
  const lost = await ledger.unconcluded();
  // The process died between the request and its answer. What the cluster has is read anew, so nothing depends on it.
  await ledger.conclude(lost.map(({ seq }) => ({ seq, result: 'unknown' })));

  // Set back while no engine ran.
  if (isOlderVersion(lease.version, (await ledger.setting('leaseVersion')) ?? '')) isRewound = true;
  await ledger.saveSetting('leaseVersion', lease.version);
  opening.defer(() => ledger.saveSetting('leaseVersion', lease.version));

  const life = new AbortController();
  const running = AbortSignal.any([signal, life.signal]);
  opening.defer(() => life.abort());
  const cache = openDiskCache({
    folder: join(options.cacheFolder, 'render'),
    key: await ledger.deriveKey('render cache'),
    clock,
  });
  const namedData = opening.use(new NamedData({ client, signal: running, changed: () => sources.othersChanged() }));
  const { renderer, capabilities } = opening.use(
    await openTargetRenderer({
      client,
      clock,
      random,
      cacheFolder: options.cacheFolder,
      deriveKey: (purpose) => ledger.deriveKey(purpose),
      readData: (kind, namespace, name, o) => namedData.read(kind, namespace, name, o),
      capabilitiesChanged: () => sources.othersChanged(),
      cache,
      signal: running,
    }),
  );
  const claims = new Claims();
  const breaker = new DeletionBreaker({
    clock,
    recorded: await ledger.deletionsSince(clock.now() - BREAKER_WINDOW_MS, 'removed'),
    frozenUntil: Number((await ledger.setting('frozenUntil')) ?? 0),
    objectCount: () =>
      [...catalog.applications()]
        .flatMap(({ targets }) => [...targets.keys()])
        .reduce((sum, target) => sum + live.countOf(target), 0),
  });
  rewound = () => {
    const until = breaker.freeze();
    if (until === undefined) return;
    log({ level: 'error', message: 'The cluster was set back to an older state: nothing is deleted for 15 minutes' });
    run('record the freeze', ledger.saveSetting('frozenUntil', String(until)));
  };
  const requests = new Requests();

  const wake = (targets: Iterable<TargetKey>): void => {
    for (const target of targets) queue.add(target);
  };

  /** Work that nobody waits for: what goes wrong with it is said, and stops nothing else. */
  const run = (what: string, work: Promise<unknown>): void => {
    work.catch((thrown: unknown) => {
      if (isAbort(thrown, running) || running.aborted) return;
      const error = toPlumbError(thrown);
      log({ level: 'error', message: 'Work in the background failed', what, code: error.code, error: error.message });
    });
  };

  if (isRewound) rewound();

  const catalog = new Catalog({
    client,
    namespace: options.namespace,
    signal: running,
    repositoryChanged: (repository) => {
      run('follow a repository', sources.follow(repository));
      pullRequests.changed(nameOf(repository));
    },
    repositoryRemoved: (name) => {
      statuses.forgetRepository(name);
      run('let go of a repository', sources.unfollow(name));
      pullRequests.changed(name);
    },
    applicationChanged,
    applicationRemoved: (entry) => {
      dropUnnamedData(entry);
      for (const target of entry.targets.keys()) forget(target);
      requests.forget(nameOf(entry.application));
      statuses.forget(nameOf(entry.application));
      parents.forget(nameOf(entry.application));
    },
    wishesChanged: (target) => wake([target]),
    holdChanged: (hold) => {
      proposals.changed(hold);
      reminders.changed(hold);
      run('record a hold', recordHold(hold));
    },
    holdRemoved: (hold) => {
      proposals.removed(hold);
      reminders.removed(hold);
      run('record a hold', holds.removed(hold));
    },
    invalid: (object, error) => {
      log({
        level: 'warn',
        message: 'A spec is not valid',
        object: `${object.kind}/${object.metadata.name}`,
        code: error.code,
        error: error.message,
      });
      if (object.kind === REPOSITORY.kind) sources.invalid(rawName(object), error);
      run('report a spec that is not valid', statuses.reportInvalid(object, error, running));
    },
  });
  const writer = whileHeld(client, () => lease.mayWrite());
  const isStamped = await keepEditStamp({
    isWanted: options.stampEdits === true,
    client,
    writer,
    ledger,
    log,
    signal: running,
  });
  const parents = new Parents(writer, (name) => catalog.application(name));
  const elsewhere: Elsewhere = {
    externalsOf: (spec, o) => renderer.externalsOf(spec, o),
    recall: (spec, source, o) => renderer.recall(spec, source, o),
    capabilitiesOf: (spec) => capabilities.of(spec),
    unreadable: ({ target }, error) =>
      log({
        level: 'warn',
        message: 'A chart or variables could not be read',
        target,
        code: error.code,
        error: error.message,
      }),
  };
  const readSecret = (namespace: string, name: string, o: { readonly signal: AbortSignal }) =>
    readDataOnce(client, 'Secret', namespace, name, o);
  const sources = new Sources({
    cacheFolder: options.cacheFolder,
    clock,
    random,
    targetsOf: (name) => catalog.targetsOf(name),
    readSecret,
    elsewhere,
    changed: wake,
    reported: (name, state) => {
      metrics.add('plumb_git_look_total', 1, { result: state.error === undefined ? 'ok' : 'failed' });
      const repository = sources.repository(name);
      // Its status says that the spec cannot be read, and goes on saying so.
      if (repository !== undefined && !sources.isInvalid(name)) statuses.reportRepository(repository, state);
      if (state.error !== undefined) {
        log({
          level: 'warn',
          message: 'A look at a repository failed',
          repository: name,
          code: state.error.code,
          error: state.error.message,
        });
      }
    },
  });
  const live = new LiveIndex({
    client,
    clock,
    signal: running,
    health: options.health,
    isDrifted: (key) => drifts.isOpen(key),
    changed: (key, targets) => {
      // A definition that comes or goes changes which kinds there are.
      if (parseObjectKey(key)?.kind === 'CustomResourceDefinition') client.invalidateDiscovery();
      diagnosis.look(key);
      wake(targets);
      const claimant = claims.ownerOf(key);
      if (claimant !== undefined) queue.add(claimant);
    },
    watchChanged: (groupKind) => reconciler.watchChanged(groupKind),
    rewound: () => rewound(),
  });
  const audit = opening.use(
    await openAudit({
      ...options,
      isKnown: (key) => live.liveOf(key) !== undefined || claims.ownerOf(key) !== undefined,
      isWatched: (groupKind) => live.watchOf(groupKind).state !== 'missing',
      arrived: (key) => run('say who made a change', toldAnew(key)),
      metrics,
      signal: running,
    }),
  );
  const drifts = new DriftBook({ ledger, clock, eventsFor: (key, sinceMs) => audit.eventsFor(key, sinceMs) });
  const holds = new HoldBook({ ledger, clock });
  async function recordHold(hold: Hold): Promise<void> {
    const isNew = await holds.seen(hold);
    const { by, reason, until } = hold.spec;
    // What has ended long ago is seen again at each start.
    if (!isNew || Date.parse(until) <= clock.now()) return;
    log({ level: 'info', message: 'A hold is in force', hold: nameOf(hold), by, reason, until });
  }
  /** Audit events come late, mostly after the drift is healed. */
  async function toldAnew(key: ObjectKey): Promise<void> {
    const drift = await drifts.arrived(key);
    if (drift === undefined) return;
    log({ level: 'info', message: 'Drift was by', object: shortNameOf(key), by: attributionText(drift.by) });
  }
  const diagnosis = new Diagnosis({
    client,
    clock,
    signal: running,
    liveOf: (key) => live.liveOf(key),
    changed: (target) => wake([target]),
    blind: (subject, error) =>
      log({
        level: 'warn',
        message: 'What is wrong in a namespace cannot be looked into',
        subject,
        code: error.code,
        error: error.message,
      }),
  });
  const planContext = (target: TargetKey): Pick<PlanRequest, 'parent' | 'targets' | 'standing'> => ({
    standing: { holds: catalog.holdsOf(target), time: clock.now() },
    parent: applicationOf(catalog, target),
    targets: new Set([...catalog.applications()].flatMap(({ targets }) => [...targets.keys()])),
  });
  const reviews = new PullRequestReviews({ clock, approvalsChanged: (target) => wake([target]) });
  const approvalsOf = (target: TargetKey): readonly GivenApproval[] => [
    ...catalog.approvalsOf(target),
    ...reviews.approvalsOf(target),
  ];
  const mayAct = (): boolean => gate.isOpen && lease.mayWrite();
  const reconciler = new Reconciler({
    client,
    writer,
    clock,
    ledger,
    renderer,
    sources,
    live,
    diagnosis,
    claims,
    breaker,
    rewound: () => rewound(),
    parents,
    identity,
    specOf: (target) => catalog.specOf(target),
    isLiving: (target) => catalog.specOf(target) !== undefined || isOutside(target, options.namespace),
    lastSaid: (target) => lastSaid(catalog, target),
    createdAt: (target) => createdAt(catalog, target),
    mayWrite: mayAct,
    stillHeld: (o) => lease.confirm(o),
    targetsOf: (repository) => catalog.targetsOf(repository),
    planContext,
    approvalsOf,
    holdsOf: (target) => catalog.holdsOf(target),
    drifts,
    isStamped: () => isStamped,
    eventsFor: (key, sinceMs) => audit.eventsFor(key, sinceMs),
    targetsOfApplication: (name) => catalog.application(name)?.targets.values(),
    wake,
    rested(target, rest) {
      const spec = catalog.specOf(target);
      if (spec === undefined) return;
      if (rest.wakeAt !== undefined) queue.addAt(target, rest.wakeAt);
      requests.rested(target);
      const isWaiting = rest.state === 'Pending' && rest.failures.length === 0;
      const settled = rest.state !== 'Syncing' && !isWaiting;
      statuses.report(spec.application, settled, parents.targetsOf(spec.application).length);
    },
    narrate: (event) => narrate(event, metrics, log),
  });
  const statuses = new StatusWriter({
    client: writer,
    clock,
    identity,
    mayWrite: () => lease.mayWrite(),
    application: (name) => catalog.application(name),
    reportsOf: (entry) => reportsOf(entry.targets.values(), (target) => reconciler.memoryOf(target), approvalsOf),
    isBusy: (entry) => [...entry.targets.keys()].some((target) => queue.has(target)),
    handledRequest: (name) => requests.handled(name),
    failed: (subject, error) =>
      log({ level: 'warn', message: 'A status could not be written', subject, code: error.code, error: error.message }),
  });

  const pullRequests = new PullRequests({
    client,
    clock,
    random,
    renderer,
    sources,
    elsewhere,
    readSecret,
    targetsOf: (name) => catalog.targetsOf(name),
    planContext: (target) => ({ ...planContext(target), applied: reconciler.memoryOf(target)?.applied }),
    reviews,
    mayAct,
    answered: {
      read: (uid) => ledger.setting(`answered ${uid}`),
      write: (uid, text) => ledger.saveSetting(`answered ${uid}`, text),
    },
    reported: (name, trouble) => statuses.reportHost(name, trouble),
    log,
  });

  const proposals = new HoldProposals({
    client,
    writer,
    clock,
    ledger,
    renderer,
    sources,
    readSecret,
    specOf: (target) => catalog.specOf(target),
    specs: () => catalog.specs(),
    holdsOf: (target) => catalog.holdsOf(target),
    mayAct,
    log,
  });

  const reminders = new HoldReminders({
    writer,
    clock,
    ledger,
    holder: options.holder ?? identity,
    application: (name) => catalog.application(name)?.application,
    mayAct,
    log,
  });

  function forget(target: TargetKey): void {
    requests.rested(target);
    run('forget a target', reconciler.forget(target));
  }

  function applicationChanged(entry: CatalogApplication, before: CatalogApplication | undefined): void {
    const { application } = entry;
    const name = nameOf(application);
    parents.seen(name);
    for (const target of before?.targets.keys() ?? []) if (!entry.targets.has(target)) forget(target);
    if (before !== undefined) dropUnnamedData(before);
    const request = application.metadata.annotations?.[RECONCILE_ANNOTATION];
    const repositories = new Set([...entry.targets.values()].map(({ repository }) => repository));
    if (request !== undefined && request !== (requests.handled(name) ?? application.status?.handledRequest)) {
      carryOut(name, request, entry);
    } else if (request !== undefined) requests.remember(name, request);
    // A status of ours comes back through the watch and is no change: only the spec and a person's wishes are.
    if (before !== undefined && sameWishes(before, entry)) return;
    const lookedUp = Promise.all([...repositories].map((repository) => sources.targetsChanged(repository)));
    // Another spec is another attempt: what failed under the old one may work now.
    for (const target of entry.targets.keys()) reconciler.retry(target);
    if (before === undefined) wake([...entry.targets.keys(), ...dependentsOf(name, catalog.applications())]);
    // Not before its files are known: else what the old spec led to would be reported as the outcome of the new one.
    else
      run(
        'look up the files of a spec',
        lookedUp.then(() => wake(entry.targets.keys())),
      );
  }

  /** What an application named before may be named by nobody now. */
  function dropUnnamedData(before: CatalogApplication): void {
    if ([...before.targets.values()].every(({ externals }) => externals === undefined)) return;
    const specs = [...catalog.applications()].flatMap(({ targets }) => [...targets.values()]);
    const names = specs.flatMap(({ externals }) => (externals === undefined ? [] : dataNamesOf(externals)));
    run('stop watches that nobody needs', namedData.keepOnly(new Set(names)));
  }

  function carryOut(name: NamespacedName, request: string, entry: CatalogApplication): void {
    if (requests.isUnderWay(name, request)) return;
    const targets = [...entry.targets.keys()];
    requests.begin(name, request, targets);
    const repositories = [...new Set([...entry.targets.values()].map(({ repository }) => repository))];
    const fetching = Promise.all(repositories.map((repository) => sources.refresh(repository)));
    const asked = fetching.then(() => {
      for (const target of targets) reconciler.retry(target);
      requests.fetched(name, request);
      wake(targets);
    });
    run('carry out a request', asked);
  }

  opening.use(live);
  opening.use(diagnosis);
  opening.use(sources);
  opening.use(pullRequests);
  opening.use(proposals);
  opening.use(reminders);
  opening.use(statuses);
  opening.use(queue);
  opening.use(catalog);
  await catalog.start();
  await drifts.recall();
  await holds.allSeen();
  // Claims first: until every target has said what it wanted last, none may take an object for free.
  for (const { targets } of catalog.applications()) {
    for (const target of targets.keys()) await reconciler.recall(target);
  }
  gate.open('starting');
  pullRequests.start();
  proposals.start();
  reminders.start();
  opening.use(
    client.compareWatches({ everyMs: options.compareEveryMs ?? COMPARE_EVERY_MS, ...sayComparisons(metrics, log) }),
  );

  metrics.collect(() => {
    metrics.set('plumb_queue_depth', queue.depth);
    metrics.set('plumb_live_objects', live.size);
    // A state that nothing is in any more says 0, or an alert on it would never end.
    const states = new Map<string, number>(HEADLINE_STATES.map((state) => [state, 0]));
    for (const { targets } of catalog.applications()) {
      for (const target of targets.keys()) {
        const state = reconciler.memoryOf(target)?.rest?.state ?? 'Pending';
        states.set(state, (states.get(state) ?? 0) + 1);
      }
    }
    for (const [state, count] of states) metrics.set('plumb_app_state', count, { state });
  });
  const hookSecrets = new HookSecrets({
    clock,
    repository: (name) => sources.repository(name),
    readSecret,
    signal: running,
  });
  const listener =
    options.listen === undefined
      ? undefined
      : opening.use(
          await listen(
            createHttp({
              clock,
              metrics,
              accepts: (name, isSigned) => hookSecrets.accepts(name, isSigned),
              trigger: (name) => sources.trigger(name),
              delivered: (name, delivery) => pullRequests.delivered(name, delivery),
              auditToken: async () => options.auditToken?.(),
              audited: (events) => audit.add(events),
              unready: () => gate.closedBecause,
            }),
            options.listen,
          ),
        );
  log({ level: 'info', message: 'Running', applications: [...catalog.applications()].length, url: listener?.url });

  const closing = opening.move();
  return {
    url: listener?.url,
    trigger: (name) => sources.trigger(name),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function sameWishes(before: CatalogApplication, after: CatalogApplication): boolean {
  if (before.application.metadata.uid !== after.application.metadata.uid) return false;
  if (before.application.metadata.generation !== after.application.metadata.generation) return false;
  const approvals = (entry: CatalogApplication): string =>
    [...entry.targets.values()]
      .map(({ approvedDeletion, retirement, planWish, healWish }: TargetSpec) => {
        return JSON.stringify([approvedDeletion, retirement, planWish, healWish]);
      })
      .join();
  return approvals(before) === approvals(after);
}

/** Whether another engine looks after the target: one that is limited to a namespace sees the marks of all. */
function isOutside(target: TargetKey, namespace: string | undefined): boolean {
  return namespace !== undefined && parseTargetKey(target)?.namespace !== namespace;
}

function applicationOf(catalog: Catalog, target: TargetKey): Application | undefined {
  const spec = catalog.specOf(target);
  return spec === undefined ? undefined : catalog.application(spec.application)?.application;
}

function createdAt(catalog: Catalog, target: TargetKey): number {
  const created = applicationOf(catalog, target)?.metadata.creationTimestamp;
  return created === undefined ? 0 : Date.parse(created);
}

function lastSaid(catalog: Catalog, target: TargetKey): { readonly state: string; readonly since: number } | undefined {
  const environment = parseTargetKey(target)?.environment ?? '';
  const said = applicationOf(catalog, target)?.status?.environments?.find(({ name }) => name === environment);
  return said?.since === undefined ? undefined : { state: said.state, since: Date.parse(said.since) };
}
