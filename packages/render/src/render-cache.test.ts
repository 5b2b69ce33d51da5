import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { SourceTree } from '@plumb/core';
import { memoryTree, realClock, type MemoryFiles } from '@plumb/test-support';
import { openDiskCache } from './disk-cache.ts';
import type { RenderCache } from './render-cache.ts';
import { createRenderer, type Renderer, type RenderOutcome } from './renderer.ts';
import type { RenderRequest } from './request.ts';

const { signal } = new AbortController();
const key = randomBytes(32);

let folder: string;
let renderer: Renderer;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-render-cache-'));
});

beforeEach(async () => {
  await renderer?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
  renderer = openRenderer();
});

after(async () => {
  await renderer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Has nothing in memory: what it knows, it knows from the disk. */
function openRenderer(): Renderer {
  return createRenderer({ clock: realClock, workers: 2, cache: openCache() });
}

function openCache(): RenderCache {
  return openDiskCache({ folder, key, clock: realClock });
}

function configMap(name: string, data = 'a: b'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;
}

const BASE: MemoryFiles = {
  'app/kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: p-\n',
  'app/a.yaml': configMap('a'),
};

const CHART: MemoryFiles = {
  'app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
  'app/templates/a.yaml': configMap('a', 'v: "{{ .Release.Namespace }}"'),
};

/** A tree that counts how often the file that every build reads first is read. */
function countedTree(files: MemoryFiles): { readonly tree: SourceTree; readonly builds: () => number } {
  const tree = memoryTree(files);
  let builds = 0;
  const counted: SourceTree = {
    ...tree,
    read: (entries, call) => {
      if (entries.some(({ path }) => path === 'app/kustomization.yaml')) builds++;
      return tree.read(entries, call);
    },
  };
  return { tree: counted, builds: () => builds };
}

function render(tree: SourceTree, more: Partial<RenderRequest> = {}): Promise<RenderOutcome> {
  return renderer.render({ tree, path: 'app', release: 'demo', namespace: 'shop', signal, ...more });
}

function names(outcome: RenderOutcome): readonly string[] {
  return outcome.ok
    ? outcome.value.objects.map(({ object }) => object.metadata.name)
    : assert.fail('it was not rendered');
}

test('a render is kept, for this process and for the next, and is the same then', async () => {
  for (const files of [
    BASE,
    CHART,
    { 'app/x.yaml': configMap('x') },
    { 'app/values.yaml': '', 'app/x.yaml': configMap('x') },
  ]) {
    const tree = memoryTree(files);
    const first = await render(tree);
    const second = await render(tree);
    await renderer[Symbol.asyncDispose]();
    renderer = openRenderer();
    const third = await render(tree);

    assert.deepEqual(
      [first, second, third].map(({ isCached }) => isCached),
      [false, true, true],
    );
    assert.deepEqual({ ...second, isCached: false }, first);
    assert.deepEqual({ ...third, isCached: false }, first);
  }
});

test('a commit elsewhere renders nothing, and one that changes what was read does', async () => {
  await render(memoryTree(BASE));

  assert.equal((await render(memoryTree({ ...BASE, 'other/x': '1' }))).isCached, true);
  const changed = await render(memoryTree({ ...BASE, 'app/a.yaml': configMap('b') }));
  assert.deepEqual([changed.isCached, names(changed)], [false, ['p-b']]);
  // And back: both contents are kept.
  assert.equal((await render(memoryTree(BASE))).isCached, true);
});

test('an earlier render can be asked for without rendering, as long as nothing of it has changed', async () => {
  const request = { tree: memoryTree(BASE), path: 'app', release: 'demo', namespace: 'shop', signal };
  assert.equal(await renderer.recall(request), undefined);
  const { reads } = await renderer.render(request);

  assert.deepEqual(await renderer.recall(request), reads);
  assert.deepEqual(await renderer.recall({ ...request, tree: memoryTree({ ...BASE, x: '' }) }), reads);
  assert.equal(await renderer.recall({ ...request, tree: memoryTree({ ...BASE, 'app/a.yaml': '' }) }), undefined);
  assert.equal(await renderer.recall({ ...request, path: 'none' }), undefined);
});

test('what is damaged on the disk is rendered again', async () => {
  const tree = memoryTree(BASE);
  const first = await render(tree);
  for (const damage of [Buffer.from(''), randomBytes(500)]) {
    for (const file of await filesIn(folder)) await writeFile(file, damage);
    await renderer[Symbol.asyncDispose]();
    renderer = openRenderer();

    const again = await render(tree);
    assert.equal(again.isCached, false);
    assert.deepEqual(again.documents, first.documents);
  }
});

test('the folder of the cache may go while it is used', async () => {
  const tree = memoryTree(BASE);
  await render(tree);
  await rm(folder, { recursive: true });

  assert.deepEqual(names(await render(tree)), ['p-a']);
  await rm(folder, { recursive: true, force: true });
  assert.deepEqual(names(await render(memoryTree({ ...BASE, 'app/a.yaml': configMap('b') }))), ['p-b']);
});

test('an error is not kept', async () => {
  const broken = memoryTree({ ...BASE, 'app/a.yaml': 'a: [' });
  const [first, second] = [await render(broken), await render(broken)];

  assert.deepEqual([first.ok, first.isCached, second.ok, second.isCached], [false, false, false, false]);
  assert.deepEqual(await filesIn(folder), []);
});

test('a render whose randomness is chance is neither kept nor shared', async () => {
  const files = { ...CHART, 'app/templates/a.yaml': configMap('a', 'v: "{{ randAlphaNum 20 }}"') };
  const tree = memoryTree(files);
  const values = async (more: Partial<RenderRequest>) =>
    (await Promise.all([1, 2, 3].map(() => render(tree, more)))).map(({ documents }) => JSON.stringify(documents));

  assert.equal(new Set(await values({})).size, 1);
  const chances = [1, 2, 3].map((at) => render(tree, { isVolatile: true, seed: `chance ${at}` }));
  const outcomes = await Promise.all(chances);
  assert.equal(new Set(outcomes.map(({ documents }) => JSON.stringify(documents))).size, 3);
  assert.equal(
    outcomes.some(({ isCached }) => isCached),
    false,
  );
});

test('a Secret stands nowhere on the disk in clear text, in none of its spellings', async () => {
  const canary = 'c4n4ry-of-a-secret-value';
  const base64 = Buffer.from(canary).toString('base64');
  const secret = `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: ${canary}}\n`;
  const generated = `secretGenerator: [{name: g, literals: [p=${canary}]}]\nresources: [s.yaml]\n`;
  await render(memoryTree({ 'app/kustomization.yaml': generated, 'app/s.yaml': secret }));
  await render(memoryTree({ ...CHART, 'app/templates/s.yaml': secret }), { set: [`p=${canary}`] });
  await render(memoryTree({ 'app/s.yaml': secret }));

  const files = await filesIn(folder);
  assert.equal(files.length, 3);
  for (const file of files) {
    const bytes = await readFile(file);
    for (const text of [canary, base64, base64.slice(0, 16), 'Secret', 'stringData']) {
      assert.equal(bytes.includes(text) || file.includes(text), false, text);
    }
  }
});

test('a thousand applications of one base are one build, whatever their namespaces', async () => {
  const { tree, builds } = countedTree(BASE);
  const outcomes: RenderOutcome[] = [];
  for (let at = 0; at < 1000; at++) {
    outcomes.push(await render(tree, { namespace: `ns-${at}`, release: `r-${at}` }));
  }

  assert.equal(builds(), 1);
  assert.equal(outcomes.filter(({ isCached }) => isCached).length, 999);
  assert.equal(new Set(outcomes.map((outcome) => JSON.stringify(names(outcome)))).size, 1);
});

test('a thousand that come at once share one build, and each is answered', async () => {
  const { tree, builds } = countedTree(BASE);

  const outcomes = await Promise.all(
    Array.from({ length: 1000 }, (_, at) => render(tree, { namespace: `ns-${at}`, release: `r-${at}` })),
  );

  assert.equal(builds(), 1);
  assert.deepEqual(new Set(outcomes.flatMap(names)), new Set(['p-a']));
});

test('those who share a build that fails are each told of it, and of what it read', async () => {
  const { tree, builds } = countedTree({ ...BASE, 'app/kustomization.yaml': 'resources: [none.yaml]\n' });

  const outcomes = await Promise.all(Array.from({ length: 20 }, (_, at) => render(tree, { namespace: `ns-${at}` })));

  assert.equal(builds(), 1);
  for (const outcome of outcomes) {
    assert.deepEqual(outcome.ok ? [] : outcome.error.map(({ code }) => code), ['PathMissing']);
    assert.equal(outcome.reads.get('app/none.yaml'), '-');
  }
});

test('charts are shared by nobody whose namespace differs', async () => {
  const tree = memoryTree(CHART);

  const outcomes = await Promise.all(['a', 'b'].map((namespace) => render(tree, { namespace })));

  assert.deepEqual(
    outcomes.map((outcome) => (outcome.ok ? outcome.value.objects[0]?.object['data'] : undefined)),
    [{ v: 'a' }, { v: 'b' }],
  );
});

test('who waits for the render of another that gives up renders it himself', async () => {
  const { tree, builds } = countedTree(BASE);
  const leader = new AbortController();
  const first = assert.rejects(render(tree, { signal: leader.signal }), /no longer wanted/);
  const others = Array.from({ length: 10 }, () => render(tree));

  leader.abort(new Error('no longer wanted'));

  await first;
  assert.deepEqual(
    (await Promise.all(others)).map(names),
    Array.from({ length: 10 }, () => ['p-a']),
  );
  assert.ok(builds() <= 2);
});

test('who gives up while another renders ends at once, and stops nobody', async () => {
  const { tree, builds } = countedTree(BASE);
  const follower = new AbortController();
  const first = render(tree);
  const second = assert.rejects(render(tree, { signal: follower.signal }), /changed my mind/);

  follower.abort(new Error('changed my mind'));

  await second;
  assert.deepEqual(names(await first), ['p-a']);
  assert.equal(builds(), 1);
});

async function filesIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
