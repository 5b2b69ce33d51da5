/**
 * What `npm test` runs: every test against one real cluster. Arguments narrow it to files, or folders of them:
 * `npm test -- packages/git`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlumbError } from '@plumb/core';
import { startCluster } from '@plumb/controlplane';
import { realClock } from '@plumb/test-support';
import { installTestPackages } from './debian.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PATTERNS = [
  'packages/*/src/**/*.test.ts',
  'test/**/*.test.ts',
  'tools/**/*.test.ts',
  'demo/**/*.test.ts',
  'bench/**/*.test.ts',
];

async function main(narrowing: readonly string[], signal: AbortSignal): Promise<number> {
  const files = await findTests(narrowing);
  if (files.length === 0) throw new PlumbError('Usage', `no test file under ${narrowing.join(' ')}`);
  await installTestPackages({ report, signal });

  await using cluster = await startCluster({ signal, clock: realClock, report });
  report(`Running ${files.length} test files against ${cluster.server}`);
  const reporters = ['spec', join(ROOT, 'tools/test-totals.ts')].flatMap((reporter) => [
    `--test-reporter=${reporter}`,
    '--test-reporter-destination=stdout',
  ]);
  const runner = spawn(process.execPath, ['--test', '--test-concurrency=2', ...reporters, ...files], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, PLUMB_TEST_KUBECONFIG: cluster.kubeconfig },
  });
  // Not killed at once: the runner stops its test processes, and they what they started.
  signal.addEventListener('abort', () => runner.kill('SIGTERM'), { once: true });
  const [code] = await once(runner, 'exit');
  return typeof code === 'number' ? code : 1;
}

async function findTests(narrowing: readonly string[]): Promise<string[]> {
  const wanted = narrowing.map((path) => relative(ROOT, join(process.cwd(), path)));
  const files: string[] = [];
  for await (const file of glob(PATTERNS, { cwd: ROOT, exclude: ['**/node_modules/**'] })) files.push(file);
  const isWanted = (file: string): boolean =>
    wanted.length === 0 || wanted.some((path) => path === '' || file === path || file.startsWith(`${path}/`));
  return files.filter(isWanted).sort();
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
try {
  process.exitCode = await main(process.argv.slice(2), stop.signal);
} catch (error) {
  if (stop.signal.aborted) process.exitCode = 130;
  else if (error instanceof PlumbError) {
    report(`error: ${error.message}\n  fix: ${error.fix}`);
    process.exitCode = 1;
  } else throw error;
}
