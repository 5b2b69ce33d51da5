import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { AllowedDeletion, Attribution, DriftField, ErrorRecord, ObjectKey, Origin, TargetKey } from '@plumb/core';
import type { AppliedObject } from './applied-object.ts';
import { decodeJson } from './decode.ts';
import type { DriftRecord, DriftStanding } from './drift-record.ts';
import type { HoldRecord } from './hold-record.ts';
import { ledgerUnavailable } from './database.ts';
import type { HookRunRecord } from './hook-run-record.ts';
import type { Release, ReleaseObject } from './release.ts';
import type {
  AppliedRow,
  ContentRow,
  DeletionAllowanceRow,
  DriftRow,
  HoldRow,
  HookRunRow,
  IntentRow,
  OutcomeRow,
  ReleaseObjectRow,
  ReleaseRow,
  SettingName,
} from './schema.ts';
import type { Vault } from './vault.ts';
import type { RecordedIntent, WriteOutcome, WriteRecord } from './write-record.ts';

/** What the ledger knows. Error of every call: `LedgerUnavailable`. */
export interface LedgerReader extends AsyncDisposable {
  /** The release with the highest number, whatever became of it. */
  latestRelease(target: TargetKey): Promise<Release | undefined>;
  latestReleases(): Promise<ReadonlyMap<TargetKey, Release>>;
  /** Newest first. */
  releases(target: TargetKey, options: { readonly limit: number }): Promise<readonly Release[]>;
  /**
   * The objects of a release in the order that they were saved in; undefined where there is no such release or its
   * objects are no longer kept. So an empty list always means a release of no objects.
   */
  releaseObjects(target: TargetKey, number: number): Promise<readonly ReleaseObject[] | undefined>;
  applied(target: TargetKey): Promise<readonly AppliedObject[]>;
  /** The hooks that were run for a release, attempt by attempt. */
  hookRuns(target: TargetKey, release: number): Promise<readonly HookRunRecord[]>;
  /** The set that was last allowed to go; undefined where there is none. */
  allowedDeletion(target: TargetKey): Promise<AllowedDeletion | undefined>;
  /** What of the last release may be deleted to be made anew, by `deletionId`. */
  allowedReplacements(target: TargetKey): Promise<ReadonlySet<string>>;
  /**
   * When objects were deleted for this reason, since a time (both in epoch milliseconds), oldest first. A deletion whose
   * answer was lost counts; one that was refused does not.
   */
  deletionsSince(since: number, reason: string): Promise<readonly number[]>;
  appliedAll(): Promise<ReadonlyMap<TargetKey, readonly AppliedObject[]>>;
  /** What others have changed, newest first; `isOpen`: only what has not ended. */
  drifts(options: DriftQuery): Promise<readonly DriftRecord[]>;
  /** Those that were placed last first. */
  holds(options: HoldQuery): Promise<readonly HoldRecord[]>;
  /** Newest first. */
  writes(options: { readonly target?: TargetKey; readonly limit: number }): Promise<readonly WriteRecord[]>;
  /** Writes that were begun and never concluded (the process died in between), oldest first. */
  unconcluded(target?: TargetKey): Promise<readonly RecordedIntent[]>;
  /** The targets that have a release, sorted. */
  targets(): Promise<readonly TargetKey[]>;
  /** What the engine keeps in mind over a restart. */
  setting(name: SettingName): Promise<string | undefined>;
  /** A secret of this installation, 32 bytes, the same at every start; each purpose has its own. */
  deriveKey(purpose: string): Promise<Uint8Array>;
}

export interface DriftQuery {
  readonly isOpen?: boolean | undefined;
  /** Only of this target. */
  readonly target?: TargetKey | undefined;
  /** Epoch milliseconds: found or ended since then. */
  readonly since?: number | undefined;
  readonly limit: number;
}

export interface HoldQuery {
  /** Only of this target. */
  readonly target?: TargetKey | undefined;
  /** Epoch milliseconds: only those whose time was not over then, and that nobody had lifted. */
  readonly lastingAt?: number | undefined;
  readonly limit: number;
}

export interface OpenDatabase {
  readonly file: string;
  readonly database: DatabaseSync;
  /** Opened at the first need: who only lists releases needs no key. */
  readonly vault: () => Promise<Vault>;
}

export class SqliteReader implements LedgerReader {
  protected readonly file: string;
  protected readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #vault: () => Promise<Vault>;

  constructor({ file, database, vault }: OpenDatabase) {
    this.file = file;
    this.database = database;
    this.#vault = vault;
  }

  async setting(name: SettingName): Promise<string | undefined> {
    const [row] = this.#read<{ value: string }>('SELECT value FROM setting WHERE name = ?', name);
    return row?.value;
  }

  async deriveKey(purpose: string): Promise<Uint8Array> {
    return (await this.#vault()).derive(purpose);
  }

  async latestRelease(target: TargetKey): Promise<Release | undefined> {
    const [latest] = await this.releases(target, { limit: 1 });
    return latest;
  }

  async latestReleases(): Promise<ReadonlyMap<TargetKey, Release>> {
    const rows = this.#read<ReleaseRow>(`SELECT release.* FROM release
      JOIN (SELECT target, max(number) AS number FROM release GROUP BY target) AS latest
      ON latest.target = release.target AND latest.number = release.number`);
    return new Map(rows.map((row) => [row.target as TargetKey, toRelease(row)]));
  }

  async releases(target: TargetKey, { limit }: { readonly limit: number }): Promise<readonly Release[]> {
    const text = 'SELECT * FROM release WHERE target = ? ORDER BY number DESC LIMIT ?';
    return this.#read<ReleaseRow>(text, target, limit).map(toRelease);
  }

  async releaseObjects(target: TargetKey, number: number): Promise<readonly ReleaseObject[] | undefined> {
    const [release] = this.#read<Pick<ReleaseRow, 'object_count'>>(
      'SELECT object_count FROM release WHERE target = ? AND number = ?',
      target,
      number,
    );
    if (release === undefined) return undefined;
    const rows = this.#read<ContentRow & Pick<ReleaseObjectRow, 'origin_file' | 'origin_line' | 'origin_patches'>>(
      `SELECT id, encoding, bytes, origin_file, origin_line, origin_patches
        FROM release_object JOIN content ON content.id = release_object.content
        WHERE target = ? AND number = ? ORDER BY position`,
      target,
      number,
    );
    if (rows.length !== release.object_count) return undefined;
    const vault = await this.#vault();
    return rows.map((row) => {
      const object = vault.restore(row);
      const origin = toOrigin(row);
      return origin === undefined ? { object } : { object, origin };
    });
  }

  async applied(target: TargetKey): Promise<readonly AppliedObject[]> {
    const rows = this.#read<AppliedRow>('SELECT * FROM applied WHERE target = ?', target);
    const vault = await this.#vault();
    return rows.map((row) => toApplied(row, vault));
  }

  async hookRuns(target: TargetKey, release: number): Promise<readonly HookRunRecord[]> {
    const rows = this.#read<Omit<HookRunRow, 'target' | 'at'>>(
      `SELECT release, attempt, mark, object, state, uid, message FROM hook_run
        WHERE target = ? AND release = ? ORDER BY attempt, at`,
      target,
      release,
    );
    return rows.map(({ object, ...row }) => ({ ...row, object: object as ObjectKey }));
  }

  async allowedDeletion(target: TargetKey): Promise<AllowedDeletion | undefined> {
    const [row] = this.#read<Pick<DeletionAllowanceRow, 'allowed_by' | 'objects'>>(
      'SELECT allowed_by, objects FROM deletion_allowance WHERE target = ?',
      target,
    );
    if (row === undefined) return undefined;
    return { by: row.allowed_by, ids: new Set(decodeJson(row.objects) as readonly string[]) };
  }

  async allowedReplacements(target: TargetKey): Promise<ReadonlySet<string>> {
    const text = 'SELECT objects FROM replacement_allowance WHERE target = ?';
    const [row] = this.#read<{ objects: string }>(text, target);
    return new Set(row === undefined ? [] : (decodeJson(row.objects) as readonly string[]));
  }

  async deletionsSince(since: number, reason: string): Promise<readonly number[]> {
    const rows = this.#read<{ at: number; result: OutcomeRow['result'] | null }>(
      `SELECT intent.at AS at, result FROM intent LEFT JOIN outcome ON outcome.seq = intent.seq
        WHERE verb = 'delete' AND intent.at >= ? AND reason = ? ORDER BY intent.at`,
      since,
      reason,
    );
    return rows.flatMap(({ at, result }) => (result === 'failed' ? [] : at));
  }

  async appliedAll(): Promise<ReadonlyMap<TargetKey, readonly AppliedObject[]>> {
    const rows = this.#read<AppliedRow>('SELECT * FROM applied');
    const vault = await this.#vault();
    const byTarget = new Map<TargetKey, AppliedObject[]>();
    for (const row of rows) {
      const target = row.target as TargetKey;
      const objects = byTarget.get(target) ?? [];
      objects.push(toApplied(row, vault));
      byTarget.set(target, objects);
    }
    return byTarget;
  }

  async drifts({ isOpen, target, since, limit }: DriftQuery): Promise<readonly DriftRecord[]> {
    const where = whereAll(
      isOpen === true && ['ended_at IS NULL'],
      target !== undefined && ['target = ?', target],
      since !== undefined && ['(found_at >= ? OR ended_at >= ?)', since, since],
    );
    const text = `SELECT * FROM drift ${where.text} ORDER BY id DESC LIMIT ?`;
    return this.#read<DriftRow>(text, ...where.values, limit).map(toDrift);
  }

  async holds({ target, lastingAt, limit }: HoldQuery): Promise<readonly HoldRecord[]> {
    const where = whereAll(
      target !== undefined && ['target = ?', target],
      lastingAt !== undefined && ['until > ? AND lifted_at IS NULL', lastingAt],
    );
    const text = `SELECT * FROM hold ${where.text} ORDER BY since DESC, uid LIMIT ?`;
    return this.#read<HoldRow>(text, ...where.values, limit).map(toHold);
  }

  async writes({
    target,
    limit,
  }: {
    readonly target?: TargetKey;
    readonly limit: number;
  }): Promise<readonly WriteRecord[]> {
    const where = whereAll(target !== undefined && ['target = ?', target]);
    const rows = this.#read<IntentRow & { outcome_at: number | null } & Nullable<Omit<OutcomeRow, 'seq' | 'at'>>>(
      `SELECT intent.*, outcome.at AS outcome_at, result, resource_version, uid, audit_id, error
        FROM intent LEFT JOIN outcome ON outcome.seq = intent.seq ${where.text} ORDER BY intent.seq DESC LIMIT ?`,
      ...where.values,
      limit,
    );
    const vault = await this.#vault();
    return rows.map((row) => {
      const intent = toIntent(row, vault);
      if (row.outcome_at === null || row.result === null) return intent;
      return { ...intent, outcome: { ...toOutcome({ ...row, result: row.result }), at: row.outcome_at } };
    });
  }

  async unconcluded(target?: TargetKey): Promise<readonly RecordedIntent[]> {
    const where = whereAll(target !== undefined && ['open_intent.target = ?', target]);
    const rows = this.#read<IntentRow>(
      `SELECT intent.* FROM open_intent JOIN intent ON intent.seq = open_intent.seq ${where.text} ORDER BY intent.seq`,
      ...where.values,
    );
    const vault = await this.#vault();
    return rows.map((row) => toIntent(row, vault));
  }

  async targets(): Promise<readonly TargetKey[]> {
    const rows = this.#read<{ target: string }>('SELECT DISTINCT target FROM release ORDER BY target');
    return rows.map(({ target }) => target as TargetKey);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.database.isOpen) this.database.close();
  }

  /** The rows of a query, whose columns are those of `Row`; each text is prepared once. */
  #read<Row>(text: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    try {
      const statement = this.#statements.get(text) ?? this.database.prepare(text);
      this.#statements.set(text, statement);
      return statement.all(...values) as unknown as readonly Row[];
    } catch (error) {
      throw ledgerUnavailable(this.file, error);
    }
  }
}

type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null };

/** A condition with its values, or false where it is not asked for. */
type Condition = false | readonly [text: string, ...values: SQLInputValue[]];

function whereAll(...conditions: readonly Condition[]): {
  readonly text: string;
  readonly values: readonly SQLInputValue[];
} {
  const asked = conditions.filter((condition) => condition !== false);
  const text = asked.length === 0 ? '' : `WHERE ${asked.map(([condition]) => condition).join(' AND ')}`;
  return { text, values: asked.flatMap(([, ...values]) => values) };
}

function toRelease(row: ReleaseRow): Release {
  return {
    target: row.target as TargetKey,
    number: row.number,
    commit: row.commit_id,
    treeId: row.tree_id,
    inputsKey: row.inputs_key,
    digest: row.digest,
    subject: row.subject,
    author: row.author,
    ...(row.repository === null ? {} : { repository: row.repository }),
    ...(row.chart === null ? {} : { chart: row.chart }),
    objectCount: row.object_count,
    startedAt: row.started_at,
    ...(row.concluded_at === null ? {} : { concludedAt: row.concluded_at }),
    outcome: row.outcome,
    ...(row.message === null ? {} : { message: row.message }),
  };
}

function toDrift(row: DriftRow): DriftRecord {
  const { id, kind, release, standing, outcome } = row;
  return {
    id,
    target: row.target as TargetKey,
    object: row.object as ObjectKey,
    kind,
    fields: decodeJson(row.fields) as readonly DriftField[],
    by: decodeJson(row.author) as Attribution,
    release,
    foundAt: row.found_at,
    ...(standing === null ? {} : { standing: decodeJson(standing) as DriftStanding }),
    ...(row.ended_at === null || outcome === null ? {} : { end: { at: row.ended_at, outcome } }),
  };
}

function toHold(row: HoldRow): HoldRecord {
  const { uid, name, covers, reason, since, until, outcome } = row;
  return {
    ...{ uid, name, covers, reason, since, until },
    target: row.target as TargetKey,
    by: row.held_by,
    atEnd: row.at_end,
    ...(outcome === null ? {} : { outcome }),
    ...(row.lifted_at === null ? {} : { liftedAt: row.lifted_at }),
  };
}

function toOrigin(row: Pick<ReleaseObjectRow, 'origin_file' | 'origin_line' | 'origin_patches'>): Origin | undefined {
  if (row.origin_file === null) return undefined;
  return {
    file: row.origin_file,
    ...(row.origin_line === null ? {} : { line: row.origin_line }),
    ...(row.origin_patches === null ? {} : { patches: decodeJson(row.origin_patches) as readonly string[] }),
  };
}

function toApplied(row: AppliedRow, vault: Vault): AppliedObject {
  const key = row.object as ObjectKey;
  return {
    key,
    uid: row.uid,
    apiVersion: row.api_version,
    desiredHash: vault.openHash(key, row.desired_hash),
    fieldsHash: row.fields_hash,
    release: row.release,
  };
}

function toIntent(row: IntentRow, vault: Vault): RecordedIntent {
  const object = row.object as ObjectKey;
  return {
    seq: row.seq,
    at: row.at,
    change: row.change,
    target: row.target as TargetKey,
    verb: row.verb,
    object,
    ...(row.desired_hash === null ? {} : { desiredHash: vault.openHash(object, row.desired_hash) }),
    reason: row.reason,
    actor: row.actor,
  };
}

function toOutcome(row: Omit<OutcomeRow, 'at'>): WriteOutcome {
  return {
    seq: row.seq,
    result: row.result,
    ...(row.resource_version === null ? {} : { resourceVersion: row.resource_version }),
    ...(row.uid === null ? {} : { uid: row.uid }),
    ...(row.audit_id === null ? {} : { auditId: row.audit_id }),
    ...(row.error === null ? {} : { error: decodeJson(row.error) as ErrorRecord }),
  };
}
