import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import plugin from './plugin.ts';

const ROOT = join(import.meta.dirname, '../..');

const BREAKS_EVERY_RULE = `
import { exec } from 'node:child_process';
exec(\`echo \${Math.random()} \${Date.now()}\`);
export const parsed: unknown = JSON.parse('{}');
Promise.resolve();
export const tls = { rejectUnauthorized: false };
`;

// A plug-in or a type checker that failed to load would leave the linter silent: this proves that both speak.
test('oxlint loads the house rules and knows types', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lint-'));
  const file = join(folder.path, 'bad.ts');
  await writeFile(file, BREAKS_EVERY_RULE);

  const { stdout } = spawnSync('oxlint', ['--config', join(ROOT, '.oxlintrc.json'), '--format', 'unix', file], {
    cwd: folder.path,
    encoding: 'utf8',
  });

  const reported = [...new Set(Array.from(stdout.matchAll(/house\(([a-z-]+)\)/g), ([, rule]) => rule ?? ''))].sort();
  const expected = Object.keys(plugin.rules).filter((rule) => rule !== 'import-directions');
  assert.deepEqual(reported, expected);
  assert.match(stdout, /typescript\(no-floating-promises\)/);
});
