import { fieldAt, isAbort, isOlderVersion, PlumbError, toPlumbError, type Clock, type KubeObject } from '@plumb/core';
import type { ApiResource, KubeClient } from '@plumb/kube';
import { holderName, isDeadNeighbour, processSpace } from './holder-name.ts';

/**
 * One engine a cluster: it holds a Lease and renews it. Readers of a status believe it while the lease is fresh, so a
 * frozen engine never looks green; and a second engine refuses to start instead of fighting with the first.
 */
export const LEASE_NAME = 'plumb-engine';
const SUBJECT = `Lease/${LEASE_NAME}`;
const RENEW_MS = 15_000;
/** Past this age the holder counts as gone, and statuses count as stale. */
export const LEASE_SECONDS = 45;
/** Without a renewal for so long nothing is written any more: well before another engine may begin. */
const LOST_MS = 30_000;
/** A renewal that takes longer is given up, so that the next one may come through. */
const ATTEMPT_MS = 10_000;
const RETRY_MS = 2_000;
/** When giving the lease back takes longer than this, it is left to run out. */
const GIVE_BACK_MS = 2_000;
/**
 * A lease that has run out by this machine's clock has to stand still for so long before it is taken: its holder's clock
 * may be another one, and a holder that lives renews it within this time.
 */
const STILL_MS = RENEW_MS + 5_000;
/** How often engines that start at once may get in each other's way. */
const TAKE_ATTEMPTS = 10;

export interface LeaseOptions {
  readonly client: Pick<KubeClient, 'resource' | 'get' | 'apply'>;
  readonly clock: Clock;
  /** Where the lease lies: the system namespace, or the one namespace that the engine is limited to. */
  readonly namespace: string;
  /** Tells this engine from others; default the host's name, the process id and what the id is unique in. */
  readonly holder?: string;
  readonly signal: AbortSignal;
  /** Another engine has the lease, or it could not be renewed for so long that one might: nothing may be written. */
  lost(error: PlumbError): void;
  /** It could be renewed again. */
  regained(): void;
  /** The lease is older in the cluster than it was before: the cluster was set back to an older state. */
  rewound(): void;
}

export interface Lease extends AsyncDisposable {
  readonly holder: string;
  /** Whether the lease is held now, by this moment's clock: to be asked right before every write. */
  mayWrite(): boolean;
  /** Reads the lease in the cluster. Throws `EngineBusy` where another engine has it, and why it cannot be read. */
  confirm(options: { readonly signal: AbortSignal }): Promise<void>;
  /** The resource version at which the lease was seen last. */
  readonly version: string;
}

/** Takes the lease, or throws `EngineBusy` where another engine renews it. */
export async function holdLease(options: LeaseOptions): Promise<Lease> {
  const { clock, signal } = options;
  const record = await LeaseRecord.open(options);
  const startedAt = now(clock);
  await record.take('start', { signal });

  const life = new AbortController();
  const hold = new Hold(options, startedAt);
  const renewing = keepRenewing(options, hold, record, AbortSignal.any([signal, life.signal]));
  return {
    holder: record.holder,
    mayWrite: () => hold.check(),
    confirm: (o) =>
      record.confirm(o).catch((thrown: unknown) => {
        if (!isAbort(thrown, o.signal)) hold.failed(toPlumbError(thrown));
        throw thrown;
      }),
    get version() {
      return record.seen;
    },
    async [Symbol.asyncDispose]() {
      life.abort();
      await renewing;
      hold[Symbol.dispose]();
      const patience = new AbortController();
      using _timer = clock.timer(GIVE_BACK_MS, () => patience.abort());
      // Given back, so that the next engine need not wait; a lease that cannot be given back runs out.
      await record.write('', { signal: patience.signal }).catch(() => undefined);
    },
  };
}

/** The Lease object. */
class LeaseRecord {
  readonly holder: string;
  readonly #options: LeaseOptions;
  readonly #resource: ApiResource;
  readonly #space = processSpace();
  /** As last read or written: the precondition of the next write, so that of two engines one is refused. */
  #version: string | undefined;
  /** At which version it was seen last, whoever held it. */
  seen = '';
  /** A lease of another engine that has run out by our clock, as first seen. */
  #still: { readonly version: string | undefined; readonly since: number } | undefined;

  static async open(options: LeaseOptions): Promise<LeaseRecord> {
    const { client, signal } = options;
    return new LeaseRecord(options, await client.resource({ group: 'coordination.k8s.io', kind: 'Lease' }, { signal }));
  }

  private constructor(options: LeaseOptions, resource: ApiResource) {
    this.#options = options;
    this.#resource = resource;
    this.holder = options.holder ?? holderName(process.pid, this.#space);
  }

  /**
   * Reads the lease and writes this engine's name into it, unless another one holds it (`EngineBusy`). That a holder's
   * process is gone counts at the start alone: an engine that runs must not reason its way past another one's lease.
   */
  async take(when: 'start' | 'renewal', o: { readonly signal: AbortSignal }): Promise<void> {
    const { client, clock, namespace } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const lease = await client.get(this.#resource, { namespace, name: LEASE_NAME }, o);
      if (lease === undefined) {
        if (attempt >= TAKE_ATTEMPTS) throw new PlumbError('Conflict', 'Somebody keeps deleting the lease');
        await this.#create(o);
        continue;
      }
      this.#see(lease);
      const holder = holderOf(lease);
      const isFree =
        holder === '' || holder === this.holder || (when === 'start' && isDeadNeighbour(holder, this.#space));
      if (!isFree) {
        if (heldBy(lease, clock.now()) !== undefined || this.#hasMovedOn(lease)) throw busyWith(holder);
        const stillFor = clock.monotonic() - (this.#still?.since ?? 0);
        if (stillFor < STILL_MS) {
          if (when === 'renewal') throw busyWith(holder);
          await clock.sleep(STILL_MS - stillFor, o);
          continue;
        }
      }
      this.#version = lease.metadata.resourceVersion;
      try {
        await this.write(this.holder, o);
        return;
      } catch (thrown) {
        if (!hasMoved(thrown) || attempt >= TAKE_ATTEMPTS) throw thrown;
      }
    }
  }

  /** Whether somebody has renewed a lease that seemed to have run out. */
  #hasMovedOn({ metadata: { resourceVersion } }: KubeObject): boolean {
    const before = this.#still;
    if (before?.version === resourceVersion) return false;
    this.#still = { version: resourceVersion, since: this.#options.clock.monotonic() };
    return before !== undefined;
  }

  /** Throws unless it is in the cluster under this engine's name. */
  async confirm(o: { readonly signal: AbortSignal }): Promise<void> {
    const { client, namespace } = this.#options;
    const lease = await client.get(this.#resource, { namespace, name: LEASE_NAME }, o);
    if (lease === undefined) throw new PlumbError('EngineBusy', 'The lease was deleted', { subject: SUBJECT });
    this.#see(lease);
    const holder = holderOf(lease);
    if (holder !== this.holder) throw busyWith(holder || 'it has given the lease back');
  }

  async renew(o: { readonly signal: AbortSignal }): Promise<void> {
    try {
      await this.write(this.holder, o);
    } catch (thrown) {
      if (!hasMoved(thrown)) throw thrown;
      await this.take('renewal', o);
    }
  }

  async write(holderIdentity: string, o: { readonly signal: AbortSignal }): Promise<void> {
    const { client, clock, namespace } = this.#options;
    const { object } = await client.apply(
      {
        ...LEASE_TYPE,
        metadata: {
          namespace,
          name: LEASE_NAME,
          ...(this.#version === undefined ? {} : { resourceVersion: this.#version }),
        },
        spec: { holderIdentity, leaseDurationSeconds: LEASE_SECONDS, renewTime: microTime(clock.now()) },
      },
      { manager: 'plumb-status', force: true, ...o },
    );
    this.#version = object.metadata.resourceVersion;
    this.#see(object);
  }

  /**
   * Versions of one kind only grow. A lease that is at an older one was brought back with the whole cluster, and the next
   * renewal finds it out, whether or not any watch has noticed.
   */
  #see({ metadata: { resourceVersion = '' } }: KubeObject): void {
    const isRewound = isOlderVersion(resourceVersion, this.seen);
    this.seen = resourceVersion;
    if (isRewound) this.#options.rewound();
  }

  /**
   * A lease that does not exist yet has no version that could be a precondition, so it is made without a holder first, by
   * a manager of fields that owns none of them: made twice, the second time changes nothing.
   */
  async #create(o: { readonly signal: AbortSignal }): Promise<void> {
    const { client, namespace } = this.#options;
    await client.apply({ ...LEASE_TYPE, metadata: { namespace, name: LEASE_NAME } }, { force: false, ...o });
  }
}

function busyWith(holder: string): PlumbError {
  return new PlumbError('EngineBusy', `Another engine runs against this cluster: ${holder}`, {
    subject: SUBJECT,
  });
}

/** Empty where the lease was given back. */
function holderOf(lease: KubeObject): string {
  const holder = fieldAt(lease, 'spec', 'holderIdentity');
  return typeof holder === 'string' ? holder : '';
}

const LEASE_TYPE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;

/** Somebody else has written the lease, or it was deleted. */
function hasMoved(thrown: unknown): boolean {
  return thrown instanceof PlumbError && (thrown.code === 'Conflict' || thrown.code === 'NotFound');
}

interface Moment {
  readonly monotonic: number;
  readonly epoch: number;
}

function now(clock: Clock): Moment {
  return { monotonic: clock.monotonic(), epoch: clock.now() };
}

/** Whether the lease is held: until another engine has it, or until the last renewal is too long ago. */
class Hold implements Disposable {
  readonly #options: LeaseOptions;
  #renewedAt: Moment;
  #isLost = false;
  #isOver = false;
  #deadline: Disposable;
  /** Why the renewals fail. */
  #failure: PlumbError | undefined;

  constructor(options: LeaseOptions, renewedAt: Moment) {
    this.#options = options;
    this.#renewedAt = renewedAt;
    this.#deadline = this.#startDeadline();
  }

  /** A process that was stopped for a while has not seen its timers fire: so the clocks are asked as well. */
  check(): boolean {
    if (this.#ageMs >= LOST_MS) this.#expire();
    return !this.#isLost && !this.#isOver;
  }

  /** `startedAt` is when the renewal was sent: what the lease itself says is no later. */
  renewed(startedAt: Moment): void {
    this.#renewedAt = startedAt;
    this.#failure = undefined;
    this.#deadline[Symbol.dispose]();
    this.#deadline = this.#startDeadline();
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#options.regained();
  }

  failed(error: PlumbError): void {
    this.#failure = error;
    if (error.code === 'EngineBusy') this.#lose(error);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#deadline[Symbol.dispose]();
  }

  get #ageMs(): number {
    const { monotonic, epoch } = now(this.#options.clock);
    return Math.max(monotonic - this.#renewedAt.monotonic, epoch - this.#renewedAt.epoch);
  }

  #startDeadline(): Disposable {
    const leftMs = Math.max(0, LOST_MS - this.#ageMs);
    return this.#options.clock.timer(leftMs, () => this.#expire());
  }

  #expire(): void {
    const message = `The lease could not be renewed for ${LOST_MS / 1_000} s`;
    this.#lose(this.#failure ?? new PlumbError('ClusterUnreachable', message, { subject: SUBJECT }));
  }

  #lose(error: PlumbError): void {
    if (this.#isLost || this.#isOver) return;
    this.#isLost = true;
    this.#options.lost(error);
  }
}

async function keepRenewing(
  { clock }: LeaseOptions,
  hold: Hold,
  record: LeaseRecord,
  stop: AbortSignal,
): Promise<void> {
  let waitMs = RENEW_MS;
  while (!stop.aborted) {
    const patience = new AbortController();
    try {
      await clock.sleep(waitMs, { signal: stop });
      const startedAt = now(clock);
      const giveUp = new PlumbError('ClusterUnreachable', 'The renewal of the lease was not answered');
      using _patience = clock.timer(ATTEMPT_MS, () => patience.abort(giveUp));
      await record.renew({ signal: AbortSignal.any([stop, patience.signal]) });
      hold.renewed(startedAt);
      waitMs = RENEW_MS;
    } catch (thrown) {
      if (isAbort(thrown, stop) || stop.aborted) return;
      hold.failed(toPlumbError(patience.signal.aborted ? patience.signal.reason : thrown));
      waitMs = RETRY_MS;
    }
  }
}

/** Who holds a lease that has not run out. */
export function heldBy(lease: KubeObject, now: number): string | undefined {
  const holder = fieldAt(lease, 'spec', 'holderIdentity');
  const renewed = fieldAt(lease, 'spec', 'renewTime');
  const seconds = fieldAt(lease, 'spec', 'leaseDurationSeconds');
  if (typeof holder !== 'string' || holder === '' || typeof renewed !== 'string') return undefined;
  const ageMs = now - Date.parse(renewed);
  return ageMs > (typeof seconds === 'number' ? seconds : LEASE_SECONDS) * 1_000 ? undefined : holder;
}

/** RFC 3339 with microseconds, as `MicroTime` is written. */
function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
