import { APPLICATION } from '@plumb/api';
import { PlumbError } from '@plumb/core';
import { checkEnvironment, decodedApplication, listObjects, plumbResource, selectOne } from '../applications.ts';
import { chooseCluster, openClient, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { describeAbsence, readEngineSign } from '../engine-lease.ts';
import type { EveryVerb } from '../flags.ts';
import { follow } from '../request.ts';
import { conclude } from './sync.ts';

export interface WaitFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly for: 'healthy' | 'settled';
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * `plumb wait`: watches the Application until it is what was asked for. A status counts only where an engine has seen
 * this very spec and still looks; without one the answer is `NotRunning`, as from `plumb sync`: exit code 4, since 3
 * means that a person lacks a right.
 */
export async function wait(this: CliContext, flags: WaitFlags, name?: string): Promise<void> {
  const { clock, signal } = this.surroundings;
  const cluster = await chooseCluster(this, flags);
  await using client = openClient(this.surroundings, cluster.config);
  const object = selectOne(await listObjects(client, APPLICATION.kind, cluster, { signal }), name, cluster);
  const application = decodedApplication(object);
  checkEnvironment(application, flags.env);
  const namespaces = [application.metadata.namespace];
  const checkFresh = async (): Promise<void> => {
    const engine = await readEngineSign(client, { namespaces, now: clock.now(), signal });
    if (engine.isRunning) return;
    const absence = describeAbsence(engine, clock.now());
    throw new PlumbError('NotRunning', `What ${application.metadata.name} says may be out of date: ${absence}`, {
      fix: `Start an engine with: plumb up --context ${cluster.config.context}`,
    });
  };
  await checkFresh();

  const resource = await plumbResource(client, APPLICATION.kind, { signal });
  const ended = await follow(this, {
    client,
    resource,
    application,
    environment: flags.env,
    timeout: flags.timeout,
    aim: flags.for,
    isOver: ({ metadata, status }) =>
      status?.state !== undefined && (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
  });
  // It may have stopped while we waited: then the last thing that it said is no answer.
  await checkFresh();
  if (flags.for === 'healthy') conclude(this, ended, flags.env);
}
