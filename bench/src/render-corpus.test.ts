import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '@plumb/engine';
import { createRenderer } from '@plumb/render';
import { memoryTree } from '@plumb/test-support';
import { CASES, corpusFiles, NAMESPACE, RELEASE } from './render-corpus.ts';

const renderer = createRenderer({ clock: systemClock, workers: 1 });
after(() => renderer[Symbol.asyncDispose]());

/** How many objects a case gives at least. */
const OBJECTS: Readonly<Record<string, number>> = {
  trivial: 4,
  middle: 25,
  heavy: 120,
  'overlay of 5': 5,
  'overlay of 50': 50,
  'overlay of 500': 500,
};

for (const { name, kind, path } of CASES) {
  test(`${name} renders to objects that an API server takes`, async () => {
    const { signal } = new AbortController();
    const tree = memoryTree(corpusFiles());

    const outcome = await renderer.render({ tree, path, release: RELEASE, namespace: NAMESPACE, signal });

    if (!outcome.ok) assert.fail(outcome.error.map(({ message }) => message).join('\n'));
    assert.equal(outcome.value.renderer, kind);
    assert.ok(outcome.value.objects.length >= (OBJECTS[name] ?? Infinity), `${outcome.value.objects.length} objects`);
  });
}

test('the corpus is the same whenever it is made', () => {
  assert.deepEqual(corpusFiles(), corpusFiles());
});
