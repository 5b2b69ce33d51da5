import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Json, type KubeObject, PlumbError } from '@plumb/core';
import { openHealthAssessor, type HealthAssessor } from './assessor.ts';

const CLOCK = { monotonic: () => performance.now(), now: () => 0 };

function widget(status: object, apiVersion = 'example.org/v1'): KubeObject {
  return { apiVersion, kind: 'Widget', metadata: { name: 'a' }, spec: { replicas: 2 }, status };
}

async function withLua(scripts: Readonly<Record<string, string>>): Promise<HealthAssessor> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-health-'));
  try {
    for (const [path, source] of Object.entries(scripts)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), source);
    }
    return await openHealthAssessor({ luaFolder: folder, ...CLOCK });
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function withRule(rule: Readonly<Record<string, Json>>): Promise<HealthAssessor> {
  const value = { healthCheckExprs: [{ apiVersion: 'example.org/v1', kind: 'Widget', ...rule }] };
  return await openHealthAssessor({ rules: { value, file: 'rules.yaml' }, ...CLOCK });
}

const says = (message: string): string => `return { status = "Healthy", message = "${message}" }`;

test('an exact kind wins over wildcards, and the first wildcard in order over the next', async () => {
  const assessor = await withLua({
    'example.org/Widget/health.lua': says('exact'),
    '_.example.org/_/health.lua': says('group'),
    '_.example.org/Widget/health.lua': says('kind'),
  });

  assert.equal(assessor.assess(widget({})).message, 'exact');
  assert.equal(assessor.assess(widget({}, 'sub.example.org/v1')).message, 'kind');
  assert.equal(assessor.assess(widget({}, 'other.org/v1')).message, 'exists');
});

test('a kind with a rule needs whole objects', async () => {
  const assessor = await withLua({ 'ConfigMap/health.lua': says('core') });

  assert.equal(assessor.needsStatus({ group: '', kind: 'ConfigMap' }), true);
  assert.equal(assessor.needsStatus({ group: '', kind: 'Secret' }), false);
});

test('a script that fails or answers nonsense is Unknown, and says why', async () => {
  const assessor = await withLua({
    'a/Widget/health.lua': 'return obj.none.x',
    'b/Widget/health.lua': 'return { status = "Fine" }',
    'c/Widget/health.lua': 'return nil',
  });

  const healths = ['a/v1', 'b/v1', 'c/v1'].map((version) => assessor.assess(widget({}, version)));

  assert.deepEqual(
    healths.map(({ status }) => status),
    ['Unknown', 'Unknown', 'Unknown'],
  );
  for (const { message } of healths) assert.match(message, /^LuaError: /);
});

test('a script that is no Lua is refused with file and line', async () => {
  await assert.rejects(withLua({ 'a/B/health.lua': 'local x = 1\nif x then' }), (thrown) => {
    assert.ok(thrown instanceof PlumbError);
    assert.equal(thrown.code, 'LuaSyntax');
    assert.equal(thrown.where?.line, 2);
    return true;
  });
});

test('expressions are asked in the order inProgress, failed, current', async () => {
  const assessor = await withRule({
    inProgress: 'status.phase == "Moving"',
    failed: 'status.conditions.exists(c, c.type == "Broken" && c.status == "True")',
    current: 'status.ready == spec.replicas',
  });
  const health = (status: object): string => assessor.assess(widget(status)).status;

  assert.equal(health({ phase: 'Moving', ready: 2 }), 'Progressing');
  assert.equal(health({ conditions: [{ type: 'Broken', status: 'True' }], ready: 2 }), 'Degraded');
  assert.equal(health({ conditions: [], phase: 'Up', ready: 2 }), 'Healthy');
  assert.equal(health({ conditions: [], phase: 'Up', ready: 1 }), 'Progressing');
});

test('B49: a missing status, a wrong type and a cost bomb leave no object stuck', async () => {
  const missing = await withRule({ current: 'status.phase == "Up"' });
  const wrong = await withRule({ current: 'status.phase + 1 == 2' });
  const bomb = await withRule({ current: 'status.l.all(a, status.l.all(b, status.l.all(c, a + b + c >= 0)))' });

  assert.equal(missing.assess(widget({})).status, 'Progressing');
  assert.match(wrong.assess(widget({ phase: 'Up' })).message, /^CelType: /);
  assert.match(bomb.assess(widget({ l: Array.from({ length: 500 }, (_, index) => index) })).message, /^CelCost: /);
});

const refused: readonly (readonly [string, Readonly<Record<string, Json>>, string])[] = [
  ['syntax', { current: 'status.(' }, 'CelSyntax'],
  ['another type than bool', { current: '1 + 1' }, 'CelType'],
  ['a pattern that repeats what repeats', { current: 'status.x.matches("(a+)+$")' }, 'CelCost'],
  ['a pattern that is not written out', { current: 'status.x.matches(status.y)' }, 'CelCost'],
  ['no current', { failed: 'true' }, 'HealthRulesInvalid'],
];

for (const [problem, rule, code] of refused) {
  test(`B49: a rule with ${problem} is refused as ${code}, with its field`, async () => {
    await assert.rejects(withRule(rule), (thrown) => {
      assert.ok(thrown instanceof PlumbError);
      assert.equal(thrown.code, code);
      assert.match(thrown.field ?? '', /^healthCheckExprs\[0\]\.current$/);
      return true;
    });
  });
}

test('a rule that is refused names the line of its expression', async () => {
  const rule = { apiVersion: 'example.org/v1', kind: 'Widget', current: 'status.(' };
  const lineOf = (container: object, entry: string | number) =>
    container === rule && entry === 'current' ? 7 : undefined;
  const rules = { value: { healthCheckExprs: [rule] }, file: 'rules.yaml', lineOf };

  await assert.rejects(openHealthAssessor({ rules, ...CLOCK }), (thrown) => {
    assert.ok(thrown instanceof PlumbError);
    assert.deepEqual(thrown.where, { file: 'rules.yaml', line: 7 });
    return true;
  });
});
