import { formatFieldPath, formatWhere, shortName, type PlanPolicies, oneLine } from '@plumb/core';
import { policiesText } from './findings-text.ts';
import { paint, type Style } from './style.ts';

/** What policies say of a plan: a line each, what is denied first, and how many held. */
export function judgementText({ results, counts }: PlanPolicies, { style }: { readonly style: Style }): string {
  const worstFirst = results.toSorted((a, b) => Number(b.severity === 'deny') - Number(a.severity === 'deny'));
  const lines = worstFirst.map(({ severity, policy, ref, message, where }) => {
    const word = severity === 'deny' ? paint(style, 'red', 'denied') : 'warning';
    return `${word}: ${oneLine(`${ref === undefined ? '' : `${shortName(ref)}: `}${message}`)} (${oneLine(policy)})${where === undefined ? '' : `   ${oneLine(formatWhere(where))}`}\n`;
  });
  const text = policiesText(counts);
  return `${lines.join('')}${text.charAt(0).toUpperCase()}${text.slice(1)}.\n`;
}

export function judgementData({ results, counts }: PlanPolicies): object {
  return {
    counts,
    results: results.map(({ policy, severity, ref, path, message, fix, fault, where }) => ({
      policy,
      severity,
      ...ref,
      ...where,
      ...(path.length === 0 ? {} : { field: formatFieldPath(path) }),
      message,
      fix,
      ...(fault === undefined ? {} : { fault }),
    })),
  };
}
