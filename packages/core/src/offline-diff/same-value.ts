import { equalJson, isJsonArray } from '../canonical.ts';
import { isJsonObject, type Json } from '../object.ts';
import { slotOf, type Leaf, type Slot } from './kind-schema.ts';
import { parseQuantity, roundToMilli } from '../quantity.ts';

/** Whether two plain values are one to the API server: `1000m` and `1`, `"80"` and `80`, base64 with line ends and without. */
export function isSameLeaf(leaf: Leaf, a: Json, b: Json): boolean {
  if (equalJson(a, b)) return true;
  const left = plainText(a);
  const right = plainText(b);
  if (left === undefined || right === undefined) return false;
  switch (leaf) {
    case 'q':
    case 'Q':
      return isSameQuantity(left, right, leaf === 'Q');
    case 'i':
    case 'n':
      return isNumber(left) && isNumber(right) && Number(left) === Number(right);
    case 't':
      return isSameTime(left, right);
    case 'y':
      return isBase64(left) && isBase64(right) && Buffer.from(left, 'base64').equals(Buffer.from(right, 'base64'));
    case 's':
    case 'b':
    case 'x':
      return left === right;
    case 'j':
      return false;
  }
}

/**
 * Whether the server keeps nothing of a value in this place: null, and where nothing and zero are one, the zero value of
 * its type, as are maps and lists without anything in them.
 */
export function isNothing(value: Json | undefined, { type, isPointer }: Slot): boolean {
  if (value === undefined || value === null) return true;
  if (type.form === 'list') return isJsonArray(value) && value.length === 0;
  if (type.form === 'map') return isJsonObject(value) && Object.keys(value).length === 0;
  if (type.form === 'struct') {
    if (!isJsonObject(value) || (isPointer && !MEANS_NOTHING_EMPTY.has(type.name))) return false;
    return Object.entries(value).every(([field, child]) => isNothing(child, slotOf(type, field)));
  }
  if (isPointer) return false;
  switch (type.leaf) {
    case 's':
    case 'y':
      return value === '';
    case 'i':
    case 'n':
      return value === 0;
    case 'b':
      return value === false;
    case 'q':
      return parseQuantity(String(value)) === 0n;
    default:
      return false;
  }
}

/**
 * Types that say nothing when they are empty, though the server keeps them apart from none. An empty selector or volume
 * does mean something; an empty affinity, of which charts are fond, does not.
 */
const MEANS_NOTHING_EMPTY: ReadonlySet<string> = new Set([
  'apps/v1.RollingUpdateDaemonSet',
  'apps/v1.RollingUpdateDeployment',
  'apps/v1.RollingUpdateStatefulSetStrategy',
  'apps/v1.StatefulSetPersistentVolumeClaimRetentionPolicy',
  'core/v1.Affinity',
  'core/v1.Capabilities',
  'core/v1.Lifecycle',
  'core/v1.NodeAffinity',
  'core/v1.PodAffinity',
  'core/v1.PodAntiAffinity',
  'core/v1.PodDNSConfig',
  'core/v1.PodSecurityContext',
  'core/v1.ResourceRequirements',
  'core/v1.SELinuxOptions',
  'core/v1.SecurityContext',
  'core/v1.WindowsSecurityContextOptions',
]);

function plainText(value: Json): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

function isSameQuantity(a: string, b: string, isRounded: boolean): boolean {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  if (left === undefined || right === undefined) return false;
  return left === right || (isRounded && roundToMilli(left) === roundToMilli(right));
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text));
}

const TIME = /^(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

function isSameTime(a: string, b: string): boolean {
  const [, left, leftFraction = '', leftZone] = TIME.exec(a) ?? [];
  const [, right, rightFraction = '', rightZone] = TIME.exec(b) ?? [];
  if (left === undefined || right === undefined) return false;
  return (
    Date.parse(`${left}${leftZone}`) === Date.parse(`${right}${rightZone}`) &&
    leftFraction.replace(/0+$/, '') === rightFraction.replace(/0+$/, '')
  );
}

export function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text);
}
