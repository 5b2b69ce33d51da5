import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { Kysely, sql, SqliteAdapter, SqliteDialect, type SqliteDatabase } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';

/** Brings a database to the newest schema; what fails leaves it as it was. */
export async function migrate(database: DatabaseSync): Promise<void> {
  const migrator = new Migrator({
    db: kyselyOver(database),
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

/** Kysely over a `node:sqlite` database. Each text is prepared once. */
function kyselyOver(database: DatabaseSync): Kysely<unknown> {
  const statements = new Map<string, StatementSync>();
  const adapted: SqliteDatabase = {
    close: () => database.close(),
    prepare(text) {
      const statement = statements.get(text) ?? database.prepare(text);
      statements.set(text, statement);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
      };
    },
  };
  return new Kysely<unknown>({ dialect: new Dialect({ database: adapted }) });
}

class Dialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new Adapter();
  }
}

class Adapter extends SqliteAdapter {
  /** SQLite can take back a CREATE TABLE, so a migration that dies half-way leaves nothing. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** In order of their names. A migration that was released is never edited. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
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
