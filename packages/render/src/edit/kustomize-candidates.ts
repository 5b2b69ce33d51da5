import {
  isJsonArray,
  isJsonObject,
  itemByKey,
  PlumbError,
  valueAt,
  type FieldPath,
  type Json,
  type JsonObject,
  type KubeObject,
  type SourceTree,
} from '@plumb/core';
import { KUSTOMIZATION_NAMES } from '../repository-part.ts';
import { folderOf, joinPath, resolveFrom } from '../repository-path.ts';
import {
  CandidateList,
  documentsIn,
  readTextFile,
  type EditCandidate,
  type TextFile,
  type WishedChange,
} from './edit-candidate.ts';
import { editYaml, type YamlEdit } from './edit-yaml.ts';
import { indexOf, nestedValue } from './json-edit.ts';
import { nameIn, tryManifest } from './manifest-candidates.ts';
import { imageParts, likeness, nameOfField, replacementFor, writtenValues } from './written-value.ts';

interface Call {
  readonly signal: AbortSignal;
}

interface Kustomization extends TextFile {
  readonly folder: string;
  readonly value: JsonObject;
}

/**
 * What a kustomization and those below it say of a field, the outermost first, since it has the last word: patches from
 * the last one, `replicas`, `images`, generators, labels and the like; then the resource itself.
 */
export async function tryKustomize(
  tree: SourceTree,
  folder: string,
  change: WishedChange,
  into: CandidateList,
  call: Call,
): Promise<void> {
  for (const kustomization of await kustomizationsFrom(tree, folder, call)) {
    await tryPatches(tree, kustomization, change, into, call);
    tryReplicas(kustomization, change, into);
    tryImages(kustomization, change, into);
    await tryGenerators(tree, kustomization, change, into, call);
    tryNamed(kustomization, change, into);
  }
  const source = await readTextFile(tree, change.object.origin.file, call);
  // A generator is no object: what it makes begins in the kustomization.
  if (source !== undefined && !isKustomization(source.file)) tryManifest(source, change, into);
}

/** A patch in the outermost kustomization: in one that is there for the object, else one of its own. */
export async function overKustomize(
  tree: SourceTree,
  folder: string,
  change: WishedChange,
  call: Call,
): Promise<readonly EditCandidate[]> {
  const [outer] = await kustomizationsFrom(tree, folder, call);
  if (outer === undefined) return [];
  const list = new CandidateList();
  for (const patch of patchesOf(outer)) {
    const source = await patchText(tree, outer, patch, call);
    if (source !== undefined) tryMergePatch(source, change, list, { isAdded: true });
  }
  const { object, path, after } = change;
  const body = nestedValue(path, after ?? null);
  if (isJsonObject(body)) {
    const { apiVersion, kind, metadata } = object.object;
    const { metadata: own, ...rest } = body;
    const merged = { apiVersion, kind, metadata: { name: metadata.name, ...(isJsonObject(own) ? own : {}) }, ...rest };
    const patch = `${yamlLines(merged, '').join('\n')}\n`;
    const { patches } = outer.value;
    const value = [...(isJsonArray(patches) ? patches : []), { patch }];
    list.tryEdit(outer, [{ path: [{ field: 'patches' }], value }]);
  }
  return list.edits;
}

/** A strategic merge patch as people write one; what is no map or list of maps is written as JSON. */
function yamlLines(value: JsonObject, pad: string): readonly string[] {
  return Object.entries(value).flatMap(([name, field]) => {
    const key = /^[A-Za-z][\w]*$/.test(name) ? name : JSON.stringify(name);
    if (isJsonObject(field) && Object.keys(field).length > 0) return [`${pad}${key}:`, ...yamlLines(field, `${pad}  `)];
    if (isJsonArray(field) && field.length > 0 && field.every(isJsonObject)) {
      const items = field.flatMap((item) => {
        const [first = '', ...rest] = yamlLines(item, `${pad}    `);
        return [`${pad}  - ${first.trimStart()}`, ...rest];
      });
      return [`${pad}${key}:`, ...items];
    }
    return [`${pad}${key}: ${plainText(field)}`];
  });
}

function plainText(value: Json): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const edited = editYaml('a: x\n', { file: 'patch', path: [{ field: 'a' }], value });
  return edited.ok && edited.value.trimEnd().split('\n').length === 1
    ? edited.value.slice(3, -1)
    : JSON.stringify(value);
}

function isKustomization(file: string): boolean {
  return KUSTOMIZATION_NAMES.some((name) => file === joinPath(folderOf(file), name));
}

/** The kustomization of a folder, and all that it builds on in the repository; each once. */
async function kustomizationsFrom(tree: SourceTree, folder: string, call: Call): Promise<readonly Kustomization[]> {
  const found: Kustomization[] = [];
  const seen = new Set<string>();
  const open = [folder];
  for (const at of open) {
    if (seen.has(at)) continue;
    seen.add(at);
    const kustomization = await kustomizationIn(tree, at, call);
    if (kustomization === undefined) continue;
    found.push(kustomization);
    for (const name of ['components', 'resources', 'bases']) {
      for (const entry of textsIn(kustomization.value[name])) {
        const below = resolveFrom(at, entry);
        if (below !== undefined && !/^[a-z]+:\/\//.test(entry)) open.push(below);
      }
    }
  }
  return found;
}

async function kustomizationIn(tree: SourceTree, folder: string, call: Call): Promise<Kustomization | undefined> {
  for (const name of KUSTOMIZATION_NAMES) {
    const source = await readTextFile(tree, joinPath(folder, name), call);
    const value = source === undefined ? undefined : documentsIn(source)[0]?.value;
    if (source !== undefined && isJsonObject(value)) return { ...source, folder, value };
  }
  return undefined;
}

function textsIn(value: Json | undefined): readonly string[] {
  return isJsonArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function mapsIn(value: Json | undefined): readonly (readonly [index: number, map: JsonObject])[] {
  return isJsonArray(value) ? value.flatMap((item, index) => (isJsonObject(item) ? [[index, item] as const] : [])) : [];
}

// Patches

/** A patch of a kustomization: in a file, or a text in the kustomization itself at a path. */
interface Patch {
  readonly file?: string;
  readonly at?: FieldPath;
  readonly text?: string;
}

/** In their order, the last one wins. */
function patchesOf({ value }: Kustomization): readonly Patch[] {
  const merges = isJsonArray(value['patchesStrategicMerge']) ? value['patchesStrategicMerge'] : [];
  return [
    ...merges.flatMap((entry, index): readonly Patch[] => {
      if (typeof entry !== 'string') return [];
      if (!entry.includes('\n')) return [{ file: entry }];
      return [{ at: [{ field: 'patchesStrategicMerge' }, { index }], text: entry }];
    }),
    ...['patches', 'patchesJson6902'].flatMap((field) =>
      mapsIn(value[field]).flatMap(([index, { path, patch }]): readonly Patch[] => {
        if (typeof path === 'string') return [{ file: path }];
        return typeof patch === 'string' ? [{ at: [{ field }, { index }, { field: 'patch' }], text: patch }] : [];
      }),
    ),
  ];
}

/** A text with a patch in it, and how a change of the patch is written into its file. */
interface PatchText {
  readonly documents: readonly Json[];
  tryEdit(edit: Omit<YamlEdit, 'file'>, into: CandidateList): void;
}

async function patchText(
  tree: SourceTree,
  kustomization: Kustomization,
  { file, at, text }: Patch,
  call: Call,
): Promise<PatchText | undefined> {
  if (file !== undefined) {
    const path = resolveFrom(kustomization.folder, file);
    const source = path === undefined ? undefined : await readTextFile(tree, path, call);
    if (source === undefined) return undefined;
    return {
      documents: documentsIn(source).map(({ value }) => value),
      tryEdit: (edit, into) => into.tryEdit(source, [edit]),
    };
  }
  if (at === undefined || text === undefined) return undefined;
  const inner = { file: kustomization.file, text };
  return {
    documents: documentsIn(inner).map(({ value }) => value),
    tryEdit(edit, into) {
      const edited = editYaml(text, { ...edit, file: kustomization.file });
      if (edited.ok) into.tryEdit(kustomization, [{ path: at, value: edited.value }]);
      else
        into.refusals.push(
          new PlumbError(edited.error.code, edited.error.message, { where: { file: kustomization.file } }),
        );
    },
  };
}

async function tryPatches(
  tree: SourceTree,
  kustomization: Kustomization,
  change: WishedChange,
  into: CandidateList,
  call: Call,
): Promise<void> {
  for (const patch of patchesOf(kustomization).toReversed()) {
    const source = await patchText(tree, kustomization, patch, call);
    if (source === undefined) continue;
    tryJsonPatch(source, change, into);
    tryMergePatch(source, change, into, { isAdded: false });
  }
}

/** A strategic merge patch names the field as the object does. */
function tryMergePatch(
  source: PatchText,
  { object, path, after }: WishedChange,
  into: CandidateList,
  { isAdded }: { readonly isAdded: boolean },
): void {
  for (const [document, value] of source.documents.entries()) {
    if (!isJsonObject(value) || !isAbout(value, object.object)) continue;
    const isThere = valueAt(value, path) !== undefined;
    if (!isThere && !isAdded) continue;
    source.tryEdit({ document, path, value: after }, into);
    // What a patch no longer says the resource may say; null takes it out.
    if (after === undefined) source.tryEdit({ document, path, value: null }, into);
  }
}

function isAbout(patch: JsonObject, object: KubeObject): boolean {
  const name = nameIn(patch);
  const isNamed = typeof name !== 'string' || object.metadata.name.includes(name);
  return (patch['kind'] === undefined || patch['kind'] === object.kind) && isNamed;
}

/** Of a JSON patch the operation whose pointer leads to the field, or to something that it is in. */
function tryJsonPatch(source: PatchText, { object, path, after }: WishedChange, into: CandidateList): void {
  const steps = pointerSteps(object.object as unknown as Json, path);
  for (const [document, operations] of source.documents.entries()) {
    for (const [index, operation] of mapsIn(operations).toReversed()) {
      const { path: pointer, value } = operation;
      if (typeof pointer !== 'string' || value === undefined) continue;
      const named = pointer
        .split('/')
        .slice(1)
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
      if (!leadsTo(named, steps, path, value)) continue;
      const below = path.slice(named.length);
      if (below.length === 0 && after === undefined)
        source.tryEdit({ document, path: [{ index }], value: undefined }, into);
      else source.tryEdit({ document, path: [{ index }, { field: 'value' }, ...below], value: after }, into);
    }
  }
}

function leadsTo(named: readonly string[], steps: readonly string[], path: FieldPath, value: Json): boolean {
  if (named.length > steps.length) return false;
  return named.every((step, index) => {
    const element = path[index];
    // `-` is the end of the list: what was added there.
    if (step === '-' && element !== undefined && 'key' in element) return itemByKey([value], element.key) !== undefined;
    return step === steps[index];
  });
}

/** A path as a JSON pointer has it: items by position. */
function pointerSteps(object: Json, path: FieldPath): readonly string[] {
  return path.map((element, depth) => {
    if ('field' in element) return element.field;
    const list = valueAt(object, path.slice(0, depth));
    return String(isJsonArray(list) ? (indexOf(list, element) ?? '-') : '-');
  });
}

// Fields of the kustomization

function tryReplicas(kustomization: Kustomization, { object, path, after }: WishedChange, into: CandidateList): void {
  const isReplicas = path.length === 2 && nameOfField(path) === 'replicas';
  if (!isReplicas) return;
  for (const [index, { name }] of mapsIn(kustomization.value['replicas'])) {
    if (typeof name !== 'string' || !object.object.metadata.name.includes(name)) continue;
    into.tryEdit(kustomization, [{ path: [{ field: 'replicas' }, { index }, { field: 'count' }], value: after }]);
  }
}

function tryImages(kustomization: Kustomization, { path, before, after }: WishedChange, into: CandidateList): void {
  if (nameOfField(path) !== 'image' || typeof before !== 'string' || typeof after !== 'string') return;
  const [old, now] = [imageParts(before), imageParts(after)];
  for (const [index, entry] of mapsIn(kustomization.value['images'])) {
    const { name, newName = name } = entry;
    if (newName !== old.name) continue;
    const at: FieldPath = [{ field: 'images' }, { index }];
    const wanted = { newName: now.name === name ? undefined : now.name, newTag: now.tag, digest: now.digest };
    const edits = Object.entries(wanted).flatMap(([field, value = '']) => {
      const has = Object.hasOwn(entry, field);
      if (value === (entry[field] ?? '') || (value === '' && !has)) return [];
      // The image of a base that has the tag already says it for us.
      return [{ path: [...at, { field }], value: value === '' ? undefined : value }];
    });
    into.tryEdit(kustomization, edits);
  }
}

/** What a generator puts into `data`: of literals, of a file of variables, or of a whole file. */
async function tryGenerators(
  tree: SourceTree,
  kustomization: Kustomization,
  { object: { object }, path, before, after }: WishedChange,
  into: CandidateList,
  call: Call,
): Promise<void> {
  const [data, entry] = path;
  const isData = data !== undefined && 'field' in data && data.field === 'data' && path.length === 2;
  if (object.kind !== 'ConfigMap' || !isData || entry === undefined || !('field' in entry)) return;
  const key = entry.field;
  for (const [index, generator] of mapsIn(kustomization.value['configMapGenerator'])) {
    const { name } = generator;
    if (typeof name !== 'string' || !object.metadata.name.includes(name)) continue;
    const at: FieldPath = [{ field: 'configMapGenerator' }, { index }];
    for (const [position, literal] of textsIn(generator['literals']).entries()) {
      if (!literal.startsWith(`${key}=`)) continue;
      const value = typeof after === 'string' ? `${key}=${after}` : undefined;
      into.tryEdit(kustomization, [{ path: [...at, { field: 'literals' }, { index: position }], value }]);
    }
    for (const file of [
      ...textsIn(generator['envs']),
      ...(typeof generator['env'] === 'string' ? [generator['env']] : []),
    ]) {
      const source = await sourceIn(tree, kustomization, file, call);
      if (source !== undefined) tryVariables(source, key, after, into);
    }
    for (const named of textsIn(generator['files'])) {
      const [label, file = label ?? ''] = named.includes('=')
        ? named.split('=', 2)
        : [named.slice(named.lastIndexOf('/') + 1), named];
      const source = label === key ? await sourceIn(tree, kustomization, file, call) : undefined;
      if (source !== undefined && source.text === before && typeof after === 'string') into.tryText(source, after);
    }
    if (before === undefined && typeof after === 'string' && isJsonArray(generator['literals'])) {
      const value = `${key}=${after}`;
      into.tryEdit(kustomization, [{ path: [...at, { field: 'literals' }, { value }], value }]);
    }
  }
}

async function sourceIn(
  tree: SourceTree,
  { folder }: Kustomization,
  file: string,
  call: Call,
): Promise<TextFile | undefined> {
  const path = resolveFrom(folder, file);
  return path === undefined ? undefined : await readTextFile(tree, path, call);
}

/** Lines `NAME=value`. */
function tryVariables(source: TextFile, key: string, after: Json | undefined, into: CandidateList): void {
  const lines = source.text.split(/(?<=\n)/);
  const index = lines.findIndex((line) => line.trimStart().startsWith(`${key}=`));
  const line = lines[index];
  if (line === undefined || (typeof after === 'string' && after.includes('\n'))) return;
  const end = /\r?\n?$/.exec(line)?.[0] ?? '';
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const written = typeof after === 'string' ? `${indent}${key}=${after}${end}` : '';
  into.tryText(source, lines.with(index, written).join(''));
}

/** Labels, annotations and whatever else a kustomization has by the name of the field. */
function tryNamed(kustomization: Kustomization, { path, before, after }: WishedChange, into: CandidateList): void {
  if (before === undefined) return;
  const field = nameOfField(path);
  for (const { path: at, name, value } of writtenValues(kustomization.value)) {
    if (likeness(name, field) < 3) continue;
    const replaced = after === undefined ? undefined : replacementFor(value, before, after);
    if (after !== undefined && replaced === undefined) continue;
    if (after === undefined && JSON.stringify(value) !== JSON.stringify(before)) continue;
    into.tryEdit(kustomization, [{ path: at, value: replaced }]);
  }
}
