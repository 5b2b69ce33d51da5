import { shortName, refOf, type HealthStatus, oneLine } from '@plumb/core';
import { openApplication } from '../chosen-application.ts';
import type { ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { EveryVerb } from '../flags.ts';
import { readEngineRules, type EngineRuleFlags } from '../health-rules.ts';
import { readLiveTree, type TreeNode } from '../live-tree.ts';
import { jsonText } from '../json-text.ts';
import { showSign, STATE_SIGNS, type Style } from '../style.ts';
import { JSON_VERSION } from '../version.ts';

export interface TreeFlags extends EveryVerb, ClusterFlags, EngineRuleFlags {
  readonly env?: string | undefined;
  readonly unhealthy?: boolean | undefined;
  readonly depth: number;
  readonly output: 'text' | 'json';
}

/** `plumb tree`: what is live of an application, each object with what its owner references say was made from it. */
export async function tree(this: CliContext, flags: TreeFlags, name?: string): Promise<void> {
  const { cwd, clock, signal } = this.surroundings;
  const { assess } = await readEngineRules(flags, cwd, clock);
  await using chosen = await openApplication(this, flags, name);
  const { client, application, targets } = chosen;
  const app = application.metadata.name;
  const items: { readonly env: string; readonly roots: readonly TreeNode[] }[] = [];
  for (const { environment, target } of targets) {
    const roots = await readLiveTree(client, application, target, { signal, assess });
    const kept = flags.unhealthy === true ? onlyUnhealthy(roots) : roots;
    items.push({ env: environment ?? '', roots: upTo(kept, flags.depth) });
    if (!roots.every(isWell)) this.answer(EXIT.no);
  }
  if (flags.output === 'text') {
    for (const { env, roots } of items) this.show(treeText(env === '' ? app : `${app} ${env}`, roots, this.style));
    return;
  }
  const data = items.map(({ env, roots }) => ({ app, env, objects: roots.map(nodeData) }));
  this.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'Tree', items: data }, 2)}\n`);
}

function isWell({ health, children }: TreeNode): boolean {
  return (health.status === 'Healthy' || health.status === 'Suspended') && children.every(isWell);
}

function onlyUnhealthy(nodes: readonly TreeNode[]): readonly TreeNode[] {
  return nodes.filter((node) => !isWell(node)).map((node) => ({ ...node, children: onlyUnhealthy(node.children) }));
}

function upTo(nodes: readonly TreeNode[], depth: number): readonly TreeNode[] {
  if (depth <= 0) return [];
  return nodes.map((node) => ({ ...node, children: upTo(node.children, depth - 1) }));
}

function nodeData({ object, health, children }: TreeNode): object {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = metadata;
  return {
    apiVersion,
    kind,
    namespace,
    name,
    status: health.status,
    message: health.message,
    children: children.map(nodeData),
  };
}

const SIGN_OF = {
  Healthy: STATE_SIGNS.Healthy,
  Progressing: STATE_SIGNS.Syncing,
  Degraded: STATE_SIGNS.Failed,
  Suspended: STATE_SIGNS.Suspended,
  Missing: STATE_SIGNS.Failed,
  Unknown: STATE_SIGNS.Stale,
} as const satisfies Readonly<Record<HealthStatus, unknown>>;

/** The tree for people. Siblings without children that say the same are one line, like the first of them. */
export function treeText(title: string, roots: readonly TreeNode[], style: Style): string {
  const lines = [oneLine(title)];
  const add = (nodes: readonly TreeNode[], indent: string): void => {
    const groups = [...Map.groupBy(nodes, sameness).values()];
    for (const [index, group] of groups.entries()) {
      const isLast = index === groups.length - 1;
      const [tee, bar] = style.isUnicode ? [isLast ? '└─' : '├─', '│  '] : [isLast ? '`-' : '|-', '|  '];
      lines.push(`${indent}${tee} ${groupText(group, style)}`);
      if (group.length === 1) add(group[0]?.children ?? [], `${indent}${isLast ? '   ' : bar}`);
    }
  };
  add(roots, '');
  if (roots.length === 0) lines.push('  nothing to show');
  return `${lines.join('\n')}\n`;
}

/** What two siblings have in common that are told in one line; each object with children stands for itself. */
function sameness({ object, children, ...node }: TreeNode): string {
  const own = children.length > 0 ? (object.metadata.uid ?? object.metadata.name) : '';
  return [object.kind, node.health.status, own, wordOf({ object, children, ...node })].join(' ');
}

function groupText(group: readonly TreeNode[], style: Style): string {
  const [first] = group;
  if (first === undefined) return '';
  const { object, health } = first;
  const sign = showSign(style, SIGN_OF[health.status]);
  const name = object.kind === 'Pod' || group.length === 1 ? object.metadata.name : shortName(refOf(object));
  if (group.length > 1) {
    const kinds = object.kind === 'Pod' ? 'pods' : `of kind ${object.kind}`;
    return `${sign} ${oneLine(`${group.length} ${kinds} ${wordOf(first)} (like ${name})`)}`;
  }
  const message = health.status === 'Healthy' ? '' : `   ${health.message}`;
  return `${sign} ${oneLine(shortName(refOf(object)))}${message === '' ? '' : `   ${oneLine(message)}`}`;
}

function wordOf({ reason, health }: TreeNode): string {
  return reason ?? health.status;
}
