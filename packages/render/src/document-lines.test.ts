import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DocumentLines } from './document-lines.ts';
import { decodeYaml } from './yaml/decode.ts';

function linesOf(text: string, count = 5): readonly (number | undefined)[] {
  const lines = new DocumentLines(new Map([['x.yaml', Buffer.from(text)]]));
  const found = Array.from({ length: count }, (_, index) => lines.lineOf('x.yaml', index));
  return found.slice(0, found.findLastIndex((line) => line !== undefined) + 1);
}

test('each document begins at its first line that is neither empty nor a comment', () => {
  assert.deepEqual(linesOf('# one\n\nkind: A\n---\n# two\nkind: B\n--- # three\n\nkind: C\n'), [3, 6, 9]);
  assert.deepEqual(linesOf('---\nkind: A\n---\n---\n# nothing\n---\nkind: B'), [2, 7]);
  assert.deepEqual(linesOf('%YAML 1.2\n---\nkind: A\n'), [3]);
  assert.deepEqual(linesOf('kind: A\r\n---\r\nkind: B\r\n'), [1, 3]);
  assert.deepEqual(linesOf('\uFEFFkind: A\n'), [1]);
  assert.deepEqual(linesOf('kind: A\ndata: |\n  ---\n  kind: B\n---\nkind: C\n'), [1, 6]);
});

test('the items of a list have the line of the list, and come behind all that is none, as Kustomize has them', () => {
  const list = 'kind: List\nitems:\n- kind: A\n- kind: B\n';

  assert.deepEqual(linesOf(`${list}---\nkind: C\n`), [6, 1, 1]);
  assert.deepEqual(linesOf(`kind: C\n---\n${list.replace('List', 'ConfigMapList')}`), [1, 3, 3]);
  assert.deepEqual(linesOf('kind: List\nitems: []\n---\nkind: C\n'), [4]);
  assert.deepEqual(linesOf('kind: List\n---\nkind: C\n'), [1, 3]);
  assert.deepEqual(linesOf('{"kind":"List","items":[{"kind":"A"},\n{"kind":"B"}]}\n---\nkind: C\n'), [4, 1, 1]);
  assert.deepEqual(linesOf('items: [{kind: A}, {kind: B}]\nkind: "List" # of two\n---\nkind: C\n'), [4, 1, 1]);
  assert.deepEqual(
    linesOf('kind: List\nitems: [{kind: List, items: [{kind: A}]}, {kind: B}]\n---\nkind: C\n'),
    [4, 1, 1],
  );
});

test('what is not known has no line', () => {
  assert.deepEqual(linesOf(''), []);
  assert.deepEqual(linesOf('# only a comment\n'), []);
  assert.deepEqual(linesOf('kind: List\nitems: [\n'), []);
  assert.deepEqual(linesOf('kind: A\n\0'), []);
  assert.equal(new DocumentLines(new Map()).lineOf('none.yaml', 0), undefined);
});

test('the fast way finds the lines that reading the YAML finds', () => {
  const comment = fc.constantFrom('', '# note\n', '\n', '\n# note\n\n');
  const body = fc.constantFrom(
    'kind: A\n',
    'kind: A\nmetadata:\n  name: a\n',
    '{kind: A}\n',
    'kind: A\ndata: |\n  text\n\n  ---x\n',
  );
  const documents = fc.array(fc.tuple(comment, fc.option(body, { nil: '' })), { maxLength: 6 });

  fc.assert(
    fc.property(documents, (parts) => {
      const text = parts.map(([before, kind]) => `${before}${kind}`).join('---\n');
      const read = decodeYaml(text, 'x.yaml').filter(({ value }) => value !== null);
      assert.deepEqual(
        linesOf(text, 10),
        read.map(({ line }) => line),
      );
    }),
  );
});

test('the kustomization of a folder is found by any of its names', () => {
  const files = ['a/kustomization.yaml', 'b/kustomization.yml', 'c/Kustomization', 'kustomization.yaml', 'd/x.yaml'];
  const lines = new DocumentLines(new Map(files.map((path) => [path, new Uint8Array()])));

  assert.deepEqual(
    ['a', 'b', 'c', '', 'd'].map((folder) => lines.kustomizationIn(folder)),
    [...files.slice(0, 4), undefined],
  );
});
