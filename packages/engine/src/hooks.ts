import {
  computeHealth,
  hookRunId,
  hookRunMark,
  HOOK_RUN_ANNOTATION,
  isAbort,
  keyOf,
  located,
  parseObjectKey,
  PlumbError,
  runsOnce,
  shortNameOf,
  toPlumbError,
  withHookRun,
  type Ending,
  type HookEnd,
  type HookRun,
  type HookStart,
  type KubeObject,
  type ObjectKey,
  type OpenRelease,
} from '@plumb/core';
import type { HookRunRecord, WriteOutcome } from '@plumb/ledger';
import type { WriteContext } from './apply.ts';
import { inNamespace } from './create-namespace.ts';

/** What became of starting a hook. */
export interface HookStarted {
  readonly key: ObjectKey;
  readonly error?: PlumbError;
}

/**
 * Starts hooks side by side, each as one run that its mark names. The intent is durable before the request and the start
 * after it; where the process dies in between, the mark in the cluster tells that the hook was started.
 */
export async function startHooks(
  starts: readonly HookStart[],
  open: OpenRelease,
  context: WriteContext,
): Promise<readonly HookStarted[]> {
  const { client, ledger, target, commit, writeAs, identity, signal } = context;
  const seqs = await ledger.intend(
    starts.map(({ hook: { key, hash } }) => ({
      change: commit,
      target,
      verb: 'apply',
      object: key,
      desiredHash: hash,
      reason: 'hook',
      actor: writeAs ?? identity,
    })),
  );
  const outcomes: WriteOutcome[] = [];
  const hookRuns: HookRunRecord[] = [];
  const started = await Promise.all(
    starts.map(async ({ hook, mark }, index): Promise<HookStarted> => {
      const { key } = hook;
      const seq = seqs[index] ?? 0;
      try {
        if (runsOnce(key)) await makeRoom(hook.object, context);
        const { object, auditId } = await inNamespace(hook.object.metadata.namespace, context, () =>
          client.apply(withHookRun(hook.object, mark), {
            force: true,
            signal,
            ...(writeAs === undefined ? {} : { impersonate: writeAs }),
          }),
        );
        context.answered(object);
        const uid = object.metadata.uid ?? '';
        const resourceVersion = object.metadata.resourceVersion ?? '';
        outcomes.push({ seq, result: 'ok', uid, resourceVersion, ...(auditId === undefined ? {} : { auditId }) });
        hookRuns.push({
          release: open.number,
          attempt: open.attempt,
          mark,
          object: key,
          state: 'started',
          uid,
          message: '',
        });
        return { key };
      } catch (thrown) {
        if (isAbort(thrown, signal)) throw thrown;
        const error = located(toPlumbError(thrown), hook);
        outcomes.push({ seq, result: 'failed', error: error.toRecord() });
        return { key, error };
      }
    }),
  );
  await ledger.concludeBatch({ target, outcomes, hookRuns });
  remember(open, hookRuns);
  return started;
}

/** Makes the ends of hooks durable. */
export async function recordHooks(ends: readonly HookEnd[], open: OpenRelease, context: WriteContext): Promise<void> {
  const hookRuns = ends.map(({ key, ...end }): HookRunRecord => {
    return { ...end, object: key, release: open.number, attempt: open.attempt };
  });
  await context.ledger.concludeBatch({ target: context.target, outcomes: [], hookRuns });
  remember(open, hookRuns);
}

/** The runs of a release as `advance` wants them, and the attempt that it has come to. */
export function openReleaseOf(number: number, hasFailed: boolean, records: readonly HookRunRecord[]): OpenRelease {
  const runs = new Map(records.map((record): [string, HookRun] => [hookRunId(record.object, record.mark), record]));
  return { number, hasFailed, attempt: Math.max(1, ...records.map(({ attempt }) => attempt)), runs };
}

/** Another attempt of a release, where one of its hooks has failed: all of them run again. */
export function nextAttempt(open: OpenRelease): OpenRelease {
  const hasFailed = [...open.runs.values()].some(({ state }) => state === 'failed');
  return hasFailed ? { ...open, hasFailed: false, attempt: open.attempt + 1, runs: new Map() } : open;
}

/** The same for the hooks around deletions: what ran before them has run for good once those after them have begun. */
export function nextEnding({ hooks, open }: Ending): Ending {
  const next = nextAttempt(open);
  if (next === open) return { hooks, open };
  const before = hookRunMark(open.number, open.attempt, 'PreDelete');
  const after = hookRunMark(open.number, open.attempt, 'PostDelete');
  const hasDeleted = hooks.some(({ key }) => open.runs.has(hookRunId(key, after)));
  const runs = new Map(next.runs);
  for (const { key } of hasDeleted ? hooks : []) {
    const run = open.runs.get(hookRunId(key, before));
    const mark = hookRunMark(next.number, next.attempt, 'PreDelete');
    if (run !== undefined) runs.set(hookRunId(key, mark), run);
  }
  return { hooks, open: { ...next, runs } };
}

function remember(open: OpenRelease, records: readonly HookRunRecord[]): void {
  const runs = open.runs as Map<string, HookRun>;
  for (const record of records) runs.set(hookRunId(record.object, record.mark), record);
}

/**
 * An object of the hook's name that no watch of ours shows: left by another tool, or made by hand. What has ended is
 * taken away, as Helm and Argo CD do; what still runs, or is no hook at all, is somebody's and stays.
 */
async function makeRoom(hook: KubeObject, { client, writeAs, signal, stillHeld }: WriteContext): Promise<void> {
  const key = keyOf(hook);
  const ref = parseObjectKey(key);
  if (ref === undefined) throw new PlumbError('Internal', `${key} is not an object key`);
  const asUser = writeAs === undefined ? {} : { impersonate: writeAs };
  const resource = await client.resource({ group: ref.group, kind: ref.kind }, { signal });
  const place = { name: ref.name, ...(ref.namespace === '' ? {} : { namespace: ref.namespace }) };
  const there = await client.get(resource, place, { signal, ...asUser });
  if (there === undefined || there.metadata.annotations?.[HOOK_RUN_ANNOTATION] !== undefined) return;
  const { status } = computeHealth(there);
  if (status !== 'Healthy' && status !== 'Degraded') {
    throw new PlumbError('ForeignObject', `${shortNameOf(key)} is there already, still runs, and is not Plumb's`, {
      subject: shortNameOf(key),
      fix: 'Wait until it has ended, or delete it.',
    });
  }
  await stillHeld();
  const { uid, resourceVersion } = there.metadata;
  const how = { uid, resourceVersion, propagation: 'Background', signal, ...asUser } as const;
  if ((await client.delete(resource, place, how)) === 'deleting') {
    throw new PlumbError('Conflict', `${shortNameOf(key)} of another run is still being deleted`);
  }
}
