import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlumbError } from '@plumb/core';
import { isUnchanged } from '@plumb/render';
import { memoryTree, type MemoryFiles } from '@plumb/test-support';
import { PolicyFiles, type NamedPolicies, type PolicySource } from './policy-files.ts';

const call = { signal: new AbortController().signal };
const policy = (name: string, action = 'deny'): string =>
  `policies:\n  - name: ${name}\n    action: ${action}\n    expression: 'true'\n`;
const SOURCE: PolicySource = { files: ['policies'], starter: false };

function policyFiles(): PolicyFiles {
  return new PolicyFiles({ monotonic: () => 0 });
}

async function read(files: MemoryFiles, source: PolicySource = SOURCE): Promise<NamedPolicies> {
  const result = await policyFiles().read(source, memoryTree(files), call);
  assert.ok(result.ok);
  return result.value;
}

async function errorsOf(files: MemoryFiles, source: PolicySource = SOURCE): Promise<readonly PlumbError[]> {
  const result = await policyFiles().read(source, memoryTree(files), call);
  return result.ok ? [] : result.error;
}

test('of a folder its YAML and JSON files are read by name, those below it and others are not', async () => {
  const { policies } = await read({
    'policies/b.yaml': policy('b'),
    'policies/a.yml': policy('a'),
    'policies/c.json': '{"policies":[{"name":"c","action":"warn","expression":"true"}]}',
    'policies/README.md': 'policies: []',
    'policies/below/d.yaml': policy('d'),
  });

  assert.deepEqual(
    policies.map(({ name }) => name),
    ['a', 'b', 'c'],
  );
});

test('files are laid over the starter set in the order in which they are named, links followed', async () => {
  const files = {
    'shared/base.yaml': 'policies: [{name: no-latest-tag, action: deny}]',
    'team/own.yaml': 'policies: [{name: no-latest-tag, action: off}]',
    'policies/link.yaml': { link: '../shared/base.yaml' },
  };

  const { policies } = await read(files, { files: ['./policies/', 'team/own.yaml'], starter: true });
  const { policies: reversed } = await read(files, { files: ['team/own.yaml', 'policies'], starter: true });

  const actionIn = (all: typeof policies) => all.find(({ name }) => name === 'no-latest-tag')?.actions[0]?.action;
  assert.equal(policies.length, 8);
  assert.deepEqual([actionIn(policies), actionIn(reversed)], ['off', 'deny']);
});

test('all that is wrong is told with its place: a path that is not there, YAML, and a policy', async () => {
  const gone = await errorsOf({ 'a.yaml': '' }, { files: ['policies', 'b.yaml', 'a.yaml/c.yaml'], starter: true });
  const empty = await errorsOf({ 'policies/README.md': '' });
  const escaping = await errorsOf({ 'policies/a.yaml': { link: '../../etc/passwd' } });
  const yaml = await errorsOf({ 'policies/a.yaml': 'policies: [', 'policies/b.yaml': policy('b') });
  const cel = await errorsOf({ 'policies/a.yaml': policy('a').replace("'true'", "'object.('") });

  const told = (errors: readonly PlumbError[]) =>
    errors.map(({ code, where }) => `${code} ${where?.file}${where?.line === undefined ? '' : `:${where.line}`}`);
  assert.deepEqual(told(gone), ['PolicyInvalid policies', 'PolicyInvalid b.yaml', 'PolicyInvalid a.yaml/c.yaml']);
  assert.deepEqual(told(empty), ['PolicyInvalid policies']);
  assert.deepEqual(told(escaping), ['SymlinkEscape policies/a.yaml']);
  assert.equal(yaml.length, 1);
  assert.equal(yaml[0]?.where?.file, 'policies/a.yaml');
  assert.deepEqual(told(cel), ['CelSyntax policies/a.yaml:4']);
});

test('the digest stands for what the policies say, not for how that is written', async () => {
  const { digest } = await read({ 'policies/a.yaml': policy('a') });
  const commented = await read({ 'policies/a.yaml': `# Asked for by the team.\n${policy('a')}` });
  const moved = await read({ 'policies/z.yaml': policy('a') });
  const other = await read({ 'policies/a.yaml': policy('a', 'warn') });
  const withStarter = await read({ 'policies/a.yaml': policy('a') }, { ...SOURCE, starter: true });

  assert.equal(commented.digest, digest);
  assert.equal(moved.digest, digest);
  assert.equal(new Set([digest, other.digest, withStarter.digest]).size, 3);
});

test('a commit is news to whoever is judged where it touches the files, also one that was not there', async () => {
  const files = { 'policies/a.yaml': policy('a'), 'deploy/app.yaml': 'x' };
  const source: PolicySource = { files: ['policies', 'late.yaml'], starter: true };
  const reads = await policyFiles().reads(source, memoryTree(files), call);
  const isSame = (more: MemoryFiles) => isUnchanged(reads, { tree: memoryTree({ ...files, ...more }) }, call);

  assert.equal(await isSame({ 'deploy/app.yaml': 'y' }), true);
  assert.equal(await isSame({ 'policies/a.yaml': policy('b') }), false);
  assert.equal(await isSame({ 'policies/b.yaml': policy('b') }), false);
  assert.equal(await isSame({ 'late.yaml': policy('b') }), false);
});
