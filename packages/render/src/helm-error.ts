import { PlumbError, type ErrorCode, type Where } from '@plumb/core';
import type { ChartPlaces } from './chart-places.ts';
import type { ChartArchive, ValuesLayer } from './request.ts';
import type { GuestError, Reply } from './sandbox/reply.ts';
import { mapToTemplate } from './template-lines.ts';
import { valuesFileError } from './values-layers.ts';
import { decodeYaml } from './yaml/decode.ts';

interface Context {
  readonly layers: readonly ValuesLayer[];
  readonly places: ChartPlaces;
  readonly chart: ChartArchive | undefined;
}

/** Helm's error with a code of ours, in the words of the user's files. */
export function chartError(reply: Reply, context: Context): PlumbError {
  const { error } = reply;
  if (error === undefined) return new PlumbError('RenderCrash', 'the sandbox failed without a word');
  const { layers, places } = context;
  switch (error.code) {
    case 'VALUES': {
      const layer = layers.find(({ path }) => path === error.file);
      return layer === undefined
        ? new PlumbError('ValuesInvalid', error.message)
        : valuesFileError(error.message, layer);
    }
    case 'HELM_VALUES_SCHEMA':
      return schemaError(error, places);
    case 'HELM_CHART_LOAD':
    case 'HELM_NOT_INSTALLABLE':
    case 'HELM_KUBE_VERSION':
    case 'HELM_RELEASE_NAME':
    case 'HELM_DEPENDENCY':
      return new PlumbError('ChartInvalid', error.message, { where: { file: places.fileOf('/Chart.yaml') } });
    case 'HELM_DEPENDENCY_MISSING':
      return new PlumbError('ChartInvalid', error.message, {
        where: { file: places.fileOf('/Chart.yaml') },
        fix: 'Run "helm dependency build" and commit charts/: what a chart depends on is read from the repository.',
      });
    case 'OUTPUT_TOO_LARGE':
      return new PlumbError('TooLarge', error.message);
    case 'HELM_OUTPUT_YAML':
      return renderedError(error, reply, places);
    default:
      return new PlumbError('TemplateError', error.message, { where: templatePlace(error, places) });
  }
}

function schemaError(error: GuestError, places: ChartPlaces): PlumbError {
  const where = { file: places.fileOf('/values.schema.json') };
  const isReference =
    /failing loading|no URLLoader|unsupported protocol|remote fetch|failed to load|metaschema|loading "/.test(
      error.message,
    );
  const code: ErrorCode = isReference ? 'SchemaLimit' : 'ValuesInvalid';
  return new PlumbError(code, error.message.trim(), { where });
}

/** What came out of a template is no YAML: the line of the template that wrote it. */
function renderedError(error: GuestError, reply: Reply, places: ChartPlaces): PlumbError {
  const file = places.fileOf(error.file);
  const rendered = reply.text(reply.header['rendered']);
  const template = places.textOf(error.file);
  let code: ErrorCode = 'YamlSyntax';
  let message = error.message;
  let line: number | undefined;
  try {
    decodeYaml(rendered, file);
  } catch (thrown) {
    if (!(thrown instanceof PlumbError)) throw thrown;
    const at = thrown.where?.line;
    code = thrown.code;
    message = at === undefined ? thrown.message : `${thrown.message} (line ${at} once rendered)`;
    if (template !== undefined && at !== undefined) line = mapToTemplate(template, rendered)(at);
  }
  return new PlumbError(code, message, { where: { file, ...(line === undefined ? {} : { line }) } });
}

function templatePlace(error: GuestError, places: ChartPlaces): Where | undefined {
  if (error.file === '') return undefined;
  return {
    file: places.fileOf(error.file),
    ...(error.line > 0 ? { line: error.line } : {}),
    ...(error.column > 0 ? { column: error.column } : {}),
  };
}
