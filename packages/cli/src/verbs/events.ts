import { oneLine } from '@plumb/core';
import { openApplication } from '../chosen-application.ts';
import type { ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { eventLines } from '../event-lines.ts';
import type { EveryVerb } from '../flags.ts';
import { readLiveTree, type TreeNode } from '../live-tree.ts';
import { jsonText } from '../json-text.ts';
import { formatTable } from '../table.ts';
import { JSON_VERSION } from '../version.ts';

export interface EventsFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  /** Milliseconds. */
  readonly since: number;
  readonly output: 'text' | 'json';
}

/** `plumb events`: what the cluster said about an application, its objects and what they own. */
export async function events(this: CliContext, flags: EventsFlags, name?: string): Promise<void> {
  const { clock, signal } = this.surroundings;
  await using chosen = await openApplication(this, flags, name);
  const { client, application, targets } = chosen;
  const nodes: TreeNode[] = [];
  for (const { target } of targets) {
    nodes.push(...withChildren(await readLiveTree(client, application, target, { signal })));
  }
  const about = [application, ...nodes.map(({ object }) => object)];
  const uids = new Set(about.flatMap(({ metadata }) => metadata.uid ?? []));
  // Events about cluster-scoped objects are kept in "default".
  const namespaces = new Set(about.map(({ metadata }) => metadata.namespace ?? 'default'));
  const resource = await client.resource({ group: '', kind: 'Event' }, { signal });
  const lists = await Promise.all([...namespaces].map((place) => client.list(resource, { namespace: place, signal })));
  const since = clock.now() - flags.since;
  const items = eventLines(
    lists.flatMap((list) => list.items),
    { uids, since },
  );
  if (flags.output === 'json') {
    this.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'Events', items }, 2)}\n`);
    return;
  }
  const rows = items.map(({ at, type, reason, object: about, message, count }) => {
    const times = count === 1 ? '' : ` (${count} times)`;
    return [at.slice(11, 19), type, reason, about, `${message}${times}`].map(oneLine);
  });
  this.show(
    rows.length === 0 ? 'No events.\n' : formatTable([['UTC', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'], ...rows]),
  );
}

function withChildren(nodes: readonly TreeNode[]): readonly TreeNode[] {
  return nodes.flatMap((node) => [node, ...withChildren(node.children)]);
}
