import type { DriftKind, HoldEnd } from '@plumb/core';
import type { DriftOutcome } from './drift-record.ts';

/** A JSON list of `deletionId`s that may go. */
export interface DeletionAllowanceRow {
  target: string;
  at: number;
  allowed_by: 'approval' | 'budget';
  objects: string;
}

/**
 * `leaseVersion`: the resource version at which the engine's lease was last seen. `frozenUntil`: until when nothing is
 * deleted, in epoch milliseconds. `stampsEdits`: `yes` while the policy that stamps edits is on the cluster by our doing.
 * `answered UID`: the comments on pull requests of a Repository that were acted on.
 */
export type SettingName = 'leaseVersion' | 'frozenUntil' | 'stampsEdits' | `answered ${string}`;

/** Rows of `intent` and `outcome` are only ever added: a hash chain over them can be added without changing one. */
export interface IntentRow {
  seq: number;
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
  id: number;
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

export interface ContentRow {
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

export interface HookRunRow {
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
