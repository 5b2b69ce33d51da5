import type { DatabaseSync } from 'node:sqlite';

/** The statements of the write path, prepared once: they run for every object of every application. */
export type Statements = ReturnType<typeof prepareStatements>;

export function prepareStatements(database: DatabaseSync) {
  const prepare = (text: string) => database.prepare(text);
  return {
    intend: prepare(`INSERT INTO intent (at, change, target, verb, object, desired_hash, reason, actor)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    openIntent: prepare('INSERT INTO open_intent (seq, target) VALUES (?, ?)'),
    // A second outcome of one write is ignored: the first was what the server answered.
    conclude: prepare(`INSERT INTO outcome (seq, at, result, resource_version, uid, audit_id, error)
      VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    closeIntent: prepare('DELETE FROM open_intent WHERE seq = ?'),

    nextNumber: prepare('SELECT coalesce(max(number), 0) + 1 AS number FROM release WHERE target = ?'),
    insertRelease: prepare(`INSERT INTO release
      (target, number, commit_id, tree_id, inputs_key, digest, subject, author, object_count, started_at, repository, chart, outcome)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running')`),
    insertContent: prepare('INSERT INTO content (id, encoding, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    insertReleaseObject: prepare(`INSERT INTO release_object
      (target, number, position, content, origin_file, origin_line, origin_patches) VALUES (?, ?, ?, ?, ?, ?, ?)`),
    concludeRelease: prepare(`UPDATE release SET outcome = ?, message = ?, concluded_at = ?
      WHERE target = ? AND number = ?`),

    // The newest healthy release is what a rollback needs, however many failed after it.
    expiredContent: prepare(`SELECT DISTINCT content FROM release_object WHERE target = ?1 AND number <= ?2
      AND number <> (SELECT coalesce(max(number), 0) FROM release WHERE target = ?1 AND outcome = 'healthy')`),
    expireReleaseObjects: prepare(`DELETE FROM release_object WHERE target = ?1 AND number <= ?2
      AND number <> (SELECT coalesce(max(number), 0) FROM release WHERE target = ?1 AND outcome = 'healthy')`),
    dropUnreferenced: prepare(`DELETE FROM content WHERE id = ?1
      AND NOT EXISTS (SELECT 1 FROM release_object WHERE content = ?1)`),

    saveApplied: prepare(`INSERT INTO applied (target, object, uid, api_version, desired_hash, fields_hash, release)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET uid = excluded.uid, api_version = excluded.api_version,
        desired_hash = excluded.desired_hash, fields_hash = excluded.fields_hash, release = excluded.release`),
    removeApplied: prepare('DELETE FROM applied WHERE target = ? AND object = ?'),

    // What has ended keeps its end.
    saveHookRun: prepare(`INSERT INTO hook_run (target, release, attempt, mark, object, at, state, uid, message)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET at = excluded.at, state = excluded.state, uid = excluded.uid, message = excluded.message
        WHERE state = 'started'`),
    forgetHookRuns: prepare('DELETE FROM hook_run WHERE target = ?'),

    contentOfTarget: prepare('SELECT DISTINCT content FROM release_object WHERE target = ?'),
    forgetReleaseObjects: prepare('DELETE FROM release_object WHERE target = ?'),
    forgetReleases: prepare('DELETE FROM release WHERE target = ?'),
    allowDeletion: prepare(`INSERT INTO deletion_allowance (target, at, allowed_by, objects) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET at = excluded.at, allowed_by = excluded.allowed_by, objects = excluded.objects`),
    insertDrift: prepare(`INSERT INTO drift (target, object, kind, fields, author, release, found_at, standing)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    authorDrift: prepare('UPDATE drift SET author = ? WHERE id = ?'),
    fieldDrift: prepare('UPDATE drift SET fields = ? WHERE id = ?'),
    standDrift: prepare('UPDATE drift SET standing = ? WHERE id = ? AND ended_at IS NULL'),
    // What has ended stays as it ended.
    endDrift: prepare('UPDATE drift SET ended_at = ?, outcome = ? WHERE id = ? AND ended_at IS NULL'),
    // A hold is never changed; what came of it is said later.
    saveHold: prepare(`INSERT INTO hold (uid, target, name, covers, held_by, reason, since, until, at_end, outcome)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET outcome = coalesce(excluded.outcome, outcome)`),
    liftHold: prepare('UPDATE hold SET lifted_at = ? WHERE uid = ? AND lifted_at IS NULL AND until > ?'),
    saveSetting: prepare(
      'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    ),
    allowReplacements: prepare(`INSERT INTO replacement_allowance (target, at, objects) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET at = excluded.at, objects = excluded.objects`),
    forgetReplacements: prepare('DELETE FROM replacement_allowance WHERE target = ?'),
    forgetAllowance: prepare('DELETE FROM deletion_allowance WHERE target = ?'),
    forgetApplied: prepare('DELETE FROM applied WHERE target = ?'),
  };
}
