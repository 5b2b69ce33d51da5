import {
  controllerOf,
  findCause,
  parseObjectKey,
  toPlumbError,
  trimForHealth,
  withCause,
  type Clock,
  type Health,
  type KubeObject,
  type LiveObject,
  type ObjectKey,
  type PlumbError,
  type Question,
  type TargetKey,
} from '@plumb/core';
import type { KubeClient, ReflectEvent, Reflector } from '@plumb/kube';
import { AskedEvents } from './asked-events.ts';

export interface DiagnosisOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  liveOf(key: ObjectKey): LiveObject | undefined;
  /** What is known about the cause of a target's state has changed. */
  changed(target: TargetKey): void;
  /** The pods of a namespace, or their Events, cannot be looked at; what is wrong is then known only from what can. */
  blind(namespace: string, error: PlumbError): void;
  /** Namespaces that are watched at once; default 32. */
  readonly maxNamespaces?: number | undefined;
}

/** Most rollouts are over sooner, and need nobody to look at their pods. */
const GRACE_MS = 1_500;
/** Many pods change together; one judgement of them is enough. */
const SETTLE_MS = 100;
const MAX_NAMESPACES = 32;

interface Look {
  readonly namespace: string;
  /** Workloads of ours in the namespace that are not healthy. */
  readonly workloads: Set<ObjectKey>;
  state: 'waiting' | 'queued' | 'open' | 'blind';
  timer: Disposable | undefined;
  pods: Reflector | undefined;
  replicaSets: Reflector | undefined;
  events: AskedEvents | undefined;
  life: AbortController | undefined;
}

/**
 * Why workloads are not healthy, told by their pods while somebody waits for them.
 *
 *     unsettled ──1.5 s──► watch pods and ReplicaSets of the namespace ──all healthy, superseded or gone──► closed
 *
 * One pair of watches a namespace, a bounded number of namespaces; beyond it they queue, and one whose causes are all
 * known makes room. What pods do not say themselves their Events may, which are read now and then. While everything is
 * healthy there is no watch and no request at all.
 */
export class Diagnosis implements AsyncDisposable {
  readonly #options: DiagnosisOptions;
  readonly #looks = new Map<string, Look>();
  readonly #causes = new Map<ObjectKey, { readonly uid: string; readonly revision: string; readonly cause: Health }>();
  readonly #closing = new Set<Promise<unknown>>();

  constructor(options: DiagnosisOptions) {
    this.#options = options;
  }

  /** The object, with the cause of its state where its pods tell one. */
  explain(live: LiveObject | undefined): LiveObject | undefined {
    if (live === undefined) return undefined;
    const known = this.#causes.get(live.key);
    // Of another template, or another object of the same name: it says nothing about this one.
    if (known === undefined || known.uid !== live.uid || known.revision !== revisionOf(live)) return live;
    return { ...live, health: withCause(live.health, known.cause) };
  }

  /** An object has changed: begins to look after it, or ends. */
  look(key: ObjectKey): void {
    const live = this.#options.liveOf(key);
    const namespace = parseObjectKey(key)?.namespace ?? '';
    const look = this.#looks.get(namespace);
    if (live === undefined || !isUnsettled(live)) {
      this.#causes.delete(key);
      look?.workloads.delete(key);
      if (look?.workloads.size === 0) this.#end(look);
      return;
    }
    if (look !== undefined) {
      look.workloads.add(key);
      if (look.state === 'open') this.#judgeSoon(look);
      return;
    }
    const fresh: Look = {
      namespace,
      workloads: new Set([key]),
      state: 'waiting',
      timer: this.#options.clock.timer(GRACE_MS, () => void this.#open(fresh)),
      pods: undefined,
      replicaSets: undefined,
      events: undefined,
      life: undefined,
    };
    this.#looks.set(namespace, fresh);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const look of this.#looks.values()) this.#close(look);
    this.#looks.clear();
    await Promise.all(this.#closing);
  }

  async #open(look: Look): Promise<void> {
    const { client, signal, blind } = this.#options;
    look.timer = undefined;
    look.state = 'queued';
    if (!this.#hasRoom()) return;
    look.state = 'open';
    const life = new AbortController();
    look.life = life;
    const both = AbortSignal.any([signal, life.signal]);
    const onChange = (event: ReflectEvent): void => {
      if (event.type === 'failed') this.#failed(look, event.error);
      else this.#judgeSoon(look);
    };
    try {
      const pods = await client.resource({ group: '', kind: 'Pod' }, { signal: both });
      const replicaSets = await client.resource({ group: 'apps', kind: 'ReplicaSet' }, { signal: both });
      if (both.aborted) return;
      const { namespace } = look;
      const shared = { namespace, trim: trimForHealth, signal: both, onChange };
      look.pods = client.reflect(pods, shared);
      look.replicaSets = client.reflect(replicaSets, { ...shared, metadataOnly: true });
      look.events = new AskedEvents({
        client,
        clock: this.#options.clock,
        namespace,
        signal: both,
        changed: () => this.#judgeSoon(look),
        blind: (error) => blind(namespace, error),
      });
    } catch (thrown) {
      if (both.aborted) return;
      this.#close(look);
      look.state = 'blind';
      blind(look.namespace, toPlumbError(thrown));
    }
  }

  /** Whether one more namespace may be watched. One whose causes are all known gives its place to one that waits. */
  #hasRoom(): boolean {
    const open = [...this.#looks.values()].filter(({ state }) => state === 'open');
    if (open.length < (this.#options.maxNamespaces ?? MAX_NAMESPACES)) return true;
    const known = open.find(({ workloads }) => [...workloads].every((key) => this.#causes.has(key)));
    if (known === undefined) return false;
    this.#close(known);
    known.state = 'queued';
    return true;
  }

  /** What is missing is a right: asking again and again would not help, so the namespace is left alone until it is settled. */
  #failed(look: Look, error: PlumbError): void {
    if (error.code !== 'Forbidden' || look.state !== 'open') return;
    this.#close(look);
    look.state = 'blind';
    this.#options.blind(look.namespace, error);
    this.#openNext();
  }

  #judgeSoon(look: Look): void {
    if (look.timer !== undefined || look.state !== 'open') return;
    look.timer = this.#options.clock.timer(SETTLE_MS, () => {
      look.timer = undefined;
      this.#judge(look);
    });
  }

  #judge({ workloads, pods, replicaSets, events }: Look): void {
    // Half a list would take a cause back that is still true.
    if (pods?.synced !== true || replicaSets?.synced !== true) return;
    const podsBy = Map.groupBy(pods.values(), ownerOf);
    const setsBy = Map.groupBy(replicaSets.values(), ownerOf);
    const changed = new Set<TargetKey>();
    const questions: Question[] = [];
    for (const key of workloads) {
      const live = this.#options.liveOf(key);
      if (live?.rollout === undefined || live.target === undefined) continue;
      const before = this.explain(live)?.health;
      const sets = setsBy.get(live.uid) ?? [];
      const owned = [live.uid, ...sets.map(({ metadata }) => metadata.uid)].flatMap((uid) => podsBy.get(uid) ?? []);
      const kind = parseObjectKey(key)?.kind ?? '';
      const workload = { kind, uid: live.uid, rollout: live.rollout };
      const found = { pods: owned, replicaSets: sets, ...(events === undefined ? {} : { events: events.events }) };
      const { cause, question } = findCause(workload, found);
      if (question !== undefined) questions.push(question);
      if (cause === undefined) this.#causes.delete(key);
      else this.#causes.set(key, { uid: live.uid, revision: revisionOf(live), cause });
      const after = this.explain(live)?.health;
      if (before?.status !== after?.status || before?.message !== after?.message) changed.add(live.target);
    }
    events?.ask(questions);
    for (const target of changed) this.#options.changed(target);
    if ([...this.#looks.values()].some(({ state }) => state === 'queued')) this.#openNext();
  }

  #openNext(): void {
    // One that made room itself has told what it knows: those that know nothing yet come first.
    const queued = [...this.#looks.values()].filter(({ state }) => state === 'queued');
    const next = queued.find(({ workloads }) => [...workloads].some((key) => !this.#causes.has(key)));
    if (next !== undefined) void this.#open(next);
  }

  #end(look: Look): void {
    this.#close(look);
    this.#looks.delete(look.namespace);
    this.#openNext();
  }

  #close(look: Look): void {
    look.timer?.[Symbol.dispose]();
    look.timer = undefined;
    look.life?.abort();
    look.events?.[Symbol.dispose]();
    for (const reflector of [look.pods, look.replicaSets]) {
      if (reflector === undefined) continue;
      const closing = Promise.resolve(reflector[Symbol.asyncDispose]());
      this.#closing.add(closing);
      void closing.finally(() => this.#closing.delete(closing));
    }
    look.pods = undefined;
    look.replicaSets = undefined;
    look.events = undefined;
    look.life = undefined;
  }
}

function isUnsettled({ target, deleting, rollout, health }: LiveObject): boolean {
  if (target === undefined || deleting || rollout === undefined) return false;
  return health.status === 'Progressing' || health.status === 'Degraded';
}

function revisionOf({ rollout }: LiveObject): string {
  return rollout?.revision ?? '';
}

function ownerOf({ metadata }: KubeObject): string | undefined {
  return controllerOf(metadata);
}
