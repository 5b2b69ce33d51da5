import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { memoryTree, realClock, type MemoryFiles } from '@plumb/test-support';
import { createRenderer, type Renderer } from './renderer.ts';
import type { RenderRequest } from './request.ts';

let renderer: Renderer;

before(() => {
  renderer = createRenderer({ clock: realClock, workers: 1 });
});

after(async () => {
  await renderer[Symbol.asyncDispose]();
});

/** Each error as `Code file:line: message`. */
async function told(files: MemoryFiles, more: Partial<RenderRequest> = {}): Promise<readonly string[]> {
  const { signal } = new AbortController();
  const request = { path: 'app', release: 'demo', namespace: 'shop', signal, ...more };
  const outcome = await renderer.render({ tree: memoryTree(files), ...request });
  const errors = outcome.ok ? [] : outcome.error;
  return errors.map(({ code, where, message }) => {
    const place = [where?.file, where?.line].filter((part) => part !== undefined).join(':');
    return `${code} ${place}: ${message}`;
  });
}

const CHART: MemoryFiles = {
  'app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
  'app/values.yaml': '# ours\nimage:\n  tag: latest\n  replicas: many\nextra: 1\n',
  'app/values.schema.json': JSON.stringify({
    properties: {
      image: { properties: { tag: { type: 'string' }, replicas: { type: 'integer' } }, required: ['name'] },
      size: { anyOf: [{ type: 'integer' }, { enum: ['small', 'large'] }] },
      list: { items: { type: 'string' } },
    },
    additionalProperties: false,
  }),
};

test('each value that is not allowed is an error of its own, at the line that gives it', async () => {
  assert.deepEqual((await told(CHART)).toSorted(), [
    "ValuesInvalid app/values.yaml:2: image: missing property 'name'",
    'ValuesInvalid app/values.yaml:4: image.replicas: got string, want integer',
    "ValuesInvalid app/values.yaml:5: additional properties 'extra' not allowed",
  ]);
});

test('the last file that gives a value is the one to change', async () => {
  const files = {
    ...CHART,
    'app/values.yaml': 'image: {name: n, replicas: 1}\n',
    'prod.yaml': 'image:\n  replicas: lots\n',
  };
  const layers = [{ path: 'mine.yaml', text: '\nlist: [a, 2]\n' }];

  assert.deepEqual((await told(files, { valuesFiles: ['../prod.yaml'], layers })).toSorted(), [
    'ValuesInvalid mine.yaml:2: list.1: got number, want string',
    'ValuesInvalid prod.yaml:2: image.replicas: got string, want integer',
  ]);
});

test('what comes from no file is told at the schema', async () => {
  const files = { ...CHART, 'app/values.yaml': 'image: {name: n, replicas: 1}\n' };
  const expected = ['ValuesInvalid app/values.schema.json: image.replicas: got string, want integer'];

  assert.deepEqual(await told(files, { values: { image: { replicas: 'x' } } }), expected);
  assert.deepEqual(await told(files, { setString: ['image.replicas=x'] }), expected);
});

test('of alternatives that all fail, each is told in the same sentence', async () => {
  const files = { ...CHART, 'app/values.yaml': 'image: {name: n}\nsize: medium\n' };

  assert.deepEqual(await told(files), [
    "ValuesInvalid app/values.yaml:2: size: 'anyOf' failed; size: got string, want integer; size: value must be one of 'small', 'large'",
  ]);
});

test('the values of a subchart are found in the file that gives them, that of its own chart last', async () => {
  const files: MemoryFiles = {
    ...CHART,
    'app/values.schema.json': '{}',
    'app/values.yaml': 'db:\n  port: high\n',
    'app/charts/db/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 1.0.0\n',
    'app/charts/db/values.yaml': '# db\nsize: huge\nport: 1\n',
    'app/charts/db/values.schema.json': '{"properties": {"port": {"type": "integer"}, "size": {"type": "integer"}}}',
  };

  assert.deepEqual((await told(files)).toSorted(), [
    'ValuesInvalid app/charts/db/values.yaml:2: db.size: got string, want integer',
    'ValuesInvalid app/values.yaml:2: db.port: got string, want integer',
  ]);
});

test('a schema that is none is told where it breaks', async () => {
  const schema = (text: string) => told({ ...CHART, 'app/values.schema.json': text });

  assert.deepEqual(await schema('{\n"a" 1}'), ['ChartInvalid app/values.schema.json:2: the schema is no JSON']);
  const [wrong] = await schema('{\n"type": "nothing"\n}');
  assert.match(
    wrong ?? '',
    /^ChartInvalid app\/values\.schema\.json:2: type: 'anyOf' failed; .*value must be one of 'array'/,
  );
});

test('manifests with values are held to a schema in the same way', async () => {
  const files = {
    'app/values.yaml': 'a: 1\nreplicas: many\n',
    'app/values.schema.json': '{"properties": {"replicas": {"type": "integer"}}}',
    'app/x.yaml': '',
  };

  assert.deepEqual(await told(files), ['ValuesInvalid app/values.yaml:2: replicas: got string, want integer']);
});
