import { isJsonObject, PlumbError, type Json, type Where } from '@plumb/core';
import type { ChartPlaces } from './chart-places.ts';
import type { RenderRequest, ValuesLayer } from './request.ts';
import { decodeYaml } from './yaml/decode.ts';
import { pathLine, valueAt } from './yaml/path-line.ts';

/** All that values come from, and how to find it. */
export interface ValuesSources {
  readonly request: Pick<RenderRequest, 'set' | 'setString' | 'values'>;
  /** Values files over those of the chart, lowest first. */
  readonly layers: readonly ValuesLayer[];
  readonly places: ChartPlaces;
}

/**
 * The file and line that give a value of a chart. Undefined where none does, because an inline value or a `--set` counts,
 * or because nothing gives it. `subcharts` are the names on the way down to the chart whose value it is.
 */
export function placeOfValue(
  path: readonly string[],
  subcharts: readonly string[],
  { request, layers, places }: ValuesSources,
): Where | undefined {
  const full = [...subcharts, ...path];
  if (isSetInline(full, request)) return undefined;
  const given = layers.toReversed().map((layer) => ({ ...layer, at: full }));
  for (const { path: file, text, at } of [...given, ...defaults(full, subcharts, places)]) {
    if (valueAt(firstValue(text, file), at) === undefined) continue;
    const line = pathLine(text, file, at);
    return line === undefined ? { file } : { file, line };
  }
  return undefined;
}

interface Defaults extends ValuesLayer {
  readonly at: readonly string[];
}

/** The values files of the charts on the way, the outermost first: it wins over those of its subcharts. */
function defaults(full: readonly string[], subcharts: readonly string[], places: ChartPlaces): readonly Defaults[] {
  return [...subcharts, ''].flatMap((_name, depth) => {
    const folder = subcharts
      .slice(0, depth)
      .map((name) => `charts/${name}/`)
      .join('');
    const text = places.textIn(`${folder}values.yaml`);
    return text === undefined ? [] : [{ path: places.pathIn(`${folder}values.yaml`), text, at: full.slice(depth) }];
  });
}

function isSetInline(path: readonly string[], { set, setString, values }: ValuesSources['request']): boolean {
  if (values !== undefined && path.length > 0 && valueAt(values, path) !== undefined) return true;
  const names = [...(set ?? []), ...(setString ?? [])].flatMap((text) => text.split(','));
  const dotted = path.join('.');
  return dotted !== '' && names.some((name) => name.startsWith(`${dotted}=`) || name.startsWith(`${dotted}.`));
}

function firstValue(text: string, file: string): Json | undefined {
  try {
    const value = decodeYaml(text, file)[0]?.value;
    return isJsonObject(value) ? value : undefined;
  } catch (thrown) {
    if (thrown instanceof PlumbError) return undefined;
    throw thrown;
  }
}
