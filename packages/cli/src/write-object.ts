import type { KubeObject } from '@plumb/core';
import { plumbResource } from './list-objects.ts';
import { chooseCluster, openClient, type ClusterFlags } from './cluster.ts';
import type { CliContext } from './context.ts';
import { yamlText } from './yaml-text.ts';

export interface WriteFlags extends ClusterFlags {
  readonly dryRun?: 'client' | 'server' | undefined;
}

/** The namespace that an object is written to. Needs no cluster where one is named, and none for a dry run here. */
export async function namespaceFor(cli: CliContext, flags: WriteFlags): Promise<string> {
  const named = flags.namespace ?? (cli.surroundings.env['PLUMB_NAMESPACE'] || undefined);
  if (named !== undefined) return named;
  if (flags.dryRun === 'client') return 'default';
  return (await chooseCluster(cli, flags)).namespace;
}

/** Writes one of our own objects (creates it or changes its named fields), or prints it with `--dry-run`. */
export async function writeObject(cli: CliContext, flags: WriteFlags, object: KubeObject): Promise<void> {
  if (flags.dryRun === 'client') {
    cli.print(yamlText(object));
    return;
  }
  const { signal } = cli.surroundings;
  const cluster = await chooseCluster(cli, flags);
  await using client = openClient(cli.surroundings, cluster.config);
  const { kind } = object;
  if (kind === 'Application' || kind === 'Repository') await plumbResource(client, kind, { signal });
  const isDryRun = flags.dryRun === 'server';
  const { created } = await client.apply(object, { manager: 'plumb-cli', force: true, dryRun: isDryRun, signal });
  if (isDryRun) cli.print(yamlText(object));
  else cli.show(`${kind}/${object.metadata.name} in ${object.metadata.namespace} ${created ? 'created' : 'updated'}\n`);
}
