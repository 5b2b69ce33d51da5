import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@plumb/engine';
import { openHealthAssessor, type HealthAssessor } from '@plumb/health';
import { isHealthyAt, startFixture, type EngineFixture, type KubeLike } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

// The kind has a controller whose words no convention knows: without a rule of the user an object of it is well at once.

const CLOCK = { monotonic: () => systemClock.monotonic(), now: () => systemClock.now() };

const SCRIPT = `local hs = { status = "Progressing", message = "the glue dries" }
if obj.status ~= nil and obj.status.glue == "dry" then
  hs.status = "Healthy"
  hs.message = "holds"
elseif obj.status ~= nil and obj.status.glue == "spilt" then
  hs.status = "Degraded"
  hs.message = "glue on " .. obj.status.on
end
return hs
`;

/** As `plumb up --health-lua DIR` reads it. */
async function byScript(group: string): Promise<HealthAssessor> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-rules-'));
  try {
    await mkdir(join(folder, group, 'Widget'), { recursive: true });
    await writeFile(join(folder, group, 'Widget', 'health.lua'), SCRIPT);
    return await openHealthAssessor({ luaFolder: folder, ...CLOCK });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As `plumb up --health-rules FILE` reads it. */
async function byExpressions(group: string): Promise<HealthAssessor> {
  const rule = { apiVersion: `${group}/v1`, kind: 'Widget', current: 'status.glue == "dry"' };
  return await openHealthAssessor({ rules: { value: { healthCheckExprs: [rule] }, file: 'rules.yaml' }, ...CLOCK });
}

/** An engine with these rules, and a kind `Widget` of the group. */
async function startWith(health: HealthAssessor, group: string): Promise<EngineFixture> {
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    subresources: { status: {} },
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  };
  return await startFixture({ prefix: 'rules', health }, async (plumb) => {
    const definition = await plumb.cluster.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      body: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `widgets.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
          versions: [version],
        },
      },
    });
    assert.equal(definition.status, 201);
    await plumb.git.create('shop');
  });
}

function widget(group: string): string {
  return `apiVersion: ${group}/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n`;
}

/** What its controller would write. */
async function report(plumb: EngineFixture, group: string, status: object): Promise<void> {
  const url = `/apis/${group}/v1/namespaces/${plumb.namespace}/widgets/w/status`;
  const contentType = 'application/merge-patch+json';
  assert.equal((await plumb.cluster.request('PATCH', url, { body: { status }, contentType })).status, 200);
}

function says(words: string): (application: KubeLike) => boolean {
  return ({ status }) => JSON.stringify(status ?? '').includes(words);
}

test('a target waits for a custom resource as the script of the user says', async () => {
  const group = 'script-rules.example.com';
  await using plumb = await startWith(await byScript(group), group);
  const commit = await plumb.git.commit('shop', { 'deploy/w.yaml': widget(group) });
  await plumb.application('shop');

  const waiting = await plumb.until('shop', says('the glue dries'));
  await report(plumb, group, { glue: 'spilt', on: 'the floor' });
  const degraded = await plumb.until('shop', ({ status }) => status?.state === 'Degraded');
  await report(plumb, group, { glue: 'dry' });
  await plumb.until('shop', isHealthyAt(commit));

  assert.equal(waiting.status.state, 'Syncing');
  assert.match(degraded.status.message, /^Widget\/w: glue on the floor/);
});

test('a later wave waits until the expression of the user holds', async () => {
  const group = 'expression-rules.example.com';
  await using plumb = await startWith(await byExpressions(group), group);
  const name = 'name: after';
  const after = configMap('after').replace(name, `${name}\n  annotations: {plumb.dev/sync-wave: "1"}`);
  const commit = await plumb.git.commit('shop', { 'deploy/w.yaml': widget(group), 'deploy/after.yaml': after });
  await plumb.application('shop');

  await plumb.until('shop', says('neither inProgress, failed nor current holds'));
  const early = await plumb.get('v1', 'configmaps', 'after');
  await report(plumb, group, { glue: 'dry' });
  await plumb.until('shop', isHealthyAt(commit));
  const late = await plumb.get('v1', 'configmaps', 'after');

  assert.equal(early, undefined);
  assert.notEqual(late, undefined);
});
