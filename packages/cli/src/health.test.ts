import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folderWith } from '../test/folder-with.ts';
import { runCaptured } from '../test/run-captured.ts';

const BIN = fileURLToPath(new URL('../bin/plumb.mjs', import.meta.url));

interface Item {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly status: string;
  readonly message: string;
}

function itemsOf(stdout: string): readonly Item[] {
  return (JSON.parse(stdout) as { items: readonly Item[] }).items;
}

/** `Widget/a Healthy`, in the order of the answer. */
function wordsOf(stdout: string): readonly string[] {
  return itemsOf(stdout).map(({ kind, name, status }) => `${kind}/${name} ${status}`);
}

function widget(name: string, status: object, apiVersion = 'example.org/v1'): object {
  return { apiVersion, kind: 'Widget', metadata: { name, namespace: 'shop' }, spec: { size: 2 }, status };
}

const UP = { phase: 'Running' };
const BROKEN = { phase: 'Failed', message: 'no disk' };

test('health answers for one object with its identity, status and message', async () => {
  await using folder = await folderWith({ 'a.json': JSON.stringify(widget('a', BROKEN)) });

  const { code, stdout, stderr } = await runCaptured(['health', '-f', 'a.json', '-o', 'json'], { cwd: folder.path });

  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(JSON.parse(stdout), {
    items: [
      {
        apiVersion: 'example.org/v1',
        kind: 'Widget',
        namespace: 'shop',
        name: 'a',
        status: 'Degraded',
        message: 'phase is Failed: no disk',
      },
    ],
  });
});

const YAML = `apiVersion: example.org/v1
kind: Widget
metadata: {name: c}
status: {phase: Failed}
---
# nothing here
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: b}
status: {phase: Pending}
`;

test('health keeps the order of the documents', async () => {
  await using folder = await folderWith({ 'all.yaml': YAML });

  const { stdout } = await runCaptured(['health', '-f', 'all.yaml', '-o', 'json'], { cwd: folder.path });

  assert.deepEqual(wordsOf(stdout), ['Widget/c Degraded', 'ConfigMap/a Healthy', 'Widget/b Progressing']);
});

test('health unfolds lists, those of one kind too', async () => {
  const typed = { apiVersion: 'example.org/v1', kind: 'WidgetList', items: [{ metadata: { name: 'z' }, status: UP }] };
  const list = { apiVersion: 'v1', kind: 'List', items: [widget('b', UP), typed, widget('a', BROKEN)] };
  await using folder = await folderWith({ 'list.json': JSON.stringify(list) });

  const { stdout } = await runCaptured(['health', '-f', 'list.json', '-o', 'json'], { cwd: folder.path });

  assert.deepEqual(wordsOf(stdout), ['Widget/b Healthy', 'Widget/z Healthy', 'Widget/a Degraded']);
});

test('health answers with no items for an empty list', async () => {
  await using folder = await folderWith({ 'none.yaml': 'apiVersion: v1\nkind: List\nitems: []\n' });

  const { code, stdout } = await runCaptured(['health', '-f', 'none.yaml', '-o', 'json'], { cwd: folder.path });

  assert.equal(code, 0);
  assert.deepEqual(itemsOf(stdout), []);
});

test('health reads standard input of the real program', async () => {
  const child = spawn(process.execPath, [BIN, 'health', '-f', '-', '-o', 'json'], { cwd: tmpdir(), stdio: 'pipe' });
  child.stdin.end(YAML);

  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);

  assert.equal(stderr, '');
  assert.deepEqual(wordsOf(stdout), ['Widget/c Degraded', 'ConfigMap/a Healthy', 'Widget/b Progressing']);
});

test('health is a table for people', async () => {
  await using folder = await folderWith({ 'a.json': JSON.stringify(widget('a', BROKEN)) });

  const { stdout } = await runCaptured(['health', '-f', 'a.json'], { cwd: folder.path });

  assert.match(stdout, /^HEALTH +NAMESPACE +OBJECT +MESSAGE\nDegraded +shop +Widget\/a +phase is Failed: no disk\n$/);
});

test('health shows what runs to an end as kstatus does, and waits for nothing', async () => {
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j' }, status: { startTime: 'x', active: 1 } };
  await using folder = await folderWith({ 'job.json': JSON.stringify(job) });

  const { stdout } = await runCaptured(['health', '-f', 'job.json', '-o', 'json'], { cwd: folder.path });

  assert.deepEqual(wordsOf(stdout), ['Job/j Healthy']);
});

const SCRIPT = `local hs = { status = "Progressing", message = "waiting" }
if obj.status ~= nil and obj.status.ready ~= nil then
  hs.status = obj.status.ready >= obj.spec.size and "Healthy" or "Degraded"
  hs.message = obj.status.ready .. " of " .. obj.spec.size
end
return hs
`;
const RULES = `healthCheckExprs:
  - apiVersion: example.org/v1
    kind: Widget
    failed: status.ready == 0
    current: status.ready == spec.size
`;
const SCRIPTED = {
  'list.json': JSON.stringify([widget('a', { ready: 2 }), widget('b', { ready: 1 }), widget('c', UP)]),
  'lua/example.org/Widget/health.lua': SCRIPT,
  'rules.yaml': RULES,
};

test('health asks scripts of the user first', async () => {
  await using folder = await folderWith(SCRIPTED);

  const { stdout } = await runCaptured(['health', '-f', 'list.json', '--lua', 'lua', '-o', 'json'], {
    cwd: folder.path,
  });

  assert.deepEqual(
    itemsOf(stdout).map(({ status, message }) => [status, message]),
    [
      ['Healthy', '2 of 2'],
      ['Degraded', '1 of 2'],
      ['Progressing', 'waiting'],
    ],
  );
});

test('health asks rules in CEL before scripts', async () => {
  await using folder = await folderWith(SCRIPTED);

  const { stdout } = await runCaptured(
    ['health', '-f', 'list.json', '--lua', 'lua', '--rules', 'rules.yaml', '-o', 'json'],
    { cwd: folder.path },
  );

  assert.deepEqual(wordsOf(stdout), ['Widget/a Healthy', 'Widget/b Progressing', 'Widget/c Progressing']);
});

test('a script that fails is Unknown for its object alone', async () => {
  const objects = [widget('a', UP), widget('b', UP, 'other.org/v1')];
  await using folder = await folderWith({
    'list.json': JSON.stringify(objects),
    'lua/example.org/Widget/health.lua': 'return obj.none.x',
  });

  const { code, stdout } = await runCaptured(['health', '-f', 'list.json', '--lua', 'lua', '-o', 'json'], {
    cwd: folder.path,
  });

  assert.equal(code, 0);
  assert.deepEqual(wordsOf(stdout), ['Widget/a Unknown', 'Widget/b Healthy']);
  assert.match(itemsOf(stdout)[0]?.message ?? '', /^LuaError: .*health\.lua:1: /);
});

const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no file', [], /the file is missing/],
  ['a file that is not there', ['-f', 'nowhere.yaml'], /nowhere\.yaml cannot be read/],
  ['a file that is no YAML', ['-f', 'bad.yaml'], /at: bad\.yaml:\d/],
  ['a document that is no object', ['-f', 'text.yaml'], /the document is no object/],
  ['an object without a kind', ['-f', 'kindless.json'], /the object has no kind/],
  ['bytes that are no text', ['-f', 'bytes.yaml'], /bytes\.yaml is not UTF-8/],
  ['a folder without scripts', ['-f', 'good.json', '--lua', '.'], /holds no GROUP\/KIND\/health\.lua/],
  ['a script that is no Lua', ['-f', 'good.json', '--lua', 'lua'], /health\.lua:2/],
  ['rules that are none', ['-f', 'good.json', '--rules', 'good.json'], /has no list healthCheckExprs/],
  ['a rule that cannot be read', ['-f', 'good.json', '--rules', 'rules.yaml'], /rules\.yaml:4/],
];

for (const [says, flags, expected] of refused) {
  test(`health with ${says} ends with 2 and names the place`, async () => {
    await using folder = await folderWith({
      'good.json': JSON.stringify(widget('a', UP)),
      'bad.yaml': 'apiVersion: v1\nkind: [\n',
      'text.yaml': 'just a text\n',
      'kindless.json': '{"apiVersion":"v1"}',
      'lua/example.org/Widget/health.lua': 'local x = 1\nif x then',
      'rules.yaml': 'healthCheckExprs:\n- apiVersion: example.org/v1\n  kind: Widget\n  current: "status.("\n',
    });
    await folder.writeBytes('bytes.yaml', Uint8Array.of(0x61, 0xff, 0xfe));

    const { code, stdout, stderr } = await runCaptured(['health', ...flags], { cwd: folder.path });

    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, expected);
  });
}
