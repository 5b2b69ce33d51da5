import { isJsonObject, PlumbError, type DocumentAt, type SourceTree } from '@plumb/core';
import { MAX_DOCUMENTS, readDocuments, tooManyDocuments } from './documents.ts';
import { inputsKey } from './inputs-key.ts';
import type { RenderRequest } from './renderer.ts';
import { resolveFrom } from './repository-path.ts';
import { FrameWriter, readFrame, type Frame, type Span } from './sandbox/frame.ts';
import type { Sandbox } from './sandbox/pool.ts';
import { findSourceFile, type SourceFile } from './source-files.ts';
import { mapToTemplate } from './template-lines.ts';
import { decodeYaml } from './yaml/decode.ts';
import { decodeText } from './yaml/text.ts';

/**
 * Manifests with values: a folder of templates and `values.yaml`, without a chart around it. Helm's own engine renders
 * them, with Helm's own layering: `values.yaml`, then `values-<environment>.yaml`, further files, inline values, `set`.
 */
export interface ValuesFolder {
  readonly path: string;
  /** All files of the folder, excluded ones left out. */
  readonly all: readonly SourceFile[];
  readonly isIncluded: (name: string) => boolean;
}

export interface ValuesResult {
  readonly documents: readonly DocumentAt[];
  /** Paths of all files that had a part in it. */
  readonly files: readonly string[];
}

const DEFAULTS = 'values.yaml';
const SCHEMA = 'values.schema.json';
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_EXTRA_BYTES = 10 * 1024 * 1024;

/** What Helm's engine puts in front of a template's name. */
const TEMPLATE_PREFIX = 'manifests/templates/';
const MAX_MESSAGE_CHARS = 1000;

/** Functions that draw on state which an instance keeps from earlier renders: these get a new one. */
const DRAWS_RANDOM = /\b(?:rand\w*|shuffle|uuidv4|gen\w+|htpasswd|bcrypt|encryptAES)\b/;

/** Renders the folder, or adds what is wrong to `errors`. */
export async function renderValues(
  sandbox: Sandbox,
  request: RenderRequest,
  folder: ValuesFolder,
  errors: PlumbError[],
): Promise<ValuesResult> {
  const { tree, signal } = request;
  const layers = await findLayers(request, folder);
  const layerPaths = new Set(layers.map((layer) => layer.path));
  const others = folder.all.filter((file) => !isValuesFile(file.name) && !layerPaths.has(file.path));
  const templates = others.filter((file) => isPartial(file.name) || folder.isIncluded(file.name));
  const schema = folder.all.find((file) => file.name === SCHEMA);

  const sources = await readTexts(tree, templates, errors, signal);
  const layerTexts = await readTexts(tree, layers, errors, signal);
  if (errors.length > 0) return { documents: [], files: [] };

  const writer = new FrameWriter();
  const put = (path: string, text: string) => ({ p: path, ...writer.put(new TextEncoder().encode(text)) });
  const usesFiles = sources.some((text) => text.includes('.Files'));
  const extra = usesFiles ? others.filter((file) => !templates.includes(file) && file.name !== SCHEMA) : [];
  const extraBytes = await tree.read(
    [...extra, ...(schema === undefined ? [] : [schema])].map((file) => file.entry),
    { signal },
  );
  const schemaBytes = schema === undefined ? undefined : extraBytes.at(-1);
  if (extraBytes.reduce((sum, bytes) => sum + bytes.length, 0) > MAX_EXTRA_BYTES) {
    throw new PlumbError('FileTooLarge', `the files that templates read with .Files have more than 10 MiB`);
  }
  const inline = request.values === undefined ? [] : [put('values', JSON.stringify(request.values))];
  const frame = writer.frame({
    op: 'renderValues',
    releaseName: request.release,
    namespace: request.namespace,
    templates: templates.map((file, index) => put(file.name, sources[index] ?? '')),
    files: extra.map((file, index) => ({ p: file.name, ...writer.put(extraBytes[index] ?? new Uint8Array()) })),
    schema: schemaBytes === undefined ? undefined : writer.put(schemaBytes),
    layers: [...layers.map((layer, index) => put(layer.path, layerTexts[index] ?? '')), ...inline],
    set: request.set ?? [],
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  const reply = await sandbox.call(frame, {
    world: { nowMs: request.nowMs ?? 0, seed: request.seed ?? inputsKey(request) },
    isFresh: sources.some((text) => DRAWS_RANDOM.test(text)),
    signal,
  });

  const sourceByName = new Map(templates.map((file, index) => [file.name, { file, text: sources[index] ?? '' }]));
  const answer = parseReply(readFrame(reply));
  if ('error' in answer) {
    errors.push(templateError(answer.error, sourceByName, layers, layerTexts));
    return { documents: [], files: [] };
  }
  const documents: DocumentAt[] = [];
  for (const { name, text } of answer.files) {
    const source = sourceByName.get(name);
    if (source === undefined || name.endsWith('.tpl')) continue;
    documents.push(...readRendered(text, source.text, source.file.path, errors));
    if (documents.length > MAX_DOCUMENTS) throw tooManyDocuments(source.file.path);
  }
  const used = [...layers, ...templates, ...extra, ...(schema === undefined ? [] : [schema])];
  return { documents, files: [...new Set(used.map((file) => file.path))].toSorted() };
}

/** `values.yaml` and every `values-<environment>.yaml` beside it are input, never manifests. */
function isValuesFile(name: string): boolean {
  return /^values(?:-[^/]*)?\.ya?ml$/.test(name);
}

function isPartial(name: string): boolean {
  const base = name.slice(name.lastIndexOf('/') + 1);
  return base.startsWith('_') || base.endsWith('.tpl');
}

type Layer = Pick<SourceFile, 'path' | 'entry'>;

/** The values files, lowest first. */
async function findLayers(request: RenderRequest, folder: ValuesFolder): Promise<readonly Layer[]> {
  const { environment, tree, signal } = request;
  const names = [DEFAULTS, ...(environment === undefined ? [] : [`values-${environment}.yaml`])];
  const layers: Layer[] = names.flatMap((name) => folder.all.filter((file) => file.name === name));
  for (const name of request.valuesFiles ?? []) {
    const path = resolveFrom(folder.path, name);
    if (path === undefined || /[\\\0]/.test(name)) {
      throw new PlumbError('PathEscape', `the values file ${JSON.stringify(name)} is not inside the repository`);
    }
    const entry = await findSourceFile(tree, path, { signal });
    if (entry === undefined) {
      throw new PlumbError('PathMissing', `there is no values file ${path}`, {
        where: { file: path },
        fix: 'Correct the name of the values file, or restore it.',
      });
    }
    layers.push({ path, entry });
  }
  return layers;
}

async function readTexts(
  tree: SourceTree,
  files: readonly Layer[],
  errors: PlumbError[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const contents = await tree.read(
    files.map((file) => file.entry),
    { signal },
  );
  return contents.map((bytes, index) => {
    try {
      return decodeText(bytes, files[index]?.path ?? '');
    } catch (thrown) {
      if (!(thrown instanceof PlumbError)) throw thrown;
      errors.push(thrown);
      return '';
    }
  });
}

/** The documents of one rendered file, with the lines of its template. */
function readRendered(text: string, template: string, file: string, errors: PlumbError[]): readonly DocumentAt[] {
  const toTemplate = mapToTemplate(template, text);
  const found: PlumbError[] = [];
  let documents: readonly DocumentAt[] = [];
  try {
    documents = readDocuments(text, file, found);
  } catch (thrown) {
    if (!(thrown instanceof PlumbError)) throw thrown;
    found.push(thrown);
  }
  for (const error of found) {
    const rendered = error.where?.line;
    const line = rendered === undefined ? undefined : toTemplate(rendered);
    const message = rendered === undefined ? error.message : `${error.message} (line ${rendered} once rendered)`;
    errors.push(new PlumbError(error.code, message, { where: place(file, line), cause: error }));
  }
  return documents.map(({ value, origin }) => ({
    value,
    origin: place(file, origin.line === undefined ? undefined : toTemplate(origin.line)),
  }));
}

function place(file: string, line: number | undefined): { readonly file: string; readonly line?: number } {
  return line === undefined ? { file } : { file, line };
}

interface RenderedFile {
  readonly name: string;
  readonly text: string;
}

interface GuestError {
  readonly code: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

function parseReply(frame: Frame): { readonly files: readonly RenderedFile[] } | { readonly error: GuestError } {
  const { header } = frame;
  if (!isJsonObject(header)) throw new PlumbError('RenderCrash', 'the sandbox answered nothing that can be read');
  if (header['ok'] !== true) return { error: parseError(header['error']) };
  const files = Array.isArray(header['files']) ? (header['files'] as readonly unknown[]) : [];
  return {
    files: files.filter(isJsonObject).map(({ p, o, n }) => {
      const span: Span = { o: Number(o), n: Number(n) };
      return { name: String(p), text: frame.text(span) };
    }),
  };
}

function parseError(value: unknown): GuestError {
  const error = isJsonObject(value) ? value : {};
  const text = (field: string) => (typeof error[field] === 'string' ? error[field] : '');
  const number = (field: string) => (typeof error[field] === 'number' ? error[field] : 0);
  return {
    code: text('code'),
    message: (text('summary') || text('message')).replaceAll(TEMPLATE_PREFIX, '').slice(0, MAX_MESSAGE_CHARS),
    file: text('file'),
    line: number('line'),
    column: number('column'),
  };
}

/** Helm's error in the words of the user's files. */
function templateError(
  error: GuestError,
  sources: ReadonlyMap<string, { readonly file: SourceFile; readonly text: string }>,
  layers: readonly Layer[],
  layerTexts: readonly string[],
): PlumbError {
  if (error.code === 'PANIC' || error.code === 'BAD_REQUEST') return new PlumbError('RenderCrash', error.message);
  if (error.code === 'OUTPUT_TOO_LARGE') return new PlumbError('TooLarge', error.message);
  if (error.code === 'VALUES' || error.code === 'HELM_VALUES_SCHEMA') {
    const layer = layers.findIndex(({ path }) => path === error.file);
    const file = layers[layer]?.path;
    if (file === undefined) return new PlumbError('ValuesInvalid', error.message);
    return valuesFileError(error.message, file, layerTexts[layer] ?? '');
  }
  const source = sources.get(error.file);
  if (source === undefined) return new PlumbError('TemplateError', error.message);
  const where = {
    file: source.file.path,
    ...(error.line > 0 ? { line: error.line } : {}),
    ...(error.column > 0 ? { column: error.column } : {}),
  };
  return new PlumbError('TemplateError', error.message, { where });
}

/** Helm reads values more leniently than manifests are read, so our own reader is asked only where Helm refused. */
function valuesFileError(message: string, file: string, text: string): PlumbError {
  try {
    const [first] = decodeYaml(text, file);
    const what = Array.isArray(first?.value) ? 'a list' : 'a single value';
    if (!isJsonObject(first?.value)) {
      return new PlumbError('ValuesInvalid', `the values are ${what}, not a map`, {
        where: place(file, first?.line),
      });
    }
  } catch (thrown) {
    if (thrown instanceof PlumbError) {
      return new PlumbError('ValuesInvalid', thrown.message, { where: thrown.where, cause: thrown });
    }
    throw thrown;
  }
  return new PlumbError('ValuesInvalid', message, { where: { file } });
}
