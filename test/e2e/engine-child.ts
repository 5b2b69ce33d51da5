/** An engine in a process of its own, for tests that kill it. Its settings are the one argument, as JSON. */
import { startEngine, systemClock, systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig, type KubeClient } from '@plumb/kube';
import { clientWith } from './client-with.ts';

export interface ChildSettings {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly stateFolder: string;
  readonly cacheFolder: string;
  /** Who it is on the lease: the one who comes back takes it over at once. */
  readonly holder?: string;
  /**
   * The process dies at this boundary, counted from 1: each write has one before it is sent and one after it was answered.
   * Leases and statuses do not count. Undefined: it lives until it is killed.
   */
  readonly crashAt?: number;
}

const { kubeconfig, crashAt, ...settings } = JSON.parse(process.argv[2] ?? '{}') as ChildSettings;
const { signal } = new AbortController();
const config = await loadKubeconfig({ path: kubeconfig, env: {}, signal });
await startEngine({
  ...settings,
  client: crashing(connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-test' })),
  clock: systemClock,
  random: systemRandom,
  identity: 'kubernetes-admin',
  log: (event) => {
    if (process.env['PLUMB_TEST_LOG'] !== undefined) process.stderr.write(`${JSON.stringify(event)}\n`);
  },
  signal,
});

function crashing(client: KubeClient): KubeClient {
  let boundaries = 0;
  const boundary = (): void => {
    boundaries += 1;
    if (boundaries === crashAt) process.kill(process.pid, 'SIGKILL');
  };
  return clientWith(client, {
    async apply(object, options) {
      const counts = options.subresource === undefined && object.kind !== 'Lease';
      if (counts) boundary();
      const applied = await client.apply(object, options);
      if (counts) boundary();
      return applied;
    },
    async delete(resource, ref, options) {
      boundary();
      const deletion = await client.delete(resource, ref, options);
      boundary();
      return deletion;
    },
  });
}
