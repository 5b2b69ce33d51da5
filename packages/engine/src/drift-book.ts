import {
  canonicalJson,
  findDrift,
  isOwnershipOnly,
  type AuditEvent,
  type Clock,
  type Drift,
  type JudgedDrift,
  type ObjectKey,
  type TargetKey,
} from '@plumb/core';
import type { DriftNews, DriftOutcome, DriftRecord, DriftStanding, Ledger } from '@plumb/ledger';
import type { Inspected } from './inspect.ts';

export interface DriftBookOptions {
  readonly ledger: Pick<Ledger, 'recordDrifts' | 'updateDrifts' | 'drifts'>;
  readonly clock: Clock;
  eventsFor(key: ObjectKey, sinceMs?: number): readonly AuditEvent[];
}

interface OpenDrift {
  readonly id: number;
  /** What it is: another one of the same object is another record. */
  readonly signature: string;
  readonly standing: string;
}

interface Recent extends Inspected {
  readonly id: number;
  readonly at: number;
}

/** What audit events may still tell of is kept for as long as those are, and of no more drifts than that. */
const RECENT_MS = 15 * 60_000;
const MAX_RECENT = 100;
/** More open drifts than a person would ever look through. */
const MAX_OPEN = 100_000;

/** The records of what others have changed: one for each object and deviation, from when it is found to when it ends. */
export class DriftBook {
  readonly #options: DriftBookOptions;
  readonly #open = new Map<TargetKey, Map<ObjectKey, OpenDrift>>();
  readonly #recent = new Map<ObjectKey, Recent>();

  constructor(options: DriftBookOptions) {
    this.#options = options;
  }

  /** What was open when the engine last ran is still open. */
  async recall(): Promise<void> {
    for (const record of await this.#options.ledger.drifts({ isOpen: true, limit: MAX_OPEN })) {
      const open = this.#open.get(record.target) ?? new Map<ObjectKey, OpenDrift>();
      this.#open.set(record.target, open.set(record.object, openOf(record)));
    }
  }

  isOpen(key: ObjectKey): boolean {
    return [...this.#open.values()].some((open) => open.has(key));
  }

  openOf(target: TargetKey): readonly ObjectKey[] {
    return [...(this.#open.get(target)?.keys() ?? [])];
  }

  /** Records what was found, as far as it is new and not ignored, with what becomes of it. */
  async found(
    target: TargetKey,
    release: number,
    found: readonly { readonly inspected: Inspected; readonly judged: JudgedDrift }[],
  ): Promise<readonly Drift[]> {
    const { ledger, clock } = this.#options;
    const open = this.#open.get(target) ?? new Map<ObjectKey, OpenDrift>();
    const news: DriftNews[] = [];
    const fresh = found.flatMap(({ inspected, judged }) => {
      const { drift } = inspected;
      const signature = signatureOf(drift);
      const known = open.get(drift.key);
      if (known?.signature === signature) {
        news.push(...judgeAnew(open, judged));
        return [];
      }
      const isOver = isOwnershipOnly(drift) && drift.kind !== 'taken';
      if (known !== undefined) news.push({ id: known.id, outcome: isOver ? 'gone' : 'superseded' });
      open.delete(drift.key);
      return isOver || isIgnored(judged) ? [] : [{ inspected, signature, standing: standingOf(judged) }];
    });
    const ids = await ledger.recordDrifts(
      fresh.map(({ inspected: { drift }, standing }) => {
        const { key: object, kind, fields, by, foundAt } = drift;
        return { target, object, kind, fields, by, release, foundAt, standing };
      }),
    );
    for (const [index, { inspected, signature, standing }] of fresh.entries()) {
      const id = ids[index] ?? 0;
      const { key } = inspected.drift;
      open.set(key, { id, signature, standing: textOf(standing) });
      this.#recent.delete(key);
      this.#recent.set(key, { ...inspected, id, at: clock.monotonic() });
    }
    this.#forgetOld();
    if (news.length > 0) await ledger.updateDrifts(news);
    if (open.size > 0) this.#open.set(target, open);
    else this.#open.delete(target);
    return fresh.map(({ inspected }) => inspected.drift);
  }

  /** What becomes of open drifts, where that is another decision now. */
  async stands(target: TargetKey, judged: readonly JudgedDrift[]): Promise<void> {
    const open = this.#open.get(target);
    if (open === undefined) return;
    const news = judged.flatMap((one) => judgeAnew(open, one));
    if (open.size === 0) this.#open.delete(target);
    if (news.length > 0) await this.#options.ledger.updateDrifts(news);
  }

  /** These have ended. What is not open is left out. */
  async ended(target: TargetKey, keys: readonly ObjectKey[], outcome: DriftOutcome): Promise<void> {
    const open = this.#open.get(target);
    if (open === undefined) return;
    const news = keys.flatMap((key): readonly DriftNews[] => {
      const known = open.get(key);
      if (known === undefined) return [];
      open.delete(key);
      return [{ id: known.id, outcome }];
    });
    if (open.size === 0) this.#open.delete(target);
    if (news.length > 0) await this.#options.ledger.updateDrifts(news);
  }

  /** An audit event came in: who did it may be known better now. Answers the drift as it is told then. */
  async arrived(key: ObjectKey): Promise<Drift | undefined> {
    const { ledger, eventsFor } = this.#options;
    const recent = this.#recent.get(key);
    if (recent === undefined) return undefined;
    const { id, evidence } = recent;
    const drift = findDrift({ ...evidence, events: eventsFor(key, evidence.known?.sinceMs) });
    if (canonicalJson(drift.by) === canonicalJson(recent.drift.by)) return undefined;
    this.#recent.set(key, { ...recent, drift });
    await ledger.updateDrifts([{ id, by: drift.by, fields: drift.fields }]);
    return drift;
  }

  #forgetOld(): void {
    const before = this.#options.clock.monotonic() - RECENT_MS;
    for (const [key, { at }] of this.#recent) {
      if (at > before && this.#recent.size <= MAX_RECENT) break;
      this.#recent.delete(key);
    }
  }
}

/** What is news of an open drift by what was decided over it: it stands by something else, or is none any more. */
function judgeAnew(open: Map<ObjectKey, OpenDrift>, judged: JudgedDrift): readonly DriftNews[] {
  const { key } = judged.drift;
  const known = open.get(key);
  if (known === undefined) return [];
  if (isIgnored(judged)) {
    open.delete(key);
    return [{ id: known.id, outcome: 'ignored' }];
  }
  const standing = standingOf(judged);
  if (known.standing === textOf(standing)) return [];
  open.set(key, { ...known, standing: textOf(standing) });
  return [{ id: known.id, standing: standing ?? null }];
}

/** The kind and the fields with both values: tags of Secrets differ with every look, so of them only the fields count. */
function signatureOf({ kind, fields }: Pick<Drift, 'kind' | 'fields'>): string {
  const values = fields.map(({ path, git, live }) => [path, plain(git), plain(live)]);
  return canonicalJson([kind, ...values]);
}

function plain(value: unknown): unknown {
  return typeof value === 'string' && /^\(secret [0-9a-f]+\)$/.test(value) ? '(secret)' : (value ?? null);
}

function isIgnored({ isWhole, revert, stands }: JudgedDrift): boolean {
  return !isWhole && revert.length === 0 && stands.every(({ verdict }) => verdict.policy === 'ignore');
}

function standingOf({ standing }: JudgedDrift): DriftStanding | undefined {
  if (standing === undefined || standing.policy === 'ignore' || standing.policy === 'revert') return undefined;
  const { policy, until, reason, hold, by } = standing;
  return {
    policy,
    ...(until === undefined ? {} : { until }),
    ...(reason === undefined ? {} : { reason }),
    ...(hold === undefined ? {} : { hold }),
    ...(by === undefined ? {} : { by }),
  };
}

function textOf(standing: DriftStanding | undefined): string {
  return standing === undefined ? '' : canonicalJson(standing);
}

function openOf({ id, kind, fields, standing }: DriftRecord): OpenDrift {
  return { id, signature: signatureOf({ kind, fields }), standing: textOf(standing) };
}
