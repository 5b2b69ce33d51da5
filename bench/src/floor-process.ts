// The floor: the same objects over as many connections, one request each, with nothing around it.
import { openApi, type Api } from './api.ts';
import { applyOf, deploymentOf, NAMESPACE, objectsOf } from './fleet.ts';
import { answerRequests } from './ipc.ts';

const IN_FLIGHT = 32;

export interface FloorFigures {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

let api: Api | undefined;

function opened(): Api {
  if (api === undefined) throw new Error('not connected');
  return api;
}

async function applyEach(writes: readonly { path: string; body: string }[], inFlight: number): Promise<FloorFigures> {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const queue = writes.values();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (const { path, body } of queue) await opened().apply(path, body);
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpuSeconds: (user + system) / 1_000_000 };
}

answerRequests({
  async connect(kubeconfig) {
    api = await openApi(String(kubeconfig), IN_FLIGHT);
    await api.json('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  },
  create(count) {
    const writes = Array.from({ length: Number(count) }, (_, index) =>
      objectsOf(index, '1').map((object) => applyOf(index, object)),
    ).flat();
    return applyEach(writes, IN_FLIGHT);
  },
  changeAll(count) {
    const writes = Array.from({ length: Number(count) }, (_, index) => applyOf(index, deploymentOf(index, '2')));
    return applyEach(writes, IN_FLIGHT);
  },
  /** Seconds of each of `rounds` applies, one after the other. */
  async changeOne(rounds) {
    const seconds: number[] = [];
    for (let round = 0; round < Number(rounds); round += 1) {
      seconds.push((await applyEach([applyOf(round, deploymentOf(round, '3'))], 1)).seconds);
    }
    return seconds;
  },
});
