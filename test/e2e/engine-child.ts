/** An engine in a process of its own, for tests that kill it. Its settings are the one argument, as JSON. */
import { startEngine, systemClock, systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig } from '@plumb/kube';

export interface ChildSettings {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly stateFolder: string;
  readonly cacheFolder: string;
}

const { kubeconfig, ...settings } = JSON.parse(process.argv[2] ?? '{}') as ChildSettings;
const { signal } = new AbortController();
const config = await loadKubeconfig({ path: kubeconfig, env: {}, signal });
await startEngine({
  ...settings,
  client: connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-test' }),
  clock: systemClock,
  random: systemRandom,
  identity: 'kubernetes-admin',
  log: (event) => {
    if (process.env['PLUMB_TEST_LOG'] !== undefined) process.stderr.write(`${JSON.stringify(event)}\n`);
  },
  signal,
});
