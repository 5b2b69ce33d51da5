import { isJsonObject, PlumbError, type ErrorCode, type Where } from '@plumb/core';
import type { ChartPlaces } from './chart-places.ts';
import { decodeYaml } from './yaml/decode.ts';
import { pathLine, valueAt } from './yaml/path-line.ts';

/** A chart that cannot be loaded: which of its files is at fault, and the line. */
export function chartLoadError(message: string, places: ChartPlaces): PlumbError {
  const { folder, archive, cause } = enterSubcharts(message);
  if (archive !== undefined) {
    return new PlumbError('ChartInvalid', `the archive cannot be used: ${withoutWrapping(cause)}`, {
      where: { file: places.pathIn(archive) },
    });
  }
  const [, name, problem] = /^cannot load (\S+): (.*)$/s.exec(cause) ?? [];
  if (name !== undefined) return unreadableFile(`${folder}${name}`, problem ?? '', places);
  if (/double-star|syntax error in pattern/.test(cause)) return ignoreError(cause, places);
  if (cause === 'Chart.yaml file is missing') return missingChartFile(folder, places);
  return new PlumbError('ChartInvalid', withoutWrapping(cause), { where: chartLine(folder, fieldOf(cause), places) });
}

/** What the chart's metadata forbids: at the field that does. */
export function metadataError(message: string, field: string, places: ChartPlaces): PlumbError {
  return new PlumbError('ChartInvalid', message, { where: chartLine('', [field], places) });
}

export function missingDependencyError(message: string, places: ChartPlaces): PlumbError {
  const [, first] = /: (\S+?)(?:,|$)/.exec(message) ?? [];
  // Charts of the first API version list them in a file of their own.
  const file = ['Chart.yaml', 'requirements.yaml'].find((name) => indexOfDependency(first, name, places) !== undefined);
  const index = file === undefined ? undefined : indexOfDependency(first, file, places);
  const where =
    file === undefined || index === undefined
      ? { file: places.pathIn('Chart.yaml') }
      : placeIn(file, ['dependencies', String(index), 'name'], places);
  return new PlumbError('ChartInvalid', message, {
    where,
    fix: 'Run "helm dependency build" and commit charts/: what a chart depends on is read from the repository.',
  });
}

interface Inside {
  /** Of the chart that it is about, below that of the outermost: `charts/a/charts/b/`. */
  readonly folder: string;
  /** The archive that it is in. */
  readonly archive: string | undefined;
  readonly cause: string;
}

function enterSubcharts(message: string): Inside {
  let inside: Inside = { folder: '', archive: undefined, cause: message };
  for (;;) {
    const [, name, cause] =
      /^error unpacking subchart (?:tar in )?(\S+?)(?:: expected| in [^:]*:) (.*)$/s.exec(inside.cause) ?? [];
    if (name === undefined || cause === undefined) return inside;
    const path = `${inside.folder}charts/${name}`;
    const archive = inside.archive ?? (name.endsWith('.tgz') ? path : undefined);
    inside = { folder: `${path}/`, archive, cause };
  }
}

function unreadableFile(name: string, problem: string, places: ChartPlaces): PlumbError {
  const file = places.pathIn(name);
  const code: ErrorCode = name.endsWith('values.yaml') ? 'ValuesInvalid' : 'ChartInvalid';
  try {
    const value = decodeYaml(places.textIn(name) ?? '', file)[0]?.value;
    if (value !== null && value !== undefined && !isJsonObject(value)) {
      const what = Array.isArray(value) ? 'a list' : 'a single value';
      return new PlumbError(code, `the file holds ${what}, not a map`, { where: { file, line: 1 } });
    }
  } catch (thrown) {
    if (!(thrown instanceof PlumbError)) throw thrown;
    return new PlumbError(code, thrown.message, { where: thrown.where, cause: thrown });
  }
  const [, line] = /\bline (\d+)/.exec(problem) ?? [];
  const where = line === undefined ? { file } : { file, line: Number(line) };
  return new PlumbError(code, withoutWrapping(problem), { where });
}

function ignoreError(cause: string, places: ChartPlaces): PlumbError {
  const lines = places.textIn('.helmignore')?.split('\n') ?? [];
  const line = lines.findIndex((text) => text.includes('**')) + 1;
  const file = places.pathIn('.helmignore');
  return new PlumbError('ChartInvalid', cause, { where: cause.includes('**') && line > 0 ? { file, line } : { file } });
}

function missingChartFile(folder: string, places: ChartPlaces): PlumbError {
  const name = `${folder}Chart.yaml`;
  if (places.textIn(name) !== undefined) {
    return new PlumbError('ChartInvalid', `.helmignore leaves out ${name}`, {
      where: { file: places.pathIn('.helmignore') },
      fix: 'Correct the pattern in .helmignore.',
    });
  }
  const stray = folder.slice(0, -1);
  if (folder !== '' && places.textIn(stray) !== undefined) {
    return new PlumbError('ChartInvalid', `${stray} is no chart, and charts/ holds nothing else`, {
      where: { file: places.pathIn(stray) },
      fix: 'Move the file out of charts/.',
    });
  }
  return new PlumbError('ChartInvalid', 'Chart.yaml is missing', { where: { file: places.pathIn(name) } });
}

function fieldOf(cause: string): readonly string[] {
  const [, field] = /chart\.metadata\.(\w+)/.exec(cause) ?? [];
  if (field !== undefined) return [field];
  const [, alias] = /dependency "(.*?)" has/.exec(cause) ?? [];
  if (alias !== undefined || /dependenc/.test(cause)) return ['dependencies'];
  return cause.includes('apiVersion') ? ['apiVersion'] : ['maintainers'];
}

function indexOfDependency(name: string | undefined, file: string, places: ChartPlaces): number | undefined {
  try {
    const chart = decodeYaml(places.textIn(file) ?? '', file)[0]?.value;
    const listed = valueAt(chart, ['dependencies']);
    if (!Array.isArray(listed)) return undefined;
    const index = (listed as readonly unknown[]).findIndex((item) => isJsonObject(item) && item['name'] === name);
    return index < 0 ? undefined : index;
  } catch (thrown) {
    if (thrown instanceof PlumbError) return undefined;
    throw thrown;
  }
}

function chartLine(folder: string, path: readonly string[], places: ChartPlaces): Where {
  return placeIn(`${folder}Chart.yaml`, path, places);
}

function placeIn(name: string, path: readonly string[], places: ChartPlaces): Where {
  const file = places.pathIn(name);
  const line = pathLine(places.textIn(name) ?? '', file, path);
  return line === undefined ? { file } : { file, line };
}

/** Upstream's words without those of the libraries that passed them on. */
function withoutWrapping(text: string): string {
  return text
    .replace(/^validation: /, '')
    .replaceAll('chart.metadata.', '')
    .replaceAll(
      /(?:cannot unmarshal yaml document|error converting YAML to JSON|while decoding JSON|error unmarshaling JSON): /g,
      '',
    )
    .replaceAll(/(?<![.\w])(?:yaml|json): (?:line \d+: )?/g, '')
    .replace(/ into Go value of type .*$/s, '')
    .replace('archive/tar: ', '');
}
