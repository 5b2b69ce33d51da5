import { LuaSyntaxError, tokensOf, type Token } from './lexer.ts';
import { type Meter } from './meter.ts';
import { type ArithmeticEvent, type Operators } from './operators.ts';
import { LuaError, LuaTable, numberOf, truthy, typeOf, type LuaFunction, type Value } from './value.ts';

/** A variable: what closures share when they capture it. */
interface Box {
  value: Value;
}

/** One running call. */
interface Frame {
  readonly slots: Box[];
  readonly captured: readonly Box[];
  readonly rest: readonly Value[];
}

/** How a statement ended, if not at its end. */
type Ending = undefined | 'break' | { readonly values: readonly Value[] } | { readonly label: string };
type Statement = (frame: Frame) => Ending;
type Evaluate = (frame: Frame) => Value;

interface Expression {
  readonly one: Evaluate;
  /** All values, of a call or `...`. */
  readonly many?: (frame: Frame) => readonly Value[];
  readonly assign?: (frame: Frame) => (value: Value) => void;
  readonly isCall?: boolean;
  /** For messages: `global 'x'`, `field 'y'`. */
  readonly name: string;
}

interface Scope {
  readonly parent: Scope | undefined;
  readonly blocks: Map<string, number>[];
  slots: number;
  readonly captures: { readonly name: string; readonly fromSlot: boolean; readonly index: number }[];
  readonly hasRest: boolean;
}

const PRIORITY: Readonly<Record<string, readonly [number, number]>> = {
  or: [1, 1],
  and: [2, 2],
  '<': [3, 3],
  '>': [3, 3],
  '<=': [3, 3],
  '>=': [3, 3],
  '~=': [3, 3],
  '==': [3, 3],
  '..': [5, 4],
  '+': [6, 6],
  '-': [6, 6],
  '*': [7, 7],
  '/': [7, 7],
  '%': [7, 7],
  '^': [10, 9],
};

const UNARY_PRIORITY = 8;

const EVENTS: Readonly<Record<string, ArithmeticEvent>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '^': 'pow',
};

/** Levels of nesting that a script may have; deeper ones would exhaust the stack of the process. */
const MAX_NESTING = 150;

export interface Runtime {
  readonly operators: Operators;
  readonly meter: Meter;
  readonly globals: LuaTable;
  /** Stands before messages: the name of the file. */
  readonly chunk: string;
}

/** Reads a script into functions that run it. Throws `LuaSyntaxError`. */
export function compile(source: string, runtime: Runtime): LuaFunction {
  return new Compiler(source, runtime).chunk();
}

class Compiler {
  readonly #tokens: readonly Token[];
  readonly #runtime: Runtime;
  #at = 0;
  #nesting = 0;
  #scope: Scope = { parent: undefined, blocks: [new Map<string, number>()], slots: 0, captures: [], hasRest: true };

  constructor(source: string, runtime: Runtime) {
    this.#tokens = tokensOf(source);
    this.#runtime = runtime;
  }

  chunk(): LuaFunction {
    const body = this.#block(['<eof>']);
    return { name: 'main chunk', call: (rest) => run(body, { slots: [], captured: [], rest }) };
  }

  get #token(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new LuaSyntaxError('unexpected end', 0);
    return token;
  }

  #is(text: string): boolean {
    const { type } = this.#token;
    return this.#token.text === text && (type === 'word' || type === 'sign' || type === 'end');
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) this.#fail(`'${text}' expected`);
  }

  #name(): string {
    const { type, text } = this.#token;
    if (type !== 'name') this.#fail('<name> expected');
    this.#at++;
    return text;
  }

  #fail(message: string): never {
    throw new LuaSyntaxError(`${message} near '${this.#token.text.slice(0, 40)}'`, this.#token.line);
  }

  #nested<T>(read: () => T): T {
    if (++this.#nesting > MAX_NESTING) this.#fail('chunk has too many syntax levels');
    try {
      return read();
    } finally {
      this.#nesting--;
    }
  }

  #declare(name: string): number {
    const slot = this.#scope.slots++;
    this.#scope.blocks.at(-1)?.set(name, slot);
    return slot;
  }

  #inBlock<T>(read: () => T): T {
    this.#scope.blocks.push(new Map());
    try {
      return read();
    } finally {
      this.#scope.blocks.pop();
    }
  }

  #block(ends: readonly string[]): Statement {
    return this.#nested(() => {
      const statements: Statement[] = [];
      const labels = new Map<string, number>();
      while (!ends.some((end) => this.#is(end))) {
        if (this.#accept('::')) {
          labels.set(this.#name(), statements.length);
          this.#expect('::');
          continue;
        }
        const isLast = this.#is('return') || this.#is('break');
        statements.push(this.#located(this.#statement(ends)));
        while (this.#accept(';'));
        if (isLast && !ends.some((end) => this.#is(end))) this.#fail(`'${ends[0] ?? ''}' expected`);
      }
      return sequence(statements, labels, this.#runtime.meter);
    });
  }

  /** Errors name the line of their statement. */
  #located(statement: { readonly line: number; readonly run: Statement }): Statement {
    const { chunk } = this.#runtime;
    const { line, run: execute } = statement;
    return (frame) => {
      try {
        return execute(frame);
      } catch (thrown) {
        throw locate(thrown, chunk, line);
      }
    };
  }

  #statement(ends: readonly string[]): { readonly line: number; readonly run: Statement } {
    const { line } = this.#token;
    return { line, run: this.#unlocated(ends) };
  }

  #unlocated(ends: readonly string[]): Statement {
    if (this.#accept(';')) return () => undefined;
    if (this.#accept('if')) return this.#if();
    if (this.#accept('while')) return this.#while();
    if (this.#accept('do')) return this.#inner('end');
    if (this.#accept('for')) return this.#inBlock(() => this.#for());
    if (this.#accept('repeat')) return this.#repeat();
    if (this.#accept('function')) return this.#functionStatement();
    if (this.#accept('local')) return this.#accept('function') ? this.#localFunction() : this.#local();
    if (this.#accept('return')) return this.#return(ends);
    if (this.#accept('break')) return () => 'break';
    if (this.#accept('goto')) {
      const label = this.#name();
      return () => ({ label });
    }
    return this.#expressionStatement();
  }

  #inner(end: string): Statement {
    const body = this.#inBlock(() => this.#block([end]));
    this.#expect(end);
    return body;
  }

  #if(): Statement {
    const branches: { readonly condition: Evaluate; readonly body: Statement }[] = [];
    let otherwise: Statement | undefined;
    const branch = (): void => {
      const condition = this.#expression().one;
      this.#expect('then');
      branches.push({ condition, body: this.#inBlock(() => this.#block(['elseif', 'else', 'end'])) });
    };
    branch();
    while (this.#accept('elseif')) branch();
    if (this.#accept('else')) otherwise = this.#inBlock(() => this.#block(['end']));
    this.#expect('end');
    return (frame) => {
      for (const { condition, body } of branches) if (truthy(condition(frame))) return body(frame);
      return otherwise?.(frame);
    };
  }

  #while(): Statement {
    const condition = this.#expression().one;
    this.#expect('do');
    const body = this.#inner('end');
    const { meter } = this.#runtime;
    return (frame) => {
      while (truthy(condition(frame))) {
        meter.step();
        const ending = body(frame);
        if (ending === 'break') return undefined;
        if (ending !== undefined) return ending;
      }
      return undefined;
    };
  }

  #repeat(): Statement {
    const { meter } = this.#runtime;
    return this.#inBlock(() => {
      const body = this.#block(['until']);
      this.#expect('until');
      const condition = this.#expression().one;
      return (frame) => {
        do {
          meter.step();
          const ending = body(frame);
          if (ending === 'break') return undefined;
          if (ending !== undefined) return ending;
        } while (!truthy(condition(frame)));
        return undefined;
      };
    });
  }

  #for(): Statement {
    const first = this.#name();
    if (this.#accept('=')) return this.#numericFor(first);
    const names = [first];
    while (this.#accept(',')) names.push(this.#name());
    this.#expect('in');
    const values = this.#expressions();
    this.#expect('do');
    const slots = names.map((name) => this.#declare(name));
    const body = this.#inner('end');
    const { operators, meter } = this.#runtime;
    return (frame) => {
      const [iterate, state, start] = values(frame);
      let control = start;
      for (;;) {
        meter.step();
        const next = operators.call(iterate, [state, control], 'for iterator');
        control = next[0];
        if (control === undefined) return undefined;
        slots.forEach((slot, index) => (frame.slots[slot] = { value: next[index] }));
        const ending = body(frame);
        if (ending === 'break') return undefined;
        if (ending !== undefined) return ending;
      }
    };
  }

  #numericFor(name: string): Statement {
    const start = this.#expression().one;
    this.#expect(',');
    const limit = this.#expression().one;
    const step = this.#accept(',') ? this.#expression().one : undefined;
    this.#expect('do');
    const slot = this.#declare(name);
    const body = this.#inner('end');
    const { meter } = this.#runtime;
    return (frame) => {
      const from = forNumber(start(frame), 'initial');
      const to = forNumber(limit(frame), 'limit');
      const by = step === undefined ? 1 : forNumber(step(frame), 'step');
      for (let value = from; by > 0 ? value <= to : value >= to; value += by) {
        meter.step();
        frame.slots[slot] = { value };
        const ending = body(frame);
        if (ending === 'break') return undefined;
        if (ending !== undefined) return ending;
      }
      return undefined;
    };
  }

  #functionStatement(): Statement {
    let name = this.#name();
    let target = this.#variable(name);
    let isMethod = false;
    while (!isMethod && (this.#is('.') || this.#is(':'))) {
      isMethod = this.#is(':');
      this.#at++;
      const field = this.#name();
      name += `${isMethod ? ':' : '.'}${field}`;
      target = this.#field(target, () => field, field);
    }
    const body = this.#function(name, isMethod);
    return (frame) => {
      target.assign?.(frame)(body(frame));
      return undefined;
    };
  }

  #localFunction(): Statement {
    const name = this.#name();
    const slot = this.#declare(name);
    const body = this.#function(name, false);
    return (frame) => {
      const box: Box = { value: undefined };
      frame.slots[slot] = box;
      box.value = body(frame);
      return undefined;
    };
  }

  #local(): Statement {
    const names = [this.#name()];
    while (this.#accept(',')) names.push(this.#name());
    const values = this.#accept('=') ? this.#expressions() : undefined;
    const slots = names.map((name) => this.#declare(name));
    return (frame) => {
      const given = values?.(frame) ?? [];
      slots.forEach((slot, index) => (frame.slots[slot] = { value: given[index] }));
      return undefined;
    };
  }

  #return(ends: readonly string[]): Statement {
    if (this.#is(';') || ends.some((end) => this.#is(end))) return () => ({ values: [] });
    const values = this.#expressions();
    return (frame) => ({ values: values(frame) });
  }

  #expressionStatement(): Statement {
    const first = this.#suffixed();
    if (!this.#is('=') && !this.#is(',')) {
      if (first.isCall !== true) this.#fail('syntax error');
      return (frame) => {
        first.one(frame);
        return undefined;
      };
    }
    const targets = [first];
    while (this.#accept(',')) targets.push(this.#suffixed());
    this.#expect('=');
    const values = this.#expressions();
    if (targets.some(({ assign }) => assign === undefined)) this.#fail('cannot assign to this');
    return (frame) => {
      const setters = targets.map(({ assign }) => assign?.(frame));
      const given = values(frame);
      setters.forEach((set, index) => set?.(given[index]));
      return undefined;
    };
  }

  /** A list of expressions: all values of the last one, one of each other. */
  #expressions(): (frame: Frame) => readonly Value[] {
    const list = [this.#expression()];
    while (this.#accept(',')) list.push(this.#expression());
    return allOf(list);
  }

  #expression(limit = 0): Expression {
    return this.#nested(() => {
      let left = this.#unary();
      for (;;) {
        const operator = this.#token.type === 'sign' || this.#token.type === 'word' ? this.#token.text : '';
        const priority = PRIORITY[operator];
        if (priority === undefined || priority[0] <= limit) return left;
        this.#at++;
        left = single(this.#binary(operator, left.one, this.#expression(priority[1]).one));
      }
    });
  }

  #unary(): Expression {
    const { operators } = this.#runtime;
    if (this.#accept('not')) {
      const { one } = this.#expression(UNARY_PRIORITY);
      return single((frame) => !truthy(one(frame)));
    }
    if (this.#accept('-')) {
      const { one } = this.#expression(UNARY_PRIORITY);
      return single((frame) => {
        const value = one(frame);
        const number = numberOf(value);
        if (number !== undefined) return -number;
        const handler = value instanceof LuaTable ? value.meta?.get('__unm') : undefined;
        if (handler !== undefined) return operators.call(handler, [value])[0];
        throw new LuaError(`attempt to perform arithmetic on a ${typeOf(value)} value`);
      });
    }
    if (this.#accept('#')) {
      const { one } = this.#expression(UNARY_PRIORITY);
      return single((frame) => operators.length(one(frame)));
    }
    return this.#simple();
  }

  #binary(operator: string, left: Evaluate, right: Evaluate): Evaluate {
    const { operators } = this.#runtime;
    const event = EVENTS[operator];
    if (event !== undefined) return (frame) => operators.arithmetic(event, left(frame), right(frame));
    switch (operator) {
      case 'and':
        return (frame) => {
          const value = left(frame);
          return truthy(value) ? right(frame) : value;
        };
      case 'or':
        return (frame) => {
          const value = left(frame);
          return truthy(value) ? value : right(frame);
        };
      case '..':
        return (frame) => operators.concat(left(frame), right(frame));
      case '==':
        return (frame) => operators.equal(left(frame), right(frame));
      case '~=':
        return (frame) => !operators.equal(left(frame), right(frame));
      case '<':
        return (frame) => operators.less(left(frame), right(frame), false);
      case '<=':
        return (frame) => operators.less(left(frame), right(frame), true);
      case '>':
        return (frame) => {
          const first = left(frame);
          return operators.less(right(frame), first, false);
        };
      default:
        return (frame) => {
          const first = left(frame);
          return operators.less(right(frame), first, true);
        };
    }
  }

  #simple(): Expression {
    const { type, text, number } = this.#token;
    if (type === 'number' || type === 'string') {
      this.#at++;
      const value = type === 'number' ? number : text;
      return single(() => value);
    }
    if (this.#accept('nil')) return single(() => undefined);
    if (this.#accept('true')) return single(() => true);
    if (this.#accept('false')) return single(() => false);
    if (this.#accept('function')) return single(this.#function('anonymous', false));
    if (this.#is('{')) return single(this.#table());
    if (this.#accept('...')) {
      if (!this.#scope.hasRest) this.#fail("cannot use '...' outside a vararg function");
      return { one: (frame) => frame.rest[0], many: (frame) => frame.rest, name: '...' };
    }
    return this.#suffixed();
  }

  #suffixed(): Expression {
    let expression: Expression;
    if (this.#accept('(')) {
      expression = single(this.#expression().one);
      this.#expect(')');
    } else expression = this.#variable(this.#name());
    for (;;) {
      if (this.#accept('.')) {
        const field = this.#name();
        expression = this.#field(expression, () => field, field);
      } else if (this.#accept('[')) {
        const key = this.#expression().one;
        this.#expect(']');
        expression = this.#field(expression, key, '?');
      } else if (this.#accept(':')) expression = this.#call(expression, this.#name());
      else if (this.#is('(') || this.#is('{') || this.#token.type === 'string') expression = this.#call(expression);
      else return expression;
    }
  }

  #call(callee: Expression, method?: string): Expression {
    const { operators } = this.#runtime;
    const given = this.#arguments();
    const target = callee.one;
    const many =
      method === undefined
        ? (frame: Frame) => operators.call(target(frame), given(frame), callee.name)
        : (frame: Frame) => {
            const self = target(frame);
            const called = operators.index(self, method, callee.name);
            return operators.call(called, [self, ...given(frame)], `method '${method}'`);
          };
    return { one: (frame) => many(frame)[0], many, isCall: true, name: '' };
  }

  #arguments(): (frame: Frame) => readonly Value[] {
    const { type, text } = this.#token;
    if (type === 'string') {
      this.#at++;
      return () => [text];
    }
    if (this.#is('{')) {
      const table = this.#table();
      return (frame) => [table(frame)];
    }
    this.#expect('(');
    if (this.#accept(')')) return () => [];
    const values = this.#expressions();
    this.#expect(')');
    return values;
  }

  #table(): Evaluate {
    this.#expect('{');
    const positional: Expression[] = [];
    const fields: { readonly key: Evaluate; readonly value: Evaluate }[] = [];
    while (!this.#is('}')) {
      const next = this.#tokens[this.#at + 1];
      if (this.#token.type === 'name' && next?.type === 'sign' && next.text === '=') {
        const name = this.#name();
        this.#expect('=');
        fields.push({ key: () => name, value: this.#expression().one });
      } else if (this.#accept('[')) {
        const key = this.#expression().one;
        this.#expect(']');
        this.#expect('=');
        fields.push({ key, value: this.#expression().one });
      } else positional.push(this.#expression());
      if (!this.#accept(',') && !this.#accept(';')) break;
    }
    this.#expect('}');
    const { operators, meter } = this.#runtime;
    const values = allOf(positional);
    return (frame) => {
      meter.allocate(64);
      const table = new LuaTable();
      for (const { key, value } of fields) operators.assign(table, key(frame), value(frame));
      values(frame).forEach((value, index) => {
        operators.assign(table, index + 1, value);
      });
      return table;
    };
  }

  #function(name: string, isMethod: boolean): (frame: Frame) => LuaFunction {
    this.#expect('(');
    const parameters = isMethod ? ['self'] : [];
    let hasRest = false;
    while (!this.#is(')')) {
      if (this.#accept('...')) {
        hasRest = true;
        break;
      }
      parameters.push(this.#name());
      if (!this.#accept(',')) break;
    }
    this.#expect(')');
    const scope: Scope = { parent: this.#scope, blocks: [new Map<string, number>()], slots: 0, captures: [], hasRest };
    this.#scope = scope;
    for (const parameter of parameters) this.#declare(parameter);
    const body = this.#block(['end']);
    this.#expect('end');
    if (scope.parent !== undefined) this.#scope = scope.parent;
    const { meter } = this.#runtime;
    const { captures } = scope;
    return (outer) => {
      meter.allocate(64);
      const captured = captures.map(({ fromSlot, index }) => boxAt(fromSlot ? outer.slots : outer.captured, index));
      return {
        name,
        call: (values) => {
          const slots: Box[] = parameters.map((_, index) => ({ value: values[index] }));
          return run(body, { slots, captured, rest: hasRest ? values.slice(parameters.length) : [] });
        },
      };
    };
  }

  #variable(name: string): Expression {
    const found = find(this.#scope, name);
    if (found !== undefined) {
      const { fromSlot, index } = found;
      const box = (frame: Frame): Box => boxAt(fromSlot ? frame.slots : frame.captured, index);
      return {
        one: (frame) => box(frame).value,
        assign: (frame) => (value) => {
          box(frame).value = value;
        },
        name: `local '${name}'`,
      };
    }
    const { operators, globals } = this.#runtime;
    return {
      one: () => operators.index(globals, name),
      assign: () => (value) => {
        operators.assign(globals, name, value);
      },
      name: `global '${name}'`,
    };
  }

  #field(target: Expression, key: Evaluate, name: string): Expression {
    const { operators } = this.#runtime;
    return {
      one: (frame) => operators.index(target.one(frame), key(frame), target.name),
      assign: (frame) => {
        const object = target.one(frame);
        const at = key(frame);
        return (value) => {
          operators.assign(object, at, value, target.name);
        };
      },
      name: `field '${name}'`,
    };
  }
}

function single(one: Evaluate): Expression {
  return { one, name: '' };
}

function allOf(list: readonly Expression[]): (frame: Frame) => readonly Value[] {
  const last = list.at(-1);
  if (last?.many === undefined) return (frame) => list.map(({ one }) => one(frame));
  const { many } = last;
  if (list.length === 1) return many;
  const firsts = list.slice(0, -1);
  return (frame) => [...firsts.map(({ one }) => one(frame)), ...many(frame)];
}

function sequence(statements: readonly Statement[], labels: ReadonlyMap<string, number>, meter: Meter): Statement {
  return (frame) => {
    for (let index = 0; index < statements.length; index++) {
      const ending = statements[index]?.(frame);
      if (ending === undefined) continue;
      const target = typeof ending === 'object' && 'label' in ending ? labels.get(ending.label) : undefined;
      if (target === undefined) return ending;
      meter.step();
      index = target - 1;
    }
    return undefined;
  };
}

function run(body: Statement, frame: Frame): readonly Value[] {
  const ending = body(frame);
  if (ending === undefined) return [];
  if (ending === 'break') throw new LuaError('no loop to break');
  if ('label' in ending) throw new LuaError(`no visible label '${ending.label}' for goto`);
  return ending.values;
}

function boxAt(boxes: readonly Box[], index: number): Box {
  const box = boxes[index];
  if (box === undefined) throw new LuaError('a variable is used before its declaration');
  return box;
}

function find(scope: Scope, name: string): { readonly fromSlot: boolean; readonly index: number } | undefined {
  for (const block of scope.blocks.toReversed()) {
    const slot = block.get(name);
    if (slot !== undefined) return { fromSlot: true, index: slot };
  }
  const known = scope.captures.findIndex((capture) => capture.name === name);
  if (known >= 0) return { fromSlot: false, index: known };
  const outer = scope.parent === undefined ? undefined : find(scope.parent, name);
  if (outer === undefined) return undefined;
  scope.captures.push({ name, ...outer });
  return { fromSlot: false, index: scope.captures.length - 1 };
}

function forNumber(value: Value, what: string): number {
  const number = numberOf(value);
  if (number === undefined) throw new LuaError(`'for' ${what} value must be a number`);
  return number;
}

/** Puts file and line before the message of an error that has none; the innermost statement comes first. */
function locate(thrown: unknown, chunk: string, line: number): unknown {
  if (thrown instanceof RangeError) return new LuaError(`${chunk}:${line}: stack overflow`);
  if (!(thrown instanceof LuaError) || typeof thrown.value !== 'string' || thrown.isLocated) return thrown;
  return new LuaError(`${chunk}:${line}: ${thrown.value}`, true);
}
