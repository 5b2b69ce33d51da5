import { PlumbError, type Where } from '@plumb/core';
import { placeOfValue, type ValuesSources } from './values-place.ts';
import { decodeYaml } from './yaml/decode.ts';

/** What does not hold for the values of one chart, in upstream's lines. */
interface ChartViolations {
  readonly chart: string;
  readonly lines: readonly string[];
}

/** A value that its schema does not allow. */
interface Violation {
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * What `values.schema.json` has against the values, one error for each value, at the file and line that gives it; or what
 * is wrong with the schema itself. `rootChart` is the name of the chart, which upstream's text names like its subcharts.
 */
export function schemaErrors(text: string, rootChart: string, sources: ValuesSources): readonly PlumbError[] {
  if (!text.startsWith(HEADLINE)) return [];
  return chartsIn(text).flatMap(({ chart, lines }) => {
    const subcharts = chart === rootChart ? [] : subchartsTo(chart, sources);
    const schema = [...subcharts.map((name) => `charts/${name}/`), 'values.schema.json'].join('');
    const violations = violationsIn(lines);
    if (violations.length === 0) return [schemaError(lines.join('\n'), schema, sources)];
    return violations.map((violation) => violationError(violation, subcharts, schema, sources));
  });
}

const HEADLINE = "values don't meet the specifications of the schema";
const CHART = /^([\w.-]+):$/;
const VIOLATION = /^( *)- at '((?:[^'\\]|\\.)*)': (.*)$/;

function chartsIn(text: string): readonly ChartViolations[] {
  const charts: { chart: string; lines: string[] }[] = [];
  for (const line of text.trim().split('\n').slice(1)) {
    const [, chart] = CHART.exec(line) ?? [];
    if (chart !== undefined) charts.push({ chart, lines: [] });
    else charts.at(-1)?.lines.push(line);
  }
  return charts;
}

/** What has to hold all together is told one by one; of alternatives, why each of them fails in one sentence. */
function violationsIn(lines: readonly string[]): readonly Violation[] {
  const violations: { path: readonly string[]; message: string }[] = [];
  let outer = Infinity;
  for (const line of lines) {
    const [, indent, pointer = '', text = ''] = VIOLATION.exec(line) ?? [];
    if (indent === undefined) return [];
    const path = stepsOf(pointer);
    const message = withoutValue(text);
    const last = violations.at(-1);
    if (indent.length > outer && last !== undefined) last.message += `; ${named(path, message)}`;
    else if (ALL_OF.test(text)) outer = Infinity;
    else {
      violations.push({ path, message });
      outer = indent.length;
    }
  }
  return violations;
}

const ALL_OF = /^(?:validation|'allOf') failed$/;

function named(path: readonly string[], message: string): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}

function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Some messages begin with the value, which may be a password. */
function withoutValue(message: string): string {
  return message.replace(/^'.*' (does not match pattern|is not valid )/s, 'the value $1');
}

function violationError(
  { path, message }: Violation,
  subcharts: readonly string[],
  schema: string,
  sources: ValuesSources,
): PlumbError {
  const { places } = sources;
  const isCycle = message.includes('causing reference cycle');
  if (isCycle) {
    return new PlumbError('SchemaLimit', 'the schema refers to itself without end', {
      where: lineWith('$ref', schema, sources),
      fix: 'Remove the reference that leads back to where it stands.',
    });
  }
  const [, extra] = /^additional propert(?:y|ies) '([^']*)'/.exec(message) ?? [];
  const at = extra === undefined ? path : [...path, extra];
  const where = placeOfValue(at, subcharts, sources) ?? { file: places.pathIn(schema) };
  return new PlumbError('ValuesInvalid', named([...subcharts, ...path], message), { where });
}

/** What keeps the schema from being used. */
function schemaError(text: string, schema: string, sources: ValuesSources): PlumbError {
  const [, url] = /^failing loading "(.*?)":/.exec(text) ?? [];
  if (url !== undefined) {
    const last = url.slice(url.lastIndexOf('/') + 1);
    const what = url.startsWith('file:') ? `the file ${last}` : url;
    return new PlumbError('SchemaLimit', `the schema refers to ${what}, and nothing outside of it is read`, {
      where: lineWith(last, schema, sources),
    });
  }
  if (text.includes('exceeded max depth')) {
    return new PlumbError('SchemaLimit', 'the schema is nested too deep', {
      where: { file: sources.places.pathIn(schema) },
      fix: 'Flatten the schema.',
    });
  }
  if (text.includes('is not valid against metaschema')) return unusableSchema(text, schema, sources);
  return new PlumbError('ChartInvalid', 'the schema is no JSON', { where: brokenJson(schema, sources) });
}

/** JSON, but no schema. */
function unusableSchema(text: string, schema: string, sources: ValuesSources): PlumbError {
  const { path = [], message = text } = violationsIn(text.trimEnd().split('\n').slice(1))[0] ?? {};
  const isLimit = /invalid repeat count|nests too deeply|too large/.test(message);
  return new PlumbError(
    isLimit ? 'SchemaLimit' : 'ChartInvalid',
    named(path.length === 0 ? ['the schema'] : path, message),
    {
      where: lineWith(`"${path.at(-1) ?? ''}"`, schema, sources),
      ...(isLimit ? { fix: 'Write a smaller pattern: what it would take to match it has a limit.' } : {}),
    },
  );
}

function lineWith(text: string, schema: string, { places }: ValuesSources): Where {
  const lines = places.textIn(schema)?.split('\n') ?? [];
  const line = lines.findIndex((candidate) => text !== '' && candidate.includes(text)) + 1;
  const file = places.pathIn(schema);
  return line === 0 ? { file } : { file, line };
}

function brokenJson(schema: string, { places }: ValuesSources): Where {
  const file = places.pathIn(schema);
  try {
    decodeYaml(places.textIn(schema) ?? '', file);
  } catch (thrown) {
    if (thrown instanceof PlumbError && thrown.where !== undefined) return thrown.where;
  }
  return { file };
}

/** The names on the way down to a subchart, as far as its folder is in the repository. */
function subchartsTo(chart: string, { places }: ValuesSources): readonly string[] {
  const folder = places.named('values.schema.json').find((name) => name.endsWith(`charts/${chart}/values.schema.json`));
  if (folder === undefined) return [chart];
  return [...folder.matchAll(/(?:^|\/)charts\/([^/]+)(?=\/)/g)].map(([, name]) => name ?? '');
}
