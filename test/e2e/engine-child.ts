/** An engine in a process of its own, for tests that kill or stop it. Its settings are the one argument, as JSON. */
import { writeSync } from 'node:fs';
import { toPlumbError } from '@plumb/core';
import { startEngine, systemClock, systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig, type KubeClient } from '@plumb/kube';
import { clientWith } from './client-with.ts';
import { fastClock, type FastTime } from './fast-clock.ts';

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
  /** The process stops, until somebody lets it go on, at the first boundary of this name: `before delete ConfigMap/old`. */
  readonly stopAt?: string;
  /** Whether its clock runs faster than the machine's. */
  readonly time?: FastTime;
}

/** What a child with `stopAt` writes to its standard output, one JSON text a line. */
export type ChildSays =
  | { readonly said: 'stopping' }
  | {
      readonly said: 'wrote';
      /** `apply ConfigMap/env`, `report Application/shop` (its status), `delete ConfigMap/old`, `try …` (dry-runs). */
      readonly what: string;
      /** `ok`, or the code of the error. */
      readonly outcome: string;
      /** Whether it was sent, or was to be sent, after the stop. */
      readonly isLate: boolean;
    };

const { kubeconfig, crashAt, stopAt, time, ...settings } = JSON.parse(process.argv[2] ?? '{}') as ChildSettings;
const { signal } = new AbortController();
const config = await loadKubeconfig({ path: kubeconfig, env: {}, signal });
const clock = time === undefined ? systemClock : fastClock(time);
await startEngine({
  ...settings,
  client: interrupted(connect(config, { clock, random: systemRandom, userAgent: 'plumb-test' })),
  clock,
  random: systemRandom,
  identity: 'kubernetes-admin',
  log: (event) => {
    if (process.env['PLUMB_TEST_LOG'] !== undefined) process.stderr.write(`${JSON.stringify(event)}\n`);
  },
  signal,
});

function interrupted(client: KubeClient): KubeClient {
  let boundaries = 0;
  let hasStopped = false;
  const boundary = (name: string): void => {
    boundaries += 1;
    if (boundaries === crashAt) process.kill(process.pid, 'SIGKILL');
    if (name !== stopAt || hasStopped) return;
    hasStopped = true;
    say({ said: 'stopping' });
    process.kill(process.pid, 'SIGSTOP');
  };
  /** `counts`: whether it has boundaries. */
  const passing = async <T>(what: string, counts: boolean, send: () => Promise<T>): Promise<T> => {
    if (counts) boundary(`before ${what}`);
    const isLate = hasStopped;
    const answer = await send().catch((thrown: unknown) => {
      say({ said: 'wrote', what, outcome: toPlumbError(thrown).code, isLate });
      throw thrown;
    });
    say({ said: 'wrote', what, outcome: 'ok', isLate });
    if (counts) boundary(`after ${what}`);
    return answer;
  };
  return clientWith(client, {
    apply(object, options) {
      const { subresource, dryRun } = options;
      const verb = dryRun === true ? 'try' : subresource === undefined ? 'apply' : 'report';
      const counts = verb !== 'report' && object.kind !== 'Lease';
      return passing(`${verb} ${object.kind}/${object.metadata.name}`, counts, () => client.apply(object, options));
    },
    delete(resource, ref, options) {
      const verb = options.dryRun === true ? 'try to delete' : 'delete';
      return passing(`${verb} ${resource.kind}/${ref.name}`, true, () => client.delete(resource, ref, options));
    },
  });
}

function say(what: ChildSays): void {
  if (stopAt !== undefined) writeSync(1, `${JSON.stringify(what)}\n`);
}
