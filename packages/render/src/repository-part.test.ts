import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PlumbError, type Json, type SourceTree } from '@plumb/core';
import { memoryTree, realClock, type MemoryContent, type MemoryFiles } from '@plumb/test-support';
import fc from 'fast-check';
import { createRenderer, type Renderer } from './renderer.ts';
import { RepositoryPart } from './repository-part.ts';
import { FrameWriter } from './sandbox/frame.ts';
import { Guest } from './sandbox/guest.ts';
import { loadModule } from './sandbox/module.ts';
import { readReply } from './sandbox/reply.ts';

const { signal } = new AbortController();

let renderer: Renderer;
let guest: Guest;

before(async () => {
  renderer = createRenderer({ clock: realClock, workers: 1 });
  guest = new Guest(await loadModule('kustomize'), { nowMs: 0, seed: '' });
});

after(async () => {
  await renderer[Symbol.asyncDispose]();
});

async function partOf(files: MemoryFiles, ...paths: readonly string[]): Promise<RepositoryPart> {
  const part = new RepositoryPart(memoryTree(files));
  await part.add(paths.length === 0 ? ['app'] : paths, { signal });
  return part;
}

function isError(code: string, file?: string) {
  return (thrown: unknown) => thrown instanceof PlumbError && thrown.code === code && thrown.where?.file === file;
}

function configMap(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
}

test('what a kustomization names is there from the start, and so on from base to base', async () => {
  const part = await partOf({
    'app/kustomization.yaml': [
      'resources: [a.yaml, ../base, https://example.com/x, "not a path at all"]',
      'patches: [{path: p.yaml}, {patch: "a: b"}]',
      'configMapGenerator: [{name: c, files: [t.txt, key=u.txt], envs: [v.env]}]',
      'namePrefix: notes',
      'transformers: [plugin.yaml]',
    ].join('\n'),
    'app/a.yaml': `${configMap('a')}data: {path: unused.yaml}\n`,
    'app/p.yaml': configMap('p'),
    'app/t.txt': 't',
    'app/u.txt': 'u',
    'app/v.env': 'v=1',
    'app/plugin.yaml': 'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: deep.yaml\n',
    'app/deep.yaml': configMap('deep'),
    'app/notes': 'a guess that was wrong',
    'app/unused.yaml': configMap('unused'),
    'base/Kustomization': 'resources: [b.yaml]\n',
    'base/b.yaml': configMap('b'),
    'other/kustomization.yaml': 'resources: [c.yaml]\n',
  });

  assert.deepEqual([...part.files.keys()].toSorted(), [
    'app/a.yaml',
    'app/deep.yaml',
    'app/kustomization.yaml',
    'app/notes',
    'app/p.yaml',
    'app/plugin.yaml',
    'app/t.txt',
    'app/u.txt',
    'app/v.env',
    'base/Kustomization',
    'base/b.yaml',
  ]);
  assert.deepEqual([...part.folders], ['app', 'base']);
  assert.deepEqual(Buffer.from(part.files.get('app/t.txt') ?? '').toString(), 't');
});

test('links are kept as links, and what they lead to lies where it is', async () => {
  const part = await partOf({
    'app/kustomization.yaml': 'resources: [a.yaml, base/b.yaml]\n',
    'app/a.yaml': { link: '../shared/a.yaml' },
    'app/base': { link: '../base' },
    'base/b.yaml': configMap('b'),
    'shared/a.yaml': configMap('a'),
  });

  assert.deepEqual([...part.files.keys()].toSorted(), ['app/kustomization.yaml', 'base/b.yaml', 'shared/a.yaml']);
  assert.deepEqual(Object.fromEntries(part.links), { 'app/a.yaml': '../shared/a.yaml', 'app/base': '../base' });
});

test('a path through links is told where it lies, and one in circles as it is', async () => {
  const part = await partOf({
    'app/kustomization.yaml': 'resources: [a.yaml, base/deep/b.yaml, loop/x.yaml]\n',
    'app/a.yaml': { link: '../shared/l.yaml' },
    'shared/l.yaml': { link: 'real.yaml' },
    'shared/real.yaml': configMap('a'),
    'app/base': { link: '../base' },
    'base/deep': { link: '../other' },
    'other/b.yaml': configMap('b'),
    'app/loop': { link: 'loop' },
  });

  assert.deepEqual(
    ['app/a.yaml', 'app/base/deep/b.yaml', 'app/kustomization.yaml', 'app/loop/x.yaml', 'none'].map((path) =>
      part.realPath(path),
    ),
    ['shared/real.yaml', 'other/b.yaml', 'app/kustomization.yaml', 'app/loop/x.yaml', 'none'],
  );
});

test('a guess that leads out is silent; asked for by name, it is refused', async () => {
  const files: MemoryFiles = {
    'app/kustomization.yaml': 'resources: [out.yaml, loop.yaml, sub/x, ../../up]\n',
    'app/out.yaml': { link: '../../x' },
    'app/loop.yaml': { link: 'loop.yaml' },
    'app/sub': { submodule: 'a'.repeat(40) },
  };
  const part = await partOf(files);

  assert.deepEqual([...part.files.keys()], ['app/kustomization.yaml']);
  await assert.rejects(part.add(['app/out.yaml'], { signal }), isError('SymlinkEscape', 'app/out.yaml'));
  await assert.rejects(part.add(['app/loop.yaml'], { signal }), isError('SymlinkLoop', 'app/loop.yaml'));
  await assert.rejects(part.add(['app/sub'], { signal }), isError('SubmoduleDisabled', 'app/sub'));
});

test('how many of the paths are there is counted, and nothing is read twice', async () => {
  const tree = memoryTree({
    'app/kustomization.yaml': 'resources: [a.yaml]\n',
    'app/a.yaml': configMap('a'),
    'b/x': '',
  });
  const read: string[] = [];
  const counted: SourceTree = {
    ...tree,
    read: (entries, call) => {
      read.push(...entries.map(({ path }) => path));
      return tree.read(entries, call);
    },
  };
  const part = new RepositoryPart(counted);

  assert.equal(await part.add(['app', 'none'], { signal }), 1);
  assert.equal(await part.add(['app', 'app/a.yaml', 'b', 'b/none', 'none'], { signal }), 3);
  assert.deepEqual(read, ['app/kustomization.yaml', 'app/a.yaml']);
  assert.deepEqual(
    part.foundAt('app/a.yaml'),
    await tree.find('app/a.yaml', { signal }).then((found) => ({ path: 'app/a.yaml', ...found })),
  );
  assert.equal(part.foundAt('none'), undefined);
});

test('a kustomization that cannot be read names nothing: the build says what is wrong with it', async () => {
  for (const text of ['resources: [a.yaml\n', '\0', `a: ${'['.repeat(5000)}`, '- a.yaml: &x [*x]\n']) {
    const part = await partOf({ 'app/kustomization.yaml': text, 'app/a.yaml': configMap('a') });

    assert.deepEqual([...part.files.keys()], ['app/kustomization.yaml']);
  }
});

test('more than 64 MiB are refused, at the file that is too much', async () => {
  const big = new Uint8Array(40 * 1024 * 1024);
  const files = {
    'app/kustomization.yaml': 'resources: [a.yaml, b.yaml]\n',
    'app/a.yaml': big,
    'app/b.yaml': Uint8Array.of(1),
  };

  assert.equal((await partOf(files)).files.size, 3);
  await assert.rejects(
    partOf({ ...files, 'app/b.yaml': Buffer.alloc(40 * 1024 * 1024, 1) }),
    isError('FileTooLarge', 'app/b.yaml'),
  );
});

// A build of the part is a build of the whole

/** Each folder may name what lies in it and the folders after it. */
const FOLDERS = ['app', 'one', 'two', 'three'];

const LEAVES: MemoryFiles = Object.fromEntries(
  FOLDERS.flatMap((folder): (readonly [string, MemoryContent])[] => [
    [`${folder}/a.yaml`, configMap(`${folder}-a`)],
    [`${folder}/b.yaml`, `${configMap(`${folder}-b`)}---\n${configMap(`${folder}-c`)}`],
    [`${folder}/p.yaml`, `${configMap(`${folder}-a`)}data: {patched: "yes"}\n`],
    [`${folder}/t.txt`, `text of ${folder}`],
    [`${folder}/link.yaml`, { link: 'b.yaml' }],
    [`${folder}/plugin.yaml`, 'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: p.yaml\n'],
    [`${folder}/out.yaml`, { link: '../../out' }],
    [`${folder}/next`, { link: `../${FOLDERS[FOLDERS.indexOf(folder) + 1] ?? 'none'}` }],
  ]),
);

function kustomization(at: number): fc.Arbitrary<string> {
  const bases = FOLDERS.slice(at + 1).map((folder) => `../${folder}`);
  const often = ['a.yaml', 'link.yaml', ...bases];
  const resources = fc.uniqueArray(
    fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(...often) },
      { weight: 1, arbitrary: fc.constantFrom('next', 'none.yaml', 'out.yaml', '../one/t.txt', '..') },
    ),
    { minLength: 1, maxLength: 3 },
  );
  const more = fc.subarray([
    'patches: [{path: p.yaml, target: {kind: ConfigMap}}]\n',
    `configMapGenerator: [{name: g${at}, files: [t.txt, key=t.txt, k=next/t.txt]}]\n`,
    `configMapGenerator: [{name: g${at}, files: [t.txt, key=t.txt]}]\n`,
    `namePrefix: x${at}-\n`,
    'transformers: [plugin.yaml]\n',
    'commonAnnotations: {a: t.txt}\n',
  ]);
  return fc.tuple(resources, more).map(([names, fields]) => {
    const unique = new Map(fields.map((field) => [field.split(':')[0], field]));
    return `resources: ${JSON.stringify(names)}\n${[...unique.values()].join('')}`;
  });
}

const trees = fc.tuple(...FOLDERS.map((_folder, at) => kustomization(at))).map((texts): MemoryFiles => ({
  ...LEAVES,
  ...Object.fromEntries(texts.map((text, at) => [`${FOLDERS[at]}/kustomization.yaml`, text])),
}));

/** What the guest makes of all files at once, or undefined where it refuses them. */
function buildWhole(files: MemoryFiles): readonly Json[] | undefined {
  const writer = new FrameWriter();
  const frame = writer.frame({
    op: 'kustomizeBuild',
    path: 'app',
    files: Object.entries(files).map(([path, content]) =>
      typeof content === 'object' && 'link' in content
        ? { p: path, l: content.link, o: 0, n: 0 }
        : { p: path, ...writer.put(Buffer.from(content as string)) },
    ),
  });
  const reply = readReply(guest.call(frame, { nowMs: 0, seed: '' }));
  guest.release();
  if (reply.error !== undefined) return undefined;
  return reply.list('manifests').map((item) => JSON.parse(reply.text(item['json'])) as Json);
}

test('a build that is given what it asks for is the build of the whole repository', async () => {
  let built = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(trees, async (files) => {
      const whole = buildWhole(files);
      const tree = memoryTree(files);
      const outcome = await renderer.render({ tree, path: 'app', release: 'demo', namespace: 'shop', signal });

      if (whole === undefined) refused++;
      else built++;
      const isRefused = !outcome.ok && outcome.documents.length === 0;
      assert.equal(isRefused, whole === undefined || whole.length === 0, JSON.stringify(outcome));
      assert.deepEqual(
        outcome.documents.map(({ value }) => value),
        whole ?? [],
      );
    }),
    { numRuns: 150, seed: 17 },
  );
  assert.ok(built > 30 && refused > 15, `${built} built, ${refused} refused`);
});
