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
import { containersIn, podIn, type PodIn } from './pods.ts';
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
  readonly variables: Variables;
}

type Variables = Readonly<Record<string, CelValue>>;

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

function messageOf({ message, messageExpression }: Policy, variables: Variables): string {
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

/** What each policy is asked about, made once for all of them, and of each object not before somebody asks. */
class Subjects {
  readonly #input: PolicyInput;
  readonly #objects: readonly ObjectSubjects[];
  readonly #items: () => readonly CelValue[];
  readonly #common: Variables;

  constructor(input: PolicyInput) {
    this.#input = input;
    const items = once(() => (input.plan?.items ?? []).map((item) => celValue(shownItem(item))));
    this.#items = items;
    this.#common = lazily({
      objects: () => this.#objects.map(({ variables }) => variables['object'] ?? null),
      byKind: () => this.#byKind(),
      plan: () => ({ items: items() }),
      environment: () => input.environment ?? '',
      application: () => input.application,
      targetNamespace: () => input.namespace,
    });
    this.#objects = input.objects.map((judged, index) => new ObjectSubjects(judged, index, this.#common));
  }

  /** So that a policy that looks for objects of a kind need not go through all of them, for each of them. */
  #byKind(): CelValue {
    const kinds = Map.groupBy(this.#objects, ({ judged }) => judged.object.kind);
    return Object.fromEntries(
      [...kinds].map(([kind, objects]) => [kind, objects.map(({ variables }) => variables['object'] ?? null)]),
    );
  }

  *of({ subject, match }: Policy): Generator<Subject> {
    if (subject === 'plan') {
      yield { ref: undefined, index: undefined, path: [], variables: this.#common };
    } else if (subject === 'item') {
      for (const [index, { ref }] of (this.#input.plan?.items ?? []).entries()) {
        if (!isAbout(match, ref, ref.namespace)) continue;
        const variables = lazily({ item: () => this.#items()[index] ?? null }, this.#common);
        yield { ref, index, path: [], variables };
      }
    } else {
      for (const object of this.#objects) {
        if (isAbout(match, object.ref, object.ref.namespace)) yield* object.of(subject);
      }
    }
  }
}

/** One object, the pod that it makes and the containers of that. */
class ObjectSubjects {
  readonly judged: JudgedObject;
  readonly ref: ObjectRef;
  readonly variables: Variables;
  readonly #index: number;
  readonly #pod: () => { readonly pod: PodIn; readonly variables: Variables } | undefined;
  readonly #containers: () => readonly Subject[];

  constructor(judged: JudgedObject, index: number, common: Variables) {
    const { object, oldObject, namespace } = judged;
    this.judged = judged;
    this.ref = { group: groupOf(object.apiVersion), kind: object.kind, namespace, name: object.metadata.name };
    this.#index = index;
    this.variables = lazily(
      {
        object: () => celValue(shown(object, namespace)),
        oldObject: () => (oldObject === undefined ? null : celValue(shown(oldObject, namespace))),
      },
      common,
    );
    this.#pod = once(() => {
      const pod = podIn(object);
      return pod && { pod, variables: lazily({ pod: () => celValue(pod.spec) }, this.variables) };
    });
    this.#containers = once(() => {
      const found = this.#pod();
      if (found === undefined) return [];
      return containersIn(found.pod).map(({ path, container, isInit }) => {
        const variables = lazily({ container: () => celValue(container), isInit: () => isInit }, found.variables);
        return { ref: this.ref, index, path, variables };
      });
    });
  }

  of(subject: 'object' | 'pod' | 'container'): readonly Subject[] {
    const { ref, variables } = this;
    if (subject === 'container') return this.#containers();
    if (subject === 'object') return [{ ref, index: this.#index, path: [], variables }];
    const found = this.#pod();
    return found === undefined ? [] : [{ ref, index: this.#index, path: found.pod.path, variables: found.variables }];
  }
}

/** Variables that are made when an expression asks for them first, over those that it has besides. */
function lazily(makers: Readonly<Record<string, () => CelValue>>, besides: Variables | null = null): Variables {
  const variables = Object.create(besides) as Record<string, CelValue>;
  for (const [name, make] of Object.entries(makers)) {
    Object.defineProperty(variables, name, { get: once(make) });
  }
  return variables;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function isAbout({ kinds, groups, namespaces }: PolicyMatch, kind: GroupKind, namespace: string): boolean {
  if (kinds !== undefined && !kinds.includes(kind.kind) && !kinds.includes(kindName(kind))) return false;
  if (groups !== undefined && !matchesAny(groups, kind.group)) return false;
  return namespaces === undefined || matchesAny(namespaces, namespace);
}

/** As expressions see an object: with its namespace, and without the values of a Secret, which a message could tell. */
function shown(object: KubeObject, namespace: string): Json {
  const { metadata } = object;
  // Who owns which field is much, and nothing that a policy is about.
  const { managedFields: _owners, ...told } = metadata;
  const value = { ...object, metadata: namespace === '' ? told : { ...told, namespace } };
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
