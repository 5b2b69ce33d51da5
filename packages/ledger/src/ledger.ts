import { GroupCommit } from './group-commit.ts';
import { canonicalJson, type AllowedDeletion, type Clock, type ObjectKey, type TargetKey } from '@plumb/core';
import type { AppliedObject } from './applied-object.ts';
import type { DriftNews, NewDrift } from './drift-record.ts';
import { inTransaction, ledgerUnavailable } from './database.ts';
import { SqliteReader, type LedgerReader, type OpenDatabase } from './reader.ts';
import type { NewHold } from './hold-record.ts';
import type { HookRunRecord } from './hook-run-record.ts';
import type { NewRelease, Release, ReleaseConclusion } from './release.ts';
import type { SettingName } from './schema.ts';
import { prepareStatements, type Statements } from './statements.ts';
import type { StoredContent, Vault } from './vault.ts';
import type { WriteIntent, WriteOutcome } from './write-record.ts';

/** How many releases of a target keep their objects; older ones keep only their row. */
export const RELEASES_WITH_OBJECTS = 20;

/**
 * The memory of the engine. Each call is one transaction that is on disk when it resolves: it outlives the process.
 * Error of every call: `LedgerUnavailable`; then nothing of the call was recorded.
 */
export interface Ledger extends LedgerReader {
  /** Records writes before they are sent. Answers the sequence number of each, in order. */
  intend(batch: readonly WriteIntent[]): Promise<readonly number[]>;
  /** Records what became of writes. A write that already has an outcome keeps it. */
  conclude(batch: readonly WriteOutcome[]): Promise<void>;
  /** Stores a release under the target's next number; objects that are already stored are not stored again. */
  saveRelease(release: NewRelease): Promise<Release>;
  concludeRelease(
    target: TargetKey,
    number: number,
    outcome: ReleaseConclusion['outcome'],
    message?: string,
  ): Promise<void>;
  saveApplied(target: TargetKey, upserts: readonly AppliedObject[], removals: readonly ObjectKey[]): Promise<void>;
  /** `conclude`, `saveApplied` and `concludeRelease` as one transaction, and what became of hooks. */
  concludeBatch(batch: ConcludedBatch): Promise<void>;
  /** Replaces the set that may go: what was allowed is still allowed after a restart. */
  allowDeletion(target: TargetKey, allowed: AllowedDeletion): Promise<void>;
  /** Replaces the set of what may be deleted to be made anew, by `deletionId`. */
  allowReplacements(target: TargetKey, ids: ReadonlySet<string>): Promise<void>;
  /** Records what others have changed. Answers the number of each, in order. */
  recordDrifts(batch: readonly NewDrift[]): Promise<readonly number[]>;
  /** What has become known of recorded drifts, and how they ended. */
  updateDrifts(batch: readonly DriftNews[]): Promise<void>;
  /** Records a hold, or what came of one that is recorded. */
  recordHold(hold: NewHold): Promise<void>;
  /** A hold is gone: where its time was not over, somebody has lifted it. */
  liftHold(uid: string): Promise<void>;
  saveSetting(name: SettingName, value: string): Promise<void>;
  /** Forgets the releases and the applied objects of a target; the record of its writes is kept. */
  forgetTarget(target: TargetKey): Promise<void>;
}

export interface ConcludedBatch {
  readonly target: TargetKey;
  readonly outcomes: readonly WriteOutcome[];
  readonly applied?: readonly AppliedObject[];
  readonly removed?: readonly ObjectKey[];
  readonly release?: ReleaseConclusion;
  readonly hookRuns?: readonly HookRunRecord[];
}

export interface WritableDatabase extends OpenDatabase {
  readonly clock: Clock;
  readonly lock: Disposable;
  readonly openedVault: Vault;
}

export class SqliteLedger extends SqliteReader implements Ledger {
  readonly #clock: Clock;
  readonly #lock: Disposable;
  readonly #vault: Vault;
  readonly #statements: Statements;
  readonly #commits: GroupCommit;

  constructor(open: WritableDatabase) {
    super(open);
    this.#clock = open.clock;
    this.#lock = open.lock;
    this.#vault = open.openedVault;
    this.#statements = prepareStatements(open.database);
    this.#commits = new GroupCommit((work) => inTransaction(this.database, work));
  }

  async intend(batch: readonly WriteIntent[]): Promise<readonly number[]> {
    const at = this.#clock.now();
    const { intend, openIntent } = this.#statements;
    return this.#write(() =>
      batch.map(({ change, target, verb, object, desiredHash, reason, actor }) => {
        const hash = desiredHash === undefined ? null : this.#vault.sealHash(object, desiredHash);
        const seq = Number(intend.run(at, change, target, verb, object, hash, reason, actor).lastInsertRowid);
        openIntent.run(seq, target);
        return seq;
      }),
    );
  }

  async conclude(batch: readonly WriteOutcome[]): Promise<void> {
    await this.#write(() => this.#conclude(batch));
  }

  async saveRelease(release: NewRelease): Promise<Release> {
    const { objects, ...header } = release;
    const { target } = release;
    const startedAt = this.#clock.now();
    // Before the transaction: it is the costly part, and it needs no lock.
    const contents = objects.map(({ object }) => this.#vault.store(object));
    const { nextNumber, insertRelease, insertContent, insertReleaseObject } = this.#statements;
    const number = await this.#write(() => {
      const next = Number(nextNumber.get(target)?.['number']);
      insertRelease.run(
        target,
        next,
        release.commit,
        release.treeId,
        release.inputsKey,
        release.digest,
        release.subject,
        release.author,
        objects.length,
        startedAt,
        release.repository ?? null,
        release.chart ?? null,
      );
      for (const [position, { id, encoding, bytes }] of contents.entries()) {
        insertContent.run(id, encoding, bytes);
        const origin = objects[position]?.origin;
        const patches = origin?.patches === undefined ? null : canonicalJson(origin.patches);
        insertReleaseObject.run(target, next, position, id, origin?.file ?? null, origin?.line ?? null, patches);
      }
      if (next > RELEASES_WITH_OBJECTS) this.#expire(target, next - RELEASES_WITH_OBJECTS);
      return next;
    });
    return { ...header, number, objectCount: objects.length, startedAt, outcome: 'running' };
  }

  async concludeRelease(
    target: TargetKey,
    number: number,
    outcome: ReleaseConclusion['outcome'],
    message?: string,
  ): Promise<void> {
    const conclusion = { number, outcome, ...(message === undefined ? {} : { message }) };
    await this.#write(() => this.#concludeRelease(target, conclusion));
  }

  async saveApplied(
    target: TargetKey,
    upserts: readonly AppliedObject[],
    removals: readonly ObjectKey[],
  ): Promise<void> {
    await this.#write(() => this.#saveApplied(target, upserts, removals));
  }

  async concludeBatch({
    target,
    outcomes,
    applied = [],
    removed = [],
    release,
    hookRuns = [],
  }: ConcludedBatch): Promise<void> {
    await this.#write(() => {
      this.#conclude(outcomes);
      this.#saveApplied(target, applied, removed);
      if (release !== undefined) this.#concludeRelease(target, release);
      const at = this.#clock.now();
      for (const run of hookRuns) {
        const { release: number, attempt, mark, object, state, uid, message } = run;
        this.#statements.saveHookRun.run(target, number, attempt, mark, object, at, state, uid, message);
      }
    });
  }

  async allowDeletion(target: TargetKey, { by, ids }: AllowedDeletion): Promise<void> {
    const { allowDeletion, forgetAllowance } = this.#statements;
    await this.#write(() => {
      if (ids.size === 0) forgetAllowance.run(target);
      else allowDeletion.run(target, this.#clock.now(), by, canonicalJson([...ids]));
    });
  }

  async allowReplacements(target: TargetKey, ids: ReadonlySet<string>): Promise<void> {
    const { allowReplacements, forgetReplacements } = this.#statements;
    await this.#write(() => {
      if (ids.size === 0) forgetReplacements.run(target);
      else allowReplacements.run(target, this.#clock.now(), canonicalJson([...ids]));
    });
  }

  async recordDrifts(batch: readonly NewDrift[]): Promise<readonly number[]> {
    const { insertDrift } = this.#statements;
    return this.#write(() =>
      batch.map(({ target, object, kind, fields, by, release, foundAt, standing }) => {
        const stands = standing === undefined ? null : canonicalJson(standing);
        const row = [target, object, kind, canonicalJson(fields), canonicalJson(by), release, foundAt, stands] as const;
        return Number(insertDrift.run(...row).lastInsertRowid);
      }),
    );
  }

  async updateDrifts(batch: readonly DriftNews[]): Promise<void> {
    const { authorDrift, fieldDrift, standDrift, endDrift } = this.#statements;
    const at = this.#clock.now();
    await this.#write(() => {
      for (const { id, by, fields, standing, outcome } of batch) {
        if (by !== undefined) authorDrift.run(canonicalJson(by), id);
        if (fields !== undefined) fieldDrift.run(canonicalJson(fields), id);
        if (standing !== undefined) standDrift.run(standing === null ? null : canonicalJson(standing), id);
        if (outcome !== undefined) endDrift.run(at, outcome, id);
      }
    });
  }

  async recordHold(hold: NewHold): Promise<void> {
    const { uid, target, name, covers, by, reason, since, until, atEnd, outcome = null } = hold;
    const row = [uid, target, name, covers, by, reason, since, until, atEnd, outcome] as const;
    await this.#write(() => this.#statements.saveHold.run(...row));
  }

  async liftHold(uid: string): Promise<void> {
    const now = this.#clock.now();
    await this.#write(() => this.#statements.liftHold.run(now, uid, now));
  }

  async saveSetting(name: SettingName, value: string): Promise<void> {
    await this.#write(() => this.#statements.saveSetting.run(name, value));
  }

  async forgetTarget(target: TargetKey): Promise<void> {
    const { contentOfTarget, forgetReleaseObjects, forgetReleases, forgetApplied, forgetHookRuns } = this.#statements;
    const { forgetAllowance, forgetReplacements } = this.#statements;
    await this.#write(() => {
      const contents = contentOfTarget.all(target);
      forgetReleaseObjects.run(target);
      forgetReleases.run(target);
      forgetApplied.run(target);
      forgetHookRuns.run(target);
      forgetAllowance.run(target);
      forgetReplacements.run(target);
      this.#dropUnreferenced(contents);
    });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#commits.flush();
    await super[Symbol.asyncDispose]();
    this.#lock[Symbol.dispose]();
  }

  #conclude(batch: readonly WriteOutcome[]): void {
    const at = this.#clock.now();
    const { conclude, closeIntent } = this.#statements;
    for (const { seq, result, resourceVersion, uid, auditId, error } of batch) {
      const errorText = error === undefined ? null : canonicalJson(error);
      conclude.run(seq, at, result, resourceVersion ?? null, uid ?? null, auditId ?? null, errorText);
      closeIntent.run(seq);
    }
  }

  #saveApplied(target: TargetKey, upserts: readonly AppliedObject[], removals: readonly ObjectKey[]): void {
    const { saveApplied, removeApplied } = this.#statements;
    for (const { key, uid, apiVersion, desiredHash, fieldsHash, release } of upserts) {
      saveApplied.run(target, key, uid, apiVersion, this.#vault.sealHash(key, desiredHash), fieldsHash, release);
    }
    for (const key of removals) removeApplied.run(target, key);
  }

  #concludeRelease(target: TargetKey, { number, outcome, message }: ReleaseConclusion): void {
    this.#statements.concludeRelease.run(outcome, message ?? null, this.#clock.now(), target, number);
  }

  #expire(target: TargetKey, upTo: number): void {
    const contents = this.#statements.expiredContent.all(target, upTo);
    this.#statements.expireReleaseObjects.run(target, upTo);
    this.#dropUnreferenced(contents);
  }

  #dropUnreferenced(rows: readonly Record<string, unknown>[]): void {
    for (const row of rows) this.#statements.dropUnreferenced.run(row['content'] as StoredContent['id']);
  }

  async #write<T>(work: () => T): Promise<T> {
    try {
      return await this.#commits.run(work);
    } catch (error) {
      throw ledgerUnavailable(this.file, error);
    }
  }
}
