import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { memoryTree, realClock, type MemoryFiles } from '@plumb/test-support';
import { createRenderer, type Renderer } from './renderer.ts';

let renderer: Renderer;

before(() => {
  renderer = createRenderer({ clock: realClock, workers: 1 });
});

after(async () => {
  await renderer[Symbol.asyncDispose]();
});

function template(name: string, expression: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  drawn: {{ ${expression} | quote }}\n`;
}

const CHART = 'apiVersion: v2\nname: random\nversion: 1.0.0\n';

/** What each template drew, by the name of its object. */
async function drawnBy(
  files: MemoryFiles,
  more: { readonly seed?: string; readonly nowMs?: number } = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { signal } = new AbortController();
  const tree = memoryTree({ 'app/Chart.yaml': CHART, ...files });
  const outcome = await renderer.render({
    tree,
    path: 'app',
    release: 'demo',
    namespace: 'shop',
    seed: 'a secret',
    ...more,
    signal,
  });
  if (!outcome.ok) assert.fail(outcome.error.map(({ message }) => message).join('\n'));
  return Object.fromEntries(
    outcome.value.objects.map(({ object }) => [object.metadata.name, (object['data'] as { drawn: string }).drawn]),
  );
}

const DRAWS = {
  alphanumeric: 'randAlphaNum 24',
  bytes: 'randBytes 16',
  integer: 'randInt 0 1000000000',
  shuffled: 'shuffle "abcdefghijklmnopqrstuvwxyz"',
  uuid: 'uuidv4',
  hashed: 'bcrypt "x"',
  key: 'genPrivateKey "ed25519"',
  authority: '(genCA "ca" 365).Cert',
} as const;

test('every function that draws gives the same again for the same seed, and something else for another', async () => {
  const files = Object.fromEntries(
    Object.entries(DRAWS).map(([name, expression]) => [`app/templates/${name}.yaml`, template(name, expression)]),
  );

  const first = await drawnBy(files);
  const again = await drawnBy(files);
  const other = await drawnBy(files, { seed: 'another secret' });

  assert.deepEqual(again, first);
  for (const name of Object.keys(DRAWS)) assert.notEqual(other[name], first[name], name);
});

test('what one template draws does not depend on the others: neither on new ones nor on ones that draw more', async () => {
  const password = { 'app/templates/m.yaml': template('m', 'randAlphaNum 24') };
  const alone = await drawnBy(password);

  const among = await drawnBy({
    ...password,
    'app/templates/a.yaml': template('a', 'printf "%s%s" uuidv4 (randAlphaNum 100)'),
    'app/templates/z.yaml': template('z', 'randInt 0 9'),
    'app/templates/_help.tpl': '{{ define "x" }}{{ randAlpha 5 }}{{ end }}',
  });

  assert.equal(among['m'], alone['m']);
  assert.notEqual(among['a'], alone['m']);
});

test('now is the time that the request names', async () => {
  const files = { 'app/templates/t.yaml': template('t', 'now | date "2006-01-02"') };

  assert.deepEqual(await drawnBy(files, { nowMs: Date.UTC(2026, 1, 3, 12) }), { t: '2026-02-03' });
});
