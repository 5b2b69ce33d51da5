import type { CelValue } from '@plumb/cel';

type CelMap = { readonly [key: string]: CelValue };

/**
 * Whether a label selector (`matchLabels`, `matchExpressions`) selects these labels; for expressions, as
 * `selects(selector, labels)`. An empty selector selects everything, none selects nothing.
 */
export function selects(selector: CelValue, labels: CelValue): boolean {
  if (!isMap(selector)) return false;
  const found = isMap(labels) ? labels : {};
  const { matchLabels, matchExpressions } = selector;
  const hasLabels = !isMap(matchLabels) || Object.entries(matchLabels).every(([key, value]) => found[key] === value);
  const fits =
    !Array.isArray(matchExpressions) || (matchExpressions as readonly CelValue[]).every((one) => isFit(one, found));
  return hasLabels && fits;
}

function isFit(requirement: CelValue, labels: CelMap): boolean {
  if (!isMap(requirement)) return false;
  const { key, operator, values } = requirement;
  if (typeof key !== 'string') return false;
  const isThere = Object.hasOwn(labels, key);
  const isListed = isThere && Array.isArray(values) && (values as readonly CelValue[]).includes(labels[key] ?? null);
  switch (operator) {
    case 'In':
      return isListed;
    case 'NotIn':
      return !isListed;
    case 'Exists':
      return isThere;
    case 'DoesNotExist':
      return !isThere;
    default:
      return false;
  }
}

function isMap(value: CelValue | undefined): value is CelMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
