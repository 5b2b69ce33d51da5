import { startApiFaultServer, type ApiExchange, type ApiStream } from '@plumb/test-support';
import { startPart } from './ipc.ts';
import { openLogs } from './place.ts';
import { goal, readable, rounded, type Bench, type BenchOptions, type Goal, type Measured } from './result.ts';
import type { ReadingFigures } from './watch-process.ts';
import { watchedObject } from './watched-objects.ts';

const GOAL_COUNT = 20_000;

export const watches: Bench = {
  name: 'watches',
  summary: `What a managed object costs in the watches, and a new list after one has expired: --count N, default ${GOAL_COUNT}`,
  run: runWatches,
};

export interface WatchesFigures {
  readonly count: number;
  /** ServiceAccounts: metadata alone. */
  readonly withoutHealth: ReadingFigures;
  /** Deployments: whole objects, of which the health is kept. */
  readonly withHealth: ReadingFigures;
  /** All Deployments once more, after their watch has expired. */
  readonly relist: ReadingFigures;
}

async function runWatches({ count = GOAL_COUNT, say }: BenchOptions): Promise<Measured> {
  await using logs = await openLogs();
  await using server = await openServer(count);
  await using part = await startPart('./watch-process.ts', {
    logFile: logs.logFile('watch'),
    execArgv: ['--expose-gc'],
  });
  await part.ask('open', server.url);
  const read = async (what: string, request: string, argument: unknown): Promise<ReadingFigures> => {
    const figures = (await part.ask(request, argument)) as ReadingFigures;
    const { seconds, cpuSeconds, longestBlockMs, heapMiB } = figures;
    say(
      `${what}: ${rounded(seconds)} s, ${rounded(cpuSeconds)} CPU-s, at most ${rounded(longestBlockMs)} ms at a time, ${rounded(heapMiB)} MiB`,
    );
    return figures;
  };
  const withHealth = await read(`${count} Deployments`, 'read', { group: 'apps', kind: 'Deployment' });
  const withoutHealth = await read(`${count} ServiceAccounts`, 'read', { group: '', kind: 'ServiceAccount' });
  // Deployments are the ones that were read first, so that what is loaded and compiled once counts with the larger ones.
  const again = read(`${count} Deployments anew`, 'reread', undefined);
  server.expire('Deployment');
  const figures: WatchesFigures = { count, withoutHealth, withHealth, relist: await again };
  return {
    name: count === GOAL_COUNT ? 'watches' : `watches-${count}`,
    figures: readable(figures),
    goals: goalsOf(figures),
  };
}

/** The promises for this bench, as `figures` keep them. */
export function goalsOf({ count, withoutHealth, withHealth, relist }: WatchesFigures): readonly Goal[] {
  return [
    goal('memory an object without health', 1, (withoutHealth.heapMiB * 1_024) / count, 'KiB'),
    goal('memory an object with health', 3, (withHealth.heapMiB * 1_024) / count, 'KiB'),
    goal('list after an expiry: longest block', 50, relist.longestBlockMs, 'ms'),
  ];
}

const KINDS = {
  serviceaccounts: { kind: 'ServiceAccount', path: '/api/v1', version: 'v1' },
  deployments: { kind: 'Deployment', path: '/apis/apps/v1', version: 'apps/v1' },
} as const;

type Plural = keyof typeof KINDS;

interface WatchServer extends AsyncDisposable {
  readonly url: string;
  /** Ends the watch of a kind as one that is too far behind. */
  expire(kind: string): void;
}

/**
 * Answers discovery and streaming lists as an API server does, over real sockets, from the process of the bench: the
 * figures are of the client alone, and 40,000 objects need no cluster.
 */
async function openServer(count: number): Promise<WatchServer> {
  const streams = new Map<string, ApiStream>();
  const indices = Array.from({ length: count }, (_, index) => index);
  const events = (plural: Plural): string =>
    indices
      .map((index) => {
        const object = watchedObject(KINDS[plural].kind, index);
        const told =
          plural === 'serviceaccounts'
            ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata }
            : object;
        return `${JSON.stringify({ type: 'ADDED', object: told })}\n`;
      })
      .join('');
  const texts = new Map<string, string>();
  for (const plural of Object.keys(KINDS) as Plural[]) texts.set(plural, events(plural));
  const server = await startApiFaultServer((exchange) => answer(exchange, texts, streams));
  return {
    url: server.url,
    expire(kind) {
      const stream = streams.get(kind);
      stream?.event('ERROR', { kind: 'Status', apiVersion: 'v1', code: 410, reason: 'Expired', message: 'too old' });
      stream?.end();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function answer(exchange: ApiExchange, texts: ReadonlyMap<string, string>, streams: Map<string, ApiStream>): void {
  const plural = exchange.path.split('/').at(-1) as Plural;
  const known = Object.hasOwn(KINDS, plural) ? KINDS[plural] : undefined;
  if (known === undefined) {
    const resources = (Object.keys(KINDS) as Plural[])
      .filter((name) => KINDS[name].path === exchange.path)
      .map((name) => ({ name, singularName: '', namespaced: true, kind: KINDS[name].kind, verbs: ['list', 'watch'] }));
    if (resources.length > 0) {
      const groupVersion = exchange.path === '/api/v1' ? 'v1' : 'apps/v1';
      return exchange.answer(200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources });
    }
    if (exchange.path === '/api') return exchange.answer(200, { kind: 'APIVersions', versions: ['v1'] });
    if (exchange.path === '/apis') {
      const version = { groupVersion: 'apps/v1', version: 'v1' };
      const groups = [{ name: 'apps', versions: [version], preferredVersion: version }];
      return exchange.answer(200, { kind: 'APIGroupList', apiVersion: 'v1', groups });
    }
    return exchange.answer(404, { kind: 'Status', code: 404, reason: 'NotFound', message: exchange.path });
  }
  const stream = exchange.stream();
  streams.set(known.kind, stream);
  if (exchange.query.get('sendInitialEvents') === null) return;
  stream.raw(texts.get(plural) ?? '');
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const metadata = { resourceVersion: '2000000', annotations };
  stream.event('BOOKMARK', { kind: known.kind, apiVersion: known.version, metadata });
}
