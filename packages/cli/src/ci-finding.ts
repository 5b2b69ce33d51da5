import { parseObjectKey, shortName, type ObjectRef, type PlanItem, type PlumbError, type Where } from '@plumb/core';
import { isRefusal, type ValidationReport } from './finding.ts';
import { objectName } from './findings-text.ts';
import type { Planned } from './plan-session.ts';
import type { RenderDiff } from './render-diff.ts';

/** One thing that a pipeline shows beside a line. All texts may hold what strangers wrote. */
export interface CiFinding {
  readonly severity: 'error' | 'warning';
  /** The rule, code or action that it is about. */
  readonly title: string;
  readonly message: string;
  /** Relative to the root of the repository; undefined where no file says it. */
  readonly where: Where | undefined;
  /** The folder that it is about, for reports that take no finding without a place. */
  readonly folder: string;
}

export function findingsOfReport(report: ValidationReport): readonly CiFinding[] {
  return report.findings.map((finding) => {
    const object = finding.index === undefined ? '' : `${objectName(finding, report)}: `;
    return {
      severity: isRefusal(finding) ? 'error' : 'warning',
      title: finding.rule,
      message: `${object}${finding.message}. ${finding.fix}`,
      where: finding.where,
      folder: report.path,
    };
  });
}

export function findingsOfErrors(errors: readonly PlumbError[]): readonly CiFinding[] {
  return errors.map(({ code, message, fix, where }) => {
    return { severity: 'error', title: code, message: `${message}. ${fix}`, where, folder: '' };
  });
}

/** What of a plan takes a person's notice: what is refused, what is lost, and what policies say. */
export function findingsOfPlan({ plan, spec, judgement }: Planned): readonly CiFinding[] {
  const folder = spec.path;
  const ofItems = plan.items.flatMap((item): readonly CiFinding[] => {
    const said = noticeOf(item);
    return said === undefined ? [] : [{ ...said, where: placeOf(item), folder }];
  });
  const { deletions } = plan;
  const blocked: CiFinding = {
    severity: 'error',
    title: 'deletions',
    message: deletions.verdict === 'blocked' ? `nothing is deleted, because ${deletions.reason}` : '',
    where: undefined,
    folder,
  };
  const ofPolicies = judgement.results.map(({ policy, severity, ref, message, fix }): CiFinding => {
    const item = plan.items.find(({ key }) => ref !== undefined && isSameObject(parseObjectKey(key), ref));
    return {
      severity: severity === 'deny' ? 'error' : 'warning',
      title: `policy/${policy}`,
      message: `${ref === undefined ? '' : `${shortName(ref)}: `}${message}. ${fix}`,
      where: item === undefined ? undefined : placeOf(item),
      folder,
    };
  });
  return [...ofItems, ...(deletions.verdict === 'blocked' ? [blocked] : []), ...ofPolicies];
}

/** What of a comparison takes a person's notice: what is not there any more. */
export function findingsOfDiff({
  diff,
  path,
}: {
  readonly diff: RenderDiff;
  readonly path: string;
}): readonly CiFinding[] {
  return diff.items.flatMap(({ action, ref, origin: { file, line } }): readonly CiFinding[] => {
    if (action !== 'delete') return [];
    const where = file === '' ? undefined : { file, ...(line === undefined ? {} : { line }) };
    const message = `${shortName(ref)} is not there any more`;
    return [{ severity: 'warning', title: action, message, where, folder: path }];
  });
}

function noticeOf({
  action,
  key,
  error,
  forcedBy = 'a field',
}: PlanItem): Pick<CiFinding, 'severity' | 'title' | 'message'> | undefined {
  const ref = parseObjectKey(key);
  const name = ref === undefined ? key : shortName(ref);
  if (error !== undefined) {
    return { severity: 'error', title: error.code, message: `${name}: ${error.message}. ${error.fix}` };
  }
  switch (action) {
    case 'delete':
      return { severity: 'warning', title: action, message: `${name} is deleted: it is not in Git any more` };
    case 'replace':
      return {
        severity: 'warning',
        title: action,
        message: `${name} is deleted and made anew: ${forcedBy} cannot be changed`,
      };
    default:
      return undefined;
  }
}

function placeOf({ origin }: PlanItem): Where | undefined {
  if (origin === undefined) return undefined;
  return { file: origin.file, ...(origin.line === undefined ? {} : { line: origin.line }) };
}

function isSameObject(left: ObjectRef | undefined, right: ObjectRef): boolean {
  return (['group', 'kind', 'namespace', 'name'] as const).every((part) => left?.[part] === right[part]);
}
