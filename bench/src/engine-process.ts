// The engine alone, as `plumb up` runs it: what this process uses is what is measured.
import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { keepMemorySmall, startEngine, systemClock, systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig } from '@plumb/kube';
import { answerRequests } from './ipc.ts';

export interface EngineStart {
  readonly kubeconfig: string;
  readonly stateFolder: string;
  readonly cacheFolder: string;
}

const resources = new AsyncDisposableStack();
let profiling: Session | undefined;

answerRequests(
  {
    /** Answers the URL of its listener. */
    async start(argument) {
      keepMemorySmall();
      const { kubeconfig, stateFolder, cacheFolder } = argument as EngineStart;
      const { signal } = new AbortController();
      const config = await loadKubeconfig({ path: kubeconfig, env: {}, signal });
      const client = resources.use(
        connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-bench' }),
      );
      const engine = resources.use(
        await startEngine({
          client,
          clock: systemClock,
          random: systemRandom,
          stateFolder,
          cacheFolder,
          listen: { port: 0 },
          identity: 'kubernetes-admin',
          log: (event) => process.stderr.write(`${JSON.stringify(event)}\n`),
          signal,
        }),
      );
      return engine.url;
    },
    async beginProfile() {
      profiling = new Session();
      profiling.connect();
      await profiling.post('Profiler.enable');
      await profiling.post('Profiler.start');
    },
    async endProfile(file) {
      if (profiling === undefined) return;
      const { profile } = await profiling.post('Profiler.stop');
      profiling.disconnect();
      await writeFile(String(file), JSON.stringify(profile));
    },
  },
  () => resources.disposeAsync(),
);
