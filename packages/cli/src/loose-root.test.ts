import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderWith } from '../test/folder-with.ts';
import { runCaptured } from '../test/run-captured.ts';
import { looseRoot } from './loose-root.ts';

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\ndata: {LEVEL: info}\n';
const SECRET = CONFIG_MAP.replace('info', 'very-secret');

test('without a repository, bases above a folder are found, and theirs in turn', async () => {
  await using folder = await folderWith({
    'apps/web/prod/kustomization.yaml': 'namePrefix: prod-\nresources:\n- ../base\n',
    'apps/web/base/kustomization.yml': 'resources: ["../../../shared/common"]\ncomponents: [../extra]\n',
    'apps/web/extra/Kustomization': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -x\n',
    'shared/common/kustomization.yaml': 'resources: [cm.yaml]\n',
    'shared/common/cm.yaml': CONFIG_MAP,
  });

  const { root, folders } = await looseRoot(join(folder.path, 'apps/web/prod'));
  const { code, stdout } = await runCaptured(['render', 'apps/web/prod', '-o', 'json'], { cwd: folder.path });

  assert.equal(root, folder.path);
  assert.deepEqual(folders.map((path) => path.slice(folder.path.length + 1)).toSorted(), [
    'apps/web/base',
    'apps/web/extra',
    'apps/web/prod',
    'shared/common',
  ]);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).objects[0].metadata.name, 'prod-env-x');
});

test('a folder without bases is its own edge, whatever else its kustomization names', async () => {
  await using folder = await folderWith({
    'app/kustomization.yaml':
      'resources: [cm.yaml, ../beside, ../../gone, /etc, ../notes.yaml]\n# - ../../..\nlabels: [{pairs: {a: ../..}}]\n',
    'app/cm.yaml': CONFIG_MAP,
    'beside/cm.yaml': CONFIG_MAP,
    'notes.yaml': CONFIG_MAP,
  });
  const app = join(folder.path, 'app');

  assert.deepEqual(await looseRoot(app), { root: app, folders: [app] });
});

test('links lead out neither of a folder nor of the folders that its bases made visible', async () => {
  await using folder = await folderWith({
    'plain/a.yaml': CONFIG_MAP,
    'over/kustomization.yaml': 'resources: [../base, stolen.yaml]\n',
    'base/kustomization.yaml': 'resources: [cm.yaml]\n',
    'base/cm.yaml': CONFIG_MAP,
    'beside/secret.yaml': SECRET,
  });
  await symlink('../beside/secret.yaml', join(folder.path, 'plain/b.yaml'));
  await symlink('../beside/secret.yaml', join(folder.path, 'over/stolen.yaml'));
  await symlink('../beside', join(folder.path, 'base/stolen'));

  const runs = [await runCaptured(['render', 'plain'], { cwd: folder.path })];
  runs.push(await runCaptured(['render', 'over'], { cwd: folder.path }));
  await folder.write({
    'over/kustomization.yaml': 'resources: [../base]\n',
    'base/kustomization.yaml': 'configMapGenerator: [{name: x, files: [stolen/secret.yaml]}]\n',
  });
  runs.push(await runCaptured(['render', 'over'], { cwd: folder.path }));

  for (const { code, stdout, stderr } of runs) {
    assert.equal(code, 2, stderr);
    assert.doesNotMatch(stdout + stderr, /very-secret/);
  }
});

test('a base that is a link shows nothing of where it leads', async () => {
  await using folder = await folderWith({
    'over/kustomization.yaml': 'resources: [../linked]\n',
    'elsewhere/kustomization.yaml': 'resources: [secret.yaml]\n',
    'elsewhere/secret.yaml': SECRET,
  });
  await symlink('elsewhere', join(folder.path, 'linked'));

  const { code, stdout, stderr } = await runCaptured(['render', 'over'], { cwd: folder.path });

  assert.equal(code, 2);
  assert.doesNotMatch(stdout + stderr, /very-secret/);
});

test('bases that lead back to each other end, as an error with the place', async () => {
  await using folder = await folderWith({
    'a/kustomization.yaml': 'resources: [../b]\n',
    'b/kustomization.yaml': 'resources: [../a]\n',
  });

  const { code, stdout } = await runCaptured(['render', 'a', '-o', 'json'], { cwd: folder.path });

  assert.equal(code, 2);
  assert.equal(JSON.parse(stdout).error.code, 'KustomizeCycle');
});

test('of a chain without end a thousand folders are looked at', async () => {
  await using folder = await folderWith({});
  const name = (index: number) => join(folder.path, `f${index}`);
  for (let index = 0; index < 1010; index++) {
    await mkdir(name(index));
    await writeFile(join(name(index), 'kustomization.yaml'), `resources: [../f${index + 1}]\n`);
  }

  const { root, folders } = await looseRoot(name(0));

  assert.equal(root, folder.path);
  assert.equal(folders.length, 1000);
  assert.equal(folders.at(-1), name(999));
});
