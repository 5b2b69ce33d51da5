import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isJsonObject, type Json } from '@plumb/core';
import { memoryTree, realClock, type MemoryFiles } from '@plumb/test-support';
import cases from '../testdata/upstream/cases.json' with { type: 'json' };
import { createRenderer, type Renderer, type RenderOutcome } from './renderer.ts';

/**
 * What the real `helm template` and `kustomize build` answered, held against ours: testdata/upstream/README.md says where
 * the answers come from. Objects are compared as sets; 1 is 1.0, nulls in maps are absent, Lists are their items.
 */
interface Case {
  readonly id: string;
  /** The file of `testdata/upstream` that holds the repository, and the folder in it that is rendered. */
  readonly bundle: string;
  readonly path?: string;
  /** Files of `testdata/upstream/values`, lowest first. */
  readonly values?: readonly string[];
  readonly set?: readonly string[];
  readonly setString?: readonly string[];
  /** Where upstream fails: our code and place. */
  readonly fails?: string;
}

/** Where we differ from upstream, on purpose or because it cannot be helped. */
const DEVIATIONS: Readonly<Record<string, string>> = {
  // Numbers that JavaScript would not keep are refused rather than changed.
  'helm-numbers-set': 'NumberRange app/templates/a.yaml:5',
  'helm-yaml-scalars': 'NumberRange app/templates/a.yaml:1',
  'kust-scalars': 'NumberRange app/a.yaml:1',
  'kust-scalars-patched': 'NumberRange app/a.yaml:1',
  // A folder without a mark is one of plain manifests, and no failed chart or kustomization.
  'helm-no-chartyaml-fail': 'rendered',
  'kust-no-kust-fail': 'rendered',
  // Go leaves open what becomes of a float that is no int64: 0/0 is 0 here, as on arm64, and the least one on amd64.
  'helm-sprig-fail-23': 'rendered',
};

/** Of these, what Go makes of floats that are no int64 is left out: the greatest one here, and the least one on amd64. */
const BEYOND_INT64: Readonly<Record<string, RegExp>> = {
  'helm-numbers': /^(?:int|i64|pd|add|mul)_(?:maxi|over|huge|f20|f21)$/,
  'helm-numbers-setstring': /^(?:int|i64|pd|add|mul)_(?:maxi|over|huge|f20|f21)$/,
};

const FOLDER = join(import.meta.dirname, '../testdata/upstream');

const answers = new Map(
  readFileSync(join(FOLDER, 'expected.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => [JSON.parse(line) as { readonly id: string; readonly objects?: readonly Json[] }, line] as const)
    .map(([answer, line]) => [answer.id, { objects: answer.objects, line }]),
);

let renderer: Renderer;

before(() => {
  renderer = createRenderer({ clock: realClock, workers: 2 });
});

after(async () => {
  await renderer[Symbol.asyncDispose]();
});

test('every case has an answer, and every deviation is of a case', () => {
  const ids = new Set(cases.map(({ id }) => id));

  assert.deepEqual([...answers.keys()], [...ids]);
  assert.deepEqual(
    [...Object.keys(DEVIATIONS), ...Object.keys(BEYOND_INT64)].filter((id) => !ids.has(id)),
    [],
  );
});

test('charts and kustomizations render to what the real tools give, and fail where these fail', async (t) => {
  for (const one of cases as readonly Case[]) {
    await t.test(one.id, async () => {
      const outcome = await rendered(one);

      const expected = answers.get(one.id)?.objects;
      const deviation = DEVIATIONS[one.id];
      if (deviation !== undefined) assert.equal(told(outcome), deviation);
      else if (expected === undefined) assertFails(outcome, one);
      else assert.deepEqual(objectsOf(outcome, one), normalized(expected, one));
    });
  }
});

function rendered({ bundle, path, values, set, setString }: Case): Promise<RenderOutcome> {
  const { signal } = new AbortController();
  return renderer.render({
    tree: memoryTree(unpack(readFileSync(join(FOLDER, `${bundle}.txtar`)))),
    path: path === undefined ? 'app' : `app/${path}`,
    release: 'demo',
    namespace: 'shop',
    layers: (values ?? []).map((name) => ({ path: name, text: readFileSync(join(FOLDER, 'values', name), 'utf8') })),
    set,
    setString,
    signal,
  });
}

/** What upstream makes of it is refused by nobody here: what an API server would not take is not the renderer's matter. */
function isRendered(outcome: RenderOutcome): boolean {
  return outcome.ok || outcome.documents.length > 0;
}

/** `rendered`, or the first error as `Code file:line`. */
function told(outcome: RenderOutcome): string {
  if (outcome.ok || isRendered(outcome)) return 'rendered';
  const [error] = outcome.error;
  const { file, line } = error?.where ?? {};
  return `${error?.code} ${[file, line].filter((part) => part !== undefined).join(':')}`.trimEnd();
}

function assertFails(outcome: RenderOutcome, { fails }: Case): void {
  assert.equal(told(outcome), fails);
  for (const { message } of outcome.ok ? [] : outcome.error) {
    assert.doesNotMatch(message, NOISE);
    assert.ok(message.length > 0 && message.length < 400, message);
    assert.equal(message.includes('\n'), false, message);
  }
}

/** The guest's own paths, chains of calls, and values as Go prints them. */
const NOISE =
  /(?<![\w.])\/(?:repo|over)\b|accumulat|must build at directory|evalsymlink|&\{|0x[0-9a-f]{4}|map\[string\]interface \{\}\{|\[noNs\]|resid\.|%!|executing "/;

function objectsOf(outcome: RenderOutcome, one: Case): readonly Json[] {
  if (!isRendered(outcome) && !outcome.ok)
    assert.fail(outcome.error.map(({ code, message }) => `${code} ${message}`).join('\n'));
  return normalized(
    outcome.documents.map(({ value }) => value),
    one,
  );
}

function normalized(objects: readonly Json[], { id }: Case): readonly Json[] {
  return objects
    .flatMap(itemsOf)
    .map((object) => JSON.stringify(withoutNulls(object, BEYOND_INT64[id] ?? NOTHING)))
    .toSorted()
    .map((text) => JSON.parse(text) as Json);
}

function itemsOf(object: Json): readonly Json[] {
  if (!isJsonObject(object)) return [object];
  const { kind, items } = object;
  const isList = typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items);
  return isList ? (items as readonly Json[]).flatMap(itemsOf) : [object];
}

const NOTHING = /^(?!)/;

function withoutNulls(value: Json, leftOut: RegExp): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => withoutNulls(item, leftOut));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter(([key, item]) => item !== null && !leftOut.test(key));
  return Object.fromEntries(
    entries.map(([key, item]) => [key, withoutNulls(item, leftOut)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const MEMBER = /^-- (\S+)( \(base64\)| \(no newline\))? --\n/gm;

/** A bundle is text: each file after a line `-- path --`, which says how the content differs from the lines below it. */
function unpack(bundle: Uint8Array): MemoryFiles {
  const text = Buffer.from(bundle).toString('latin1');
  const members = [...text.matchAll(MEMBER)];
  return Object.fromEntries(
    members.map(({ 0: line, 1: name, 2: mark, index }, at) => {
      const body = text.slice(index + line.length, members[at + 1]?.index ?? text.length);
      if (mark === ' (base64)') return [`app/${name}`, Buffer.from(body, 'base64')];
      return [`app/${name}`, Buffer.from(mark === undefined ? body : body.slice(0, -1), 'latin1')];
    }),
  );
}
