import type { ApplicationSpec, Hold } from '@plumb/api';
import { createCel } from '@plumb/cel';
import {
  fail,
  ok,
  parseFieldPattern,
  PlumbError,
  REVERT_ALL,
  type DriftHold,
  type DriftRule,
  type DriftRules,
  type DriftScope,
  type FieldPattern,
  type Result,
} from '@plumb/core';

type DriftSpec = NonNullable<ApplicationSpec['drift']>;
type RuleSpec = NonNullable<DriftSpec['rules']>[number];
type IgnoreSpec = NonNullable<DriftSpec['ignoreDifferences']>[number];

/** What one condition may cost: it is asked for every field of every drift. The steps alone limit it. */
const LIMITS = { steps: 10_000, timeMs: Infinity };
const VARIABLES = ['object', 'field', 'manager'];

/**
 * What a spec says of drift, ready to be asked. Error: `CelSyntax`, `CelType` or `CelCost` with the field of the condition that
 * cannot be read.
 */
export function driftRulesOf(spec: DriftSpec | undefined): Result<DriftRules, PlumbError> {
  if (spec === undefined) return ok(REVERT_ALL);
  const { policy, rules = [], ignoreDifferences = [] } = spec;
  const compiled: DriftRule[] = [];
  for (const [index, rule] of rules.entries()) {
    const result = toRule(rule, index);
    if (!result.ok) return result;
    compiled.push(result.value);
  }
  return ok({ policy, rules: [...compiled, ...ignoreDifferences.flatMap(toIgnoreRules)] });
}

function toRule(rule: RuleSpec, index: number): Result<DriftRule, PlumbError> {
  const { policy, until, reason, managers } = rule;
  const condition = rule.when === undefined ? ok(undefined) : compile(rule.when, index);
  if (!condition.ok) return condition;
  return ok({
    ...scopeOf(rule),
    ...(managers === undefined ? {} : { managers }),
    ...(rule.fields === undefined ? {} : { fields: patternsOf(rule.fields) }),
    ...(condition.value === undefined ? {} : { when: condition.value }),
    policy,
    ...(until === undefined ? {} : { until: Date.parse(until) }),
    ...(reason === undefined ? {} : { reason }),
  });
}

function compile(text: string, index: number): Result<DriftScope['when'], PlumbError> {
  const cel = createCel({ limits: LIMITS, monotonic: () => 0, variables: VARIABLES });
  const compiled = cel.compile(text, 'bool');
  if (!compiled.ok) {
    const { code, message } = compiled.error;
    const field = `spec.drift.rules[${index}].when`;
    return fail(new PlumbError(code, `${field}: ${message}`, { field }));
  }
  // A condition without an answer does not hold: what nobody has clearly excepted is put back.
  return ok(({ field: path, manager, ...object }) => {
    const answer = compiled.value.evaluate({ object, field: path, manager });
    return answer.kind === 'value' && answer.value;
  });
}

/** Argo CD ignores what any of the three kinds of selectors covers, so each is a rule of its own. */
function toIgnoreRules(spec: IgnoreSpec): readonly DriftRule[] {
  const { jsonPointers = [], jqPathExpressions = [], managedFieldsManagers = [] } = spec;
  const fields = patternsOf([...jsonPointers, ...jqPathExpressions]);
  const rule = { ...scopeOf(spec), policy: 'ignore', reason: 'ignoreDifferences' } as const;
  return [
    ...(fields.length === 0 ? [] : [{ ...rule, fields }]),
    ...(managedFieldsManagers.length === 0 ? [] : [{ ...rule, managers: managedFieldsManagers }]),
  ];
}

function scopeOf({ group, kind, namespace, name }: RuleSpec | IgnoreSpec): DriftScope {
  return {
    ...(group === undefined ? {} : { group }),
    ...(kind === undefined ? {} : { kind }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

/** What is no pattern was refused with the spec. */
function patternsOf(texts: readonly string[]): readonly FieldPattern[] {
  return texts.flatMap((text) => parseFieldPattern(text) ?? []);
}

/** What a Hold wants to stand, and until when. */
export function holdOf({ metadata, spec, status }: Hold): DriftHold {
  const { object, fields, until, reason, by, atEnd } = spec;
  const { name, creationTimestamp } = metadata;
  const proposal = status?.pullRequest ?? status?.branch;
  return {
    ...(object === undefined ? {} : { group: object.group, kind: object.kind, name: object.name }),
    ...(object?.namespace === undefined ? {} : { namespace: object.namespace }),
    ...(fields === undefined ? {} : { fields: patternsOf(fields) }),
    hold: name,
    until: Date.parse(until),
    since: creationTimestamp === undefined ? 0 : Date.parse(creationTimestamp),
    reason,
    by,
    atEnd,
    ...(proposal === undefined ? {} : { proposal }),
  };
}
