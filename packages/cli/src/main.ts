#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { systemClock } from '@plumb/engine/clock';
import { cacheFolder } from './folders.ts';
import { stopOnSignals } from './stop-signal.ts';

// What was parsed once starts five times faster; a folder that cannot be written to is no error.
enableCompileCache(cacheFolder(process.env, homedir(), 'compiled'));

const signal = stopOnSignals();
// Whoever reads our output may stop reading (`plumb status | head -1`).
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

const { runCli } = await import('./cli.ts');
const code = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  clock: systemClock,
  signal,
});
// A pipe takes its time: what was written must be out before the process ends.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
