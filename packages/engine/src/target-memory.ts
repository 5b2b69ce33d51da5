import {
  denialsOf,
  lossesOf,
  type AllowedDeletion,
  type AppliedObject,
  type Drift,
  type Examination,
  type ObjectKey,
  type Plan,
  type PlanFact,
  type PlumbError,
  type Rehearsed,
  type Rest,
  type Result,
  type TargetFacts,
  type WriteFailure,
} from '@plumb/core';
import type { Externals } from './externals.ts';
import { Heals } from './heals.ts';
import { nextAttempt, nextEnding } from './hooks.ts';

export interface MadePlan {
  /** Digest of the desired set that it is of. */
  readonly desired: string;
  readonly commit: string;
  /** Name and mail address of who wrote the commit. */
  readonly author: readonly string[];
  readonly result: Result<Plan, readonly PlumbError[]>;
  /** In which look it was made: it counts as one of this moment in no other. */
  readonly look: number;
}

interface Rehearsals {
  readonly digest: string;
  readonly answers: Map<ObjectKey, Rehearsed & { readonly attempts: number }>;
}

export const NOT_REHEARSED: Rehearsals = { digest: '', answers: new Map() };

/** What the engine remembers of a target between two looks. All of it can be read again from Git, ledger and cluster. */
export interface TargetMemory {
  desired: TargetFacts['desired'];
  released: TargetFacts['released'];
  /** What dry-runs have said of the desired set with that digest. */
  rehearsal: Rehearsals;
  /** The chart that `desired` was rendered from, where it was fetched. */
  chart: Externals['chart'];
  renderFailure: TargetFacts['renderFailure'];
  renderAttempts: number;
  readonly applied: Map<ObjectKey, AppliedObject>;
  readonly failures: Map<ObjectKey, WriteFailure & { readonly attempts: number }>;
  release: number | undefined;
  releasedCommit: string | undefined;
  releasedDigest: string | undefined;
  openRelease: TargetFacts['openRelease'];
  /** How often it was looked at. */
  looks: number;
  /** What would be released now, where somebody has to approve it. */
  plan: MadePlan | undefined;
  /** Set once the target is to end. */
  ending: TargetFacts['ending'];
  readonly heals: Heals;
  /** What was found out about objects that others changed. */
  readonly findings: Map<ObjectKey, Drift>;
  /** The versions of our last writes, and when they were: what came after is somebody else's. */
  readonly written: Map<ObjectKey, { readonly version: string | undefined; readonly sinceMs: number }>;
  /** What changes so fast that it is healed whatever it is by then. */
  readonly restless: Set<ObjectKey>;
  /** Deletions that may go on. */
  allowed: AllowedDeletion | undefined;
  /** What holds data and may be deleted to be made anew: approved with the plan of the last release. */
  replaceable: ReadonlySet<string>;
  /** What was found out last about objects that are to go, in which desired set; undefined covers all of them. */
  examined: { digest: string; ids: ReadonlySet<string> | undefined; at: number; found: Examination } | undefined;
  /** Renders in a row that did not come out as the one before. */
  doubts: number;
  rest: Rest | undefined;
  /** What `rest` is about. While the next release is under way, the other fields are of that one already. */
  restedOn:
    | {
        revision: string | undefined;
        release: number | undefined;
        inputs: string | undefined;
        /** Of the spec that its source was looked up for. */
        generation: number | undefined;
      }
    | undefined;
  wait: TargetFacts['wait'];
  since: number;
  /** Looks in a row that ended with a fault that `advance` does not know. */
  faults: number;
}

/** Of a target that nothing is known of yet; `since` in epoch milliseconds. */
export function emptyMemory(since: number): TargetMemory {
  return {
    desired: undefined,
    released: undefined,
    rehearsal: NOT_REHEARSED,
    chart: undefined,
    renderFailure: undefined,
    renderAttempts: 0,
    applied: new Map(),
    failures: new Map(),
    release: undefined,
    releasedCommit: undefined,
    releasedDigest: undefined,
    openRelease: undefined,
    looks: 0,
    plan: undefined,
    ending: undefined,
    heals: new Heals(),
    findings: new Map(),
    written: new Map(),
    restless: new Set(),
    allowed: undefined,
    replaceable: new Set(),
    examined: undefined,
    doubts: 0,
    rest: undefined,
    restedOn: undefined,
    wait: undefined,
    since,
    faults: 0,
  };
}

/** Somebody asked for another try: nothing that failed before is waited for. */
export function forgetFailures(memory: TargetMemory): void {
  memory.failures.clear();
  memory.rehearsal = NOT_REHEARSED;
  memory.plan = undefined;
  memory.renderFailure = undefined;
  memory.heals.excuse();
  memory.examined = undefined;
  memory.wait = undefined;
  if (memory.openRelease !== undefined) memory.openRelease = nextAttempt(memory.openRelease);
  if (memory.ending !== undefined) memory.ending = nextEnding(memory.ending);
}

export function planFactOf({ desired, look, result }: MadePlan, looks: number): PlanFact {
  const isFresh = look === looks;
  if (!result.ok) return { state: 'failed', desired, isFresh, errors: result.error };
  const { digest, policies } = result.value;
  const denials = policies === undefined ? [] : denialsOf(policies);
  return { state: 'made', desired, isFresh, digest, denials, losses: lossesOf(result.value) };
}
