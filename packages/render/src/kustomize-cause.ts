import type { ErrorCode } from '@plumb/core';
import type { KustomizeFailure } from './kustomize-failure.ts';

/** A cause in one sentence, with the code that it has among ours. */
export interface Cause {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix?: string;
  /** A text that stands where the kustomization has to be changed, where it is known better than by the entry. */
  readonly near?: string;
  /** Whether it is about what stands in the file that the entry names: this object (`Kind/name`), or an incomplete one. */
  readonly isInside?: boolean;
  readonly object?: string | undefined;
}

/**
 * What upstream's words mean. They may quote whole objects, patches and literals, Secrets among them, so each pattern
 * says what of it is passed on, and of the rest all that looks like a value is cut out.
 */
export function tellCause(failure: KustomizeFailure): Cause {
  const cause = failure.cause.replaceAll(RESOURCE_ID, nameOf).replaceAll(GO_RESOURCE_ID, nameOfGo);
  for (const [pattern, tell] of CAUSES) {
    const match = pattern.exec(cause);
    if (match !== null) return tell(failure, ...match.slice(1));
  }
  return { code: 'KustomizeInvalid', message: withoutValues(cause) };
}

type Tell = (failure: KustomizeFailure, ...parts: readonly string[]) => Cause;

const RESTORE = 'Correct the path in the kustomization, or restore the file.';
const MAX_MESSAGE_CHARS = 300;

const CAUSES: readonly (readonly [RegExp, Tell])[] = [
  // Files and folders
  [/remote fetch disabled(?:: (\S+))?|no 'git' program on path/, ({ entry }, url) => remote(entry ?? url)],
  [
    /^(?:must build at directory: not a valid directory: )?evalsymlink failure on '(.*?)' : .*no such file or directory$/s,
    missing,
  ],
  [
    /^must build at directory: '(.*)': file is not directory$/s,
    (_failure, path) => invalid(`${path} is a file, not a folder`, lastPart(path)),
  ],
  [
    /^new root '(.*)' cannot be absolute$/s,
    (_failure, path) => ({ code: 'PathEscape', message: `${path} is an absolute path` }),
  ],
  [/^new root cannot be empty$/, () => invalid('a resource is empty', "''")],
  [
    /too many links$/,
    ({ entry }) => ({ code: 'SymlinkLoop', message: `the link ${entry ?? ''} leads in circles`.replace('  ', ' ') }),
  ],
  [
    /leaves the source tree/,
    ({ entry }) => ({ code: 'PathEscape', message: `${entry ?? 'a path'} leads out of the repository` }),
  ],
  [
    /^security; file '(.*?)' is not in or below '(.*?)'/s,
    ({ entry }, file, folder) => ({
      code: 'PathEscape',
      message: `the file ${entry ?? file} is not in or below ${folder}, and a kustomization reads no others`,
      fix: 'Move the file below the kustomization, or make the folder that it lies in a base.',
    }),
  ],
  [
    /^cycle detected: candidate root '(.*?)' contains visited root '(.*?)'$/s,
    (_failure, base, from) => ({
      code: 'KustomizeCycle',
      near: lastPart(base),
      message:
        base === from
          ? `the kustomization ${base} builds on itself`
          : `the base ${base} holds ${from}, which builds on it`,
    }),
  ],
  [/^'(.*)' must resolve to a file$/s, (_failure, path) => invalid(`${path} is a folder, not a file`)],
  [
    /^unable to find one of .* in directory '(.*)'$/s,
    (_failure, path) => invalid(`there is no kustomization.yaml in ${path}`),
  ],
  [
    /^Found multiple kustomization files under: (\S+)/,
    (_failure, path) => invalid(`there is more than one kustomization file in ${path}`),
  ],

  // What is switched off
  [
    /must specify --enable-helm/,
    () => ({
      code: 'KustomizeDisabled',
      message: 'charts are not rendered inside of a kustomization',
      near: 'helmChart',
      fix: 'Make the chart an application of its own, or commit what "helm template" makes of it as a base.',
    }),
  ],
  [
    /external plugins disabled; unable to load external plugin '(.*)'/,
    (_failure, name) => ({
      code: 'KustomizeDisabled',
      message: `the plugin ${name} is not run: nothing that a repository brings is`,
      near: `kind: ${name}`,
    }),
  ],

  // The kustomization file
  [
    /^invalid Kustomization: json: unknown field "(.*)"$/,
    (_failure, field) => invalid(`the field ${field} is not known`, `${field}:`),
  ],
  [
    /^(?:invalid Kustomization: )?json: cannot unmarshal (\w+) into Go struct field \w+\.(\S+) of type (\S+)$/,
    wrongType,
  ],
  [/^Failed to read kustomization file under [^\n]*:\n(.*)$/s, (_failure, text = '') => invalid(withoutValues(text))],
  [/json: unsupported type: map\[interface/, () => invalid('a key of a label or an annotation is no text: quote it')],

  // What resources hold
  [
    /^missing metadata\.name in object \{\{(\S*) (\S*?)\}/,
    (_failure, _version, kind = '') => incomplete(kind, 'metadata.name'),
  ],
  [/^missing kind in object/, () => incomplete('', 'kind')],
  [/^missing Resource metadata/, () => incomplete('', 'metadata')],
  [
    /may not add resource with an already registered id: (.*)$/s,
    (_failure, name) => ({ code: 'DuplicateObject', message: `${name} is there twice`, object: name, isInside: true }),
  ],
  [
    /^empty item at (.*?) in object/s,
    (_failure, path) => ({ code: 'ObjectInvalid', message: `there is an empty item at ${path}`, isInside: true }),
  ],
  [/^namespace transformation produces ID conflict: (.*)$/s, sameNamespace],
  [
    /mapping key (".*?") already defined/,
    (_failure, key) => ({ code: 'YamlDuplicateKey', message: `the key ${key} is there twice`, isInside: true }),
  ],
  [/yaml: unmarshal errors:\s*line \d+: (.*)$/s, (_failure, text = '') => invalid(withoutValues(text))],
  [
    /^MalformedYAMLError: (.*)$|^(?:invalid Kustomization: )?(yaml: (?!cannot decode).*)$/s,
    (_failure, a, b) => malformed(a ?? b),
  ],

  // Generators and transformers
  [
    /^invalid literal source .*, expected key=value$/s,
    () => invalid('a literal is not of the form key=value', 'literals:'),
  ],
  [
    /has invalid utf8 bytes/,
    ({ entry }) => ({ code: 'Encoding', message: `the file ${entry ?? 'of variables'} is not UTF-8`, isInside: true }),
  ],
  [
    /^id (\S+(?: in \S+)?) does not exist/,
    (_failure, name) => invalid(`there is no ${name} for the generator to merge into`, lastPart(name)),
  ],
  [
    /^id (\S+(?: in \S+)?) exists/,
    (_failure, name) =>
      invalid(`there is a ${name} already: the generator needs behavior merge or replace`, lastPart(name)),
  ],
  [
    /multiple matches for (?:Id|Current) (.*?)(?:;|$)/,
    (_failure, name) => invalid(`the patch matches more than one resource: ${name}`, lastPart(name)),
  ],
  [
    /^patch appears to be empty; files=\[([^\s\]]*)/,
    (_failure, file) => invalid(`a patch is empty: ${file || 'an inline one'}`, file || 'patchesStrategicMerge'),
  ],
  [
    /^no resource matches strategic merge patch "(.*?)"/,
    (_failure, name) => invalid(`the patch matches no resource: ${name}`, lastPart(name)),
  ],
  [/^unable to parse SM or JSON patch/, () => invalid('the patch is neither a strategic merge patch nor a JSON patch')],
  [
    /^illegally qualifies as both an SM and JSON patch/,
    () => invalid('the patch could be a strategic merge patch and a JSON patch'),
  ],
  [/^decoding .*: (?:invalid character|unexpected|json: )/s, () => invalid('the JSON patch is no JSON', 'op')],
  [/^must specify a target for patch/, () => invalid('the JSON patch has no target', 'patch')],
  [
    /^expected 1 resource, found (\d+) in/,
    (_failure, count) => invalid(`there are ${count} objects where one belongs`),
  ],
  [
    /found multiple possible referrals: ([^\n]*)/,
    (_failure, names) => invalid(`a name could mean any of several objects: ${names}`),
  ],
  [/^must specify a target for JSON patch/, () => invalid('the JSON patch has no target', 'patch')],
  [
    /^Multiple Strategic-Merge Patches in one/,
    () => invalid('the target is of one patch, and there are several', 'target'),
  ],
  [/^must specify one of patch and path/, () => invalid('a patch has neither patch nor path', 'patches:')],
  [/^patch and path can't be set at the same time/, () => invalid('a patch has both patch and path', 'path:')],
  [
    /^validator shouldn't modify the resource map/,
    () => invalid('a validator changed an object, and may only check', 'validators'),
  ],
  [
    /^options\.index (\d+) is out of bounds/,
    (_failure, index) => invalid(`the index ${index} of a replacement is out of bounds`, `${index}`),
  ],
  [
    /^var '\{(\S+) .*\}' (cannot be mapped.*)$/s,
    (_failure, name, what) => invalid(`the variable ${name} ${what}`, name),
  ],
];

function invalid(message: string, near?: string): Cause {
  return { code: 'KustomizeInvalid', message, ...(near === undefined ? {} : { near }) };
}

function incomplete(kind: string, field: string): Cause {
  return {
    code: 'ObjectInvalid',
    message: `${kind === '' ? 'an object' : `a ${kind}`} has no ${field}`,
    isInside: true,
  };
}

function malformed(text: string | undefined): Cause {
  const message = (text ?? '').replace(/^yaml: (?:line \d+: )?/, '').replace(/ in File: .*$/s, '');
  return { code: 'YamlSyntax', message: withoutValues(message), isInside: true };
}

/** What another host serves; a URL may carry credentials, which are nobody else's business. */
function remote(entry: string | undefined): Cause {
  const url = entry?.replace(/\/\/[^/@]*@/, '//');
  return {
    code: 'KustomizeDisabled',
    message: `${url ?? 'a base'} is not in the repository, and nothing is fetched for a build`,
    near: '//',
    fix: 'Vendor it: commit the files, and name their folder instead.',
  };
}

/** A path that is not there; one that begins with a slash lies outside of the repository. */
function missing({ entry }: KustomizeFailure, path = ''): Cause {
  if (REMOTE.test(entry ?? path.replace(/^.*?(?=[a-z]+:\/)/, ''))) return remote(entry);
  if (path.startsWith('/')) return { code: 'PathEscape', message: `${entry ?? path} leads out of the repository` };
  return { code: 'PathMissing', message: `there is no ${path} in the repository`, fix: RESTORE, near: lastPart(path) };
}

const REMOTE = /^[a-z][a-z0-9+.-]*:(?:\/|:)|^[\w.-]+@[\w.-]+:/i;

function wrongType(_failure: KustomizeFailure, actual = '', field = '', expected = ''): Cause {
  const wanted = GO_TYPES[expected];
  const needs = wanted === undefined ? '' : `: it needs ${wanted}`;
  return invalid(`${field} cannot be ${aOrAn(actual)}${needs}`, `${lastPart(field.replaceAll('.', '/'))}:`);
}

const GO_TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  bool: 'true or false',
  int: 'a number',
  int64: 'a number',
  '[]string': 'a list of texts',
};

function aOrAn(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** Of the objects, which upstream prints whole, the name alone. */
function sameNamespace(_failure: KustomizeFailure, objects = ''): Cause {
  const [, kind, name, namespace] =
    /"kind":"([^"]*)","metadata":\{.*?"name":"([^"]*)"(?:,"namespace":"([^"]*)")?/s.exec(objects) ?? [];
  const where = namespace === undefined ? '' : ` in ${namespace}`;
  const object = kind === undefined ? 'two objects' : `${kind}/${name ?? ''}${where}`;
  return { code: 'DuplicateObject', message: `with this namespace, ${object} is there twice`, near: 'namespace:' };
}

function lastPart(path: string | undefined): string {
  return path?.slice(path.lastIndexOf('/') + 1).replace(/ in .*$/, '') ?? '';
}

/** `Kind.version.group/name.namespace`, with words in brackets for what is not known. */
const RESOURCE_ID =
  /\b([A-Z][A-Za-z0-9|]*|\[noKind\])\.(?:\[noVer\]|v\d\w*|builtin|\*)\.(?:\[noGrp\]|[a-z0-9.|*-]+)(?:\/(\[noName\]|[^\s"';,\]]+?)\.(\[noNs\]|[a-z0-9-]+))?(?=[\s"';:,)\]]|$)/g;

function nameOf(_whole: string, kind: string, name = '[noName]', namespace = '[noNs]'): string {
  const known = name === '[noName]' ? kind : `${kind}/${name}`;
  return namespace === '[noNs]' ? known : `${known} in ${namespace}`;
}

const GO_RESOURCE_ID = /resid\.ResId\{Gvk:resid\.Gvk\{.*?Kind:"(.*?)".*?\}, Name:"(.*?)", Namespace:"(.*?)"\}/g;

function nameOfGo(_whole: string, kind: string, name: string, namespace: string): string {
  return namespace === '' ? `${kind}/${name}` : `${kind}/${name} in ${namespace}`;
}

/** The first line of upstream's text without the objects, patches and values that it quotes. */
function withoutValues(text: string): string {
  const [first = ''] = text.replace(/^[\w ]*:\s*\n/, '').split('\n');
  const plain = first
    .replace(/: node contents:.*$/, '')
    .replace(/ cannot be found in .*$/, ' cannot be found')
    .replace(/ into Go (?:value|struct field) .*$/, '')
    .replaceAll(/(?:error unmarshaling JSON|while decoding JSON|(?<![.\w])json): /g, '')
    .replaceAll(/ ?\[patch: ".*"\]/g, '')
    .replaceAll(/(!!\w+) `[^`]*`/g, '$1')
    .replaceAll(/map\[string\]interface \{\}(?:\(nil\)|\{.*\})(?:: )?/g, '')
    .replaceAll(/&?[\w.]*\{.*\}/g, '…')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (!/\w/.test(plain)) return 'Kustomize refuses it, and what it says of it may hold values';
  return plain.length > MAX_MESSAGE_CHARS ? `${plain.slice(0, MAX_MESSAGE_CHARS)}…` : plain;
}
