import { createCel, type Cel, type CelExpression, type CelTypes } from '@plumb/cel';
import {
  closest,
  fail,
  isJsonObject,
  ok,
  parseFieldPath,
  PlumbError,
  type ErrorCode,
  type FieldPath,
  type Json,
  type JsonObject,
  type Result,
} from '@plumb/core';
import {
  POLICY_ACTIONS,
  POLICY_SUBJECTS,
  type Policy,
  type PolicyAction,
  type PolicyMatch,
  type PolicySubject,
} from './policy.ts';
import { selects } from './selects.ts';

/** A decoded file of policies: its documents are maps with the list `policies`. */
export interface PolicyFile {
  readonly documents: readonly (Json | undefined)[];
  readonly file: string;
  /** The line at which an entry of a map or a list is written, where that is known. */
  readonly lineOf?: ((container: object, entry: string | number) => number | undefined) | undefined;
}

export interface ReadOptions {
  /** Those that the files change or add to, by name. Default none. */
  readonly base?: readonly Policy[] | undefined;
  /** Milliseconds that only ever grow. */
  readonly monotonic: () => number;
}

/** What one evaluation may cost. */
export const POLICY_LIMITS = { steps: 1_000_000, timeMs: 1_000 };

/** What an expression sees, by its subject. */
export const POLICY_VARIABLES: Readonly<Record<PolicySubject, readonly string[]>> = {
  object: ['object', 'oldObject', 'objects', 'byKind', 'environment', 'application', 'targetNamespace'],
  pod: ['pod', 'object', 'oldObject', 'objects', 'byKind', 'environment', 'application', 'targetNamespace'],
  container: [
    'container',
    'isInit',
    'pod',
    'object',
    'oldObject',
    'objects',
    'byKind',
    'environment',
    'application',
    'targetNamespace',
  ],
  item: ['item', 'plan', 'objects', 'byKind', 'environment', 'application', 'targetNamespace'],
  plan: ['plan', 'objects', 'byKind', 'environment', 'application', 'targetNamespace'],
};

/**
 * The policies of the files over those of `base`, in the order of their first appearance. A policy of a name that is there
 * already takes its place; without an expression it changes what it names and keeps the rest. Otherwise all that is wrong:
 * `PolicyInvalid`, `CelSyntax`, `CelType`, `CelCost`, each with file, line and field.
 */
export function readPolicies(
  files: readonly PolicyFile[],
  { base = [], monotonic }: ReadOptions,
): Result<readonly Policy[], readonly PlumbError[]> {
  const policies = new Map(base.map((policy) => [policy.name, policy]));
  const errors: PlumbError[] = [];
  const reader = new PolicyReader(monotonic, errors);
  for (const file of files) {
    const seen = new Set<string>();
    for (const { entry, at, list, index } of reader.entries(file)) {
      const report = new Report(file, errors, { entry, list, index, at });
      const policy = reader.policy(entry, report, policies);
      if (policy === undefined) continue;
      if (seen.has(policy.name)) report.error('.name', `${policy.name} is there already in this file`);
      seen.add(policy.name);
      policies.set(policy.name, policy);
    }
  }
  return errors.length === 0 ? ok([...policies.values()]) : fail(errors);
}

interface Place {
  readonly entry: Json;
  readonly list: readonly Json[];
  readonly index: number;
  /** `policies[0]`. */
  readonly at: string;
}

/** Collects what is wrong with one policy. */
class Report {
  readonly #file: PolicyFile;
  readonly #errors: PlumbError[];
  readonly #place: Place;

  constructor(file: PolicyFile, errors: PlumbError[], place: Place) {
    this.#file = file;
    this.#errors = errors;
    this.#place = place;
  }

  /** `field` is `.match.kinds`; empty for the policy as a whole. */
  error(
    field: string,
    message: string,
    { code = 'PolicyInvalid', fix }: { code?: ErrorCode; fix?: string } = {},
  ): undefined {
    const { at } = this.#place;
    this.#errors.push(new PlumbError(code, message, { where: this.where(field), field: `${at}${field}`, fix }));
    return undefined;
  }

  where(field: string) {
    const { file, lineOf = () => undefined } = this.#file;
    const { entry, list, index } = this.#place;
    let line = lineOf(list, index);
    let container: Json | undefined = entry;
    for (const step of field.split('.').slice(1)) {
      if (!isJsonObject(container)) break;
      line = lineOf(container, step) ?? line;
      container = container[step];
    }
    return line === undefined ? { file } : { file, line };
  }
}

const FIELDS = [
  'name',
  'description',
  'subject',
  'action',
  'match',
  'expression',
  'message',
  'messageExpression',
  'fix',
  'field',
] as const;
const MATCH_FIELDS = ['kinds', 'groups', 'namespaces', 'environments'] as const;
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
const TEXT_FIELDS = ['description', 'expression', 'message', 'messageExpression', 'fix', 'field'] as const;

class PolicyReader {
  readonly #cels = new Map<PolicySubject, Cel>();
  readonly #monotonic: () => number;
  readonly #errors: PlumbError[];

  constructor(monotonic: () => number, errors: PlumbError[]) {
    this.#monotonic = monotonic;
    this.#errors = errors;
  }

  *entries({ documents, file }: PolicyFile): Generator<Place> {
    let count = 0;
    for (const document of documents) {
      // A file of comments, and what follows the last `---`.
      if (document === undefined || document === null) continue;
      const list = isJsonObject(document) ? document['policies'] : undefined;
      if (!isJsonObject(document) || !Array.isArray(list)) {
        this.#errors.push(new PlumbError('PolicyInvalid', 'the document has no list policies', { where: { file } }));
        continue;
      }
      const others = Object.keys(document).filter((key) => key !== 'policies');
      if (others.length > 0) {
        const message = `${others.join(', ')} beside policies is not known`;
        this.#errors.push(new PlumbError('PolicyInvalid', message, { where: { file } }));
      }
      for (const [index, entry] of (list as readonly Json[]).entries()) {
        yield { entry, list: list as readonly Json[], index, at: `policies[${count++}]` };
      }
    }
  }

  policy(entry: Json, report: Report, known: ReadonlyMap<string, Policy>): Policy | undefined {
    if (!isJsonObject(entry)) return report.error('', 'the policy is no mapping');
    const errorsBefore = this.#errors.length;
    checkNames(entry, FIELDS, '', report);
    for (const field of TEXT_FIELDS) {
      if (entry[field] !== undefined && !isFilled(entry[field])) report.error(`.${field}`, `${field} is no text`);
    }
    const { name } = entry;
    if (typeof name !== 'string' || !NAME.test(name)) {
      return report.error(
        '.name',
        name === undefined ? 'the policy has no name' : 'the name is none: use a-z, 0-9, "-" and "."',
      );
    }
    const former = known.get(name);
    const isChange = entry['expression'] === undefined;
    if (isChange && former === undefined) {
      const near = closest(name, known.keys());
      return report.error('', `${name} has no expression, and there is no policy of this name to change`, {
        fix: near === undefined ? 'Write its expression.' : `Did you mean ${near}? Otherwise write its expression.`,
      });
    }
    const from = isChange ? former : undefined;
    if (from !== undefined && entry['subject'] !== undefined && entry['subject'] !== from.subject) {
      return report.error(
        '.subject',
        `the subject of ${name} is ${from.subject}: another one needs another expression`,
      );
    }
    const subject = from?.subject ?? readSubject(entry['subject'], report);
    const actions = entry['action'] === undefined ? from?.actions : readActions(entry['action'], report);
    if (actions === undefined && entry['action'] === undefined) report.error('', `${name} has no action: warn or deny`);
    const match = entry['match'] === undefined ? (from?.match ?? {}) : readMatch(entry['match'], subject, report);
    const field = readField(entry['field'], report);
    if (subject === undefined) return undefined;
    const expression = this.#compile(entry, 'expression', 'bool', subject, report) ?? from?.expression;
    const messageExpression = this.#compile(entry, 'messageExpression', 'string', subject, report);
    if (actions === undefined || match === undefined || expression === undefined) return undefined;
    if (this.#errors.length > errorsBefore) return undefined;
    const isNewMessage = isFilled(entry['message']) || messageExpression !== undefined;
    const told = isNewMessage ? messageExpression : from?.messageExpression;
    return {
      name,
      subject,
      actions,
      match,
      expression,
      description: textOf(entry['description']) ?? from?.description ?? textOf(entry['message']) ?? name,
      message: textOf(entry['message']) ?? from?.message ?? `${name} does not hold`,
      ...(told === undefined ? {} : { messageExpression: told }),
      fix: textOf(entry['fix']) ?? from?.fix ?? 'Change the object so that the policy holds.',
      field: field ?? from?.field ?? [],
      where: report.where(''),
    };
  }

  #compile<T extends keyof CelTypes>(
    entry: JsonObject,
    field: 'expression' | 'messageExpression',
    gives: T,
    subject: PolicySubject,
    report: Report,
  ): CelExpression<CelTypes[T]> | undefined {
    const text = textOf(entry[field]);
    if (text === undefined) return undefined;
    const compiled = this.#celOf(subject).compile(text, gives);
    if (compiled.ok) return compiled.value;
    const { code, message } = compiled.error;
    return report.error(`.${field}`, message, { code });
  }

  #celOf(subject: PolicySubject): Cel {
    const known = this.#cels.get(subject);
    if (known !== undefined) return known;
    const cel = createCel({
      limits: POLICY_LIMITS,
      monotonic: this.#monotonic,
      variables: POLICY_VARIABLES[subject],
      functions: { 'selects(dyn, dyn): bool': selects },
    });
    this.#cels.set(subject, cel);
    return cel;
  }
}

function isFilled(value: Json | undefined): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function textOf(value: Json | undefined): string | undefined {
  return isFilled(value) ? value : undefined;
}

function checkNames(map: JsonObject, known: readonly string[], prefix: string, report: Report): void {
  for (const key of Object.keys(map)) {
    if (known.includes(key)) continue;
    const near = closest(key, known);
    report.error(`${prefix}.${key}`, `${key} is not a field of ${prefix === '' ? 'a policy' : prefix.slice(1)}`, {
      fix: near === undefined ? `The fields are ${known.join(', ')}.` : `Did you mean ${near}?`,
    });
  }
}

function readSubject(value: Json | undefined, report: Report): PolicySubject | undefined {
  if (value === undefined) return 'object';
  const found = POLICY_SUBJECTS.find((subject) => subject === value);
  return found ?? report.error('.subject', `subject is none of ${POLICY_SUBJECTS.join(', ')}`);
}

function readActions(value: Json, report: Report): Policy['actions'] | undefined {
  if (!isJsonObject(value)) {
    const action = readAction(value, '.action', report);
    return action === undefined ? undefined : [{ environment: '*', action }];
  }
  const entries = Object.entries(value).map(([environment, one]) => ({
    environment,
    action: readAction(one, `.action.${environment}`, report),
  }));
  if (entries.length === 0) return report.error('.action', 'action names no environment');
  return entries.flatMap(({ environment, action }) => (action === undefined ? [] : [{ environment, action }]));
}

function readAction(value: Json | undefined, field: string, report: Report): PolicyAction | undefined {
  const found = POLICY_ACTIONS.find((action) => action === value);
  // YAML 1.1 reads a bare `off` as false.
  if (value === false) return 'off';
  return found ?? report.error(field, `the action is none of ${POLICY_ACTIONS.join(', ')}`);
}

function readMatch(value: Json, subject: PolicySubject | undefined, report: Report): PolicyMatch | undefined {
  if (!isJsonObject(value)) return report.error('.match', 'match is no mapping');
  checkNames(value, MATCH_FIELDS, '.match', report);
  const match: Record<string, readonly string[]> = {};
  for (const field of MATCH_FIELDS) {
    const list = value[field];
    if (list === undefined) continue;
    if (!Array.isArray(list) || !(list as readonly Json[]).every((item) => typeof item === 'string')) {
      report.error(`.match.${field}`, `match.${field} is no list of texts`);
    } else if (subject === 'plan' && field !== 'environments') {
      report.error(`.match.${field}`, `a plan has no ${field}: use subject: item, which asks for each of its items`);
    } else match[field] = list;
  }
  return match;
}

function readField(value: Json | undefined, report: Report): FieldPath | undefined {
  const text = textOf(value);
  if (text === undefined) return undefined;
  return parseFieldPath(text) ?? report.error('.field', 'field is no path such as resources.limits.memory');
}
