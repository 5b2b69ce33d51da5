import { canonicalJson, isJsonArray } from './canonical.ts';
import { SECRET_VALUE, type FieldChange } from './diff.ts';
import { formatFieldPath, parseFieldPath, type FieldPath, type PathElement } from './field-path.ts';
import { isJsonObject, type Json } from './object.ts';

/** Longer values are shortened in a line. */
const MAX_VALUE_LENGTH = 40;

/** One change as people say it: `image 1.4.2 → 1.4.3`, `env LOG_LEVEL set to debug`, `limits.memory 512Mi → 256Mi`. */
export function formatChange(change: FieldChange): string {
  return formatChanges([change]).join('');
}

/** Each change in one line. The container is named only where the changes touch several. */
export function formatChanges(changes: readonly FieldChange[]): readonly string[] {
  const paths = changes.map((change) => parseFieldPath(change.path) ?? [{ field: change.path }]);
  const containers = new Set(paths.map(containerOf).filter((name) => name !== undefined));
  return changes.map((change, index) => {
    const path = paths[index] ?? [];
    const container = containers.size > 1 ? containerOf(path) : undefined;
    return (container === undefined ? '' : `${container}: `) + describe(path, change);
  });
}

const CONTAINER_LISTS: ReadonlySet<string> = new Set(['containers', 'initContainers', 'ephemeralContainers']);

/** Where the list of containers stands in the path, if the path leads *into* one of them. */
function containerIndex(path: FieldPath): number {
  return path.findIndex((element, index) => {
    const next = path[index + 1];
    return 'field' in element && CONTAINER_LISTS.has(element.field) && isKeyed(next) && index + 2 < path.length;
  });
}

function containerOf(path: FieldPath): string | undefined {
  const index = containerIndex(path);
  const element = index < 0 ? undefined : path[index + 1];
  return isKeyed(element) && typeof element.key.name === 'string' ? element.key.name : undefined;
}

function isKeyed(element: PathElement | undefined): element is Extract<PathElement, { readonly key: unknown }> {
  return element !== undefined && 'key' in element;
}

/** What every reader knows anyway, longest first. */
const KNOWN_PREFIXES: readonly (readonly string[])[] = [
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  ['spec', 'template', 'spec'],
  ['spec'],
];

function describe(path: FieldPath, change: FieldChange): string {
  const inContainer = containerIndex(path);
  const rest = inContainer < 0 ? withoutPrefix(path) : path.slice(inContainer + 2);
  if (change.isOrder === true)
    return `${formatFieldPath(rest)} order ${namesIn(change.before)} → ${namesIn(change.after)}`;
  const [first, second, third] = rest;
  const head = first !== undefined && 'field' in first ? first.field : '';
  if (head === 'env' && isKeyed(second)) return describeEnv(formatValue(second.key.name), rest.slice(2), change);
  if (head === 'image' && inContainer >= 0 && rest.length === 1) return `image ${formatImages(change)}`;
  if (head === 'resources' && rest.length > 1) return `${formatFieldPath(rest.slice(1))} ${formatValues(change)}`;
  if (head === 'metadata' && second !== undefined && 'field' in second && third !== undefined && 'field' in third) {
    if (second.field === 'labels') return `label ${third.field} ${formatValues(change)}`;
    if (second.field === 'annotations') return `annotation ${third.field} ${formatValues(change)}`;
  }
  if (head === 'data' && rest.length === 2 && second !== undefined && 'field' in second) {
    return `data ${second.field} ${formatValues(change)}`;
  }
  return `${formatFieldPath(rest)} ${formatValues(change)}`;
}

/** What the items of a list are called, in its order. */
function namesIn(list: Json | undefined): string {
  return isJsonArray(list)
    ? list.map((item) => formatValue(isJsonObject(item) ? (item.name ?? '…') : item)).join(', ')
    : '';
}

function withoutPrefix(path: FieldPath): FieldPath {
  for (const prefix of KNOWN_PREFIXES) {
    if (path.length > prefix.length && prefix.every((field, index) => isField(path[index], field))) {
      return path.slice(prefix.length);
    }
  }
  return path;
}

function isField(element: PathElement | undefined, field: string): boolean {
  return element !== undefined && 'field' in element && element.field === field;
}

/** A variable that comes or goes is its value; the entry around it says nothing more. */
function describeEnv(name: string, rest: FieldPath, change: FieldChange): string {
  if (rest.length === 0) {
    const values = { path: change.path, ...envValue('before', change.before), ...envValue('after', change.after) };
    return `env ${name} ${formatValues(values)}`;
  }
  const isValue = rest.length === 1 && isField(rest[0], 'value');
  return `env ${name} ${isValue ? '' : `${formatFieldPath(rest)} `}${formatValues(change)}`;
}

function envValue(side: 'before' | 'after', item: Json | undefined): { readonly [side: string]: Json } {
  if (item === undefined) return {};
  return { [side]: isJsonObject(item) ? (item.value ?? item) : item };
}

function formatValues(change: FieldChange): string {
  const { before, after } = change;
  if (before === SECRET_VALUE && after === SECRET_VALUE) return `changed ${SECRET_VALUE}`;
  if (before === undefined && after === undefined) return 'unchanged';
  if (before === undefined) return isJsonObject(after) ? 'added' : `set to ${formatValue(after)}`;
  if (after === undefined) return isJsonObject(before) ? 'removed' : `removed (was ${formatValue(before)})`;
  return `${formatValue(before)} → ${formatValue(after)}`;
}

function formatValue(value: Json | undefined): string {
  if (typeof value !== 'string') return shorten(canonicalJson(value));
  const lines = value.trimEnd().split('\n').length;
  if (lines > 1) return `(${lines} lines)`;
  return value === '' || value !== value.trim() ? shorten(JSON.stringify(value)) : shorten(value);
}

function shorten(text: string): string {
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH - 1)}…`;
}

/** Only the tags, where the repository stays the same. */
function formatImages(change: FieldChange): string {
  const before = typeof change.before === 'string' ? splitImage(change.before) : undefined;
  const after = typeof change.after === 'string' ? splitImage(change.after) : undefined;
  const isSameRepository = before !== undefined && after !== undefined && before.repository === after.repository;
  if (!isSameRepository || before.version === '' || after.version === '') return formatValues(change);
  return `${before.version} → ${after.version}`;
}

/** `registry:5000/shop/api:1.4.2@sha256:…`: a colon before the last slash belongs to a port. */
function splitImage(image: string): { readonly repository: string; readonly version: string } {
  const slash = image.lastIndexOf('/') + 1;
  const end = image.slice(slash).search(/[:@]/);
  if (end < 0) return { repository: image, version: '' };
  const version = image.slice(slash + end + 1);
  return { repository: image.slice(0, slash + end), version: version.replace(/(sha256:[0-9a-f]{12})[0-9a-f]+$/, '$1') };
}
