import { PlumbError, type ErrorCode, type Where } from '@plumb/core';
import { folderOf, joinPath } from './repository-path.ts';
import { KUSTOMIZATION_NAMES } from './repository-part.ts';
import type { GuestError } from './sandbox/reply.ts';
import { decodeYaml } from './yaml/decode.ts';
import { decodeText } from './yaml/text.ts';

/** Where the guest mounts the repository: no part of any path that a person knows. */
const MOUNT = /\/repo\/|\/repo\b/g;
const WRAPPERS =
  /^(?:accumulating (?:resources|components)|accumulation err|recursed accumulation of path|couldn't make target for path)\b/;

/**
 * Kustomize's error with a code of ours and the place that a person has to change: the YAML that cannot be read, else
 * the line of the kustomization file that names what the error is about.
 *
 * `reads` are the files that the build read, in its order of names; `files` their contents.
 */
export function kustomizeError(
  error: GuestError,
  reads: readonly string[],
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
): PlumbError {
  const message = error.message.replaceAll(MOUNT, '').trim();
  const code = codeOf(error, message);
  if (code === 'YamlSyntax' || error.code === 'KUSTOMIZE_YAML') {
    const broken = firstUnreadable(reads, files);
    if (broken !== undefined) return broken;
  }
  return new PlumbError(code, innermost(message), { where: placeOf(message, reads, files, folder) });
}

function codeOf(error: GuestError, message: string): ErrorCode {
  if (/cycle (?:detected|not allowed)|cycle/i.test(message)) return 'KustomizeCycle';
  switch (error.code) {
    case 'KUSTOMIZE_REMOTE_FORBIDDEN':
    case 'KUSTOMIZE_HELM_DISABLED':
    case 'KUSTOMIZE_PLUGIN_DISABLED':
      return 'KustomizeDisabled';
    case 'KUSTOMIZE_LOAD_RESTRICTION':
      return 'PathEscape';
    case 'KUSTOMIZE_NOT_FOUND':
      return 'PathMissing';
    default:
      break;
  }
  if (/leaves the source tree/.test(message)) return 'PathEscape';
  if (/may not add resource with an already registered id|ID conflict/.test(message)) return 'DuplicateObject';
  return 'KustomizeInvalid';
}

function firstUnreadable(reads: readonly string[], files: ReadonlyMap<string, Uint8Array>): PlumbError | undefined {
  for (const path of reads) {
    if (!/\.(?:ya?ml|json)$|(?:^|\/)Kustomization$/.test(path)) continue;
    try {
      decodeYaml(decodeText(files.get(path) ?? new Uint8Array(), path), path);
    } catch (thrown) {
      if (!(thrown instanceof PlumbError)) throw thrown;
      if (thrown.code === 'YamlSyntax' || thrown.code === 'Encoding') return thrown;
    }
  }
  return undefined;
}

/** The last part of a chain of "accumulating resources: accumulation err='…': …", which says what is wrong. */
function innermost(message: string): string {
  const parts = message.split(/: (?=[a-z'"])/);
  const start = parts.findIndex((part) => !WRAPPERS.test(part));
  return start < 0 ? message : parts.slice(start).join(': ');
}

/** The kustomization file and line that hold one of the texts that the message quotes, the longest first. */
function placeOf(
  message: string,
  reads: readonly string[],
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
): Where {
  const quoted = [...message.matchAll(/'([^'\n]{2,})'|"([^"\n]{2,})"|(?:resource|base) (\S{2,})/g)]
    .map(([, single, double, bare]) => single ?? double ?? bare ?? '')
    .flatMap((text) => [text, text.slice(text.lastIndexOf('/') + 1)])
    .filter((text) => text.length > 1)
    .toSorted((a, b) => b.length - a.length);
  const kustomizations = reads.filter(isKustomization);
  for (const text of quoted) {
    for (const file of kustomizations) {
      const lines = new TextDecoder().decode(files.get(file)).split('\n');
      const at = lines.findIndex((line) => line.includes(text) && !line.trimStart().startsWith('#'));
      if (at >= 0) return { file, line: at + 1 };
    }
  }
  const own = kustomizations.find((file) => folderOf(file) === folder);
  return { file: own ?? joinPath(folder, KUSTOMIZATION_NAMES[0]) };
}

function isKustomization(path: string): boolean {
  return KUSTOMIZATION_NAMES.some((name) => path === name || path.endsWith(`/${name}`));
}
