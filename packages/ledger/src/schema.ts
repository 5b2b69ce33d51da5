import { sql, type Generated, type Kysely } from 'kysely';
import type { DriftKind, HoldEnd } from '@plumb/core';
import type { Migration } from 'kysely/migration';
import type { DriftOutcome } from './drift-record.ts';

/** Rows of `intent` and `outcome` are only ever added: a hash chain over them can be added without changing one. */
export interface Tables {
  intent: IntentRow;
  outcome: OutcomeRow;
  open_intent: { seq: number; target: string };
  release: ReleaseRow;
  release_object: ReleaseObjectRow;
  content: ContentRow;
  applied: AppliedRow;
  hook_run: HookRunRow;
  deletion_allowance: { target: string; at: number; allowed_by: 'approval' | 'budget'; objects: string };
  replacement_allowance: { target: string; at: number; objects: string };
  drift: DriftRow;
  hold: HoldRow;
  setting: { name: string; value: string };
}

/**
 * `leaseVersion`: the resource version at which the engine's lease was last seen. `frozenUntil`: until when nothing is
 * deleted, in epoch milliseconds. `stampsEdits`: `yes` while the policy that stamps edits is on the cluster by our doing.
 * `answered UID`: the comments on pull requests of a Repository that were acted on.
 */
export type SettingName = 'leaseVersion' | 'frozenUntil' | 'stampsEdits' | `answered ${string}`;

export interface IntentRow {
  seq: Generated<number>;
  at: number;
  change: string;
  target: string;
  verb: 'apply' | 'delete';
  object: string;
  desired_hash: string | null;
  reason: string;
  actor: string;
}

export interface OutcomeRow {
  seq: number;
  at: number;
  result: 'ok' | 'failed' | 'unknown';
  resource_version: string | null;
  uid: string | null;
  audit_id: string | null;
  error: string | null;
}

export interface DriftRow {
  id: Generated<number>;
  target: string;
  object: string;
  kind: DriftKind;
  fields: string;
  author: string;
  release: number;
  found_at: number;
  standing: string | null;
  ended_at: number | null;
  outcome: DriftOutcome | null;
}

export interface HoldRow {
  uid: string;
  target: string;
  name: string;
  covers: string;
  held_by: string;
  reason: string;
  since: number;
  until: number;
  at_end: HoldEnd;
  outcome: string | null;
  lifted_at: number | null;
}

export interface ReleaseRow {
  target: string;
  number: number;
  commit_id: string;
  tree_id: string;
  inputs_key: string;
  digest: string;
  subject: string;
  author: string;
  object_count: number;
  started_at: number;
  concluded_at: number | null;
  outcome: 'running' | 'healthy' | 'failed' | 'superseded';
  message: string | null;
  repository: string | null;
  chart: string | null;
}

export interface ReleaseObjectRow {
  target: string;
  number: number;
  position: number;
  content: Uint8Array;
  origin_file: string | null;
  origin_line: number | null;
  /** A JSON list of paths. */
  origin_patches: string | null;
}

interface ContentRow {
  id: Uint8Array;
  encoding: number;
  bytes: Uint8Array;
}

export interface AppliedRow {
  target: string;
  object: string;
  uid: string;
  api_version: string;
  desired_hash: string;
  fields_hash: string;
  release: number;
}

interface HookRunRow {
  target: string;
  release: number;
  attempt: number;
  /** See `HOOK_RUN_ANNOTATION`. */
  mark: string;
  object: string;
  at: number;
  state: 'started' | 'succeeded' | 'failed';
  uid: string;
  message: string;
}

/** In order of their names. A migration that was released is never edited. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-first': {
    async up(db: Kysely<unknown>) {
      for (const statement of FIRST) await sql.raw(statement).execute(db);
    },
  },
  '0002-provenance': {
    async up(db: Kysely<unknown>) {
      for (const statement of PROVENANCE) await sql.raw(statement).execute(db);
    },
  },
  '0003-hooks': {
    async up(db: Kysely<unknown>) {
      await sql.raw(HOOKS).execute(db);
    },
  },
  '0004-deletions': {
    async up(db: Kysely<unknown>) {
      for (const statement of DELETIONS) await sql.raw(statement).execute(db);
    },
  },
  '0005-replacements': {
    async up(db: Kysely<unknown>) {
      await sql.raw(REPLACEMENTS).execute(db);
    },
  },
  '0006-drift': {
    async up(db: Kysely<unknown>) {
      for (const statement of DRIFT) await sql.raw(statement).execute(db);
    },
  },
  '0007-hold': {
    async up(db: Kysely<unknown>) {
      await sql.raw(HOLD).execute(db);
    },
  },
};

/** Holds are objects of the cluster, where they may be deleted; who held what is still known here. */
const HOLD = `CREATE TABLE hold (
    uid TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    name TEXT NOT NULL,
    covers TEXT NOT NULL,
    held_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    at_end TEXT NOT NULL,
    outcome TEXT,
    lifted_at INTEGER
  ) STRICT, WITHOUT ROWID`;

const DRIFT = [
  // `fields`, `by` and `standing` are JSON; values of Secrets are masked in them.
  `CREATE TABLE drift (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL,
    object TEXT NOT NULL,
    kind TEXT NOT NULL,
    fields TEXT NOT NULL,
    author TEXT NOT NULL,
    release INTEGER NOT NULL,
    found_at INTEGER NOT NULL,
    standing TEXT,
    ended_at INTEGER,
    outcome TEXT CHECK (outcome IN ('healed', 'gone', 'released', 'superseded', 'ignored', 'forgotten'))
  ) STRICT`,
  `CREATE INDEX drift_by_time ON drift (found_at)`,
  // Only what is open is in it: that is asked at each start.
  `CREATE INDEX drift_open ON drift (id) WHERE ended_at IS NULL`,
];

/** A JSON list of `deletionId`s: what a release may delete to make it anew, approved before it began. */
const REPLACEMENTS = `CREATE TABLE replacement_allowance (
    target TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    objects TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`;

const DELETIONS = [
  // A JSON list of `deletionId`s: a set of deletions goes step by step, and outlives the process in between.
  `CREATE TABLE deletion_allowance (
    target TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    allowed_by TEXT NOT NULL CHECK (allowed_by IN ('approval', 'budget')),
    objects TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
  // Only deletions are in it: how many there were lately is asked at each start.
  `CREATE INDEX intent_of_deletion ON intent (at) WHERE verb = 'delete'`,
];

const HOOKS = `CREATE TABLE hook_run (
  target TEXT NOT NULL,
  release INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  mark TEXT NOT NULL,
  object TEXT NOT NULL,
  at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('started', 'succeeded', 'failed')),
  uid TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (target, release, mark, object)
) STRICT, WITHOUT ROWID`;

const PROVENANCE = [
  `ALTER TABLE release ADD COLUMN repository TEXT`,
  `ALTER TABLE release ADD COLUMN chart TEXT`,
  `ALTER TABLE release_object ADD COLUMN origin_patches TEXT`,
];

const FIRST = [
  `CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`,

  // AUTOINCREMENT: a number is never given out twice, not even after the last row went.
  `CREATE TABLE intent (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    change TEXT NOT NULL,
    target TEXT NOT NULL,
    verb TEXT NOT NULL CHECK (verb IN ('apply', 'delete')),
    object TEXT NOT NULL,
    desired_hash TEXT,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL
  ) STRICT`,
  `CREATE INDEX intent_by_target ON intent (target)`,
  `CREATE TABLE outcome (
    seq INTEGER PRIMARY KEY REFERENCES intent (seq),
    at INTEGER NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('ok', 'failed', 'unknown')),
    resource_version TEXT,
    uid TEXT,
    audit_id TEXT,
    error TEXT
  ) STRICT`,
  // The intents without an outcome, so that a start need not search all of history for them.
  `CREATE TABLE open_intent (seq INTEGER PRIMARY KEY REFERENCES intent (seq), target TEXT NOT NULL) STRICT`,

  `CREATE TABLE release (
    target TEXT NOT NULL,
    number INTEGER NOT NULL,
    commit_id TEXT NOT NULL,
    tree_id TEXT NOT NULL,
    inputs_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    subject TEXT NOT NULL,
    author TEXT NOT NULL,
    object_count INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    concluded_at INTEGER,
    outcome TEXT NOT NULL CHECK (outcome IN ('running', 'healthy', 'failed', 'superseded')),
    message TEXT,
    PRIMARY KEY (target, number)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE content (id BLOB PRIMARY KEY, encoding INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID`,
  `CREATE TABLE release_object (
    target TEXT NOT NULL,
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    content BLOB NOT NULL REFERENCES content (id),
    origin_file TEXT,
    origin_line INTEGER,
    PRIMARY KEY (target, number, position)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX release_object_by_content ON release_object (content)`,

  `CREATE TABLE applied (
    target TEXT NOT NULL,
    object TEXT NOT NULL,
    uid TEXT NOT NULL,
    api_version TEXT NOT NULL,
    desired_hash TEXT NOT NULL,
    fields_hash TEXT NOT NULL,
    release INTEGER NOT NULL,
    PRIMARY KEY (target, object)
  ) STRICT, WITHOUT ROWID`,
];
