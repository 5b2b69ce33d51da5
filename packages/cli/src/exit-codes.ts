import { PlumbError, type ErrorCode } from '@plumb/core';

/** What the exit code of every verb means: the one table. */
export const EXIT = {
  /** Yes: done, healthy, no differences. */
  yes: 0,
  /** The answer is no: unhealthy, sync failed, differences found by `diff`, or by `plan` where the caller asked for a code. */
  no: 1,
  /** Usage, or input that has to be corrected. */
  input: 2,
  /** Not signed in, or not permitted. */
  denied: 3,
  /** API server, Git host or engine not reached. */
  unreachable: 4,
  /** Timed out waiting; the work goes on. */
  timeout: 5,
  /** Refused by a policy: it takes an approval. */
  policy: 6,
  /** The cluster or Git moved in between. */
  conflict: 7,
  /** A fault of Plumb itself. */
  internal: 8,
  interrupted: 130,
} as const;

type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The codes that are not told by who has to act: see `ERROR_CODES`. */
const BY_CODE: Partial<Record<ErrorCode, ExitCode>> = {
  Forbidden: EXIT.denied,
  ClusterUnauthorized: EXIT.denied,
  RepositoryUnauthorized: EXIT.denied,
  HostUnauthorized: EXIT.denied,
  NotRunning: EXIT.unreachable,
  LedgerUnavailable: EXIT.unreachable,
  WaitTimeout: EXIT.timeout,
  DeletionBlocked: EXIT.policy,
  ApprovalMissing: EXIT.policy,
  PolicyDenied: EXIT.policy,
  AdmissionDenied: EXIT.policy,
  QuotaExceeded: EXIT.policy,
  OwnedByOther: EXIT.policy,
  PushRejected: EXIT.policy,
  KeepShared: EXIT.policy,
  Conflict: EXIT.conflict,
  PlanVoid: EXIT.conflict,
  BranchMoved: EXIT.conflict,
  FieldConflict: EXIT.conflict,
  LedgerBusy: EXIT.conflict,
  EngineBusy: EXIT.conflict,
  Unhealthy: EXIT.no,
};

const BY_CULPRIT = {
  user: EXIT.input,
  cluster: EXIT.unreachable,
  source: EXIT.unreachable,
  engine: EXIT.internal,
} as const;

/** The exit code for what a verb threw; of several errors the first one decides. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof AggregateError) return exitCodeOf(thrown.errors[0]);
  if (!(thrown instanceof PlumbError)) return EXIT.internal;
  return BY_CODE[thrown.code] ?? BY_CULPRIT[thrown.facts.culprit];
}
