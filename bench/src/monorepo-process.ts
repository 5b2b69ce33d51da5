// What the engine does with a repository, without a cluster: its own look at the commits, and its renderer with its cache.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { decodeApplication, decodeRepository } from '@plumb/api';
import { systemClock, systemRandom, targetsOf, type NamespacedName, type TargetSpec } from '@plumb/engine';
import type { SourceTree, TargetKey } from '@plumb/core';
import { openMirror } from '@plumb/git';
import { createRenderer, openDiskCache, type RenderCache, type Renderer, type RenderRequest } from '@plumb/render';
import { Sources } from '../../packages/engine/src/source.ts';
import { answerRequests } from './ipc.ts';

const NAMESPACE = 'bench';
const REPOSITORY: NamespacedName = `${NAMESPACE}/monorepo`;

export interface MonorepoStart {
  readonly url: string;
  readonly folder: string;
  readonly applications: readonly MonorepoApplication[];
}

export interface MonorepoApplication {
  readonly name: string;
  readonly path: string;
  readonly namespace: string;
}

/** One look at the repository and all that came of it. */
export interface LookFigures {
  /** Of what follows: git, from start to end. */
  readonly fetchMs: number;
  /** Until it is known which applications the commit is news to. */
  readonly lookMs: number;
  /** Until all of these are rendered too. */
  readonly doneMs: number;
  /** Their names. */
  readonly affected: readonly string[];
  /** How often a folder was really built, and not taken from somebody who builds or has built the same. */
  readonly builds: number;
}

/** As the engine works on targets: `concurrency` in packages/engine/src/engine.ts. */
const IN_FLIGHT = 24;
const CAPABILITIES = { kubeVersion: 'v1.37.2', apiVersions: [] };
const { signal } = new AbortController();

const resources = new AsyncDisposableStack();
const targets = new Map<TargetKey, TargetSpec>();
const changed = new Set<TargetKey>();
let sources: Sources | undefined;
let renderer: Renderer | undefined;
let fetchMs = 0;
let builds = 0;

function add(applications: readonly MonorepoApplication[]): void {
  for (const { name, path, namespace } of applications) {
    const decoded = decodeApplication({
      apiVersion: 'plumb.dev/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace: NAMESPACE },
      spec: { source: { repository: 'monorepo', path }, namespace },
    });
    if (!decoded.ok) throw decoded.error;
    for (const spec of targetsOf(decoded.value)) targets.set(spec.target, spec);
  }
}

/** As `TargetRenderer` asks, of an installation without anything from elsewhere. */
function requestOf(spec: TargetSpec, tree: SourceTree, nowMs: number): RenderRequest {
  const { render, path, target, application } = spec;
  return { ...render, tree, path, capabilities: CAPABILITIES, seed: target, nowMs, owner: application, signal };
}

/** As `Reconciler` renders. */
async function renderTarget(spec: TargetSpec): Promise<void> {
  const source = sources?.sourceOf(spec);
  if (sources === undefined || renderer === undefined || source?.state !== 'ready') {
    throw new Error(`${spec.target} has no source: ${source?.state === 'failed' ? source.error.message : 'waiting'}`);
  }
  const tree = sources.treeAt(spec.repository, source.commit);
  if (tree === undefined) throw new Error('the mirror is not open');
  const { committer } = await sources.commitOf(spec.repository, source.commit, { signal });
  const outcome = await renderer.render(requestOf(spec, tree, committer.time));
  if (!outcome.ok) throw new Error(`${spec.target}: ${outcome.error.map(({ message }) => message).join('; ')}`);
  sources.learned(spec, source, outcome.reads);
}

async function look(ask: (sources: Sources) => Promise<void>): Promise<LookFigures> {
  if (sources === undefined) throw new Error('nothing is opened');
  changed.clear();
  fetchMs = 0;
  builds = 0;
  const startedAt = performance.now();
  await ask(sources);
  const lookMs = performance.now() - startedAt;
  const affected = [...changed].flatMap((target) => targets.get(target) ?? []);
  const queue = affected.values();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (const spec of queue) await renderTarget(spec);
    }),
  );
  const doneMs = performance.now() - startedAt;
  return { fetchMs, lookMs, doneMs, affected: affected.map(({ application }) => application), builds };
}

/** A mirror whose fetches are timed: what git takes is told apart from what we do. */
const openTimed: typeof openMirror = async (options) => {
  const mirror = await openMirror(options);
  const fetch = mirror.fetch.bind(mirror);
  return Object.assign(mirror, {
    async fetch(...args: Parameters<typeof fetch>) {
      const startedAt = performance.now();
      try {
        return await fetch(...args);
      } finally {
        fetchMs += performance.now() - startedAt;
      }
    },
  });
};

/** Only what was built anew is stored. */
function counted(cache: RenderCache): RenderCache {
  return {
    load: (key) => cache.load(key),
    store(key, render) {
      builds += 1;
      return cache.store(key, render);
    },
  };
}

answerRequests(
  {
    /** Follows the repository and renders all applications for the first time. */
    async open(argument) {
      const { url, folder, applications } = argument as MonorepoStart;
      add(applications);
      const disk = openDiskCache({ folder: join(folder, 'cache'), key: randomBytes(32), clock: systemClock });
      const opened = resources.use(createRenderer({ clock: systemClock, cache: counted(disk) }));
      renderer = opened;
      sources = resources.use(
        new Sources({
          cacheFolder: join(folder, 'git'),
          clock: systemClock,
          random: systemRandom,
          readSecret: () => Promise.resolve(undefined),
          targetsOf: () => targets,
          changed: (keys) => {
            for (const key of keys) changed.add(key);
          },
          reported: () => {},
          elsewhere: {
            externalsOf: () => Promise.resolve(undefined),
            recall: (spec, { tree }) => opened.recall(requestOf(spec, tree, 0)),
            capabilitiesOf: () => Promise.resolve(CAPABILITIES),
            unreadable: (_spec, error) => {
              throw error;
            },
          },
          openMirror: openTimed,
        }),
      );
      const repository = decodeRepository({
        apiVersion: 'plumb.dev/v1alpha1',
        kind: 'Repository',
        metadata: { namespace: NAMESPACE, name: 'monorepo', uid: 'bench', generation: 1 },
        // Nobody looks in between.
        spec: { url, interval: '24h' },
      });
      if (!repository.ok) throw repository.error;
      const { value } = repository;
      return look(async (followed) => {
        await followed.follow(value);
        await followed.targetsChanged(REPOSITORY);
      });
    },
    /** As a webhook asks. */
    look: () => look((followed) => followed.refresh(REPOSITORY)),
    /** New applications of the same repository. */
    add(applications) {
      add(applications as readonly MonorepoApplication[]);
      return look((followed) => followed.targetsChanged(REPOSITORY));
    },
  },
  () => resources.disposeAsync(),
);
