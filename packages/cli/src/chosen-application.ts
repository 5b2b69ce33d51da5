import { APPLICATION, type Application } from '@plumb/api';
import { targetKey, type TargetKey } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { checkEnvironment, decodedApplication, selectOne } from './applications.ts';
import { listObjects } from './list-objects.ts';
import { chooseCluster, openClient, type ChosenCluster, type ClusterFlags } from './cluster.ts';
import type { CliContext } from './context.ts';

/** The one application that a verb is about, and the cluster that it is on. Disposing closes the client. */
export interface ChosenApplication extends AsyncDisposable {
  readonly cluster: ChosenCluster;
  readonly client: KubeClient;
  readonly application: Application;
  /** Of the named environment, else all of them, in the order of the spec. */
  readonly targets: readonly ChosenTarget[];
}

interface ChosenTarget {
  /** Undefined where the application names none. */
  readonly environment: string | undefined;
  readonly target: TargetKey;
}

/**
 * Chooses by `NAME`, `-n` and `-e`. Errors: `ApplicationMissing`, `EnvironmentMissing`, `Usage` where it is not clear which
 * is meant, `NotRunning` where the cluster has never seen Plumb.
 */
export async function openApplication(
  cli: CliContext,
  flags: ClusterFlags & { readonly env?: string | undefined },
  name: string | undefined,
): Promise<ChosenApplication> {
  const { signal } = cli.surroundings;
  await using opening = new AsyncDisposableStack();
  const cluster = await chooseCluster(cli, flags);
  const client = opening.use(openClient(cli.surroundings, cluster.config));
  const object = selectOne(await listObjects(client, APPLICATION.kind, cluster, { signal }), name, cluster);
  const application = decodedApplication(object);
  checkEnvironment(application, flags.env);
  const open = opening.move();
  return {
    cluster,
    client,
    application,
    targets: targetsIn(application, flags.env),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function targetsIn({ metadata, spec }: Application, named: string | undefined): readonly ChosenTarget[] {
  const { namespace, name: application } = metadata;
  const all = spec.environments?.map((environment) => environment.name) ?? [undefined];
  return (named === undefined ? all : [named]).map((environment) => ({
    environment,
    target: targetKey({ namespace, application, environment }),
  }));
}
