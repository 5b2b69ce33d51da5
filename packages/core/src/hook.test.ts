import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkObjects } from './check-object.ts';
import type { PlumbError } from './error.ts';
import { hookOf, HOOK_PHASES } from './hook.ts';
import type { JsonObject, KubeObject } from './object.ts';

const ORIGIN = { file: 'deploy/migrate.yaml', line: 4 };

function job(annotations: Record<string, string>): KubeObject {
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate', namespace: 'shop', annotations } };
}

function read(annotations: Record<string, string>) {
  const errors: PlumbError[] = [];
  return { hook: hookOf(job(annotations), ORIGIN, errors), errors };
}

const TABLE: readonly [string, Record<string, string>, readonly string[] | undefined, readonly string[]][] = [
  ['no annotation is no hook', {}, undefined, []],
  ['Plumb’s own name', { 'plumb.dev/hook': 'PreSync' }, ['PreSync'], []],
  ['several phases of Argo CD', { 'argocd.argoproj.io/hook': 'PostSync, PreSync' }, ['PreSync', 'PostSync'], []],
  ['Skip never runs', { 'argocd.argoproj.io/hook': 'Skip' }, [], []],
  ['Plumb’s name wins', { 'plumb.dev/hook': 'Sync', 'argocd.argoproj.io/hook': 'PreSync' }, ['Sync'], []],
  ['Argo CD’s name wins over Helm', { 'argocd.argoproj.io/hook': 'Sync', 'helm.sh/hook': 'pre-install' }, ['Sync'], []],
  ['both beginnings of Helm are one', { 'helm.sh/hook': 'pre-install,pre-upgrade' }, ['PreSync'], []],
  [
    'both ends of Helm',
    { 'helm.sh/hook': 'post-install, pre-delete,post-delete' },
    ['PostSync', 'PreDelete', 'PostDelete'],
    [],
  ],
  ['a test of Helm never runs', { 'helm.sh/hook': 'test' }, [], []],
  ['a rollback has no hooks', { 'helm.sh/hook': 'pre-rollback' }, [], []],
  ['crd-install is an ordinary object', { 'helm.sh/hook': 'crd-install' }, undefined, []],
  [
    'delete policies of Argo CD',
    { 'argocd.argoproj.io/hook': 'Sync', 'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation,HookSucceeded' },
    ['Sync'],
    ['succeeded'],
  ],
  [
    'delete policies of Helm',
    { 'helm.sh/hook': 'post-upgrade', 'helm.sh/hook-delete-policy': 'hook-failed,hook-succeeded' },
    ['PostSync'],
    ['failed', 'succeeded'],
  ],
];

for (const [name, annotations, phases, deleteOn] of TABLE) {
  test(`hooks: ${name}`, () => {
    const { hook, errors } = read(annotations);
    assert.deepEqual(hook?.phases, phases);
    assert.deepEqual(hook?.deleteOn ?? [], deleteOn);
    assert.deepEqual(errors, []);
  });
}

test('an unknown phase or policy is an error that lists the known ones', () => {
  for (const annotations of [
    { 'argocd.argoproj.io/hook': 'Presync' },
    { 'helm.sh/hook': 'before-install' },
    { 'plumb.dev/hook': 'Sync', 'plumb.dev/hook-delete-policy': 'Never' },
    { 'helm.sh/hook': 'toString' },
  ]) {
    const [error, ...others] = read(annotations).errors;
    assert.deepEqual(others, []);
    assert.equal(error?.code, 'ObjectInvalid');
    assert.deepEqual(error.where, ORIGIN);
    assert.match(error.fix, /Write one of .*(PreSync|pre-install|HookSucceeded)/);
  }
});

test('any text gives phases that exist, or an error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { hook, errors } = read({ 'plumb.dev/hook': text });
      assert.ok(hook?.phases.every((phase) => HOOK_PHASES.includes(phase)));
      const words = text.split(/[\s,]+/).filter((word) => word !== '' && word !== 'Skip');
      assert.equal(errors.length, words.filter((word) => !HOOK_PHASES.some((phase) => phase === word)).length);
    }),
  );
});

test('a hook that is named by generateName has the same name in every run, and another one with another content', () => {
  const nameOf = (image: string): string | undefined => {
    const value: JsonObject = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { generateName: 'migrate-', annotations: { 'argocd.argoproj.io/hook': 'PreSync' } },
      spec: { template: { spec: { containers: [{ name: 'a', image }] } } },
    };
    const { objects, errors } = checkObjects([{ value, origin: ORIGIN }], { namespace: 'shop' });
    assert.deepEqual(errors, []);
    return objects[0]?.object.metadata.name;
  };
  assert.match(nameOf('a:1') ?? '', /^migrate-[0-9a-f]{8}$/);
  assert.equal(nameOf('a:1'), nameOf('a:1'));
  assert.notEqual(nameOf('a:1'), nameOf('a:2'));
});

test('an ordinary object cannot be named by generateName', () => {
  const value = { apiVersion: 'batch/v1', kind: 'Job', metadata: { generateName: 'migrate-' } };
  const { errors } = checkObjects([{ value, origin: ORIGIN }], { namespace: 'shop' });
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['ForbiddenField'],
  );
});
