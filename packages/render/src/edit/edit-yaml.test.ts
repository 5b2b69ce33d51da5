import assert from 'node:assert/strict';
import { test } from 'node:test';
import { equalJson, parseFieldPath, type Json } from '@plumb/core';
import fc from 'fast-check';
import { openKubernetesDecoder } from '../../test/kubernetes-decoder.ts';
import { decodeYaml } from '../yaml/decode.ts';
import { layoutOf } from '../yaml/layout.ts';
import { editYaml } from './edit-yaml.ts';
import { withValueAt } from './json-edit.ts';

interface EditCase {
  readonly text: string;
  readonly path: string;
  /** Left out: the field is removed. */
  readonly value?: Json;
  readonly file?: string;
  readonly document?: number;
}

function edit({ text, path, value, file = 'a.yaml', document = 0 }: EditCase): string {
  const fields = parseFieldPath(path) ?? assert.fail(path);
  const edited = editYaml(text, { file, document, path: fields, value });
  return edited.ok ? edited.value : `refused ${edited.error.where?.line}: ${edited.error.message}`;
}

const DEPLOYMENT = `# ours
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop, labels: {app: "shop"} }
spec:
  replicas: 3   # enough
  template:
    spec:
      containers:
        - name: app # the app
          image: 'shop:1.2'
          args: [--port, "80"]
          env:
            - name: LEVEL
              value: "info"

            # asked for by ops
            - {name: MODE, value: a}
          ports:
          - containerPort: 80
`;

test('one value changes, and nothing around it', () => {
  const cases: readonly (readonly [EditCase, string, string])[] = [
    [{ text: '', path: 'spec.replicas', value: 5 }, '  replicas: 3   # enough', '  replicas: 5   # enough'],
    [
      { text: '', path: 'spec.template.spec.containers[name="app"].image', value: 'shop:1.3' },
      `'shop:1.2'`,
      `'shop:1.3'`,
    ],
    [
      { text: '', path: 'spec.template.spec.containers[name="app"].env[name="LEVEL"].value', value: 'debug' },
      '"info"',
      '"debug"',
    ],
    [
      { text: '', path: 'spec.template.spec.containers[name="app"].env[name="MODE"].value', value: 'yes' },
      'value: a}',
      'value: "yes"}',
    ],
    [{ text: '', path: 'metadata.labels.app', value: 'a "b"' }, '"shop"', String.raw`"a \"b\""`],
    [{ text: '', path: 'spec.template.spec.containers[name="app"].args', value: ['--port', '81'] }, '"80"', '"81"'],
    [
      { text: '', path: 'spec.template.spec.containers[name="app"].args', value: ['--port', '80', '-v'] },
      '"80"]',
      '"80", -v]',
    ],
    [
      {
        text: '',
        path: 'spec.template.spec.containers[name="app"].ports[containerPort=80,protocol="TCP"].containerPort',
        value: 8080,
      },
      '- containerPort: 80\n',
      '- containerPort: 8080\n',
    ],
  ];

  for (const [one, before, after] of cases) {
    assert.equal(
      edit({ ...one, text: DEPLOYMENT }),
      DEPLOYMENT.replace(before, () => after),
      one.path,
    );
  }
});

test('a text that others would read as something else is quoted, and a number is not', () => {
  const written = [
    'yes',
    '012',
    '1e3',
    'null',
    '~',
    '0x1F',
    '2024-01-01',
    '1:30',
    'a: b',
    'a #b',
    '- a',
    '',
    ' a',
    '*a',
    '<<',
    '1_000',
    '.5',
  ].map((value) => edit({ text: 'a: x\n', path: 'a', value }));

  for (const line of written) assert.match(line, /^a: ".*"\n$/);
  for (const value of ['a', 'a:b', 'nginx:1.2', '1.2.3', 'a#b', '10Mi', '-v', '/x', 'a b', 'é', '$(A)', '%'] as const) {
    const isPlain = value !== '%';
    assert.equal(edit({ text: 'a: x\n', path: 'a', value }), isPlain ? `a: ${value}\n` : `a: "%"\n`);
  }
  assert.deepEqual(
    [5, 0.5, true, null].map((value) => edit({ text: "a: 'x'\n", path: 'a', value })),
    ['a: 5\n', 'a: 0.5\n', 'a: true\n', 'a: null\n'],
  );
});

test('a field that is not there is added at the end of its map, as the map is written', () => {
  const cases: readonly (readonly [EditCase, string])[] = [
    [{ text: 'a:\n    b: 1 # one\nc: 2\n', path: 'a.d', value: 'x' }, 'a:\n    b: 1 # one\n    d: x\nc: 2\n'],
    [{ text: 'a: {b: 1}\n', path: 'a.d', value: 'x' }, 'a: {b: 1, d: x}\n'],
    [{ text: 'a: {}\n', path: 'a.d', value: 'x' }, 'a: {d: x}\n'],
    [{ text: 'a:\nb: 1\n', path: 'a.d.e', value: 'x' }, 'a:\n  d:\n    e: x\nb: 1\n'],
    [{ text: 'a: # why\nb: 1\n', path: 'a.d', value: 'x' }, 'a: {d: x} # why\nb: 1\n'],
    [{ text: 'a: 1', path: 'b', value: { c: [1, { d: 'e\nf\n' }] } }, 'a: 1\nb:\n  c:\n    - 1\n    - d: "e\\nf\\n"'],
    [
      { text: 'a: 1\n', path: 'b', value: { c: ['x', { d: 'e\nf\n', g: {} }] } },
      'a: 1\nb:\n  c:\n    - x\n    - d: |\n        e\n        f\n      g: {}\n',
    ],
    [{ text: 'a: 1\r\nb:\r\n  c: 1\r\n', path: 'b.d', value: 2 }, 'a: 1\r\nb:\r\n  c: 1\r\n  d: 2\r\n'],
    [{ text: 'a: |+\n  x\n\nb: 1\n', path: 'c', value: 2 }, 'a: |+\n  x\n\nb: 1\nc: 2\n'],
    [{ text: 'a:\n  b: |\n    x\n\n\nc: 1\n', path: 'a.d', value: 2 }, 'a:\n  b: |\n    x\n  d: 2\n\n\nc: 1\n'],
    [{ text: '{"a": {"b": 1}}', path: 'a.c', value: 'x', file: 'a.json' }, '{"a": {"b": 1, "c": "x"}}'],
    [{ text: 'l:\n- name: a\n', path: 'l[name="b"].v', value: 1 }, 'l:\n- name: a\n- name: b\n  v: 1\n'],
    [{ text: 'l:\n  - {name: a}\n', path: 'l[name="b"]', value: { name: 'b' } }, 'l:\n  - {name: a}\n  - name: b\n'],
    [{ text: 'l: [a]\n', path: 'l[="b"]', value: 'b' }, 'l: [a, b]\n'],
    [{ text: 'a: &x\n  b: 1\n', path: 'a.c', value: 1 }, 'a: &x\n  b: 1\n  c: 1\n'],
    [{ text: 'a: {b: 1}\n', path: 'a["x/y"]', value: '1' }, 'a: {b: 1, x/y: "1"}\n'],
    [{ text: 'a:\n  b: 1\n', path: 'a["on"]', value: 'x' }, 'a:\n  b: 1\n  "on": x\n'],
  ];

  for (const [one, after] of cases) assert.equal(edit(one), after, one.text);
});

test('a field that is removed takes its own lines with it, and no other', () => {
  const cases: readonly (readonly [EditCase, string])[] = [
    [{ text: 'a: 1\n# of b\nb: # here\n  c: 1\n# of d\nd: 1\n', path: 'b' }, 'a: 1\n# of b\n# of d\nd: 1\n'],
    [{ text: 'a: 1\nb: 2', path: 'b' }, 'a: 1'],
    [{ text: 'a: 1\r\nb: 2', path: 'b' }, 'a: 1'],
    [{ text: 'a:\n  b: 1 # x\nc: 1\n', path: 'a.b' }, 'a: {} # x\nc: 1\n'],
    [{ text: 'a: {b: 1, c: 2}\n', path: 'a.b' }, 'a: {c: 2}\n'],
    [{ text: 'a: {b: 1, c: 2}\n', path: 'a.c' }, 'a: {b: 1}\n'],
    [{ text: 'l:\n  - name: a # why\n    v: 1\n', path: 'l[name="a"].name' }, 'l:\n  - v: 1\n'],
    [{ text: 'l:\n  - name: a\n    v: 1\n  - name: b\n', path: 'l[name="a"]' }, 'l:\n  - name: b\n'],
    [{ text: 'l:\n- name: a\n', path: 'l[name="a"]' }, 'l: []\n'],
    [{ text: 'l: [a, b, c]\n', path: 'l[="b"]' }, 'l: [a, c]\n'],
    [{ text: 'a: |\n  x\n\nb: 1\n', path: 'a' }, '\nb: 1\n'],
    [{ text: 'a:\n  b: 1\n  c: 2 # x\n', path: 'a', value: { b: 1, d: 3 } }, 'a:\n  b: 1\n  d: 3\n'],
    [{ text: 'a: {b: 1, c: 2}\n', path: 'a', value: { b: 1, d: 3 } }, 'a: {b: 1, d: 3}\n'],
  ];

  for (const [one, after] of cases) assert.equal(edit(one), after, one.text);
});

test('texts of several lines stay as they are written, one line changed', () => {
  const cases: readonly (readonly [EditCase, string])[] = [
    [{ text: 'a: |\n    x\n    y\nb: 1\n', path: 'a', value: 'x\nz\n' }, 'a: |\n    x\n    z\nb: 1\n'],
    [{ text: 'a: |- # c\n  x\nb: 1\n', path: 'a', value: 'z' }, 'a: |- # c\n  z\nb: 1\n'],
    [{ text: 'a: |\n  x\nb: 1\n', path: 'a', value: 'z' }, 'a: |-\n  z\nb: 1\n'],
    [{ text: 'a: |\n  x\n\n\nb: 1\n', path: 'a', value: 'z\n' }, 'a: |\n  z\n\n\nb: 1\n'],
    [{ text: 'a: |+\n  x\n\nb: 1\n', path: 'a', value: 'z\n\n' }, 'a: |+\n  z\n\nb: 1\n'],
    [{ text: 'a: >\n  x\n  y\nb: 1\n', path: 'a', value: 'x z\n' }, 'a: >\n  x\n  z\nb: 1\n'],
    [{ text: 'a: |\r\n  x\r\n  y\r\n', path: 'a', value: 'x\nz\n' }, 'a: |\r\n  x\r\n  z\r\n'],
    [{ text: 'a: |\n  x\n', path: 'a', value: ' z\n' }, 'a: " z\\n"\n'],
    [{ text: 'a: "x\n  y"\nb: 1\n', path: 'a', value: 'z' }, 'a: "z"\nb: 1\n'],
    [{ text: 'a: x\n  y # c\nb: 1\n', path: 'a', value: 'z' }, 'a: z # c\nb: 1\n'],
  ];

  for (const [one, after] of cases) assert.equal(edit(one), after, one.text);
});

test('only the document that is meant changes, and marks stay', () => {
  const text = '\uFEFF# first\na: 1\n---\n# second\na: 1\n...\n---\na: 1\n';

  assert.equal(edit({ text, path: 'a', value: 2, document: 1 }), text.replace('second\na: 1', 'second\na: 2'));
  assert.equal(edit({ text, path: 'a', value: 2 }), text.replace('first\na: 1', 'first\na: 2'));
});

test('what others share is refused with its line, and an anchor that nobody uses is not', () => {
  const cases: readonly (readonly [EditCase, string])[] = [
    [
      { text: 'a: &x 1\nb: *x\n', path: 'b', value: 2 },
      'refused 2: b is not edited: it is an alias of &x, which others share',
    ],
    [
      { text: 'a: &x 1\nb: *x\n', path: 'a', value: 2 },
      'refused 1: a is not edited: it is the anchor &x, which others share',
    ],
    [
      { text: 'a: &x {c: 1}\nb: *x\n', path: 'a.c', value: 2 },
      'refused 1: a.c is not edited: it is the anchor &x, which others share',
    ],
    [{ text: 'a: {c: &x 1}\nb: *x\n', path: 'a' }, 'refused 1: a is not edited: the anchor &x in it is used elsewhere'],
    [
      { text: 'a: &x {c: {d: 1}}\nb:\n  <<: *x\n', path: 'b.c.d', value: 2 },
      'refused 3: b.c.d is not edited: c comes from another place by "<<"',
    ],
    [{ text: 'a: &x 1\nb: 2\n', path: 'a', value: 3 }, 'a: &x 3\nb: 2\n'],
    [{ text: 'a: !!str 1\n', path: 'a', value: '2' }, 'a: !!str "2"\n'],
    [
      { text: 'a: 1\n', path: 'a.b', value: 2 },
      'refused 1: a.b is not edited: the path does not lead into what stands there',
    ],
    [{ text: 'a: {{ .Values.a }}\n', path: 'a', value: 2 }, 'refused 1: a key must be text, a number or a boolean'],
  ];

  for (const [one, after] of cases) assert.equal(edit(one), after, one.text);
});

// A writer of YAML that draws how each value is written.

type Draw = (choices: number) => number;

const names = fc.oneof(
  fc.constantFrom('a', 'b', 'name', 'image', 'x/y', 'on', '1', '__proto__', 'é'),
  fc.string({ maxLength: 4 }),
);
const texts = fc.oneof(
  fc.constantFrom(
    'yes',
    '012',
    '1e3',
    'null',
    'a: b',
    'a #b',
    'x\ny\n',
    'x\n\ny',
    ' x\n',
    'x\n\n',
    "it's",
    '"q"',
    '\t',
    'é\u2028',
    '{a}',
    '*x',
    '',
  ),
  fc.string({ maxLength: 8 }),
);
const scalars = fc.oneof(texts, fc.boolean(), fc.constant(null), fc.integer(), fc.constantFrom(0.5, 1e21, -2.5e-7));
const { value: anyJson } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars as fc.Arbitrary<Json>,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 3 }) as fc.Arbitrary<Json>,
  ),
}));

function write(value: Json, indent: number, draw: Draw, eol: string): string {
  const comment = draw(3) === 0 ? ' # c: {"x"}' : '';
  const pad = `${eol}${' '.repeat(indent)}`;
  const above = () => (draw(4) === 0 ? `${pad}# above` : '') + (draw(6) === 0 ? eol : '');
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'string' && indent > 0 && /^[a-z]\n?[a-z]*\n$/.test(value) && draw(2) === 0) {
      return ` |${comment}${value
        .trimEnd()
        .split('\n')
        .map((line) => pad + line)
        .join('')}`;
    }
    if (
      typeof value === 'string' &&
      /^[a-z]{1,8}$/.test(value) &&
      !/^(?:y|n|yes|no|on|off|true|false|null)$/.test(value)
    ) {
      return ` ${['', "'", '"'][draw(3)]}`.replace(/['"]?$/, (quote) => quote + value + quote) + comment;
    }
    return ` ${JSON.stringify(value).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}${comment}`;
  }
  const entries = Object.entries(value);
  const key = (name: string) =>
    /^[a-z]{2,}$/.test(name) && name !== 'on' && name !== 'no'
      ? name
      : JSON.stringify(name).replaceAll(
          /[\u007f-\u009f\u2028\u2029\ufeff]/g,
          (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
        );
  if (entries.length === 0 || draw(4) === 0) {
    const flow = (inner: Json): string =>
      typeof inner !== 'object' || inner === null
        ? write(inner, 0, () => 2, eol).trim()
        : Array.isArray(inner)
          ? `[${(inner as readonly Json[]).map(flow).join(', ')}]`
          : `{${Object.entries(inner)
              .map(([name, field]) => `${key(name)}: ${flow(field)}`)
              .join(',  ')}}`;
    return ` ${flow(value)}${comment}`;
  }
  const lines = Array.isArray(value)
    ? (value as readonly Json[]).map((item) => `${above()}${pad}-${write(item, indent + 2, draw, eol)}`)
    : entries.map(([name, field]) => `${above()}${pad}${key(name)}:${write(field, indent + 1 + draw(3), draw, eol)}`);
  return comment + lines.join('');
}

const seeds = fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 });

function drawFrom(numbers: readonly number[]): Draw {
  let at = 0;
  return (choices) => (numbers[at++ % numbers.length] ?? 0) % choices;
}

/** All paths into a value, by field and position. */
function pathsIn(value: Json, at: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  const inner = Array.isArray(value)
    ? (value as readonly Json[]).flatMap((item, index) => pathsIn(item, [...at, index]))
    : Object.entries(value).flatMap(([name, field]) => pathsIn(field, [...at, name]));
  return [at, ...inner];
}

const edits = fc.record({
  root: fc.dictionary(names, anyJson, { minKeys: 1, maxKeys: 4 }),
  numbers: seeds,
  pick: fc.nat(),
  added: fc.option(names, { freq: 3 }),
  value: fc.option(anyJson, { nil: undefined, freq: 4 }),
  isWindows: fc.boolean(),
});

test('what is edited reads back as the old value with exactly that edit, and other lines stay', () => {
  let refused = 0;
  let done = 0;
  fc.assert(
    fc.property(edits, ({ root, numbers, pick, added, value, isWindows }) => {
      const eol = isWindows ? '\r\n' : '\n';
      const text = `${write(root, 0, drawFrom(numbers), eol).replace(/^\s*/, '')}${eol}`;
      const before = decodeYaml(text, 'a.yaml')[0]?.value ?? null;
      const paths = pathsIn(before).slice(1);
      const steps = [...(paths[pick % Math.max(1, paths.length)] ?? []), ...(added === null ? [] : [added])];
      const path = steps.map((step) => (typeof step === 'number' ? { index: step } : { field: step }));
      if (path.length === 0) return;
      const wanted = withValueAt(before, path, value);

      const edited = editYaml(text, { file: 'a.yaml', path, value });

      if (!edited.ok) {
        assert.equal(edited.error.code, 'EditRefused');
        if (wanted !== undefined) refused++;
        return;
      }
      done++;
      assert.ok(equalJson(decodeYaml(edited.value, 'a.yaml')[0]?.value, wanted), edited.value);
      const span = linesOf(text, steps, value !== undefined);
      const kept = commonLines(text, edited.value);
      assert.ok(kept.before >= span.first && kept.before + kept.after >= span.first + span.following, edited.value);
    }),
    { numRuns: 3000 },
  );
  assert.ok(refused < done / 10, `${refused} refused, ${done} done`);
});

test('Kubernetes reads what is written as it is meant, whatever the text and wherever it stands', async () => {
  const decodeLikeKubernetes = await openKubernetesDecoder();
  const places = [
    'a: x\nz: 1\n',
    "a: 'x'\nz: 1\n",
    'a: "x"\nz: 1\n',
    '{a: x, z: 1}\n',
    'a: |\n  x\nz: 1\n',
    'z: 1\n',
    'a: >\n  x\nz: 1\n',
  ];

  fc.assert(
    fc.property(fc.array(scalars as fc.Arbitrary<Json>, { minLength: 10, maxLength: 30 }), (values) => {
      const pairs = places.flatMap((text) =>
        values.map((value) => ({ value, text: edit({ text, path: 'a', value }) })),
      );
      const read = decodeLikeKubernetes(pairs.map(({ text }) => text));
      for (const [index, { value, text }] of pairs.entries()) {
        assert.deepEqual(read[index]?.value, { a: value, z: 1 }, text);
      }
    }),
    { numRuns: 50 },
  );
});

/** Lines before and behind what an edit at a path may touch: the value itself, or all of what it is added to or leaves. */
function linesOf(
  text: string,
  steps: readonly (string | number)[],
  stays: boolean,
): { readonly first: number; readonly following: number } {
  let node = layoutOf(text, 'a.yaml')[0];
  let span = { start: 0, end: text.length };
  for (const [depth, step] of steps.entries()) {
    const pair = node?.kind === 'map' ? node.pairs.find(({ name }) => name === step) : undefined;
    const item = node?.kind === 'list' ? node.items[Number(step)] : undefined;
    node = pair?.value ?? item?.value;
    const isAlone = node?.kind === 'scalar' && stays;
    if (node === undefined || (depth === steps.length - 1 && !isAlone)) break;
    span = { start: pair?.key.start ?? item?.dash ?? node.start, end: node.end };
  }
  const count = (part: string): number => part.split('\n').length - 1;
  return { first: count(text.slice(0, span.start)), following: count(text.slice(span.end)) };
}

function commonLines(a: string, b: string): { readonly before: number; readonly after: number } {
  const [left, right] = [a.split('\n'), b.split('\n')];
  let before = 0;
  while (before < Math.min(left.length, right.length) && left[before] === right[before]) before++;
  let after = 0;
  while (after < Math.min(left.length, right.length) - before && left.at(-1 - after) === right.at(-1 - after)) after++;
  return { before, after };
}
