import { PlumbError, type DocumentAt } from '@plumb/core';
import { ChartPlaces } from './chart-places.ts';
import { MAX_DOCUMENTS, readDocuments, tooManyDocuments } from './documents.ts';
import { seedOf } from './render-key.ts';
import type { RenderRequest, ValuesLayer } from './request.ts';
import { FrameWriter } from './sandbox/frame.ts';
import type { Sandbox } from './sandbox/pool.ts';
import { readReply, type GuestError } from './sandbox/reply.ts';
import type { SourceFile } from './source-files.ts';
import { schemaErrors } from './schema-error.ts';
import { templateCause, templatePlace } from './template-cause.ts';
import { mapToTemplate } from './template-lines.ts';
import { drawsRandom } from './template-world.ts';
import { findValuesFiles, readTexts, valuesFileError } from './values-layers.ts';
import type { ValuesSources } from './values-place.ts';

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
  /** Of the repository, later ones over earlier ones. */
  readonly valuesFiles: readonly string[];
}

const NOTHING: ValuesResult = { documents: [], files: [], valuesFiles: [] };

const DEFAULTS = 'values.yaml';
const SCHEMA = 'values.schema.json';
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_EXTRA_BYTES = 10 * 1024 * 1024;

/** What the folder is called where Helm's engine expects a chart, and what it puts in front of a template's name. */
const CHART_NAME = 'manifests';
const TEMPLATE_PREFIX = `${CHART_NAME}/templates/`;
const EMPTY = new Uint8Array();

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
  if (errors.length > 0) return NOTHING;

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
  const layersRead: readonly ValuesLayer[] = [
    ...layers.map(({ path }, index) => ({ path, text: layerTexts[index] ?? '' })),
    ...(request.layers ?? []),
  ];
  const inline = request.values === undefined ? [] : [put('values', JSON.stringify(request.values))];
  const frame = writer.frame({
    op: 'renderValues',
    releaseName: request.release,
    namespace: request.namespace,
    templates: templates.map((file, index) => put(file.name, sources[index] ?? '')),
    files: extra.map((file, index) => ({ p: file.name, ...writer.put(extraBytes[index] ?? new Uint8Array()) })),
    schema: schemaBytes === undefined ? undefined : writer.put(schemaBytes),
    layers: [...layersRead.map(({ path, text }) => put(path, text)), ...inline],
    set: request.set ?? [],
    setString: request.setString ?? [],
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  const texts = [...sources, ...layersRead.map(({ text }) => text)];
  const answer = await sandbox.call(frame, {
    world: { nowMs: request.nowMs ?? 0, seed: seedOf(request) },
    isFresh: texts.some(drawsRandom),
    owner: request.owner,
    signal,
  });

  const sourceByName = new Map(templates.map((file, index) => [file.name, { file, text: sources[index] ?? '' }]));
  const reply = readReply(answer);
  if (reply.error !== undefined) {
    const places = new ChartPlaces(
      folder.path,
      schema === undefined ? [] : [schema],
      [schemaBytes ?? EMPTY],
      undefined,
    );
    const context = { templates: sourceByName, sources: { request, layers: layersRead, places } };
    errors.push(...templateErrors(reply.error, context));
    return NOTHING;
  }
  const documents: DocumentAt[] = [];
  for (const item of reply.list('files')) {
    const name = String(item['p']);
    const source = sourceByName.get(name);
    if (source === undefined || name.endsWith('.tpl')) continue;
    documents.push(...readRendered(reply.text(item), source.text, source.file.path, errors));
    if (documents.length > MAX_DOCUMENTS) throw tooManyDocuments(source.file.path);
  }
  const used = [...layers, ...templates, ...extra, ...(schema === undefined ? [] : [schema])];
  const valuesFiles = layers.map((file) => file.path);
  return { documents, files: [...new Set(used.map((file) => file.path))].toSorted(), valuesFiles };
}

/** `values.yaml` and every `values-<environment>.yaml` beside it are input, never manifests. */
function isValuesFile(name: string): boolean {
  return /^values(?:-[^/]*)?\.ya?ml$/.test(name);
}

function isPartial(name: string): boolean {
  const base = name.slice(name.lastIndexOf('/') + 1);
  return base.startsWith('_') || base.endsWith('.tpl');
}

/** The values files, lowest first. */
async function findLayers(request: RenderRequest, folder: ValuesFolder): Promise<readonly LayerFile[]> {
  const { environment } = request;
  const names = [DEFAULTS, ...(environment === undefined ? [] : [`values-${environment}.yaml`])];
  const own = names.flatMap((name) => folder.all.filter((file) => file.name === name));
  return [...own, ...(await findValuesFiles(request, folder.path))];
}

type LayerFile = Pick<SourceFile, 'path' | 'entry'>;

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

interface Context {
  readonly templates: ReadonlyMap<string, { readonly file: SourceFile; readonly text: string }>;
  readonly sources: ValuesSources;
}

/** Helm's error in the words of the user's files. */
function templateErrors(error: GuestError, { templates, sources }: Context): readonly PlumbError[] {
  if (error.code === 'OUTPUT_TOO_LARGE') return [new PlumbError('TooLarge', error.message)];
  if (error.code === 'VALUES') {
    const broken = schemaErrors(error.detail, CHART_NAME, sources);
    if (broken.length > 0) return broken;
    const layer = sources.layers.find(({ path }) => path === error.file);
    return [
      layer === undefined ? new PlumbError('ValuesInvalid', error.message) : valuesFileError(error.message, layer),
    ];
  }
  const at = templatePlace(error, (name) => templates.has(templateName(name)));
  const source = at === undefined ? undefined : templates.get(templateName(at.file));
  if (source === undefined || at === undefined) return [new PlumbError('TemplateError', templateCause(error))];
  const where = {
    file: source.file.path,
    ...(at.line > 0 ? { line: at.line } : {}),
    ...(at.column > 0 ? { column: at.column } : {}),
  };
  return [new PlumbError('TemplateError', templateCause(error), { where })];
}

function templateName(name: string): string {
  return name.startsWith(TEMPLATE_PREFIX) ? name.slice(TEMPLATE_PREFIX.length) : name;
}
