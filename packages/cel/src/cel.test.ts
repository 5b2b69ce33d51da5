import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '@plumb/core';
import { createCel, type CelAnswer, type CelOptions } from './cel.ts';
import { celValue } from './value.ts';

const LIMITS = { steps: 10_000, timeMs: 1_000 };
const OPTIONS: CelOptions = { limits: LIMITS, monotonic: () => 0 };

function answer(text: string, variables: Readonly<Record<string, Json>> = {}, options = OPTIONS): CelAnswer<boolean> {
  const compiled = createCel(options).compile(text, 'bool');
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.error.message);
  const values = Object.entries(variables).map(([name, value]) => [name, celValue(value)] as const);
  return compiled.value.evaluate(Object.fromEntries(values));
}

function codeOf(outcome: CelAnswer<boolean>): string {
  return outcome.kind === 'fault' ? outcome.fault.code : outcome.kind;
}

function refusal(text: string, options = OPTIONS): string {
  const compiled = createCel(options).compile(text, 'bool');
  return compiled.ok ? '' : `${compiled.error.code}: ${compiled.error.message}`;
}

test('an expression over JSON is answered', () => {
  const object = { spec: { replicas: 3, ratio: 0.5, names: ['a', 'b'] } };

  assert.deepEqual(answer('object.spec.replicas >= 3', { object }), { kind: 'value', value: true });
  assert.deepEqual(answer('object.spec.ratio < 0.4', { object }), { kind: 'value', value: false });
  assert.deepEqual(answer('object.spec.names.exists(n, n == "b")', { object }), { kind: 'value', value: true });
});

test('a field that may be missing is asked with has() or with a question mark', () => {
  const object = { spec: {} };

  assert.deepEqual(answer('has(object.spec.replicas)', { object }), { kind: 'value', value: false });
  assert.deepEqual(answer('object.?spec.?replicas.orValue(1) == 1', { object }), { kind: 'value', value: true });
  assert.equal(answer('object.spec.replicas == 1', { object }).kind, 'missing');
});

test('a variable that is not there is found when the expression is read, where the variables are known', () => {
  const options = { ...OPTIONS, variables: ['object'] };

  assert.match(refusal('objekt.kind == "Pod"', options), /^CelType: .*objekt/);
  assert.equal(refusal('object.kind == "Pod"', options), '');
});

test('an answer of another type is a fault, told before where it can be', () => {
  assert.match(refusal('1 + 1'), /^CelType: /);
  assert.equal(codeOf(answer('a', { a: 1 })), 'CelType');
});

test('functions of ours are called with values', () => {
  const functions = { 'twice(string): string': (text: string) => text + text };

  assert.deepEqual(answer('twice("ab") == "abab"', {}, { ...OPTIONS, functions }), { kind: 'value', value: true });
});

const list = Array.from({ length: 200 }, (_, index) => index);
const LITERAL = `[${list.join(',')}]`;

// Each of these would run for minutes, or take all memory.
const bombs: readonly (readonly [string, string])[] = [
  ['nested macros over an object', 'l.all(a, l.all(b, l.all(c, a + b + c >= 0)))'],
  ['nested macros over literals', `${LITERAL}.all(a, ${LITERAL}.all(b, ${LITERAL}.all(c, true)))`],
  ['nested macros over a copy', '[l + []].all(x, x.all(a, x.all(b, x.all(c, true))))'],
  ['nested macros over what a macro made', 'l.map(x, x).all(a, l.map(x, x).all(b, l.map(x, x).all(c, true)))'],
  ['a list that doubles', `[l]${'.map(x, x + x)'.repeat(40)}.size() > 0`],
  ['a text that doubles', `["abcdefgh"]${'.map(x, x + x)'.repeat(40)}.size() > 0`],
  ['bound lists that double', doubling(20)],
  ['an error that is forgiven', 'l.exists(a, l.exists(b, l.exists(c, a + b + c < 0))) || true'],
  ['many errors that are forgiven', 'l.exists(a, l.all(b, l.all(c, c.x)) || true)'],
];

/** `cel.bind(a1, a0 + a0, cel.bind(a2, a1 + a1, …))`. */
function doubling(times: number): string {
  const binds = Array.from({ length: times }, (_, index) => `cel.bind(a${index + 1}, a${index} + a${index}, `);
  return `cel.bind(a0, l, ${binds.join('')}a${times}.size() > 0${')'.repeat(times)})`;
}

for (const [what, text] of bombs) {
  test(`B49: ${what} ends as too costly`, () => {
    assert.equal(codeOf(answer(text, { l: list })), 'CelCost');
  });
}

test('an expression that takes too long ends', () => {
  let now = 0;
  const slow = { limits: { steps: 1_000_000, timeMs: 50 }, monotonic: () => (now += 1) };

  const outcome = answer('l.all(a, l.all(b, a + b >= 0))', { l: list }, slow);

  assert.deepEqual(outcome, { kind: 'fault', fault: { code: 'CelCost', message: 'takes longer than 50 ms' } });
});

test('each evaluation has its own steps, and the same evaluation the same outcome', () => {
  const compiled = createCel(OPTIONS).compile('l.all(a, a >= 0)', 'bool');
  assert.ok(compiled.ok);
  const few = { l: celValue(list) };
  const many = { l: celValue(Array.from({ length: 5_000 }, (_, index) => index)) };

  const outcomes = [few, many, few, few, few, many].map((values) => compiled.value.evaluate(values).kind);

  assert.deepEqual(outcomes, ['value', 'fault', 'value', 'value', 'value', 'fault']);
});

test('a pattern has to be written out, and must not repeat what repeats', () => {
  assert.match(refusal('x.matches(y)'), /^CelCost: /);
  assert.match(refusal('x.matches("(a+)+$")'), /^CelCost: /);
  assert.match(refusal('[x].exists(v, v.matches("(a+)+$"))'), /^CelCost: /);
  assert.equal(refusal('x.matches(":[^/:]+$")'), '');
});

test('no JSON and no text of an expression makes an evaluation throw', () => {
  const cel = createCel({ ...OPTIONS, variables: ['x', 'y'] });
  const part = fc.constantFrom('x', 'y', '.a', '[0]', ' == ', ' + ', '.all(v, v', ')', ' || ', '!', '"t"', '1', '.?b');

  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.jsonValue(), fc.jsonValue(), (parts, x, y) => {
      const compiled = cel.compile(parts.join(''), 'bool');
      if (!compiled.ok) return;
      const outcome = compiled.value.evaluate({ x: celValue(x as Json), y: celValue(y as Json) });
      assert.ok(outcome.kind !== 'value' || typeof outcome.value === 'boolean');
    }),
  );
});
