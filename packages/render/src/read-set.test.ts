import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RendererName, SourceTree } from '@plumb/core';
import { memoryTree, realClock, type MemoryContent, type MemoryFiles } from '@plumb/test-support';
import fc from 'fast-check';
import { askedOnce, isUnchanged, readsCapabilities, readSetDigest, Trace } from './read-set.ts';
import { createRenderer, type Renderer, type RenderOutcome } from './renderer.ts';
import type { Capabilities } from './request.ts';

const { signal } = new AbortController();
const call = { signal };

let renderer: Renderer;

before(() => {
  renderer = createRenderer({ clock: realClock, workers: 1 });
});

after(async () => {
  await renderer[Symbol.asyncDispose]();
});

function render(files: MemoryFiles, capabilities?: Capabilities): Promise<RenderOutcome> {
  return renderer.render({
    tree: memoryTree(files),
    path: 'app',
    release: 'demo',
    namespace: 'shop',
    capabilities,
    signal,
  });
}

function isStill({ reads }: RenderOutcome, files: MemoryFiles, capabilities?: Capabilities): Promise<boolean> {
  return isUnchanged(reads, { tree: memoryTree(files), capabilities }, call);
}

function configMap(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
}

// The trace itself

test('what was asked is written down as it was answered, and what was listed with its id', async () => {
  const tree = memoryTree({ 'a/x': '1', 'b/y': '2', l: { link: 'a' } });
  const trace = new Trace(tree);

  await trace.tree.find('a/x', call);
  await trace.tree.find('none', call);
  await trace.tree.find('l', call);
  await trace.tree.find('b', call);
  await trace.tree.entries('a', call);
  trace.mark('\0capabilities', 'some');

  const reads = await trace.reads(call);
  assert.deepEqual([...reads.keys()].toSorted(), ['\0capabilities', 'a', 'a/x', 'b', 'l', 'none']);
  assert.equal(reads.get('none'), '-');
  assert.equal(reads.get('b'), 'folder');
  assert.equal(reads.get('a'), `tree ${await tree.treeId('a', call)}`);
  assert.equal(readsCapabilities(reads), true);
});

test('reading a file whose id was asked for leaves no trace of its own', async () => {
  const tree = memoryTree({ 'a/x': '1' });
  const trace = new Trace(tree);
  const entries = await tree.entries('a', call);

  assert.deepEqual(await trace.tree.read(entries, call), await tree.read(entries, call));
  assert.deepEqual([...(await trace.reads(call))], []);
});

test('a folder that is gone, a file that is a folder now, and a link that leads elsewhere are changes', async () => {
  const files: MemoryFiles = { 'a/x': '1', 'b/y': '2', l: { link: 'a' } };
  const trace = new Trace(memoryTree(files));
  for (const path of ['a/x', 'b', 'l', 'none']) await trace.tree.find(path, call);
  const reads = await trace.reads(call);
  const isSame = (changed: MemoryFiles) => isUnchanged(reads, { tree: memoryTree(changed) }, call);

  assert.equal(await isSame({ ...files, 'b/more': '3', c: '4' }), true);
  assert.equal(await isSame({ ...files, 'a/x': '2' }), false);
  assert.equal(await isSame({ 'a/x/z': '1', 'b/y': '2', l: { link: 'a' } }), false);
  assert.equal(await isSame({ 'a/x': '1', l: { link: 'a' } }), false);
  assert.equal(await isSame({ ...files, l: { link: 'b' } }), false);
  assert.equal(await isSame({ ...files, l: 'a' }), false);
  assert.equal(await isSame({ ...files, none: '' }), false);
});

test('a digest names the answers, not the order in which they came', () => {
  const reads = new Map([
    ['a', 'file 1'],
    ['b', '-'],
  ]);

  assert.equal(readSetDigest(new Map([...reads].toReversed())), readSetDigest(reads));
  assert.notEqual(readSetDigest(new Map([...reads, ['c', '-']])), readSetDigest(reads));
  assert.notEqual(
    readSetDigest(
      new Map([
        ['a', 'file 2'],
        ['b', '-'],
      ]),
    ),
    readSetDigest(reads),
  );
});

test('many who ask one question at once ask the tree once', async () => {
  const asked: string[] = [];
  const tree: SourceTree = {
    ...memoryTree({ 'a/x': '1' }),
    find: async (path) => {
      asked.push(`find ${path}`);
      return undefined;
    },
    treeId: async (path) => {
      asked.push(`treeId ${path}`);
      return 'id';
    },
  };
  const once = askedOnce(tree);

  await Promise.all([once.find('a', call), once.find('a', call), once.treeId('a', call), once.treeId('a', call)]);
  await once.find('b', call);

  assert.deepEqual(asked, ['find a', 'treeId a', 'find b']);
});

// What renderers read

const CHART: MemoryFiles = {
  'app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
  'app/values.yaml': 'a: 1\n',
  'app/templates/x.yaml': configMap('a'),
};

test('a chart reads all of its folder, its values files, and nothing else', async () => {
  const files: MemoryFiles = { ...CHART, 'shared/v.yaml': 'b: 1\n', 'other/x.yaml': configMap('x') };
  const outcome = await renderer.render({
    tree: memoryTree(files),
    path: 'app',
    release: 'demo',
    namespace: 'shop',
    valuesFiles: ['../shared/v.yaml'],
    signal,
  });

  assert.equal(await isStill(outcome, { ...files, 'other/x.yaml': '', 'shared/w.yaml': '' }), true);
  assert.equal(await isStill(outcome, { ...files, 'shared/v.yaml': 'b: 2\n' }), false);
  assert.equal(await isStill(outcome, { ...files, 'app/templates/y.yaml': '' }), false);
});

test('what the cluster can do counts for charts that ask for it', async () => {
  const one = { kubeVersion: 'v1.30.0', apiVersions: ['v1'] };
  const other = { kubeVersion: 'v1.31.0', apiVersions: ['v1'] };
  const asking: MemoryFiles = { ...CHART, 'app/templates/y.yaml': '# {{ .Capabilities.KubeVersion }}\n' };

  assert.equal(await isStill(await render(CHART, one), CHART, other), true);
  assert.equal(await isStill(await render(asking, one), asking, { ...one }), true);
  assert.equal(await isStill(await render(asking, one), asking, other), false);
});

test('an error reads too: it is told again only when something that it depends on changes', async () => {
  const broken: MemoryFiles = { 'app/kustomization.yaml': 'resources: [none.yaml]\n', 'other/x': '1' };
  const outcome = await render(broken);

  assert.equal(outcome.ok, false);
  assert.equal(await isStill(outcome, { ...broken, 'other/x': '2' }), true);
  assert.equal(await isStill(outcome, { ...broken, 'app/none.yaml': configMap('a') }), false);
});

test('a patch that the spec lays over a kustomization is read, and so is its absence', async () => {
  const files: MemoryFiles = { 'app/kustomization.yaml': 'resources: [a.yaml]\n', 'app/a.yaml': configMap('a') };
  const patched = { ...files, 'over/p.yaml': `${configMap('a')}data: {k: v}\n` };
  const over = (tree: MemoryFiles) =>
    renderer.render({
      tree: memoryTree(tree),
      path: 'app',
      release: 'demo',
      namespace: 'shop',
      kustomize: { patches: [{ path: '../over/p.yaml' }] },
      signal,
    });
  const outcome = await over(patched);
  const missing = await over(files);

  assert.equal(outcome.ok, true);
  assert.equal(await isStill(outcome, { ...patched, 'over/q.yaml': '' }), true);
  assert.equal(await isStill(outcome, { ...patched, 'over/p.yaml': `${configMap('a')}data: {k: w}\n` }), false);
  assert.equal(missing.ok, false);
  assert.equal(await isStill(missing, patched), false);
});

test('links that lead out are read as such: putting them right is a change', async () => {
  for (const files of [
    { 'app/kustomization.yaml': 'resources: [x.yaml]\n', 'app/x.yaml': { link: '../../out' } },
    { 'app/x.yaml': { link: '/etc/passwd' } },
    { ...CHART, 'app/templates/z.yaml': { link: '../../../out' } },
  ] satisfies MemoryFiles[]) {
    const outcome = await render(files);
    const fixed = Object.fromEntries(
      Object.entries(files).map(([path, content]) => [path, typeof content === 'object' ? configMap('a') : content]),
    );

    assert.equal(outcome.ok, false);
    assert.equal(await isStill(outcome, files), true);
    assert.equal(await isStill(outcome, fixed), false);
  }
});

// Properties: nothing read changed, so nothing rendered changed

const SEEDS: Readonly<Record<RendererName, MemoryFiles>> = {
  plain: { 'app/a.yaml': configMap('a'), 'app/b.yaml': { link: '../shared/b.yaml' }, 'shared/b.yaml': configMap('b') },
  values: { 'app/values.yaml': 'a: x\n', 'app/a.yaml': configMap('{{ .Values.a }}'), 'shared/b.yaml': configMap('b') },
  helm: { ...CHART, 'app/templates/_h.tpl': '{{ define "h" }}h{{ end }}', 'shared/b.yaml': configMap('b') },
  kustomize: {
    'app/kustomization.yaml': 'resources: [../base, a.yaml]\nnamePrefix: p-\npatches: [{path: patch.yaml}]\n',
    'app/a.yaml': configMap('a'),
    'app/patch.yaml': `${configMap('b')}data: {k: v}\n`,
    'base/kustomization.yaml': 'resources: [b.yaml, linked]\nconfigMapGenerator: [{name: g, files: [f.txt]}]\n',
    'base/b.yaml': configMap('b'),
    'base/f.txt': 'text',
    'base/linked': { link: '../shared' },
    'shared/kustomization.yaml': 'resources: [c.yaml]\n',
    'shared/c.yaml': configMap('c'),
    'other/kustomization.yaml': 'resources: [d.yaml]\n',
    'other/d.yaml': configMap('d'),
  },
};

interface Edit {
  readonly path: string;
  readonly content: MemoryContent | undefined;
}

function edited(files: MemoryFiles, edits: readonly Edit[]): MemoryFiles {
  const result: Record<string, MemoryContent> = { ...files };
  for (const { path, content } of edits) {
    if (content === undefined) delete result[path];
    else {
      // A file where a folder was, or a folder where a file was, takes its place.
      for (const other of Object.keys(result)) {
        if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) delete result[other];
      }
      result[path] = content;
    }
  }
  return result;
}

const PATHS = [
  'app/a.yaml',
  'app/b.yaml',
  'app/new.yaml',
  'app/patch.yaml',
  'app/kustomization.yml',
  'app/values.yaml',
  'app/templates/x.yaml',
  'base',
  'base/b.yaml',
  'base/f.txt',
  'base/new.yaml',
  'base/linked',
  'base/linked/kustomization.yaml',
  'shared',
  'shared/b.yaml',
  'shared/c.yaml',
  'shared/kustomization.yaml',
  'other/d.yaml',
  'other/new.yaml',
  'README.md',
];

const contents = fc.oneof(
  fc.constantFrom(...['a', 'b', 'c', 'd'].map(configMap)),
  fc.constantFrom('', 'resources: []\n', 'resources: [b.yaml]\n', 'a: [', 'other text'),
  fc.constantFrom('../shared', '../other', 'b.yaml', '../../out', 'linked').map((link) => ({ link })),
  fc.constant(undefined),
);

const edits = fc.array(fc.record({ path: fc.constantFrom(...PATHS), content: contents }), {
  minLength: 1,
  maxLength: 3,
});

for (const [name, files] of Object.entries(SEEDS)) {
  test(`${name}: where nothing that was read changed, the render is the same to the last field`, async () => {
    const kept = await render(files);
    let unchanged = 0;
    let changed = 0;

    await fc.assert(
      fc.asyncProperty(edits, async (some) => {
        const after = edited(files, some);
        if (!(await isStill(kept, after))) {
          changed++;
          return;
        }
        unchanged++;
        const again = await render(after);
        assert.deepEqual(again.documents, kept.documents);
        assert.equal(again.choice?.renderer, kept.choice?.renderer);
        assert.deepEqual(codes(again), codes(kept));
      }),
      { numRuns: 300, seed: 7 },
    );
    assert.ok(unchanged > 20 && changed > 20, `${unchanged} unchanged, ${changed} changed`);
  });
}

test('the same holds for a kustomization that is broken to begin with', async () => {
  const seed = SEEDS.kustomize;
  await fc.assert(
    fc.asyncProperty(edits, edits, async (first, then) => {
      const before = edited(seed, first);
      const kept = await render(before);
      const after = edited(before, then);
      if (!(await isStill(kept, after))) return;
      const again = await render(after);
      assert.deepEqual(again.documents, kept.documents);
      assert.deepEqual(codes(again), codes(kept));
    }),
    { numRuns: 300, seed: 11 },
  );
});

test('a render reads the same in a tree that is the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.values(SEEDS)), edits, async (files, some) => {
      const tree = edited(files, some);
      const [first, second] = [await render(tree), await render(tree)];
      assert.equal(readSetDigest(first.reads), readSetDigest(second.reads));
      assert.deepEqual(second.documents, first.documents);
      assert.deepEqual(codes(second), codes(first));
    }),
    { numRuns: 100, seed: 13 },
  );
});

function codes(outcome: RenderOutcome): readonly string[] {
  return outcome.ok ? [] : outcome.error.map(({ code, message }) => `${code} ${message}`);
}
