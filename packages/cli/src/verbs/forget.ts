import { chooseCluster, openClient, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { chooseTargets, placeOf, retireTargets } from '../retire.ts';

export interface ForgetFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

/** `plumb forget`: the engine takes its marks off the objects of an application, and leaves them as they are. */
export async function forget(this: CliContext, flags: ForgetFlags, name?: string): Promise<void> {
  const { signal } = this.surroundings;
  const cluster = await chooseCluster(this, flags);
  await using client = openClient(this.surroundings, cluster.config);
  const retired = await chooseTargets(client, cluster, name, flags.env, { signal });
  await retireTargets(this, {
    client,
    cluster,
    retired,
    wishes: new Map(retired.specs.map((spec) => [placeOf(spec), { how: 'forget' }])),
    environment: flags.env,
    timeout: flags.timeout,
    done: 'forgotten: its objects stay as they are',
  });
}
