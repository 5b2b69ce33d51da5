import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import checksums from '../../wasm/checksums.json' with { type: 'json' };

const BUILD = fileURLToPath(new URL('../../tools/build-wasm.ts', import.meta.url));

/** The version of Go that is here, or undefined. */
function goVersion(): string | undefined {
  const asked = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  return asked.status === 0 ? asked.stdout.trim() : undefined;
}

const here = goVersion();
const skip =
  here === checksums.helm.go
    ? false
    : `the modules were built with ${checksums.helm.go}, and here is ${here ?? 'no Go'}`;

test('the committed modules are, bit for bit, what their sources give', { skip }, () => {
  assert.doesNotThrow(() => execFileSync(process.execPath, [BUILD, '--check'], { stdio: 'pipe' }));
});
