import { isAbort, PlumbError, toPlumbError, type KubeObject, oneLine } from '@plumb/core';
import type { ApiResource, KubeClient } from '@plumb/kube';
import { openApplication } from '../chosen-application.ts';
import type { ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { readLiveTree } from '../live-tree.ts';
import { logLines } from '../log-lines.ts';
import { chooseLogs, type LogSource } from '../log-sources.ts';
import { throwAll } from '../report-error.ts';
import { paint } from '../style.ts';

export interface LogsFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly container?: string | undefined;
  readonly previous?: boolean | undefined;
  readonly follow?: boolean | undefined;
  /** Milliseconds; 0 is all there is. */
  readonly since: number;
  /** Lines of each container. */
  readonly tail: number;
}

/** Streams that are followed at once. */
const MAX_FOLLOWED = 50;

/** `plumb logs`: what the pods of an application write, those that are not well first. */
export async function logs(this: CliContext, flags: LogsFlags, name?: string): Promise<void> {
  const { signal } = this.surroundings;
  await using chosen = await openApplication(this, flags, name);
  const { client, application, targets } = chosen;
  const sources: LogSource[] = [];
  for (const { target } of targets) {
    const tree = await readLiveTree(client, application, target, { signal });
    sources.push(...chooseLogs(tree, { container: flags.container, isPrevious: flags.previous ?? false }));
  }
  if (sources.length === 0) {
    throw new PlumbError('NotFound', nothingText(application.metadata.name, flags), {
      fix: 'See "plumb tree" for what there is.',
    });
  }
  const pods = await client.resource({ group: '', kind: 'Pod' }, { signal });
  const failures: PlumbError[] = [];
  const read = async (source: LogSource): Promise<void> => {
    try {
      await printLog(this, client, pods, source, flags);
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      // The others may still have something to tell.
      failures.push(toPlumbError(thrown));
    }
  };
  if (flags.follow === true) {
    if (sources.length > MAX_FOLLOWED)
      this.note(`Following the first ${MAX_FOLLOWED} of ${sources.length} containers.`);
    await Promise.all(sources.slice(0, MAX_FOLLOWED).map(read));
  } else for (const source of sources) await read(source);
  if (failures.length === sources.length) throwAll(failures);
  for (const { message } of failures) this.note(oneLine(message));
}

function nothingText(of: string, { container, previous }: LogsFlags): string {
  if (container !== undefined) return `no pod of ${of} has a container ${oneLine(container)}`;
  return previous === true ? `no container of ${of} was ever restarted` : `${of} has no pods`;
}

async function printLog(
  cli: CliContext,
  client: KubeClient,
  pods: ApiResource,
  { pod, container, label }: LogSource,
  flags: LogsFlags,
): Promise<void> {
  const { namespace, name } = nameOf(pod);
  const body = await client.logs(
    pods,
    { namespace, name },
    {
      container,
      previous: flags.previous,
      follow: flags.follow,
      ...(flags.since === 0 ? {} : { sinceSeconds: Math.max(1, Math.ceil(flags.since / 1_000)) }),
      tailLines: flags.tail,
      signal: cli.surroundings.signal,
    },
  );
  const prefix = paint(cli.style, 'gray', oneLine(label));
  for await (const line of logLines(body)) cli.print(`${prefix} ${line}\n`);
}

function nameOf({ metadata }: KubeObject): { readonly namespace: string | undefined; readonly name: string } {
  return { namespace: metadata.namespace, name: metadata.name };
}
