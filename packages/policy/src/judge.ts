import { celValue, type CelAnswer, type CelFault, type CelValue } from '@plumb/cel';
import {
  groupOf,
  isJsonObject,
  kindName,
  SECRET_VALUE,
  type FieldChange,
  type FieldPath,
  type GroupKind,
  type Json,
  type JsonObject,
  type KubeObject,
  type ObjectRef,
} from '@plumb/core';
import { matchesAny } from './patterns.ts';
import { containersIn, podIn } from './pods.ts';
import type { Policy, PolicyMatch } from './policy.ts';
import { POLICY_LIMITS } from './read-policies.ts';

/** What policies are held against: plain data, so that a plan can be judged where it was made or long after. */
export interface PolicyInput {
  /** What Git wants, complete. Values of Secrets are masked here; what is given may hold them. */
  readonly objects: readonly JudgedObject[];
  /** What would be done; without it, policies with these subjects are not asked. */
  readonly plan?: { readonly items: readonly JudgedItem[] } | undefined;
  /** The environment of the target, where it has one. */
  readonly environment?: string | undefined;
  /** The namespace of the target. */
  readonly namespace: string;
  /** The name of the Application. */
  readonly application: string;
}

export interface JudgedObject {
  readonly object: KubeObject;
  /** Where it goes; empty for a kind without namespaces. */
  readonly namespace: string;
  /** As it runs today, where that is known. */
  readonly oldObject?: KubeObject | undefined;
}

/** One thing that a plan would do. */
export interface JudgedItem {
  /** `create`, `change`, `replace`, `adopt`, `delete`, `blocked`. */
  readonly action: string;
  readonly ref: ObjectRef;
  /** Field by field, values of Secrets masked. */
  readonly changes: readonly FieldChange[];
  /** Why: `removed`, `changed`, `immutable`, …. */
  readonly reason?: string | undefined;
}

/** A policy that does not hold, or that could not be asked. */
export interface PolicyResult {
  readonly policy: string;
  readonly severity: 'warn' | 'deny';
  /** Undefined where it is about the plan as a whole. */
  readonly ref: ObjectRef | undefined;
  /** Its place in `objects` or in the items of the plan. */
  readonly index: number | undefined;
  /** The field that it is about; empty for the whole object. */
  readonly path: FieldPath;
  readonly message: string;
  readonly fix: string;
  /** The expression had no answer: that is a result with the severity of the policy, since it never counts as fine. */
  readonly fault?: CelFault['code'] | 'CelMissing' | undefined;
}

export interface Judgement {
  /** By policy in the order of the policies, then in the order of objects and items. */
  readonly results: readonly PolicyResult[];
  /** How many policies held everywhere, and how many did not, by severity. Those that are off or without a plan count nowhere. */
  readonly counts: { readonly ok: number; readonly warn: number; readonly deny: number };
}

/** What a policy is asked about once. */
interface Subject {
  readonly ref: ObjectRef | undefined;
  readonly index: number | undefined;
  readonly path: FieldPath;
  readonly variables: Readonly<Record<string, CelValue>>;
}

/** So many times a policy may cost too much; then it is not asked any more. */
const MAX_COSTLY = 3;

/** Holds objects, and a plan where there is one, against policies. Reads nothing else, and never throws. */
export function judgePolicies(policies: readonly Policy[], input: PolicyInput): Judgement {
  const subjects = new Subjects(input);
  const results: PolicyResult[] = [];
  const counts = { ok: 0, warn: 0, deny: 0 };
  for (const policy of policies) {
    const severity = severityOf(policy, input.environment);
    if (severity === undefined || (isOfPlan(policy) && input.plan === undefined)) continue;
    const found = judge(policy, severity, subjects.of(policy));
    counts[found.length === 0 ? 'ok' : severity]++;
    results.push(...found);
  }
  return { results, counts };
}

/** What a policy does in an environment; undefined where it is off, or about others. */
export function severityOf(policy: Policy, environment: string | undefined): 'warn' | 'deny' | undefined {
  const { environments } = policy.match;
  if (environments !== undefined && (environment === undefined || !matchesAny(environments, environment)))
    return undefined;
  const found = policy.actions.find(
    ({ environment: pattern }) => pattern === '*' || (environment !== undefined && matchesAny([pattern], environment)),
  );
  return found === undefined || found.action === 'off' ? undefined : found.action;
}

function isOfPlan({ subject }: Policy): boolean {
  return subject === 'plan' || subject === 'item';
}

function judge(policy: Policy, severity: 'warn' | 'deny', subjects: Iterable<Subject>): readonly PolicyResult[] {
  const results: PolicyResult[] = [];
  let costly = 0;
  let unasked = 0;
  for (const subject of subjects) {
    if (costly === MAX_COSTLY) {
      unasked++;
      continue;
    }
    const answer = policy.expression.evaluate(subject.variables);
    if (answer.kind === 'value' && answer.value) continue;
    const { ref, index, path, variables } = subject;
    const result = { policy: policy.name, severity, ref, index, path: [...path, ...policy.field], fix: policy.fix };
    if (answer.kind === 'value') {
      results.push({ ...result, message: messageOf(policy, variables) });
      continue;
    }
    if (answer.kind === 'fault' && answer.fault.code === 'CelCost') costly++;
    results.push({ ...result, path, ...faultOf(policy, answer) });
  }
  if (unasked > 0) {
    const message = `${policy.name} costs too much: it was not asked about ${unasked} more`;
    const { fix } = faultOf(policy, { kind: 'fault', fault: { code: 'CelCost', message } });
    const { name } = policy;
    results.push({
      policy: name,
      severity,
      ref: undefined,
      index: undefined,
      path: [],
      message,
      fix,
      fault: 'CelCost',
    });
  }
  return results;
}

function messageOf({ message, messageExpression }: Policy, variables: Readonly<Record<string, CelValue>>): string {
  const told = messageExpression?.evaluate(variables);
  return told?.kind === 'value' && told.value.trim() !== '' ? told.value : message;
}

function faultOf(
  { name }: Policy,
  answer: Exclude<CelAnswer<boolean>, { readonly kind: 'value' }>,
): Pick<PolicyResult, 'message' | 'fix' | 'fault'> {
  if (answer.kind === 'missing') {
    return {
      message: `${name} cannot be told: ${answer.message}`,
      fix: 'Let the expression ask for the field first: has(object.spec.x), or object.?spec.?x.orValue(0).',
      fault: 'CelMissing',
    };
  }
  const { code, message } = answer.fault;
  return code === 'CelCost'
    ? {
        message: `${name} cannot be told: it ${message}`,
        fix: `Make the expression cheaper: it may take ${POLICY_LIMITS.steps} steps.`,
        fault: code,
      }
    : { message: `${name} cannot be told: ${message}`, fix: 'Correct the expression of the policy.', fault: code };
}

/** What each policy is asked about, made once for all of them. */
class Subjects {
  readonly #input: PolicyInput;
  readonly #common: Readonly<Record<string, CelValue>>;
  readonly #objects: readonly { readonly judged: JudgedObject; readonly value: CelValue; readonly old: CelValue }[];
  readonly #plan: CelValue;
  readonly #items: readonly CelValue[];

  constructor(input: PolicyInput) {
    this.#input = input;
    this.#objects = input.objects.map((judged) => ({
      judged,
      value: celValue(shown(judged.object, judged.namespace)),
      old: judged.oldObject === undefined ? null : celValue(shown(judged.oldObject, judged.namespace)),
    }));
    this.#items = (input.plan?.items ?? []).map((item) => celValue(shownItem(item)));
    this.#plan = { items: this.#items };
    this.#common = {
      objects: this.#objects.map(({ value }) => value),
      byKind: this.#byKind(),
      environment: input.environment ?? '',
      application: input.application,
      targetNamespace: input.namespace,
    };
  }

  /** So that a policy that looks for objects of a kind need not go through all of them, for each of them. */
  #byKind(): CelValue {
    const kinds = new Map<string, CelValue[]>();
    for (const { judged, value } of this.#objects) {
      const { kind } = judged.object;
      const known = kinds.get(kind);
      if (known === undefined) kinds.set(kind, [value]);
      else known.push(value);
    }
    return Object.fromEntries(kinds);
  }

  *of({ subject, match }: Policy): Generator<Subject> {
    const { plan } = this.#input;
    if (subject === 'plan') {
      const variables = { ...this.#common, plan: this.#plan };
      yield { ref: undefined, index: undefined, path: [], variables };
    } else if (subject === 'item') {
      for (const [index, { ref }] of (plan?.items ?? []).entries()) {
        if (!isAbout(match, ref, ref.namespace)) continue;
        const variables = { ...this.#common, plan: this.#plan, item: this.#items[index] ?? null };
        yield { ref, index, path: [], variables };
      }
    } else yield* this.#ofObjects(subject, match);
  }

  *#ofObjects(subject: 'object' | 'pod' | 'container', match: PolicyMatch): Generator<Subject> {
    for (const [index, { judged, value, old }] of this.#objects.entries()) {
      const { object, namespace } = judged;
      const ref = { group: groupOf(object.apiVersion), kind: object.kind, namespace, name: object.metadata.name };
      if (!isAbout(match, ref, namespace)) continue;
      const variables = { ...this.#common, object: value, oldObject: old };
      if (subject === 'object') {
        yield { ref, index, path: [], variables };
        continue;
      }
      const pod = podIn(object);
      if (pod === undefined) continue;
      const ofPod = { ...variables, pod: celValue(pod.spec) };
      if (subject === 'pod') yield { ref, index, path: pod.path, variables: ofPod };
      else {
        for (const { path, container, isInit } of containersIn(pod)) {
          yield { ref, index, path, variables: { ...ofPod, container: celValue(container), isInit } };
        }
      }
    }
  }
}

function isAbout({ kinds, groups, namespaces }: PolicyMatch, kind: GroupKind, namespace: string): boolean {
  if (kinds !== undefined && !kinds.includes(kind.kind) && !kinds.includes(kindName(kind))) return false;
  if (groups !== undefined && !matchesAny(groups, kind.group)) return false;
  return namespaces === undefined || matchesAny(namespaces, namespace);
}

/** As expressions see an object: with its namespace, and without the values of a Secret, which a message could tell. */
function shown(object: KubeObject, namespace: string): Json {
  const { metadata } = object;
  const value = { ...object, metadata: namespace === '' ? metadata : { ...metadata, namespace } };
  return (object.apiVersion === 'v1' && object.kind === 'Secret' ? withoutSecrets(value) : value) as Json;
}

/** kubectl keeps a copy of the whole object in this annotation. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function withoutSecrets(object: KubeObject): KubeObject {
  const masked = Object.entries(object).map(([field, value]) => {
    if (field === 'data' || field === 'stringData') return [field, mask(value)] as const;
    if (field !== 'metadata' || !isJsonObject(value) || !isJsonObject(value['annotations']))
      return [field, value] as const;
    const { [LAST_APPLIED]: copy, ...annotations } = value['annotations'];
    return [field, copy === undefined ? value : { ...value, annotations }] as const;
  });
  return Object.fromEntries(masked) as unknown as KubeObject;
}

function mask(value: unknown): Json {
  return isJsonObject(value) ? Object.fromEntries(Object.keys(value).map((key) => [key, SECRET_VALUE])) : SECRET_VALUE;
}

function shownItem({ action, ref, changes, reason }: JudgedItem): JsonObject {
  return {
    action,
    group: ref.group,
    kind: ref.kind,
    namespace: ref.namespace,
    name: ref.name,
    reason: reason ?? '',
    changes: changes.map(({ path, before, after }) => ({ path, before: before ?? null, after: after ?? null })),
  };
}
