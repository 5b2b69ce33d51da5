import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runFolder } from '@plumb/cli/cluster';
import { announceRun } from '@plumb/cli/run-file';
import type { Stage } from './stage.ts';

const PLUMB = fileURLToPath(new URL('../../packages/cli/bin/plumb.mjs', import.meta.url));

/** What the command line answers about the stage's cluster, as a person beside the running engine would see it. */
export async function askPlumb(
  { config, kubeconfig, engineUrl, stateFolder }: Stage,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string }> {
  const home = await mkdtemp(join(tmpdir(), 'plumb-demo-home-'));
  const env = { ...process.env, HOME: home, XDG_STATE_HOME: join(home, 'state'), NO_COLOR: '1' };
  try {
    await using _run = await announceRun(runFolder({ env, home }), {
      pid: process.pid,
      url: engineUrl,
      kubeconfig,
      context: config.context,
      server: config.server,
      stateFolder,
      startedAt: new Date().toISOString(),
    });
    return await new Promise((resolve) => {
      execFile(process.execPath, [PLUMB, ...args], { env }, (error, stdout) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout });
      });
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
