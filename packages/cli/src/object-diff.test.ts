import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderWith } from '../test/folder-with.ts';
import { runCaptured, type CapturedRun } from '../test/run-captured.ts';

const LIVE = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMap
    metadata:
      name: env
      namespace: shop
      uid: 3d9e
      managedFields:
        - manager: plumb
          operation: Apply
          apiVersion: v1
          fieldsV1: {"f:data": {"f:LEVEL": {}, "f:OLD": {}}}
        - manager: team
          operation: Update
          apiVersion: v1
          fieldsV1: {"f:data": {"f:THEIRS": {}}}
    data: {LEVEL: info, OLD: x, THEIRS: y}
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: left, namespace: shop}
`;

const SAME = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\ndata: {LEVEL: info, OLD: x}\n';
const OTHER = SAME.replace('info', 'debug').replace(', OLD: x', '');
const NEW = '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: flags}\ndata: {a: "1"}\n';

async function diff(desired: string, ...flags: readonly string[]): Promise<CapturedRun> {
  await using folder = await folderWith({ 'live.yaml': LIVE, 'desired.yaml': desired });
  return await runCaptured(['diff', '--live', 'live.yaml', '--desired', 'desired.yaml', ...flags], {
    cwd: folder.path,
  });
}

test('what applying would change is listed, with exit code 1', async () => {
  const { code, stdout, stderr } = await diff(OTHER + NEW);

  assert.equal(code, 1);
  assert.equal(
    stdout,
    `Diff  live.yaml → desired.yaml
  ~ change  ConfigMap/env (shop)  data LEVEL info → debug
                                  data OLD removed (was x)
  + create  ConfigMap/flags
1 changed, 1 created, 0 unchanged.
2 changes, 3 normalised (1 owner, 2 server).
`,
  );
  assert.equal(stderr, 'note: only in live.yaml, and not compared: ConfigMap/left\n');
});

test('no change is exit code 0, and what is no change is listed with its reason on request', async () => {
  const { code, stdout } = await diff(SAME, '--show-normalised');

  assert.equal(code, 0);
  assert.equal(
    stdout,
    `Diff  live.yaml → desired.yaml
1 unchanged.
0 changes, 3 normalised (1 owner, 2 server).

ConfigMap/env (shop)
  data.THEIRS             owner team
  metadata.managedFields  server
  metadata.uid            server
`,
  );
});

test('the data have kind, namespace, name and changes of each object that differs', async () => {
  const { code, stdout } = await diff(OTHER + NEW, '-o', 'json');
  const { items, counts, normalised } = JSON.parse(stdout);

  assert.equal(code, 1);
  assert.deepEqual(items, [
    {
      ...{ action: 'change', apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'env' },
      changes: [
        { path: 'data.LEVEL', before: 'info', after: 'debug' },
        { path: 'data.OLD', before: 'x' },
      ],
    },
    {
      ...{ action: 'create', apiVersion: 'v1', kind: 'ConfigMap', namespace: '', name: 'flags' },
      changes: [{ path: 'data', after: { a: '1' } }],
    },
  ]);
  assert.deepEqual(counts, { change: 1, create: 1, unchanged: 0, changes: 2, normalised: 3, liveOnly: 1 });
  assert.equal(normalised, undefined);
  assert.deepEqual(JSON.parse((await diff(SAME, '-o', 'json')).stdout).items, []);
});

test('the reasons are among the data on request', async () => {
  const { stdout } = await diff(SAME, '-o', 'json', '--show-normalised');

  assert.deepEqual(JSON.parse(stdout).normalised[0], {
    ...{ kind: 'ConfigMap', namespace: 'shop', name: 'env' },
    ...{ path: 'data.THEIRS', reason: 'owner', managers: ['team'] },
  });
});

test('values of Secrets are on no stream', async () => {
  const secret = (value: string): string =>
    `apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: shop}\ndata: {password: ${value}}\n`;
  await using folder = await folderWith({
    'live.yaml': secret('aHVudGVyMg=='),
    'desired.yaml': `${secret('Y2FuYXJ5')}---\n${secret('Y2FuYXJ5').replace('keys', 'more')}`,
  });
  const run = async (...flags: readonly string[]): Promise<CapturedRun> =>
    await runCaptured(['diff', '--live', 'live.yaml', '--desired', 'desired.yaml', ...flags], { cwd: folder.path });
  const runs = [await run(), await run('-o', 'json', '--show-normalised')];

  for (const { stdout, stderr } of runs) {
    assert.doesNotMatch(stdout + stderr, /aHVudGVyMg|hunter2|Y2FuYXJ5|canary/);
    assert.match(stdout, /\(secret [0-9a-f]{8}\)/);
  }
});

test('what cannot be compared is exit code 2, with the way to say it', async () => {
  await using folder = await folderWith({ 'a.yaml': SAME, 'twice.yaml': `${SAME}---\n${SAME}`, 'bad.yaml': 'a: [' });
  const run = async (...flags: readonly string[]): Promise<CapturedRun> =>
    await runCaptured(['diff', ...flags], { cwd: folder.path });

  const wrong = [
    [],
    ['--live', 'a.yaml'],
    ['--live', '-', '--desired', '-'],
    ['--live', 'a.yaml', '--desired', 'none.yaml'],
    ['--live', 'a.yaml', '--desired', 'bad.yaml'],
    ['--live', 'a.yaml', '--desired', 'twice.yaml'],
    ['--live', 'a.yaml', '--desired', 'a.yaml', 'A..B'],
    ['--render'],
  ];
  for (const flags of wrong) {
    const { code, stderr } = await run(...flags);
    assert.equal(code, 2, `${flags.join(' ')}: ${stderr}`);
    assert.match(stderr, /^fix: /m);
  }
});

test('a file without owners is compared by what is desired, and a note says so', async () => {
  await using folder = await folderWith({ 'live.yaml': SAME, 'desired.yaml': SAME.replace(', OLD: x', '') });
  const { code, stderr } = await runCaptured(['diff', '--live', 'live.yaml', '--desired', 'desired.yaml'], {
    cwd: folder.path,
  });

  assert.equal(code, 0);
  assert.match(stderr, /without managedFields.*ConfigMap\/env.*--show-managed-fields/);
});
