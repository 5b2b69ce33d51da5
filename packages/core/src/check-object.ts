import { digest, isJsonArray } from './canonical.ts';
import { type ErrorCode } from './error-codes.ts';
import { PlumbError } from './error.ts';
import { saysHook } from './hook.ts';
import { objectKey } from './key.ts';
import { fieldAt, groupOf, isJsonObject, type Json, type JsonObject, type KubeObject } from './object.ts';
import type { Hook, Origin, RenderedObject } from './rendered.ts';
import { PART_OF_LABEL, TRACKING_ANNOTATION } from './tracking.ts';

/** A mapping that a file or a template gave, before anything about it is known. */
export interface DocumentAt {
  readonly value: JsonObject;
  readonly origin: Origin;
  readonly hook?: Hook;
}

export interface CheckedObjects {
  /** Complete only where there are no errors. */
  readonly objects: readonly RenderedObject[];
  readonly errors: readonly PlumbError[];
}

const MAX_OBJECTS = 20_000;
const MAX_LIST_DEPTH = 5;
const MAX_NAME_LENGTH = 253;
const MAX_ANNOTATIONS_BYTES = 262_144;
const MAX_OBJECT_BYTES = 1.5 * 1024 * 1024;
const MAX_DATA_BYTES = 1024 * 1024;

/**
 * Documents as objects that an API server could take, or all that is wrong with them: found here, before the first
 * write, so that nothing is half applied. Lists are flattened, null map values dropped, and empty `status` and
 * `creationTimestamp`, which generators write, left out. Nothing else is changed: what the user wrote is what is sent.
 *
 * `namespace` is where objects without one go; it only matters for finding duplicates.
 */
export function checkObjects(documents: Iterable<DocumentAt>, options: { readonly namespace: string }): CheckedObjects {
  const errors: PlumbError[] = [];
  const objects: RenderedObject[] = [];
  const seen = new Map<string, Origin>();
  for (const { value, origin, hook } of flattenLists(documents, errors)) {
    const report = new Report(origin, errors);
    const object = checkObject(value, report);
    if (object === undefined) continue;
    const key = objectKey({
      group: groupOf(object.apiVersion),
      kind: object.kind,
      namespace: object.metadata.namespace ?? options.namespace,
      name: object.metadata.name,
    });
    const first = seen.get(key);
    if (first !== undefined) {
      report.error('DuplicateObject', `defined twice: ${formatOrigin(first)} and ${formatOrigin(origin)}`);
      continue;
    }
    seen.set(key, origin);
    objects.push({ object, origin, ...(hook === undefined ? {} : { hook }) });
  }
  return { objects, errors };
}

/** Collects the errors of one object, each with its place and its name. */
class Report {
  readonly origin: Origin;
  readonly #errors: PlumbError[];
  subject: string | undefined;

  constructor(origin: Origin, errors: PlumbError[]) {
    this.origin = origin;
    this.#errors = errors;
  }

  error(code: ErrorCode, message: string, field?: string, fix?: string): void {
    const text = this.subject === undefined ? message : `${this.subject}: ${message}`;
    this.#errors.push(new PlumbError(code, text, { where: this.origin, subject: this.subject, field, fix }));
  }
}

/**
 * Documents as they are, Lists flattened and null map values dropped: what a renderer gave, whether or not an API server
 * would take it.
 */
export function listDocuments(documents: Iterable<DocumentAt>): readonly DocumentAt[] {
  return [...flattenLists(documents, [])].map((document) => ({
    ...document,
    value: withoutNulls(document.value).value,
  }));
}

function* flattenLists(documents: Iterable<DocumentAt>, errors: PlumbError[]): Generator<DocumentAt> {
  let count = 0;
  const pending = [{ documents: documents[Symbol.iterator](), depth: 0 }];
  for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
    const next = top.documents.next();
    if (next.done === true) {
      pending.pop();
      continue;
    }
    const document = next.value;
    const items = listItems(document);
    if (items === undefined) {
      if (++count > MAX_OBJECTS) {
        errors.push(new PlumbError('TooManyDocs', `more than ${MAX_OBJECTS} objects`, { where: document.origin }));
        return;
      }
      yield document;
    } else if (top.depth === MAX_LIST_DEPTH) {
      const message = `a List inside of ${MAX_LIST_DEPTH} Lists`;
      errors.push(new PlumbError('ObjectInvalid', message, { where: document.origin, fix: 'Write the objects out.' }));
    } else pending.push({ documents: readItems(document, items, errors), depth: top.depth + 1 });
  }
}

function listItems({ value }: DocumentAt): readonly Json[] | undefined {
  const { kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List')) return undefined;
  if (isJsonArray(items)) return items;
  return kind === 'List' && (items === undefined || items === null) ? [] : undefined;
}

/** Items of a typed list (`ConfigMapList`) may leave out what the list says already, as the API server's own do. */
function* readItems(list: DocumentAt, items: readonly Json[], errors: PlumbError[]): Generator<DocumentAt> {
  const { apiVersion, kind } = list.value;
  const itemKind = String(kind).slice(0, -'List'.length);
  for (const [index, item] of items.entries()) {
    if (!isJsonObject(item)) {
      errors.push(
        new PlumbError('NotAnObject', `items[${index}] of the ${String(kind)} is not an object`, {
          where: list.origin,
        }),
      );
    } else if (itemKind === '' || item['kind'] !== undefined || apiVersion === undefined) {
      yield { ...list, value: item };
    } else yield { ...list, value: { apiVersion, kind: itemKind, ...item } };
  }
}

function checkObject(document: JsonObject, report: Report): KubeObject | undefined {
  const { value: written, bytes } = withoutNulls(document);
  const value = withHookName(written);
  const { apiVersion, kind, metadata } = value;
  if (kind === undefined && apiVersion === undefined) {
    const fix = 'Set both, or exclude the file with spec.render.manifests.exclude.';
    report.error('ObjectInvalid', 'apiVersion and kind are missing: this is no manifest', 'apiVersion', fix);
    return undefined;
  }
  if (typeof kind !== 'string' || kind === '') {
    report.error('ObjectInvalid', `kind is ${missingOrWrong(kind)}`, 'kind');
    return undefined;
  }
  report.subject = kind;
  if (typeof apiVersion !== 'string' || !/^[^/]+(?:\/[^/]+)?$/.test(apiVersion)) {
    report.error('ObjectInvalid', `apiVersion is ${missingOrWrong(apiVersion)}`, 'apiVersion');
    return undefined;
  }
  if (!isJsonObject(metadata)) {
    report.error('ObjectInvalid', `metadata is ${missingOrWrong(metadata)}`, 'metadata');
    return undefined;
  }
  if (!checkName(metadata, report)) return undefined;
  checkTextMap(metadata['labels'], 'metadata.labels', report);
  checkTextMap(metadata['annotations'], 'metadata.annotations', report);
  checkForbiddenFields(value, metadata, report);
  checkSizes(value, metadata, bytes, report);
  if (apiVersion === 'v1' && kind === 'Secret') checkSecret(value, report);
  checkListKeys(value, kind, report);
  return withoutGenerated(value, metadata) as unknown as KubeObject;
}

/**
 * A hook may be named by `generateName`, as Argo CD allows it. It gets a name that its content makes: the same hook has the
 * same name in every run, so that a run can be told from the one before, and one that crashed is found again.
 */
function withHookName(value: JsonObject): JsonObject {
  const { metadata } = value;
  if (!isJsonObject(metadata) || metadata['name'] !== undefined) return value;
  const { generateName, ...rest } = metadata;
  if (typeof generateName !== 'string' || !saysHook(metadata['annotations'])) return value;
  return { ...value, metadata: { ...rest, name: `${generateName}${digest(value).slice(0, 8)}` } };
}

function missingOrWrong(value: Json | undefined): string {
  return value === undefined || value === '' ? 'missing' : 'not what it must be';
}

function checkName(metadata: JsonObject, report: Report): boolean {
  const { name, namespace } = metadata;
  if (name === undefined && metadata['generateName'] !== undefined) {
    report.error('ForbiddenField', 'metadata.generateName makes a new object of every apply', 'metadata.generateName');
    return false;
  }
  if (typeof name !== 'string' || name === '') {
    const wrong = typeof name === 'number' || typeof name === 'boolean' ? 'no text: quote it' : missingOrWrong(name);
    report.error('ObjectInvalid', `metadata.name is ${wrong}`, 'metadata.name');
    return false;
  }
  const nameProblem = findNameProblem(name);
  if (nameProblem !== undefined) {
    report.error('NameInvalid', `the name ${escapeInvisible(name)} ${nameProblem}`, 'metadata.name');
    return false;
  }
  report.subject = `${report.subject ?? ''}/${name}`;
  if (namespace === undefined) return true;
  if (typeof namespace !== 'string') {
    report.error('ObjectInvalid', 'metadata.namespace is not text', 'metadata.namespace');
    return false;
  }
  const namespaceProblem = findNameProblem(namespace);
  if (namespaceProblem !== undefined) {
    const text = `the namespace ${escapeInvisible(namespace)} ${namespaceProblem}`;
    report.error('NameInvalid', text, 'metadata.namespace');
    return false;
  }
  return true;
}

/** Characters that a reader cannot see or that turn the text around: controls, bidi marks, zero-width ones. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Only what no kind allows: RBAC names may hold colons and capitals, so the rest is for the API server to judge. */
function findNameProblem(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return `has ${name.length} characters, at most ${MAX_NAME_LENGTH} are allowed`;
  if (INVISIBLE.test(name)) return 'holds characters that cannot be seen';
  if (name === '.' || name === '..' || /[/%]/.test(name)) return 'cannot be part of a URL path';
  return undefined;
}

/** The text in quotes, cut short, with everything invisible written as `\u{…}`. */
function escapeInvisible(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  const shown = short.replace(new RegExp(INVISIBLE, 'gu'), (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`);
  return `"${shown}"`;
}

function checkTextMap(value: Json | undefined, field: string, report: Report): void {
  if (value === undefined) return;
  if (!isJsonObject(value)) {
    report.error('ObjectInvalid', `${field} is not a map`, field);
    return;
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') report.error('ObjectInvalid', `${field}[${key}] is no text: quote it`, field);
  }
}

const FORBIDDEN_METADATA = [
  'generateName',
  'resourceVersion',
  'uid',
  'selfLink',
  'generation',
  'managedFields',
  'ownerReferences',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

function checkForbiddenFields(value: JsonObject, metadata: JsonObject, report: Report): void {
  for (const name of FORBIDDEN_METADATA) {
    const field = metadata[name];
    if (field !== undefined && !isEmpty(field)) {
      report.error('ForbiddenField', `metadata.${name} is not for Git to set`, `metadata.${name}`);
    }
  }
  if (value['status'] !== undefined && !isEmpty(value['status'])) {
    report.error('ForbiddenField', 'status is not for Git to set', 'status');
  }
  if (fieldAt(metadata, 'annotations', TRACKING_ANNOTATION) !== undefined) {
    const field = `metadata.annotations[${TRACKING_ANNOTATION}]`;
    report.error('ForbiddenField', `${field} says which application owns the object: Plumb alone sets it`, field);
  }
  if (fieldAt(metadata, 'labels', PART_OF_LABEL) !== undefined) {
    const field = `metadata.labels[${PART_OF_LABEL}]`;
    report.error('ForbiddenField', `${field} says which application owns the object: Plumb alone sets it`, field);
  }
}

/** Whether there is nothing in it but zero values, as generators write a `status` that nobody filled. */
function isEmpty(value: Json): boolean {
  if (isJsonArray(value)) return value.length === 0;
  if (isJsonObject(value)) return Object.values(value).every(isEmpty);
  return value === null || value === '' || value === 0 || value === false;
}

function withoutGenerated(value: JsonObject, metadata: JsonObject): JsonObject {
  const generated = FORBIDDEN_METADATA.filter((name) => metadata[name] !== undefined);
  if (metadata['namespace'] === '') generated.push('namespace');
  if (value['status'] === undefined && generated.length === 0) return value;
  const { status: _status, ...rest } = value;
  const kept = Object.entries(metadata).filter(([name]) => !generated.includes(name));
  return { ...rest, metadata: Object.fromEntries(kept) };
}

function checkSizes(value: JsonObject, metadata: JsonObject, bytes: number, report: Report): void {
  // The walk counted UTF-16 units; a text takes at most three bytes for each, so most objects need no second look.
  if (bytes * 3 < MAX_ANNOTATIONS_BYTES) return;
  const annotations = mapBytes(metadata['annotations']);
  if (annotations > MAX_ANNOTATIONS_BYTES) {
    const message = `the annotations have ${annotations} bytes, at most ${MAX_ANNOTATIONS_BYTES} are allowed`;
    report.error('TooLarge', message, 'metadata.annotations');
  }
  const { apiVersion, kind } = value;
  if (apiVersion === 'v1' && (kind === 'ConfigMap' || kind === 'Secret')) {
    const data =
      kind === 'ConfigMap'
        ? mapBytes(value['data']) + base64Bytes(value['binaryData'])
        : base64Bytes(value['data']) + mapBytes(value['stringData']);
    if (data > MAX_DATA_BYTES) {
      report.error('TooLarge', `the data has ${data} bytes, at most ${MAX_DATA_BYTES} are allowed`, 'data');
      return;
    }
  }
  const total = utf8Bytes(JSON.stringify(value));
  if (total > MAX_OBJECT_BYTES) {
    report.error('TooLarge', `the object has ${total} bytes, at most ${MAX_OBJECT_BYTES} are allowed`);
  }
}

function mapBytes(value: Json | undefined): number {
  if (!isJsonObject(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, text]) => sum + utf8Bytes(key) + (typeof text === 'string' ? utf8Bytes(text) : 0),
    0,
  );
}

function base64Bytes(value: Json | undefined): number {
  return Math.floor((mapBytes(value) * 3) / 4);
}

function utf8Bytes(text: string): number {
  return Buffer.byteLength(text);
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Never shows a value: a mistake in a Secret must not print it. */
function checkSecret(value: JsonObject, report: Report): void {
  for (const field of ['data', 'stringData']) {
    const entries = value[field];
    if (entries === undefined) continue;
    if (!isJsonObject(entries)) {
      report.error('ObjectInvalid', `${field} is not a map`, field);
      continue;
    }
    for (const [key, text] of Object.entries(entries)) {
      if (typeof text !== 'string') report.error('ObjectInvalid', `${field}[${key}] is no text: quote it`, field);
      else if (field === 'data' && !BASE64.test(text.replaceAll(/[\r\n]/g, ''))) {
        report.error('ObjectInvalid', `data[${key}] is not base64; stringData takes plain text`, `data[${key}]`);
      }
    }
  }
}

/** Lists that the API server merges by key (`x-kubernetes-list-map-keys`); two entries of a key end in HTTP 500. */
interface KeyedList {
  readonly name: string;
  readonly keys: readonly string[];
}

const POD_LISTS: readonly KeyedList[] = [
  { name: 'volumes', keys: ['name'] },
  { name: 'imagePullSecrets', keys: ['name'] },
  { name: 'hostAliases', keys: ['ip'] },
  { name: 'topologySpreadConstraints', keys: ['topologyKey', 'whenUnsatisfiable'] },
];
const CONTAINER_LISTS: readonly KeyedList[] = [
  { name: 'env', keys: ['name'] },
  { name: 'ports', keys: ['containerPort', 'protocol'] },
  { name: 'volumeMounts', keys: ['mountPath'] },
  { name: 'volumeDevices', keys: ['devicePath'] },
];
const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'];
const POD_TEMPLATE = ['spec', 'template', 'spec'];
const POD_SPECS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Pod', ['spec']],
  ['PodTemplate', ['template', 'spec']],
  ['CronJob', ['spec', 'jobTemplate', ...POD_TEMPLATE]],
  ...['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'ReplicationController'].map(
    (kind) => [kind, POD_TEMPLATE] as const,
  ),
]);
const BUILT_IN_GROUPS: ReadonlySet<string> = new Set(['', 'apps', 'batch', 'admissionregistration.k8s.io']);

function checkListKeys(value: JsonObject, kind: string, report: Report): void {
  if (!BUILT_IN_GROUPS.has(groupOf(String(value['apiVersion'])))) return;
  if (kind === 'Service') {
    checkKeyedList(fieldAt(value, 'spec'), { name: 'ports', keys: ['port', 'protocol'] }, 'spec', report);
  } else if (kind.endsWith('WebhookConfiguration')) {
    checkKeyedList(value, { name: 'webhooks', keys: ['name'] }, '', report);
  }
  const podPath = POD_SPECS.get(kind);
  if (podPath === undefined) return;
  const pod = fieldAt(value, ...podPath);
  const at = podPath.join('.');
  for (const list of POD_LISTS) checkKeyedList(pod, list, at, report);
  for (const name of CONTAINERS) {
    checkKeyedList(pod, { name, keys: ['name'] }, at, report);
    const containers = fieldAt(pod, name);
    if (!isJsonArray(containers)) continue;
    for (const container of containers) {
      const containerAt = `${at}.${name}[${String(fieldAt(container, 'name') ?? '')}]`;
      for (const list of CONTAINER_LISTS) checkKeyedList(container, list, containerAt, report);
    }
  }
}

function checkKeyedList(parent: Json | undefined, list: KeyedList, at: string, report: Report): void {
  const items = fieldAt(parent, list.name);
  if (!isJsonArray(items) || items.length < 2) return;
  const field = at === '' ? list.name : `${at}.${list.name}`;
  const seen = new Set<string>();
  for (const item of items) {
    const parts = list.keys.map((key) => fieldAt(item, key) ?? (key === 'protocol' ? 'TCP' : undefined));
    if (parts.includes(undefined)) continue;
    const key = parts.map(String).join('/');
    if (seen.has(key)) {
      report.error('DuplicateListKey', `${field} has two entries for ${list.keys.join(' and ')} ${key}`, field);
    }
    seen.add(key);
  }
}

/** The value without null map values, and roughly the length of its text. Returns the same maps where none is null. */
function withoutNulls(value: JsonObject): { readonly value: JsonObject; readonly bytes: number } {
  let bytes = 0;
  const result = clean(value);
  return { value: result, bytes };

  function clean<T extends Json>(part: T): T {
    if (typeof part === 'string') bytes += part.length + 3;
    else if (typeof part !== 'object' || part === null) bytes += 8;
    else if (isJsonArray(part)) return cleanList(part) as Json as T;
    else return cleanMap(part) as Json as T;
    return part;
  }

  function cleanList(list: readonly Json[]): readonly Json[] {
    let copy: Json[] | undefined;
    for (const [index, item] of list.entries()) {
      const cleaned = clean(item);
      if (cleaned !== item) (copy ??= [...list])[index] = cleaned;
    }
    return copy ?? list;
  }

  function cleanMap(map: JsonObject): JsonObject {
    let changed: Map<string, Json | undefined> | undefined;
    for (const key of Object.keys(map)) {
      const item = map[key] ?? null;
      bytes += key.length + 4;
      if (item === null) (changed ??= new Map()).set(key, undefined);
      else {
        const cleaned = clean(item);
        if (cleaned !== item) (changed ??= new Map()).set(key, cleaned);
      }
    }
    if (changed === undefined) return map;
    const entries = Object.entries(map).map(
      ([key, item]) => [key, changed.has(key) ? changed.get(key) : item] as const,
    );
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined)) as JsonObject;
  }
}

function formatOrigin({ file, line }: Origin): string {
  return line === undefined ? file : `${file}:${line}`;
}
