import { APPLICATION, type Application, type TargetStatus } from '@plumb/api';
import { PlumbError, type ErrorCode } from '@plumb/core';
import { plumbResource } from '../list-objects.ts';
import { openApplication } from '../chosen-application.ts';
import type { ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { describeAbsence, readEngineSign } from '../engine-lease.ts';
import type { EveryVerb } from '../flags.ts';
import { follow, isAtRest, sinceLine, targetsOf } from '../request.ts';
import { conclude } from './sync.ts';

export interface WaitFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly for: 'healthy' | 'settled';
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * `plumb wait`: watches the Application until it is what was asked for, or can only become it when somebody does something.
 * A status counts only where an engine has seen this very spec and still looks; without one the answer is `NotRunning`, as
 * from `plumb sync`: exit code 4, since 3 means that a person lacks a right.
 */
export async function wait(this: CliContext, flags: WaitFlags, name?: string): Promise<void> {
  const { clock, signal } = this.surroundings;
  await using chosen = await openApplication(this, flags, name);
  const { client, cluster, application } = chosen;
  const { name: app, namespace } = application.metadata;
  const absence = async (): Promise<string | undefined> => {
    const engine = await readEngineSign(client, { namespaces: [namespace], now: clock.now(), signal });
    return engine.isRunning ? undefined : describeAbsence(engine, clock.now());
  };
  const checkFresh = async (): Promise<void> => {
    const absent = await absence();
    if (absent === undefined) return;
    throw new PlumbError('NotRunning', `What ${app} says may be out of date: ${absent}`, {
      fix: `Start an engine with: plumb up --context ${cluster.config.context}`,
    });
  };
  await checkFresh();

  const hasEnded = flags.for === 'healthy' ? isFinal : isAtRest;
  const open = targetsOf(application, flags.env).filter((target) => !hasEnded(target));
  if (open.length > 0 || !isSeen(application)) {
    this.note(`Waiting ${flags.timeout / 1000} s at most until ${app} is ${flags.for}.`);
    for (const target of open) this.note(sinceLine(app, target));
  }
  const resource = await plumbResource(client, APPLICATION.kind, { signal });
  const ended = await follow(this, {
    client,
    resource,
    application,
    environment: flags.env,
    timeout: flags.timeout,
    aim: flags.for,
    isOver: isSeen,
    hasEnded,
    hindrance: async (last) => (await absence()) ?? unseenText(last),
  });
  // It may have stopped while we waited: then the last thing that it said is no answer.
  await checkFresh();
  if (flags.for === 'healthy') conclude(this, ended, flags.env);
}

/** What says that a host does not answer, or that somebody was quicker: it is over when it is, and nobody has to do anything. */
const PASSING: ReadonlySet<string> = new Set<ErrorCode>([
  'ChartRepositoryUnreachable',
  'ClusterUnreachable',
  'Conflict',
  'Expired',
  'RepositoryUnreachable',
  'ServerError',
  'TooManyRequests',
]);

/** Whether it is healthy, or somebody has to do something before it is. */
function isFinal(target: TargetStatus): boolean {
  const { failures = [] } = target;
  const isPassing = failures.length > 0 && failures.every(({ code }) => PASSING.has(code));
  return isAtRest(target) && !(target.state === 'Failed' && isPassing);
}

/** Whether the engine has seen this very spec. */
function isSeen({ metadata, status }: Application): boolean {
  return status?.state !== undefined && (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

function unseenText(application: Application): string | undefined {
  return isSeen(application) ? undefined : 'the engine has not seen its spec as it is now';
}
