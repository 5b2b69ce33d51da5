import type { Decision } from './decide.ts';
import type { DesiredHook, DesiredObject, DesiredSet } from './desired.ts';
import type { PlumbError } from './error.ts';
import { advanceHooks, type HookFacts, type HookProgress } from './hook-run.ts';
import type { HookPhase } from './hook.ts';
import { shortNameOf, type ObjectKey } from './key.ts';
import type { LiveObject } from './live.ts';
import { isRepeat } from './drift/settle-drift.ts';
import { BEFORE_HOOKS, type Need } from './order-graph.ts';
import { nameSome } from './phrases.ts';
import { isWrite, DELETION, type Write } from './rehearsal.ts';
import { earliest } from './rest.ts';
import type { Replacement } from './step.ts';
import { isDue, type OpenRelease, type TargetFacts } from './target-facts.ts';

export interface Waiting {
  /** The same as long as the same is waited for, whatever its health says meanwhile. */
  readonly on: string;
  readonly message: string;
  readonly wakeAt?: number | undefined;
}

export interface WriteProgress {
  readonly writes: readonly Write[];
  readonly replacements: readonly Replacement[];
  readonly failures: readonly PlumbError[];
  readonly waiting: string | undefined;
  readonly wakeAt: number | undefined;
}

/**
 * The writes of the lowest wave and phase that have any, up to the wave that the rollout has come to. What needs another
 * object of the set waits for it; what was there before and is only restored does not ask how healthy the others are.
 */
export function writesDue(facts: TargetFacts, decisions: readonly Decision[], wave: number): WriteProgress {
  const failures: PlumbError[] = [];
  const due: Write[] = [];
  const replacements: Replacement[] = [];
  let waiting: string | undefined;
  const wakes: (number | undefined)[] = [];
  const unwritten = new Set(decisions.flatMap(({ action, key }) => (action === 'keep' ? [] : key)));
  for (const decision of decisions) {
    if (decision.action === 'blocked') failures.push(decision.error);
    if (decision.action === 'keep' && decision.waitsFor === 'deletion') {
      waiting ??= `Waiting until ${nameSome([decision.key])} is gone, to create it again.`;
    }
    // It was written when its turn had come, and refused.
    if (decision.action === 'replace') replacements.push(decision);
    if (!isWrite(decision)) continue;
    const failure = facts.failures.get(decision.key);
    if (failure !== undefined && !isDue(failure, decision.desired.hash, facts.now)) {
      failures.push(failure.error);
      wakes.push(failure.retryAt);
      continue;
    }
    const isHealing = isRepeat(facts, decision);
    if (!isHealing && decision.desired.wave > wave) continue;
    const missing = decision.desired.needs?.find((need) => !isMet(facts, need, isHealing, unwritten));
    if (missing !== undefined) {
      waiting ??= `${nameSome([decision.key])} waits until ${nameSome([missing.key])} is ${missing.until}.`;
      continue;
    }
    due.push(decision);
  }
  const first = due[0]?.desired;
  return {
    writes: due.filter(({ desired: { wave: at, phase } }) => at === first?.wave && phase === first.phase),
    replacements,
    failures,
    waiting,
    wakeAt: earliest(wakes),
  };
}

function isMet(
  facts: TargetFacts,
  { key, until }: Need,
  isHealing: boolean,
  unwritten: ReadonlySet<ObjectKey>,
): boolean {
  const live = facts.liveOf(key);
  if (live === undefined || live.deleting) return false;
  if (until === 'established') return isFine(live);
  if (isHealing) return true;
  return !unwritten.has(key) && (until === 'written' || isFine(live));
}

/** What may be built upon: it works, or somebody wants it to stand still. */
function isFine({ health: { status } }: LiveObject): boolean {
  return status === 'Healthy' || status === 'Suspended';
}

export interface Rollout {
  /** Objects of later waves are not written yet. */
  readonly wave: number;
  /** The hooks whose turn it is, where they are not done. */
  readonly hooks?: HookProgress | undefined;
  readonly waiting?: Waiting | undefined;
}

/**
 * How far the open release has come: through what `PreSync` hooks need, the `PreSync` hooks, and the waves, each with its
 * `Sync` hooks. A wave is over when all its objects are written and healthy. Without an open release nothing is held back.
 */
export function rolloutOf(facts: TargetFacts, desired: DesiredSet, decisions: readonly Decision[]): Rollout {
  if (facts.openRelease === undefined) return { wave: Infinity };
  const hooks = desired.hooks.filter(({ hook }) => hook.phases.includes('Sync'));
  const hasPreSync = desired.hooks.some(({ hook }) => hook.phases.includes('PreSync'));
  const waves = new Set([...desired.objects, ...hooks].map(({ wave }) => wave));
  if (hasPreSync) waves.add(BEFORE_HOOKS);
  if (waves.size <= 1 && desired.hooks.length === 0) return { wave: Infinity };
  const stages = [...waves].sort((a, b) => a - b);
  const decided = new Map(decisions.map((decision) => [decision.key, decision]));
  for (const [index, wave] of stages.entries()) {
    const isLast = index === stages.length - 1;
    const inWave = hooks.some((hook) => hook.wave === wave);
    const waiting = isLast && !inWave ? undefined : waitingInWave(facts, desired, decided, wave, wave === BEFORE_HOOKS);
    if (waiting === 'unwritten') return { wave };
    if (waiting !== undefined) return { wave, waiting };
    const phase = wave === BEFORE_HOOKS ? 'PreSync' : 'Sync';
    const progress = hookProgress(facts, desired, phase, phase === 'Sync' ? wave : undefined);
    if (progress.state === 'waiting') return { wave, hooks: progress, waiting: progress };
    if (progress.state !== 'done') return { wave, hooks: progress };
  }
  return { wave: Infinity };
}

/** What keeps a wave from being over; `unwritten` where writes say so themselves. */
function waitingInWave(
  facts: TargetFacts,
  desired: DesiredSet,
  decided: ReadonlyMap<ObjectKey, Decision>,
  wave: number,
  isBeforeHooks: boolean,
): Waiting | 'unwritten' | undefined {
  let waiting: Waiting | undefined;
  for (const object of desired.objects) {
    if (object.wave !== wave) continue;
    const decision = decided.get(object.key);
    if (decision?.action !== 'keep' || decision.waitsFor !== undefined) return 'unwritten';
    const live = facts.liveOf(object.key);
    if (live !== undefined && isFine(live)) continue;
    const what = isBeforeHooks ? 'the PreSync hooks' : `what comes after wave ${wave}`;
    const health = live?.health.message ?? 'has not been seen yet';
    waiting ??= { on: object.key, message: `Before ${what}: ${shortNameOf(object.key)} ${health}` };
  }
  return waiting;
}

export function hookProgress(facts: TargetFacts, desired: DesiredSet, phase: HookPhase, wave?: number): HookProgress {
  return progressOf(facts, { hooks: desired.hooks, open: facts.openRelease }, phase, wave);
}

/** How far hooks are that run for a release, open or not. */
export function progressOf(
  facts: TargetFacts,
  { hooks, open }: { readonly hooks: readonly DesiredHook[]; readonly open: OpenRelease | undefined },
  phase: HookPhase,
  wave?: number,
): HookProgress {
  if (open === undefined) return { state: 'done' };
  const failureOf = (key: ObjectKey, attempt: string): ReturnType<HookFacts['clearFailureOf']> => {
    const failure = facts.failures.get(key);
    return failure === undefined ? undefined : { ...failure, isDue: isDue(failure, attempt, facts.now) };
  };
  return advanceHooks(
    {
      target: facts.target,
      hooks,
      release: open.number,
      attempt: open.attempt,
      runs: open.runs,
      liveOf: (key) => facts.liveOf(key),
      failureOf: ({ hook, mark }) => failureOf(hook.key, hookAttempt(hook, mark)),
      clearFailureOf: (key) => failureOf(key, DELETION),
    },
    phase,
    wave,
  );
}

/** Stands for the desired hash where the attempt was to start a hook: each run is an attempt of its own. */
export function hookAttempt({ hash }: DesiredObject, mark: string): string {
  return `${hash} ${mark}`;
}
