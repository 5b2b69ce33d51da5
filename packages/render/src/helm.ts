import { isJsonObject, type DocumentAt, type Hook, type PlumbError } from '@plumb/core';
import { ChartPlaces } from './chart-places.ts';
import { MAX_DOCUMENTS, tooManyDocuments } from './documents.ts';
import { HelmDocuments } from './helm-documents.ts';
import { chartErrors } from './helm-error.ts';
import { seedOf } from './render-key.ts';
import { CAPABILITIES, capabilitiesMark, type Trace } from './read-set.ts';
import type { RenderRequest, ValuesLayer } from './request.ts';
import { FrameWriter } from './sandbox/frame.ts';
import type { Sandbox } from './sandbox/pool.ts';
import { readReply, type Reply } from './sandbox/reply.ts';
import type { SourceFile } from './source-files.ts';
import { drawsRandom, readsCapabilities } from './template-world.ts';
import { findValuesFiles, readTexts } from './values-layers.ts';

/** A chart as a folder of the tree, or as an archive with values files in a folder of the tree. */
export interface ChartFolder {
  readonly path: string;
  /** All files of the folder; of no chart where an archive is given. */
  readonly all: readonly SourceFile[];
}

export interface RenderedChart {
  readonly documents: readonly DocumentAt[];
  readonly files: readonly string[];
  /** Of the repository, later ones over earlier ones. */
  readonly valuesFiles: readonly string[];
  readonly warnings: readonly string[];
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const NOTHING: RenderedChart = { documents: [], files: [], valuesFiles: [], warnings: [] };

/** `helm template` of a chart: CRDs and hooks included, test hooks left out. What is wrong goes to `errors`. */
export async function renderChart(
  sandbox: Sandbox,
  request: RenderRequest,
  folder: ChartFolder,
  trace: Trace,
  errors: PlumbError[],
): Promise<RenderedChart> {
  const { tree, chart, signal } = request;
  const layerFiles = await findValuesFiles(request, folder.path);
  const layerTexts = await readTexts(tree, layerFiles, errors, signal);
  if (errors.length > 0) return NOTHING;
  const layers: readonly ValuesLayer[] = [
    ...layerFiles.map(({ path }, index) => ({ path, text: layerTexts[index] ?? '' })),
    ...(request.layers ?? []),
  ];
  const files = chart === undefined ? folder.all.toSorted(byWalk) : [];
  const contents = await tree.read(
    files.map((file) => file.entry),
    { signal },
  );
  const templates = contents.filter((_bytes, index) => isTemplate(files[index]?.name ?? ''));
  const texts = [...templates.map((bytes) => Buffer.from(bytes).toString('latin1')), ...layers.map(({ text }) => text)];

  const call = async (isFresh: boolean): Promise<Reply> => {
    const frame = frameOf(request, files, contents, layers);
    const world = { nowMs: request.nowMs ?? 0, seed: seedOf(request) };
    return readReply(await sandbox.call(frame, { world, isFresh, owner: request.owner, signal }));
  };
  const chartFile = contents[files.findIndex(({ name }) => name === 'Chart.yaml')];
  const hasArchive = chart !== undefined || files.some(({ name }) => name.endsWith('.tgz'));
  if (hasArchive || texts.some(readsCapabilities) || Buffer.from(chartFile ?? []).includes('kubeVersion')) {
    trace.mark(CAPABILITIES, capabilitiesMark(request.capabilities));
  }
  const isFresh = texts.some(drawsRandom);
  let reply = await call(isFresh);
  // Templates in archives are known to the guest alone.
  if (!isFresh && reply.header['draws'] === true) reply = await call(true);

  const places = new ChartPlaces(folder.path, files, contents, chart?.name);
  if (reply.error !== undefined) {
    errors.push(...chartErrors(reply, { request, layers, places }));
    return NOTHING;
  }
  const manifests = reply.list('manifests');
  const decoder = new HelmDocuments(sandbox, signal);
  const documents: DocumentAt[] = [];
  for (const item of manifests) {
    const source = String(item['source']);
    const text = reply.text(item['text']);
    const hook = hookOf(item['hook']);
    for (const { value } of await decoder.read(text, places.fileOf(source), errors)) {
      documents.push({ value, origin: places.originOf(source, value), ...(hook === undefined ? {} : { hook }) });
    }
    if (documents.length > MAX_DOCUMENTS) throw tooManyDocuments(places.fileOf(source));
  }
  const used = [...files, ...layerFiles].map((file) => file.path);
  return {
    documents,
    files: [...new Set(used)].toSorted(),
    valuesFiles: [...defaultsOf(files), ...layerFiles.map((file) => file.path)],
    warnings: warningsOf(reply, request),
  };
}

/** The `values.yaml` of the chart and of its subcharts; a chart's own lie over those of the charts in it. */
function defaultsOf(files: readonly SourceFile[]): readonly string[] {
  const defaults = files.filter(({ name }) => /^(?:charts\/[^/]+\/)*values\.yaml$/.test(name));
  return defaults.toSorted((a, b) => b.name.length - a.name.length).map(({ path }) => path);
}

function frameOf(
  request: RenderRequest,
  files: readonly SourceFile[],
  contents: readonly Uint8Array[],
  layers: readonly ValuesLayer[],
): Uint8Array {
  const { chart, capabilities, helm, liveObjects } = request;
  const writer = new FrameWriter();
  const putText = (path: string, text: string) => ({ p: path, ...writer.put(Buffer.from(text)) });
  const inline = request.values === undefined ? [] : [putText('values', JSON.stringify(request.values))];
  return writer.frame({
    op: 'helmTemplate',
    files: files.map(({ name }, index) => ({ p: name, ...writer.put(contents[index] ?? new Uint8Array()) })),
    archive: chart === undefined ? undefined : writer.put(chart.bytes),
    layers: [...layers.map(({ path, text }) => putText(path, text)), ...inline],
    set: request.set ?? [],
    setString: request.setString ?? [],
    releaseName: request.release,
    namespace: request.namespace,
    kubeVersion: capabilities?.kubeVersion,
    apiVersions: capabilities?.apiVersions,
    live: liveObjects === undefined ? undefined : writer.put(Buffer.from(JSON.stringify(liveObjects))),
    skipCRDs: helm?.skipCRDs ?? false,
    skipSchemaValidation: helm?.skipSchemaValidation ?? false,
    skipTests: true,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
}

/** The order in which Helm walks a folder: names of one folder sorted, what is in a folder before what follows it. */
function byWalk(a: SourceFile, b: SourceFile): number {
  return a.name.replaceAll('/', '\0') < b.name.replaceAll('/', '\0') ? -1 : 1;
}

function isTemplate(name: string): boolean {
  return /(?:^|\/)templates\//.test(name);
}

function hookOf(value: unknown): Hook | undefined {
  if (!isJsonObject(value)) return undefined;
  const texts = (list: unknown) => (Array.isArray(list) ? list.map(String) : []);
  return {
    events: texts(value['events']),
    weight: Number(value['weight'] ?? 0),
    deletePolicies: texts(value['deletePolicies']),
  };
}

function warningsOf(reply: Reply, { liveObjects }: RenderRequest): readonly string[] {
  const lookup = 'the chart asks for live objects (lookup), and finds none: it is rendered without a cluster';
  const findsNothing = liveObjects === undefined && reply.header['usesLookup'] === true;
  return [...reply.texts('warnings'), ...(findsNothing ? [lookup] : [])];
}
