/**
 * `npm run check`: everything that can be said about the sources without running them, in parallel. Prints one line a
 * check, and what a check said only where it failed. Exits 1 when any failed.
 *
 * `npm run check -- lint types` runs only the checks named.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { styleText } from 'node:util';

interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

interface Outcome {
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

const ROOT = join(import.meta.dirname, '..');
const HOUSE_TESTS = ['test/house/*.test.ts', 'tools/lint/*.test.ts'];

const CHECKS: readonly Check[] = [
  { name: 'types', command: 'tsc', args: ['--noEmit', '--project', '.'] },
  { name: 'lint', command: 'oxlint', args: [] },
  { name: 'format', command: 'oxfmt', args: ['--check', '.'] },
  { name: 'unused', command: 'knip', args: ['--no-progress', '--no-config-hints'] },
  { name: 'house', command: 'node', args: ['--test', '--test-reporter=spec', ...globSync(HOUSE_TESTS, { cwd: ROOT })] },
];

async function main(names: readonly string[]): Promise<boolean> {
  const unknown = names.filter((name) => CHECKS.every((check) => check.name !== name));
  if (unknown.length > 0) {
    const known = CHECKS.map((check) => check.name).join(', ');
    console.error(`error: no check is named ${unknown.join(', ')}. There are: ${known}.`);
    return false;
  }
  const chosen = CHECKS.filter((check) => names.length === 0 || names.includes(check.name));
  const outcomes = await Promise.all(
    chosen.map(async (check) => {
      const outcome = await run(check);
      report(check, outcome);
      return outcome;
    }),
  );
  return outcomes.every((outcome) => outcome.passed);
}

/** Runs a tool of node_modules/.bin. A tool that does not start has failed, and says why. */
async function run({ command, args }: Check): Promise<Outcome> {
  const startedMs = performance.now();
  const child = spawn(command, args, {
    cwd: ROOT,
    env: {
      ...process.env,
      PATH: [join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
      FORCE_COLOR: process.stdout.isTTY ? '1' : '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<{ readonly passed: boolean; readonly failure: string }>((resolve) => {
    child.once('error', (error) => resolve({ passed: false, failure: error.message }));
    child.once('close', (code) => resolve({ passed: code === 0, failure: '' }));
  });
  const [stdout, stderr, { passed, failure }] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { passed, seconds: (performance.now() - startedMs) / 1000, output: `${stdout}${stderr}${failure}` };
}

function report({ name }: Check, { passed, seconds, output }: Outcome): void {
  const mark = passed ? styleText('green', '✔') : styleText('red', '✖');
  console.log(`${mark} ${name.padEnd(8)}${seconds.toFixed(1).padStart(5)} s`);
  if (!passed) console.log(`\n${output.trim()}\n`);
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
