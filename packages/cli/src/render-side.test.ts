import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '@plumb/test-support';
import { createRenderer, type Renderer } from '@plumb/render';
import { gitFolder } from '../test/git-folder.ts';
import { openSide, renderSide } from './render-side.ts';

const { signal } = new AbortController();
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\n';

test('a folder of the same content at both commits is rendered once', async () => {
  await using folder = await gitFolder({ 'app/a.yaml': CONFIG_MAP, 'other/b.yaml': CONFIG_MAP });
  await folder.commit({ 'other/b.yaml': `${CONFIG_MAP}data: {a: b}\n` });
  await using renderer = createRenderer({ clock: realClock, workers: 1 });
  let renders = 0;
  const counting: Renderer = {
    ...renderer,
    render: (request) => {
      renders += 1;
      return renderer.render(request);
    },
  };
  await using from = await openSide(folder.path, 'HEAD~1', { signal });
  await using to = await openSide(folder.path, 'HEAD', { signal });

  for (const [path, expected] of [
    ['app', 1],
    ['other', 2],
  ] as const) {
    renders = 0;
    const compared = { directory: `${folder.path}/${path}`, path, flags: {} };
    const options = { renderer: counting, cwd: folder.path, signal };
    const before = await renderSide(from, compared, options);
    const after = await renderSide(to, compared, { ...options, other: before });
    assert.equal(renders, expected, path);
    assert.equal(after === before, expected === 1);
  }
});
