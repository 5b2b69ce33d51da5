import { isJsonObject, PlumbError, type ErrorCode, type Where } from '@plumb/core';
import { chartLoadError, metadataError, missingDependencyError } from './chart-load-error.ts';
import type { ChartPlaces } from './chart-places.ts';
import type { GuestError, Reply } from './sandbox/reply.ts';
import { schemaErrors } from './schema-error.ts';
import { templateCause, templatePlace } from './template-cause.ts';
import { mapToTemplate } from './template-lines.ts';
import { valuesFileError } from './values-layers.ts';
import { placeOfValue, type ValuesSources } from './values-place.ts';
import { decodeYaml, type YamlDocument } from './yaml/decode.ts';

/** Helm's error with codes of ours, in the words of the user's files. */
export function chartErrors(reply: Reply, sources: ValuesSources): readonly PlumbError[] {
  const { error } = reply;
  if (error === undefined) return [new PlumbError('RenderCrash', 'the sandbox failed without a word')];
  if (error.code === 'HELM_VALUES_SCHEMA') {
    const found = schemaErrors(error.detail, chartName(reply), sources);
    if (found.length > 0) return found;
  }
  return [chartError(error, reply, sources)];
}

function chartError(error: GuestError, reply: Reply, sources: ValuesSources): PlumbError {
  const { layers, places } = sources;
  const { message } = error;
  const mismatch = /type mismatch on (\S+): %!t\(/.exec(message)?.[1];
  if (mismatch !== undefined) return subchartValuesError(mismatch, sources);
  switch (error.code) {
    case 'VALUES': {
      const layer = layers.find(({ path }) => path === error.file);
      return layer === undefined ? new PlumbError('ValuesInvalid', message) : valuesFileError(message, layer);
    }
    case 'HELM_VALUES_SCHEMA':
      return new PlumbError('ValuesInvalid', message, { where: { file: places.pathIn('values.schema.json') } });
    case 'HELM_CHART_LOAD':
      return chartLoadError(message, places);
    case 'HELM_NOT_INSTALLABLE':
      return metadataError(message, 'type', places);
    case 'HELM_KUBE_VERSION':
      return metadataError(message, 'kubeVersion', places);
    case 'HELM_DEPENDENCY':
      return metadataError(message, 'dependencies', places);
    case 'HELM_DEPENDENCY_MISSING':
      return missingDependencyError(message, places);
    case 'HELM_RELEASE_NAME':
      return new PlumbError(
        'NameInvalid',
        message.replace(/^release name check failed: (.*?): .*$/s, '$1 is not allowed'),
        {
          fix: 'Use at most 53 lower case letters, digits, "-" and ".", a letter or digit at both ends.',
        },
      );
    case 'BAD_REQUEST':
      return new PlumbError('SpecInvalid', message.replace(/: .*$/s, ''), { field: 'spec.render.helm.kubeVersion' });
    case 'PANIC':
      return new PlumbError('ChartInvalid', `Helm itself breaks on this chart: ${message}`, {
        where: { file: places.pathIn('Chart.yaml') },
      });
    case 'OUTPUT_TOO_LARGE':
      return new PlumbError('TooLarge', message);
    case 'HELM_OUTPUT_YAML':
      return renderedError(error, reply, places);
    default:
      return templateError(error, places);
  }
}

function chartName({ header }: Reply): string {
  const { chart } = header;
  return isJsonObject(chart) && typeof chart['name'] === 'string' ? chart['name'] : '';
}

/** The name of a subchart is a key of the values, and what stands there is no map. */
function subchartValuesError(name: string, sources: ValuesSources): PlumbError {
  return new PlumbError('ValuesInvalid', `${name}: the values of a subchart are a map`, {
    where: placeOfValue([name], [], sources),
  });
}

/** What came out of a template cannot be used: the line of the template that wrote it. */
function renderedError(error: GuestError, reply: Reply, places: ChartPlaces): PlumbError {
  const file = places.fileOf(error.file);
  const rendered = reply.text(reply.header['rendered']);
  const { code, message, line: at } = whatIsWrong(error, rendered, file);
  const template = places.textOf(error.file);
  const line = template === undefined || at === undefined ? undefined : mapToTemplate(template, rendered)(at);
  const packed = places.nameInArchive(error.file);
  const what = packed === undefined ? message : `${packed}: ${message}`;
  const told = at === undefined ? what : `${what} (line ${at} once rendered)`;
  return new PlumbError(code, told, { where: { file, ...(line === undefined ? {} : { line }) } });
}

interface Wrong {
  readonly code: ErrorCode;
  readonly message: string;
  readonly line: number | undefined;
}

function whatIsWrong({ message }: GuestError, rendered: string, file: string): Wrong {
  let documents: readonly YamlDocument[];
  try {
    documents = decodeYaml(rendered, file);
  } catch (thrown) {
    if (!(thrown instanceof PlumbError)) throw thrown;
    return { code: thrown.code, message: thrown.message, line: thrown.where?.line };
  }
  const other = documents.find(({ value }) => value !== null && !isJsonObject(value));
  if (other !== undefined) {
    const what = Array.isArray(other.value) ? 'a list' : 'a single value';
    return { code: 'NotAnObject', message: `the document is ${what}, not an object`, line: other.line };
  }
  const [, actual, field] = /cannot unmarshal (\w+) into Go struct field \w*\.(\S+) of type/.exec(message) ?? [];
  if (field === undefined) return { code: 'YamlSyntax', message, line: undefined };
  return { code: 'ObjectInvalid', message: `${field} cannot hold a ${actual}`, line: undefined };
}

function templateError(error: GuestError, places: ChartPlaces): PlumbError {
  const cause = templateCause(error);
  const place = templatePlace(error, (name) => places.isTemplate(name));
  if (place === undefined) return new PlumbError('TemplateError', cause);
  const { line, column } = place;
  const file = places.fileOf(place.file);
  const packed = places.nameInArchive(place.file);
  if (packed !== undefined) return new PlumbError('TemplateError', `${packed}:${line}: ${cause}`, { where: { file } });
  const where: Where = { file, ...(line > 0 ? { line } : {}), ...(column > 0 ? { column } : {}) };
  return new PlumbError('TemplateError', cause, { where });
}
