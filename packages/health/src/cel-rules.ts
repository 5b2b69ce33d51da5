import { celValue, createCel, type Cel, type CelExpression, type CelValue } from '@plumb/cel';
import {
  groupOf,
  isJsonObject,
  kindName,
  type ErrorCode,
  type GroupKind,
  type Health,
  type Json,
  type JsonObject,
  type KubeObject,
  PlumbError,
} from '@plumb/core';
import { unknown } from './unknown.ts';

/** In the order in which they are asked. */
const EXPRESSIONS = [
  ['inProgress', 'Progressing'],
  ['failed', 'Degraded'],
  ['current', 'Healthy'],
] as const;

interface CelRule {
  readonly expressions: readonly {
    readonly field: string;
    readonly status: Health['status'];
    readonly expression: CelExpression<boolean>;
  }[];
}

/** The line at which an entry of a map or a list is written, where that is known. */
export type LineOf = (container: object, entry: string | number) => number | undefined;

/** What one expression may cost. */
const LIMITS = { steps: 100_000, timeMs: 1_000 };

/** Rules in CEL, in the words of Flux: `healthCheckExprs` with `apiVersion`, `kind`, `current`, `inProgress`, `failed`. */
export class CelRules {
  readonly #rules: ReadonlyMap<string, CelRule>;

  private constructor(rules: ReadonlyMap<string, CelRule>) {
    this.#rules = rules;
  }

  /** Of the decoded file. Throws at the first rule that is none, with its field and line. */
  static read(
    value: Json | undefined,
    file: string,
    { lineOf = () => undefined, monotonic }: { readonly lineOf?: LineOf | undefined; readonly monotonic: () => number },
  ): CelRules {
    const cel = createCel({ limits: LIMITS, monotonic });
    const list = isJsonObject(value) ? value['healthCheckExprs'] : undefined;
    if (!Array.isArray(list) || list.length === 0) {
      throw new PlumbError('HealthRulesInvalid', 'the file has no list healthCheckExprs', { where: { file } });
    }
    const rules = new Map<string, CelRule>();
    (list as readonly Json[]).forEach((item, index) => {
      const at = `healthCheckExprs[${index}]`;
      const fail = (code: ErrorCode, field: string, message: string): never => {
        const line = (isJsonObject(item) ? lineOf(item, field.slice(1)) : undefined) ?? lineOf(list, index);
        const where = line === undefined ? { file } : { file, line };
        throw new PlumbError(code, message, { where, field: `${at}${field}` });
      };
      if (!isJsonObject(item)) return fail('HealthRulesInvalid', '', 'the rule is no mapping');
      const { apiVersion, kind } = item;
      if (typeof apiVersion !== 'string') return fail('HealthRulesInvalid', '.apiVersion', 'apiVersion is missing');
      if (typeof kind !== 'string') return fail('HealthRulesInvalid', '.kind', 'kind is missing');
      if (typeof item['current'] !== 'string') return fail('HealthRulesInvalid', '.current', 'current is missing');
      const name = kindName({ group: groupOf(apiVersion), kind });
      if (rules.has(name)) return fail('HealthRulesInvalid', '.kind', `${name} has a rule already`);
      const expressions = EXPRESSIONS.flatMap(([field, status]) => {
        const text = item[field];
        if (text === undefined) return [];
        if (typeof text !== 'string') return fail('HealthRulesInvalid', `.${field}`, 'the expression is no text');
        const expression = compile(cel, text, (code, message) => fail(code, `.${field}`, message));
        return [{ field, status, expression }];
      });
      rules.set(name, { expressions });
    });
    return new CelRules(rules);
  }

  handles(kind: GroupKind): boolean {
    return this.#rules.has(kindName(kind));
  }

  /** Undefined for a kind without a rule. */
  assess(object: KubeObject, kind: GroupKind): Health | undefined {
    const rule = this.#rules.get(kindName(kind));
    if (rule === undefined) return undefined;
    const variables = {
      spec: {},
      status: {},
      ...(celValue(object as unknown as JsonObject) as Readonly<Record<string, CelValue>>),
    };
    for (const { field, status, expression } of rule.expressions) {
      const answer = expression.evaluate(variables);
      // A field that is not there yet makes an expression untrue, and not wrong.
      if (answer.kind === 'missing') continue;
      if (answer.kind === 'fault') {
        const { code, message } = answer.fault;
        return unknown(code, code === 'CelCost' ? `${field} ${message}` : `${field}: ${message}`);
      }
      const text = expression.text.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
      if (answer.value) return { status, message: `${field} holds: ${text}` };
    }
    return { status: 'Progressing', message: 'neither inProgress, failed nor current holds' };
  }
}

function compile(cel: Cel, text: string, fail: (code: ErrorCode, message: string) => never): CelExpression<boolean> {
  const compiled = cel.compile(text, 'bool');
  return compiled.ok ? compiled.value : fail(compiled.error.code, compiled.error.message);
}
