import { Environment, type ASTNode, type ParseResult } from '@marcbachmann/cel-js';
import {
  groupOf,
  isJsonObject,
  kindName,
  type ErrorCode,
  type GroupKind,
  type Health,
  type Json,
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
    readonly text: string;
    readonly evaluate: ParseResult;
  }[];
}

/** The line at which an entry of a map or a list is written, where that is known. */
export type LineOf = (container: object, entry: string | number) => number | undefined;

/** Values that one expression may look at. */
const MAX_COST = 100_000;

class CostError extends Error {}

/** Rules in CEL, in the words of Flux: `healthCheckExprs` with `apiVersion`, `kind`, `current`, `inProgress`, `failed`. */
export class CelRules {
  readonly #rules: ReadonlyMap<string, CelRule>;

  private constructor(rules: ReadonlyMap<string, CelRule>) {
    this.#rules = rules;
  }

  /** Of the decoded file. Throws at the first rule that is none, with its field and line. */
  static read(value: Json | undefined, file: string, lineOf: LineOf = () => undefined): CelRules {
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
        return [{ field, status, text, evaluate: parse(text, (code, message) => fail(code, `.${field}`, message)) }];
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
    for (const { field, status, text, evaluate } of rule.expressions) {
      let answer: unknown;
      try {
        answer = evaluate(contextOf(object));
      } catch (thrown) {
        if (thrown instanceof CostError || (thrown instanceof Error && thrown.cause instanceof CostError)) {
          return unknown('CelCost', `${field} looks at more than ${MAX_COST} values`);
        }
        // A field that is not there yet makes an expression untrue, and not wrong.
        if (isMissing(thrown)) continue;
        return unknown('CelType', `${field}: ${firstLine(thrown)}`);
      }
      if (typeof answer !== 'boolean') return unknown('CelType', `${field} gives ${typeof answer} instead of a bool`);
      if (answer) return { status, message: `${field} holds: ${text.replaceAll(/\s+/g, ' ').trim().slice(0, 200)}` };
    }
    return { status: 'Progressing', message: 'neither inProgress, failed nor current holds' };
  }
}

function parse(text: string, fail: (code: ErrorCode, message: string) => never): ParseResult {
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 2_000, maxDepth: 50, maxListElements: 500, maxMapEntries: 500, maxCallArguments: 16 },
  });
  let parsed: ParseResult;
  try {
    parsed = environment.parse(text);
  } catch (thrown) {
    return fail('CelSyntax', `the expression cannot be read: ${firstLine(thrown)}`);
  }
  const { valid, type, error } = parsed.check();
  if (!valid) return fail('CelType', `the expression cannot be right: ${firstLine(error)}`);
  if (type !== 'bool' && type !== 'dyn') return fail('CelType', `the expression gives ${type} instead of a bool`);
  checkPatterns(parsed.ast, fail);
  return parsed;
}

/** A group that repeats and holds a repetition: on this, backtracking takes for ever. */
const NESTED_REPETITION = /\([^()]*[*+{|][^()]*\)\s*[*+{]/;

/** The library matches by backtracking, which the cost does not see. So a pattern has to be there to be looked at. */
function checkPatterns(node: unknown, fail: (code: ErrorCode, message: string) => never): void {
  if (Array.isArray(node)) {
    for (const item of node as readonly unknown[]) checkPatterns(item, fail);
    return;
  }
  if (typeof node !== 'object' || node === null || !('op' in node) || !('args' in node)) return;
  const { op, args } = node as ASTNode;
  if (op === 'rcall' && args[0] === 'matches') {
    const [pattern] = args[2];
    if (pattern?.op !== 'value' || typeof pattern.args !== 'string')
      fail('CelCost', 'the pattern of matches is not written out');
    else if (pattern.args.length > 200 || NESTED_REPETITION.test(pattern.args)) {
      fail('CelCost', 'the pattern of matches repeats what repeats');
    }
  }
  checkPatterns(args, fail);
}

function contextOf(object: KubeObject): Record<string, unknown> {
  let cost = 0;
  const spend = (): void => {
    if (++cost > MAX_COST) throw new CostError();
  };
  return { spec: {}, status: {}, ...(counted(object, spend) as Record<string, unknown>) };
}

/** Whole numbers become CEL's int, and each look into a list or a map is counted. */
function counted(value: unknown, spend: () => void): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  const copy: object = Array.isArray(value)
    ? value.map((item) => counted(item, spend))
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, counted(item, spend)]));
  return new Proxy(copy, {
    get: (target, key, receiver): unknown => {
      spend();
      return Reflect.get(target, key, receiver);
    },
  });
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && /no such key|unknown variable|no such field|index out of/i.test(thrown.message);
}

function firstLine(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).split('\n', 1)[0] ?? '';
}
