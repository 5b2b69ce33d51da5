import { formatWhere, shortName, oneLine } from '@plumb/core';
import { countFindings, type Finding, type ValidationReport } from './finding.ts';
import { paint, type Style } from './style.ts';
import { formatTable } from './table.ts';
import { JSON_VERSION } from './version.ts';

const COLORS = { error: 'red', deny: 'red', warning: 'yellow' } as const;

/** A row for each finding, what to do about it, and the counts. */
export function findingsText(report: ValidationReport, { style }: { readonly style: Style }): string {
  const { findings, objects, policies } = report;
  const rows = findings.map((finding) => [
    paint(style, COLORS[finding.severity], finding.severity),
    oneLine(finding.where === undefined ? '-' : formatWhere(finding.where)),
    oneLine(objectName(finding, report)),
    finding.rule,
    oneLine(`${finding.message}. ${finding.fix}`),
  ]);
  const table = rows.length === 0 ? '' : formatTable([['LEVEL', 'PLACE', 'OBJECT', 'RULE', 'MESSAGE'], ...rows]);
  const count = `${objects.length} ${objects.length === 1 ? 'object' : 'objects'}`;
  return `${table}${count}: ${countFindings(findings)}; ${policiesText(policies)}.\n`;
}

/** `policies 5 ok, 1 warning, 2 denied`. */
export function policiesText({ ok, warn, deny }: ValidationReport['policies']): string {
  const warnings = warn === 0 ? '' : `, ${warn} ${warn === 1 ? 'warning' : 'warnings'}`;
  return `policies ${ok} ok${warnings}${deny === 0 ? '' : `, ${deny} denied`}`;
}

/** The same for programs. */
export function findingsData(report: ValidationReport): object {
  const { path, environment, objects, findings, policies, unknownKinds } = report;
  return {
    apiVersion: JSON_VERSION,
    path,
    ...(environment === undefined ? {} : { environment }),
    objects: objects.length,
    policies,
    unknownKinds,
    findings: findings.map((finding) => {
      const { rule, severity, message, fix, where, index, field } = finding;
      const ref = index === undefined ? undefined : objects[index]?.ref;
      return {
        rule,
        severity,
        ...where,
        ...(ref === undefined ? {} : { object: ref }),
        ...(field === '' ? {} : { field }),
        message,
        fix,
      };
    }),
  };
}

/** `Deployment/api`; a dash where it is about none. */
export function objectName({ index }: Finding, { objects }: ValidationReport): string {
  const ref = index === undefined ? undefined : objects[index]?.ref;
  return ref === undefined ? '-' : shortName(ref);
}
