import { digest } from '@plumb/core';
import { isRefusal, type Finding, type ValidationReport } from './finding.ts';
import { objectName } from './findings-text.ts';
import { VERSION } from './version.ts';

/**
 * The findings as a SARIF 2.1.0 log, which code hosts show beside the lines. Paths are relative to the root of the
 * repository.
 */
export function findingsSarif(report: ValidationReport): object {
  const { findings, rules } = report;
  const ids = rules.map(({ id }) => id);
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'plumb',
            semanticVersion: VERSION,
            rules: rules.map(({ id, description, help }) => ({
              id,
              shortDescription: { text: description },
              help: { text: help },
              defaultConfiguration: { level: levelOf(findings.find(({ rule }) => rule === id)) },
            })),
          },
        },
        columnKind: 'unicodeCodePoints',
        results: findings.map((finding) => ({
          ruleId: finding.rule,
          ruleIndex: ids.indexOf(finding.rule),
          level: levelOf(finding),
          message: { text: `${objectText(finding, report)}${finding.message}. ${finding.fix}` },
          locations: [locationOf(finding, report)],
          partialFingerprints: { 'plumb/v1': fingerprintOf(finding, report) },
        })),
      },
    ],
  };
}

function levelOf(finding: Finding | undefined): 'error' | 'warning' {
  return finding !== undefined && isRefusal(finding) ? 'error' : 'warning';
}

function objectText(finding: Finding, report: ValidationReport): string {
  return finding.index === undefined ? '' : `${objectName(finding, report)}: `;
}

function locationOf(finding: Finding, report: ValidationReport): object {
  const { where, index } = finding;
  const region = { startLine: where?.line ?? 1, ...(where?.column === undefined ? {} : { startColumn: where.column }) };
  const ref = index === undefined ? undefined : report.objects[index]?.ref;
  const name = ref === undefined ? undefined : { name: objectName(finding, report), kind: 'resource' };
  return {
    physicalLocation: { artifactLocation: { uri: uriOf(where?.file ?? report.path) }, region },
    ...(name === undefined ? {} : { logicalLocations: [name] }),
  };
}

/** A path as a relative URI. */
function uriOf(path: string): string {
  const uri = path.split('/').map(encodeURIComponent).join('/');
  return uri === '' ? '.' : uri;
}

/** The same finding before and after lines move. */
function fingerprintOf({ rule, where, index, field }: Finding, { objects }: ValidationReport): string {
  const ref = index === undefined ? undefined : objects[index]?.ref;
  const subject = ref === undefined ? (where?.file ?? '') : `${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}`;
  return digest([rule, subject, field]).slice(0, 32);
}
