import { openApplication } from '../chosen-application.ts';
import type { ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { placeOf, retiredOf, retireTargets } from '../retire.ts';

export interface ForgetFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

/** `plumb forget`: the engine takes its marks off the objects of an application, and leaves them as they are. */
export async function forget(this: CliContext, flags: ForgetFlags, name?: string): Promise<void> {
  await using chosen = await openApplication(this, flags, name);
  const { client, cluster, application } = chosen;
  const retired = retiredOf(application, flags.env);
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
