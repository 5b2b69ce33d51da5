import { formatWhere, type Where } from '@plumb/core';
import type { HostLimits } from './host.ts';
import { fenceFor, plainLine, plainName } from './markdown-text.ts';
import { cut } from './status-text.ts';

/** Edits on a cluster that a pull request puts into Git. Nothing in it is from a Secret. */
export interface KeptEdits {
  /** The subject of the commit. */
  readonly title: string;
  /** `shop → prod`. */
  readonly target: string;
  readonly reason: string | undefined;
  /** The hold that left them, where one did. */
  readonly hold: { readonly name: string; readonly by: string } | undefined;
  readonly kept: readonly {
    /** `Deployment/shop`. */
    readonly object: string;
    /** `replicas 3 → 7`, line by line. */
    readonly changes: readonly string[];
    readonly changedBy: readonly string[];
    /** Where Git says so in this pull request. */
    readonly places: readonly Where[];
  }[];
  /** What is not in it, although it was edited too. */
  readonly left: readonly { readonly object: string; readonly why: string }[];
  /** What puts the old values back instead: `plumb drift heal shop -e prod`. */
  readonly healCommand: string;
}

/** More than anybody would read there; the commit has all of them. */
const MAX_LINES = 200;

/** Title and text of the pull request. What people and clusters wrote stands in blocks of code, where it means nothing. */
export function keptEditsText(
  { title, target, reason, hold, kept, left, healCommand }: KeptEdits,
  { commentChars }: HostLimits,
): { readonly title: string; readonly body: string } {
  const because = reason === undefined ? [] : block([`why: ${plainLine(reason)}`]);
  const whose = hold === undefined ? '' : ` while the hold ${plainName(hold.name)} of ${plainName(hold.by)} lasted`;
  const changes = kept.flatMap(({ object, changes: lines, changedBy, places }) => {
    const by = changedBy.length === 0 ? '' : ` by ${changedBy.join(', ')}`;
    const where = [...new Set(places.map(formatWhere))].join(', ');
    return [plainLine(`${object} ${where}${by}`), ...lines.map((line) => `  ${plainLine(line)}`)];
  });
  const body = [
    `Somebody changed the cluster${whose}, and this pull request makes Git say so for **${plainTarget(target)}**.`,
    ...because,
    ...block(changes),
    ...(left.length === 0
      ? []
      : [
          '**Not in it**, and still another than Git says:',
          ...block(left.map(({ object, why }) => plainLine(`${object}: ${why}`))),
        ]),
    'Merge it, and what runs stays as it is. Close it, and the edits still differ from Git; this puts the old values back:',
    ...block([plainLine(healCommand)]),
  ].join('\n\n');
  return { title: plainLine(title), body: cut(body, commentChars) };
}

/** A block of code as one paragraph. */
function block(lines: readonly string[]): readonly string[] {
  const shown = lines.slice(0, MAX_LINES);
  const more = lines.length > MAX_LINES ? [`… and ${lines.length - MAX_LINES} more lines`] : [];
  const all = [...shown, ...more];
  const fence = fenceFor(all);
  return [[fence, ...all, fence].join('\n')];
}

/** An arrow is no character of a name. */
function plainTarget(target: string): string {
  return target.split(' → ').map(plainName).join(' → ');
}
