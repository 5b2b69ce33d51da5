import type { ErrorRecord, ObjectKey, TargetKey } from '@plumb/core';

/** What is about to be written to a cluster. It is recorded before the request is sent. */
export interface WriteIntent {
  /** The full id of the commit that asks for it. */
  readonly change: string;
  readonly target: TargetKey;
  readonly verb: 'apply' | 'delete';
  readonly object: ObjectKey;
  /** The hash of what is applied; not set for a deletion. */
  readonly desiredHash?: string;
  /** create, update, heal, adopt, prune …: the word that `decide` gave. */
  readonly reason: string;
  /** Who it is written as. */
  readonly actor: string;
}

export interface RecordedIntent extends WriteIntent {
  /** The order of all writes; never used twice. */
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What became of an intent. `unknown`: the request was sent, and no answer came back. */
export interface WriteOutcome {
  readonly seq: number;
  readonly result: 'ok' | 'failed' | 'unknown';
  readonly resourceVersion?: string;
  readonly uid?: string;
  /** The API server's `Audit-Id`: joins this record with the audit log of the cluster. */
  readonly auditId?: string;
  readonly error?: ErrorRecord;
}

export interface WriteRecord extends RecordedIntent {
  /** Not set while the write is under way, and after a crash until its outcome has been found out. */
  readonly outcome?: WriteOutcome & { readonly at: number };
}
