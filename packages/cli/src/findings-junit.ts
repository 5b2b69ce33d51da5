import { formatWhere, shortName } from '@plumb/core';
import { isRefusal, type Finding, type ValidationReport } from './finding.ts';

interface TestCase {
  readonly name: string;
  readonly findings: readonly Finding[];
}

/** The findings as JUnit XML: a suite for each file, a case for each object; a refusal is a failure, a warning is output. */
export function findingsJunit(report: ValidationReport): string {
  const suites = suitesOf(report);
  const cases = [...suites.values()].flat();
  const counts = (some: readonly TestCase[]) =>
    `tests="${some.length}" failures="${some.filter(({ findings }) => findings.some(isRefusal)).length}" errors="0"`;
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites name="plumb validate" ${counts(cases)}>`];
  for (const [file, some] of [...suites].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`  <testsuite name="${escaped(file)}" ${counts(some)} skipped="0" time="0">`);
    for (const one of some) lines.push(...caseLines(file, one));
    lines.push('  </testsuite>');
  }
  return `${[...lines, '</testsuites>'].join('\n')}\n`;
}

/** By file, objects in their order, then what is about no object. */
function suitesOf({ objects, findings, path }: ValidationReport): ReadonlyMap<string, readonly TestCase[]> {
  const suites = new Map<string, TestCase[]>();
  const add = (file: string, one: TestCase): void => {
    const suite = suites.get(file);
    if (suite === undefined) suites.set(file, [one]);
    else suite.push(one);
  };
  for (const [index, { ref, origin }] of objects.entries()) {
    const place = ref.namespace === '' ? '' : ` in ${ref.namespace}`;
    add(origin.file, { name: `${shortName(ref)}${place}`, findings: findings.filter((one) => one.index === index) });
  }
  for (const finding of findings) {
    if (finding.index !== undefined) continue;
    add(finding.where?.file ?? path, { name: finding.rule, findings: [finding] });
  }
  return suites;
}

function caseLines(file: string, { name, findings }: TestCase): readonly string[] {
  const open = `    <testcase name="${escaped(name)}" classname="${escaped(file)}" time="0"`;
  if (findings.length === 0) return [`${open}/>`];
  const refused = findings.filter(isRefusal);
  const warned = findings.filter((finding) => !isRefusal(finding));
  const [first] = refused;
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : '';
  return [
    `${open}>`,
    ...(first === undefined
      ? []
      : [
          `      <failure message="${escaped(first.message + more)}" type="${escaped(first.rule)}">${textOf(refused)}</failure>`,
        ]),
    ...(warned.length === 0 ? [] : [`      <system-out>${textOf(warned)}</system-out>`]),
    '    </testcase>',
  ];
}

function textOf(findings: readonly Finding[]): string {
  const lines = findings.map(({ where, severity, rule, message, fix }) => {
    const place = where === undefined ? '' : `${formatWhere(where)}: `;
    return `${place}${severity} ${rule}: ${message}. ${fix}`;
  });
  return escaped(lines.join('\n'));
}

/** XML 1.0 has no way to write most control characters. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replaceAll(NOT_XML, '\ufffd').replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}
