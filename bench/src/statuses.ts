import type { Api, WatchEvent } from './api.ts';
import { NAMESPACE } from './fleet.ts';
import { KEEP } from './place.ts';

/** What takes longer is stuck, and no measurement. */
const PATIENCE_MS = 300_000;

export const API = '/apis/plumb.dev/v1alpha1';

export interface Statuses extends Disposable {
  /** When the engine first wrote: the time of the first event of any application. */
  readonly firstChangeAt: number;
  /** Resolves with the time at which the last application became Ready at this commit. */
  allReady(revision: string): Promise<number>;
  ready(name: string, revision: string): Promise<number>;
}

export async function watchStatuses(api: Api, count: number): Promise<Statuses> {
  const revisions = new Map<string, string>();
  const waiting = new Set<() => void>();
  let firstChangeAt = 0;
  const onEvent = ({ type, object }: WatchEvent): void => {
    if (type !== 'MODIFIED') return;
    firstChangeAt ||= performance.now();
    const { metadata, status } = object as {
      metadata: { name: string };
      status?: { revision?: string; conditions?: readonly { type: string; status: string }[] };
    };
    const isReady = status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
    if (isReady === true && status?.revision !== undefined) revisions.set(metadata.name, status.revision);
    else revisions.delete(metadata.name);
    for (const check of waiting) check();
  };
  const watch = await api.watch(`${API}/namespaces/${NAMESPACE}/applications`, onEvent);
  const when = async (holds: () => boolean): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = (): void => {
      if (holds()) resolve();
    };
    const late = setTimeout(() => {
      reject(new Error(`only ${revisions.size} of ${count} applications are Ready; ${KEEP}=1 keeps the logs`));
    }, PATIENCE_MS);
    waiting.add(check);
    check();
    try {
      await promise;
      return performance.now();
    } finally {
      clearTimeout(late);
      waiting.delete(check);
    }
  };
  return {
    get firstChangeAt() {
      return firstChangeAt;
    },
    allReady: (revision) =>
      when(() => revisions.size === count && revisions.values().every((candidate) => candidate === revision)),
    ready: (name, revision) => when(() => revisions.get(name) === revision),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}
