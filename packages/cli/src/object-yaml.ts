import { formatWhere, type DocumentAt, oneLine } from '@plumb/core';
import { yamlText } from './yaml-text.ts';

/** One rendered object as YAML, with comments on where it comes from, what changed it, and when Helm would run it. */
export function objectYaml({ value, origin, hook }: DocumentAt): string {
  const { patches = [] } = origin;
  const comments = [
    `Source: ${formatWhere(origin)}`,
    ...(patches.length === 0 ? [] : [`Changed by: ${patches.join(', ')}`]),
    ...(hook === undefined ? [] : [`Hook: ${hook.events.join(', ')}; weight ${hook.weight}`]),
  ];
  return `${comments.map((comment) => `# ${oneLine(comment)}\n`).join('')}${yamlText(value)}`;
}
