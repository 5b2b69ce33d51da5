import type { Hold } from '@plumb/api';
import { targetKey, type Clock } from '@plumb/core';
import type { Ledger } from '@plumb/ledger';

export interface HoldBookOptions {
  readonly ledger: Pick<Ledger, 'recordHold' | 'liftHold' | 'holds'>;
  readonly clock: Clock;
}

/** More than anybody ever has at once. */
const MAX_LASTING = 100_000;

/** The records of who let edits stand, and why: they stay where the Hold itself is deleted. */
export class HoldBook {
  readonly #options: HoldBookOptions;
  /** What is recorded already, by uid: what came of it. */
  readonly #known = new Map<string, string | undefined>();

  constructor(options: HoldBookOptions) {
    this.#options = options;
  }

  /** A hold is there, or its status is another one. Answers whether it is seen for the first time since the start. */
  async seen({ metadata, spec, status }: Hold): Promise<boolean> {
    const { uid = '', name, namespace, creationTimestamp } = metadata;
    const outcome = status?.message;
    const isNew = !this.#known.has(uid);
    const before = this.#known.get(uid);
    if (!isNew && before === outcome) return false;
    // Seen is seen before it is written: `allSeen` may ask in between, and must not take it for lifted.
    this.#known.set(uid, outcome);
    const recorded = this.#options.ledger.recordHold({
      uid,
      target: targetKey({ namespace, ...spec }),
      name,
      covers: holdCovers(spec),
      by: spec.by,
      reason: spec.reason,
      since: placedAt(creationTimestamp, this.#options.clock.now()),
      until: Date.parse(spec.until),
      atEnd: spec.atEnd,
      outcome,
    });
    try {
      await recorded;
    } catch (thrown) {
      if (isNew) this.#known.delete(uid);
      else this.#known.set(uid, before);
      throw thrown;
    }
    return isNew;
  }

  async removed({ metadata: { uid = '' } }: Hold): Promise<void> {
    this.#known.delete(uid);
    await this.#options.ledger.liftHold(uid);
  }

  /** All that there are were seen: others that should last were lifted while nobody looked. */
  async allSeen(): Promise<void> {
    const { ledger, clock } = this.#options;
    for (const { uid } of await ledger.holds({ lastingAt: clock.now(), limit: MAX_LASTING })) {
      if (!this.#known.has(uid)) await ledger.liftHold(uid);
    }
  }
}

/** A server tells whole seconds: of a hold that was placed just now, now is closer. Epoch milliseconds. */
function placedAt(creationTimestamp: string | undefined, now: number): number {
  const created = creationTimestamp === undefined ? now : Date.parse(creationTimestamp);
  return Math.abs(now - created) < 1_000 ? now : created;
}

/** What may be edited meanwhile: `Deployment/web spec.replicas`, `all objects`. */
export function holdCovers({ object, fields = [] }: Hold['spec']): string {
  const what = object === undefined ? 'all objects' : `${object.kind}/${object.name}`;
  return fields.length === 0 ? what : `${what} ${fields.join(', ')}`;
}
