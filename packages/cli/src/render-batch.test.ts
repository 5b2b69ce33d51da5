import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DocumentAt } from '@plumb/core';
import type { Renderer } from '@plumb/render';
import { folderWith } from '../test/folder-with.ts';
import { runCaptured, type CapturedRun } from '../test/run-captured.ts';
import { renderBatch } from './render-batch.ts';

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\ndata: {LEVEL: info}\n';
const TEMPLATE = `apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}", namespace: "{{ .Release.Namespace }}"}
data: {level: "{{ .Values.level }}", tag: "{{ .Values.tag }}"}
`;
const FOLDERS = {
  'plain/a.yaml': CONFIG_MAP,
  'broken/a.yaml': 'a: [\n',
  'values/cm.yaml': TEMPLATE,
  'values/values.yaml': 'level: base\ntag: one\n',
  'values/values-prod.yaml': 'level: prod\n',
  'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'chart/values.yaml': 'level: chart\ntag: one\n',
  'chart/templates/cm.yaml': TEMPLATE,
  'kustomize/kustomization.yaml': 'namePrefix: my-\nresources: [cm.yaml]\n',
  'kustomize/cm.yaml': CONFIG_MAP,
  'more.yaml': 'tag: two\n',
};

interface Answer {
  readonly id: unknown;
  readonly objects?: readonly { readonly metadata: { readonly name: string }; readonly data: object }[];
  readonly error?: { readonly code: string; readonly message: string; readonly file?: string; readonly line?: number };
}

/** The answers to these lines, in the folders above. */
async function answersTo(lines: readonly (object | string)[]): Promise<readonly Answer[]> {
  await using folder = await folderWith(FOLDERS);
  const { code, stdout, stderr } = await runBatch(folder.path, lines);
  assert.deepEqual([code, stderr], [0, '']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Answer => JSON.parse(line));
}

async function runBatch(cwd: string, lines: readonly (object | string)[]): Promise<CapturedRun> {
  await using folder = await folderWith({ 'batch.jsonl': linesText(lines) });
  return await runCaptured(['render', '--batch', join(folder.path, 'batch.jsonl'), '-o', 'jsonl'], { cwd });
}

function linesText(lines: readonly (object | string)[]): string {
  return lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
}

/** A renderer that answers with the name of the release, as soon as `ready` lets it. */
function fakeRenderer(ready: (release: string, signal: AbortSignal) => Promise<void>): Renderer {
  return {
    async render({ release, signal }) {
      await ready(release, signal);
      const documents: readonly DocumentAt[] = [{ value: { release }, origin: { file: 'a.yaml' } }];
      return {
        ok: true,
        value: { renderer: 'plain', objects: [], files: [], warnings: [] },
        ...{ reads: new Map(), choice: undefined, key: '', isCached: false, documents },
      };
    },
    recall: async () => undefined,
    [Symbol.asyncDispose]: async () => {},
  };
}

test('folders of every kind are rendered, and each answer has the id of its line', async () => {
  const answers = await answersTo([
    { id: 'p', dir: 'plain' },
    { id: 7, dir: 'values', release: 'demo' },
    { id: ['c'], dir: 'chart', release: 'demo', namespace: 'shop' },
    { id: null, dir: 'kustomize' },
    { dir: 'plain' },
  ]);

  assert.deepEqual(
    answers.map(({ id, objects }) => [id, objects?.map(({ metadata }) => metadata)]),
    [
      ['p', [{ name: 'env' }]],
      [7, [{ name: 'demo', namespace: 'default' }]],
      [['c'], [{ name: 'demo', namespace: 'shop' }]],
      [null, [{ name: 'my-env' }]],
      [null, [{ name: 'env' }]],
    ],
  );
});

test('values, set, env and renderer of a line count as the flags do', async () => {
  const answers = await answersTo([
    { id: 1, dir: 'values', env: 'prod' },
    { id: 2, dir: 'values', env: 'prod', values: ['more.yaml'] },
    { id: 3, dir: 'chart', values: ['more.yaml'], set: ['level=set', 'tag=three'] },
    { id: 4, dir: 'chart', set: [], values: null },
    { id: 5, dir: 'kustomize', renderer: 'plain' },
  ]);

  assert.deepEqual(
    answers.map(({ objects, error }) => objects?.[0]?.data ?? error?.code),
    [
      { level: 'prod', tag: 'one' },
      { level: 'prod', tag: 'two' },
      { level: 'set', tag: 'three' },
      { level: 'chart', tag: 'one' },
      'RendererUnclear',
    ],
  );
});

test('what is wrong with a line is its answer, with the place, and stops no other', async () => {
  const answers = await answersTo([
    { id: 1, dir: 'broken' },
    '{"id": 2, "dir": "plain"',
    '["plain"]',
    { id: 4 },
    { id: 5, dir: 'nowhere' },
    { id: 6, dir: 'values', values: ['gone.yaml'] },
    { id: 7, dir: 'values', values: 'more.yaml' },
    { id: 8, dir: 'values', release: 1 },
    { id: 9, dir: 'values', renderer: 'jsonnet' },
    { id: 10, dir: 'plain' },
  ]);

  assert.deepEqual(
    answers.map(({ id, error }) => [id, error?.code]),
    [
      [1, 'YamlSyntax'],
      [null, 'Usage'],
      [null, 'Usage'],
      [4, 'Usage'],
      [5, 'PathMissing'],
      [6, 'PathMissing'],
      [7, 'Usage'],
      [8, 'Usage'],
      [9, 'Usage'],
      [10, undefined],
    ],
  );
  assert.equal(answers[0]?.error?.file, 'a.yaml');
  assert.match(answers[1]?.error?.file ?? '', /batch\.jsonl$/);
  assert.equal(answers[1]?.error?.line, 2);
});

test('blank lines are passed over and still counted, and the last line needs no end', async () => {
  await using folder = await folderWith({
    ...FOLDERS,
    'batch.jsonl': '\n{"id":1,"dir":"plain"}\r\n   \n\n{"id":2}\n{"id":3,"dir":"plain"}',
  });

  const { stdout } = await runCaptured(['render', '--batch', 'batch.jsonl', '-o', 'jsonl'], { cwd: folder.path });

  const answers = stdout
    .trim()
    .split('\n')
    .map((line): Answer => JSON.parse(line));
  assert.deepEqual(
    answers.map(({ id, error }) => [id, error?.line]),
    [
      [1, undefined],
      [2, 5],
      [3, undefined],
    ],
  );
});

test('an empty file has no answers', async () => {
  assert.deepEqual(await answersTo([]), []);
});

test('many lines are answered in their order', async () => {
  const lines = Array.from({ length: 300 }, (_, id) => ({ id, dir: id % 7 === 0 ? 'nowhere' : 'plain' }));

  const answers = await answersTo(lines);

  assert.deepEqual(
    answers.map(({ id, objects }) => [id, objects?.length]),
    lines.map(({ id, dir }) => [id, dir === 'plain' ? 1 : undefined]),
  );
});

test('as many folders are worked on at a time as may be, and a later one that is ready first waits its turn', async () => {
  await using folder = await folderWith({ 'plain/a.yaml': CONFIG_MAP });
  await folder.write({
    'batch.jsonl': linesText(['a', 'b', 'c', 'd'].map((release) => ({ id: release, dir: 'plain', release }))),
  });
  const running: string[] = [];
  const ended: string[] = [];
  const allRun = Promise.withResolvers<void>();
  const others = Promise.withResolvers<void>();
  const renderer = fakeRenderer(async (release) => {
    running.push(release);
    if (running.length === 3) allRun.resolve();
    await allRun.promise;
    // The first waits for the other two.
    if (release === 'a') await others.promise;
    ended.push(release);
    if (ended.length === 2) others.resolve();
  });
  const { signal } = new AbortController();

  const answers = [];
  for await (const answer of renderBatch('batch.jsonl', { renderer, cwd: folder.path, signal, concurrency: 3 })) {
    if (answers.length === 0) assert.deepEqual(running.toSorted(), ['a', 'b', 'c']);
    answers.push(answer.id);
  }

  assert.deepEqual(ended.slice(0, 3).at(-1), 'a');
  assert.deepEqual(answers, ['a', 'b', 'c', 'd']);
});

test('an abort ends the batch, and no answer that nobody waits for any more is left over', async (t) => {
  await using folder = await folderWith({ 'plain/a.yaml': CONFIG_MAP });
  await folder.write({ 'batch.jsonl': linesText(Array.from({ length: 8 }, (_, id) => ({ id, dir: 'plain' }))) });
  const stop = new AbortController();
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  t.after(() => process.off('unhandledRejection', note));
  let count = 0;
  const renderer = fakeRenderer(async (_release, signal) => {
    count += 1;
    if (count === 4) stop.abort(new DOMException('SIGINT', 'AbortError'));
    await new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      if (signal.aborted) reject(signal.reason as Error);
    });
  });
  const answers = renderBatch('batch.jsonl', { renderer, cwd: folder.path, signal: stop.signal, concurrency: 4 });

  await assert.rejects(answers.next(), { name: 'AbortError' });
  await new Promise((resolve) => setImmediate(resolve));

  assert.deepEqual(unhandled, []);
});

test('a batch that cannot be read exits 2 and says so', async () => {
  await using folder = await folderWith({ 'folder/a.yaml': CONFIG_MAP });

  const missing = await runCaptured(['render', '--batch', 'gone.jsonl', '-o', 'jsonl'], { cwd: folder.path });
  const noFile = await runCaptured(['render', '--batch', 'folder', '-o', 'jsonl'], { cwd: folder.path });

  for (const { code, stdout, stderr } of [missing, noFile]) {
    assert.equal(code, 2);
    assert.equal(JSON.parse(stdout).error.code, 'PathMissing');
    assert.match(stderr, /^error: the batch \S+ cannot be read\nat: \S+\ncause: E/);
  }
});

test('a flag that would not count in a batch is refused, with what to do instead', async () => {
  await using folder = await folderWith({ 'batch.jsonl': '{"id":1,"dir":"nowhere"}\n' });
  const refused: readonly (readonly [args: readonly string[], message: string])[] = [
    [['plain', '-o', 'jsonl'], '--batch names the folders itself, so plain is one too many'],
    [['--explain', '-o', 'jsonl'], '--explain explains one folder, and --batch renders many'],
    [['-o', 'yaml'], '--batch answers line by line, so it needs -o jsonl'],
    [['-o', 'json'], '--batch answers line by line, so it needs -o jsonl'],
    [[], '--batch answers line by line, so it needs -o jsonl'],
    [['-n', 'shop', '-o', 'jsonl'], '--namespace does not count with --batch'],
    [['--set', 'a=b', '-o', 'jsonl'], '--set does not count with --batch'],
  ];

  for (const [args, message] of refused) {
    const { code, stderr } = await runCaptured(['render', '--batch', 'batch.jsonl', ...args], { cwd: folder.path });
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`^error: ${message}\nfix: `), args.join(' '));
  }
});
