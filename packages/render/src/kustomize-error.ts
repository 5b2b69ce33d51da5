import { isJsonObject, PlumbError, type ErrorCode, type Json, type Where } from '@plumb/core';
import { tellCause, type Cause } from './kustomize-cause.ts';
import { unwrapFailure, type KustomizeFailure } from './kustomize-failure.ts';
import { joinPath, resolveFrom } from './repository-path.ts';
import { KUSTOMIZATION_NAMES } from './repository-part.ts';
import type { GuestError } from './sandbox/reply.ts';
import { decodeYaml } from './yaml/decode.ts';
import { decodeText } from './yaml/text.ts';

/** Where the guest mounts the repository: no part of any path that a person knows. */
const MOUNT = /(?<=^|[\s'"([])\/repo(?:\/(?=[^\s'"])|(?=$|[\s'":;,)\]]))/g;

interface Context {
  /** The files that the build read, in its order of names. */
  readonly reads: readonly string[];
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The folder that was built; undefined where the spec has a kustomization of its own over it. */
  readonly folder: string | undefined;
}

/**
 * Kustomize's error with a code of ours and the place that a person has to change: the YAML that cannot be read, else
 * the line of the kustomization file that names what the error is about.
 */
export function kustomizeError(error: GuestError, context: Context): PlumbError {
  const failure = unwrapFailure(error.detail.replaceAll(MOUNT, shown).trim(), context.folder ?? OVERLAY);
  const cause = error.code === 'PANIC' ? BROKEN : tellCause(failure);
  if (cause.code === 'YamlSyntax' || cause.code === 'YamlDuplicateKey') {
    const broken = firstUnreadable(cause, failure, context);
    if (broken !== undefined) return broken;
  }
  const { code, message, fix } = cause;
  if (failure.folder === OVERLAY) return new PlumbError(code, `spec.render.kustomize: ${message}`, { fix });
  return new PlumbError(code, message, { where: placeOf(cause, failure, context), fix });
}

/**
 * Why a build took too much, where one of its files alone explains it: upstream's reader follows aliases without end. Else
 * what was thrown.
 */
export function explainExhaustion(thrown: unknown, files: ReadonlyMap<string, Uint8Array>): unknown {
  if (!(thrown instanceof PlumbError) || !EXHAUSTED.has(thrown.code)) return thrown;
  for (const [path, bytes] of files) {
    const broken = isYaml(path) ? readError(bytes, path) : undefined;
    if (broken !== undefined && ENDLESS.has(broken.code)) return broken;
  }
  return thrown;
}

const EXHAUSTED: ReadonlySet<ErrorCode> = new Set(['RenderMemory', 'RenderTimeout']);
const ENDLESS: ReadonlySet<ErrorCode> = new Set(['YamlCycle', 'YamlAliasLimit', 'YamlDepthLimit']);

function readError(bytes: Uint8Array | undefined, path: string): PlumbError | undefined {
  try {
    decodeYaml(decodeText(bytes ?? new Uint8Array(), path), path);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof PlumbError) return thrown;
    throw thrown;
  }
}

/** Upstream's code gives up on some input that it does not foresee: another try would end the same. */
const BROKEN: Cause = {
  code: 'KustomizeInvalid',
  message: 'Kustomize itself breaks on this kustomization: something in it is empty or missing',
};

/** Where the guest puts what the spec lays over the folder. */
const OVERLAY = '/over';

function shown(mount: string): string {
  return mount.endsWith('/') ? '' : '.';
}

/** What our own reader says of the file that upstream's could not read: it knows the line. */
function firstUnreadable(
  { code }: Cause,
  failure: KustomizeFailure,
  { reads, files }: Context,
): PlumbError | undefined {
  const entry = entryPath(failure);
  const suspects = entry !== undefined && files.has(entry) ? [entry] : reads.filter(isYaml);
  for (const path of suspects) {
    const broken = readError(files.get(path), path);
    if (broken !== undefined && (broken.code === code || broken.code === 'Encoding')) return broken;
  }
  return undefined;
}

function placeOf(cause: Cause, failure: KustomizeFailure, context: Context): Where {
  const { files } = context;
  const entry = entryPath(failure);
  if (cause.isInside === true && entry !== undefined && files.has(entry)) {
    const line = lineOfObject(cause.object, files.get(entry), entry);
    return line === undefined ? { file: entry } : { file: entry, line };
  }
  const own = kustomizationIn(failure.folder, files) ?? joinPath(failure.folder, KUSTOMIZATION_NAMES[0]);
  const texts = [failure.entry, cause.near, ...quotedIn(failure.cause)].filter((text) => text !== undefined);
  for (const file of [own, ...pluginFiles(cause, own, context)]) {
    const line = lineNaming(texts, files.get(file));
    if (line !== undefined) return { file, line };
  }
  return { file: own };
}

/** What a kustomization names as its plugins lies in files of its own. */
function pluginFiles(cause: Cause, own: string, { reads }: Context): readonly string[] {
  return cause.near?.startsWith('kind: ') === true ? reads.filter((path) => path !== own && isYaml(path)) : [];
}

function quotedIn(cause: string): readonly string[] {
  return [...cause.matchAll(/'([^'\n]{2,200})'|"([^"\n]{2,200})"|`([^`\n]{2,200})`/g)]
    .map(([, single, double, back]) => single ?? double ?? back ?? '')
    .flatMap((text) => [text, text.slice(text.lastIndexOf('/') + 1)])
    .filter((text) => text.length > 1)
    .toSorted((a, b) => b.length - a.length);
}

/** The first line that holds one of the texts as a whole, else as the end of a path, else anywhere; comments do not count. */
function lineNaming(texts: readonly string[], bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  const lines = new TextDecoder().decode(bytes).split('\n');
  for (const text of texts.filter((candidate) => candidate !== '')) {
    const ways = [
      (line: string) => holdsWhole(line, text, /[\w./-]/),
      (line: string) => holdsWhole(line, text, /[\w.-]/),
      (line: string) => text.length >= MIN_PART_CHARS && line.includes(text),
    ];
    for (const isNamed of ways) {
      const at = lines.findIndex((line) => !line.trimStart().startsWith('#') && isNamed(line));
      if (at >= 0) return at + 1;
    }
  }
  return undefined;
}

/** A shorter text is a part of too many others. */
const MIN_PART_CHARS = 4;

/** Whether a text stands in a line with nothing before and after it that would belong to it. */
function holdsWhole(line: string, text: string, before: RegExp): boolean {
  for (let at = line.indexOf(text); at >= 0; at = line.indexOf(text, at + 1)) {
    if (!before.test(line[at - 1] ?? ' ') && !/[\w./-]/.test(line[at + text.length] ?? ' ')) return true;
  }
  return false;
}

/** The line in a file of the object with a name (`Kind/name`), or of the first that lacks kind, metadata or name. */
function lineOfObject(name: string | undefined, bytes: Uint8Array | undefined, file: string): number | undefined {
  try {
    const documents = decodeYaml(decodeText(bytes ?? new Uint8Array(), file), file);
    return documents.find(({ value }) => value !== null && nameOf(value) === name)?.line;
  } catch (thrown) {
    if (thrown instanceof PlumbError) return thrown.where?.line;
    throw thrown;
  }
}

function nameOf(value: Json): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const { kind, metadata } = value;
  if (typeof kind !== 'string') return undefined;
  // The items of a list are not looked at: which of them it is about is not known.
  if (kind.endsWith('List')) return kind;
  return isJsonObject(metadata) && typeof metadata['name'] === 'string' ? `${kind}/${metadata['name']}` : undefined;
}

function entryPath({ folder, entry }: KustomizeFailure): string | undefined {
  return entry === undefined ? undefined : resolveFrom(folder, entry);
}

function kustomizationIn(folder: string, files: ReadonlyMap<string, Uint8Array>): string | undefined {
  return KUSTOMIZATION_NAMES.map((name) => joinPath(folder, name)).find((path) => files.has(path));
}

function isYaml(path: string): boolean {
  return /\.(?:ya?ml|json)$|(?:^|\/)Kustomization$/.test(path);
}
