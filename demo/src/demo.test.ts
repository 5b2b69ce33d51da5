import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

test('the story holds, step by step, and leaves nothing behind', async (t) => {
  const temporary = await mkdtemp(join(tmpdir(), 'plumb-demo-test-'));
  t.after(() => rm(temporary, { recursive: true, force: true }));

  const demo = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, '--once'], {
    env: { ...process.env, TMPDIR: temporary, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => demo.kill());
  const exited = once(demo, 'exit');
  const [story, complaints, [code]] = await Promise.all([text(demo.stdout), text(demo.stderr), exited]);

  assert.equal(code, 0, story + complaints);
  const lines = [
    /^1 {2}A folder in Git becomes a healthy application/m,
    /✓ Healthy everywhere [\d.]+ m?s after/,
    /✓ prod {5}env LOG_LEVEL info → debug/,
    /✓ Plumb says what it healed and who did it {2}Deployment\/shop, replicas 3 → 9 by dana \(kubectl-edit\)/,
    /✓ ConfigMap\/shop-banner is gone from all three environments/,
    /✓ It names the mistake: deploy\/service\.yaml:8/,
    /✓ The cluster keeps running what it had {2}12 objects, not one written/,
    /npx plumb sync shop -e prod --approve-deletion [0-9a-f]{12}$/m,
    /✓ Nothing was deleted {2}12 objects with the uids they had/,
    /✓ cart prod {4}Healthy {2}r1 · 4 objects in cart-prod · 2 of 2 Pods available/,
    /✓ reviews-prod Healthy {2}r1 · 4 objects in reviews-prod · 3 of 3 Pods available/,
    /✓ cart dev {5}the chart's migration ran first {2}Job\/cart-migration, once, and ended before Deployment\/cart was made/,
    /✓ reviews-dev {2}env CACHE_SECONDS 30 → 60/,
    /✓ Nobody else has a new release {2}shop dev, shop staging, shop prod, cart dev, cart prod$/m,
    /✓ Nothing else was rendered {2}plumb_render_total \+ 2$/m,
    /✓ The generated passwords stay what they are {2}Secret\/cart-store was not written/,
    /✓ The cause is known [\d.]+ m?s after the push began/,
    /✓ It leads from the pod to the commit {2}[0-9a-f]{7} by Demo Author/,
    /✓ All 10 steps hold/,
  ];
  for (const line of lines) assert.match(story, line);
  assert.deepEqual(await readdir(temporary), []);
});

test('an argument that is none is refused', async () => {
  const demo = spawn(process.execPath, [MAIN, '--twice'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(demo, 'exit');

  const [complaints, [code]] = await Promise.all([text(demo.stderr), exited]);

  assert.equal(code, 2);
  assert.match(complaints, /unknown argument --twice/);
});
