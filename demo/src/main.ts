/**
 * `npm run demo`: tells the story of a commit with a real cluster and stays up to be tried out; with `--once` it ends with
 * the story, with exit code 0 where every step held and 1 where one did not.
 */
import { once } from 'node:events';
import { homedir } from 'node:os';
import { runFolder } from '@plumb/cli/cluster';
import { announceRun } from '@plumb/cli/run-file';
import { stopOnSignals } from '@plumb/cli/stop-signal';
import { PlumbError, toPlumbError, type Clock } from '@plumb/core';
import { systemClock } from '@plumb/engine/clock';
import { Mismatch, Narrator, duration } from './narrator.ts';
import { openStage, type Stage } from './stage.ts';
import { tellStory } from './story.ts';

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const unknown = args.find((arg) => arg !== '--once');
  if (unknown !== undefined) throw new PlumbError('Usage', `unknown argument ${unknown}`, { fix: USAGE });
  const stays = !args.includes('--once');
  const narrator = new Narrator(process.stdout);
  const clock = systemClock;

  narrator.title('Plumb, told with a real Kubernetes API server, a real Git host and the engine, all on this machine');
  const begun = clock.monotonic();
  await using stage = await openStage({ clock, signal, report });
  narrator.row(
    'cluster',
    `${stage.config.server}  Kubernetes ${stage.kubernetesVersion}, started in ${duration(stage.clusterMs)}`,
  );
  narrator.row('repository', stage.repositoryUrl);
  narrator.row('engine', stage.engineUrl);

  let holds = true;
  try {
    await tellStory({ stage, narrator, clock, signal });
    narrator.line();
    narrator.proven(`All ${narrator.steps} steps hold, ${duration(clock.monotonic() - begun)} in all.`);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    holds = false;
    narrator.mismatch(error);
    for (const event of stage.log.events.slice(-10)) report(JSON.stringify(event));
  }
  if (stays) await stay(stage, narrator, clock, signal);
  return holds ? 0 : 1;
}

const USAGE = 'npm run demo, or npm run demo -- --once';

async function stay(stage: Stage, narrator: Narrator, clock: Clock, signal: AbortSignal): Promise<void> {
  // As `plumb up` does, so that the command line finds this engine and its cluster.
  await using _run = await announceRun(runFolder({ env: process.env, home: homedir() }), {
    pid: process.pid,
    url: stage.engineUrl,
    kubeconfig: stage.kubeconfig,
    context: stage.config.context,
    server: stage.config.server,
    stateFolder: stage.stateFolder,
    startedAt: new Date(clock.now()).toISOString(),
  });
  narrator.title('Now it is yours: all of it stays up until Ctrl-C.');
  narrator.say('Change something and push; the push wakes the engine.');
  narrator.command(`git clone ${stage.repositoryUrl} && cd shop`);
  narrator.command(`sed -i.bak 's/tag: .*/tag: 1.5.0/' deploy/values.yaml && git commit -am 'Ship 1.5.0' && git push`);
  narrator.say('Look, from the root of this repository.');
  narrator.command('npx plumb status --watch');
  narrator.command('npx plumb history shop');
  narrator.say('Or with kubectl, if you have it.');
  narrator.command(`export KUBECONFIG=${stage.kubeconfig}`);
  narrator.command('kubectl get applications -A');
  narrator.command('kubectl -n shop-prod scale deployment/shop --replicas=9');
  if (!signal.aborted) await once(signal, 'abort');
  narrator.line('\nStopping…');
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}

const signal = stopOnSignals();
try {
  process.exitCode = await main(process.argv.slice(2), signal);
} catch (thrown) {
  if (signal.aborted) process.exitCode = 130;
  else {
    const error = toPlumbError(thrown);
    report(`error: ${error.message}\n  fix: ${error.fix}`);
    if (error.code === 'Internal') report(String(error.cause instanceof Error ? error.cause.stack : error.stack));
    process.exitCode = error.code === 'Usage' ? 2 : 1;
  }
}
