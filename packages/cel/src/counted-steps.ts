import type { ParseResult } from '@marcbachmann/cel-js';

/** What one evaluation may cost. A step is a part of the expression that is worked out once, or an item that it copies. */
export interface StepLimits {
  readonly steps: number;
  readonly timeMs: number;
}

/** Characters that count as one step where a text is made. */
const CHARACTERS_A_STEP = 64;
/** Asking for the time is not free. */
const STEPS_A_LOOK = 64;

/**
 * Counts the steps of an expression that was read and checked. The library has no limit of its own on evaluation: nested
 * macros, lists that double and texts that double would take for ever, or all memory.
 */
export class StepCounter {
  readonly #limits: StepLimits;
  readonly #monotonic: () => number;
  #steps = 0;
  #deadlineMs = 0;
  #exceeded: 'steps' | 'time' | undefined;
  /** Thrown again and again while an evaluation unwinds: `||` and `exists` go on after an error. */
  readonly #stop = new Error('the expression costs too much');

  constructor(expression: ParseResult, limits: StepLimits, monotonic: () => number) {
    this.#limits = limits;
    this.#monotonic = monotonic;
    for (const node of nodesOf(expression.ast)) this.#count(node);
  }

  /** Before each evaluation. */
  start(): void {
    this.#steps = 0;
    this.#exceeded = undefined;
    this.#deadlineMs = this.#monotonic() + this.#limits.timeMs;
  }

  /** What was exceeded since the start. An answer that came nevertheless is none: `costly || true` is not true. */
  get exceeded(): 'steps' | 'time' | undefined {
    return this.#exceeded;
  }

  #count(node: Node): void {
    const { evaluate } = node.meta;
    const makesNew = MAKERS.has(node.op);
    node.setMeta('evaluate', (evaluator: unknown, ast: unknown, context: unknown): unknown => {
      this.#spend(1);
      const value = evaluate.call(node, evaluator, ast, context);
      if (makesNew) this.#spend(sizeOf(value));
      return value;
    });
  }

  #spend(steps: number): void {
    if (this.#exceeded !== undefined) throw this.#stop;
    const before = this.#steps;
    this.#steps += steps;
    if (this.#steps > this.#limits.steps) this.#exceeded = 'steps';
    else if (Math.floor(before / STEPS_A_LOOK) !== Math.floor(this.#steps / STEPS_A_LOOK)) {
      if (this.#monotonic() > this.#deadlineMs) this.#exceeded = 'time';
    }
    if (this.#exceeded !== undefined) throw this.#stop;
  }
}

/** What makes a list or a text that was not there before. */
const MAKERS: ReadonlySet<string> = new Set(['+', 'call', 'rcall']);

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Math.floor(value.length / CHARACTERS_A_STEP);
  return Array.isArray(value) ? value.length : 0;
}

type Evaluate = (evaluator: unknown, ast: unknown, context: unknown) => unknown;

/** A node as the library has it inside: not part of what it promises, so the version is fixed and this is tested. */
interface Node {
  readonly op: string;
  readonly meta: { readonly evaluate: Evaluate; readonly alternate?: unknown; readonly macro?: unknown };
  setMeta(name: 'evaluate', evaluate: Evaluate): void;
}

function isNode(value: object): value is Node {
  return 'op' in value && 'meta' in value && 'setMeta' in value;
}

/** All that is evaluated as such: what stands for another node or a macro only leads to it. */
function nodesOf(root: unknown): readonly Node[] {
  const seen = new Set<object>();
  const nodes: Node[] = [];
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (isNode(value)) {
      const { alternate, macro } = value.meta;
      if (alternate === undefined && macro === undefined) nodes.push(value);
      pending.push(alternate, macro, (value as unknown as { readonly args: unknown }).args);
    } else if (Array.isArray(value)) pending.push(...(value as readonly unknown[]));
    else if (Object.getPrototypeOf(value) === Object.prototype)
      pending.push(...(Object.values(value) as readonly unknown[]));
  }
  if (nodes.length === 0) throw new Error('the library of CEL is built otherwise');
  return nodes;
}
