import type { KubeObject } from '@plumb/core';
import { totalOf } from './api-requests.ts';
import { NAMESPACE, REPOSITORY } from './fleet.ts';
import { phaseLine, type PhaseFigures } from './phase.ts';
import { goal, readable, type Bench, type BenchOptions, type Goal, type Measured } from './result.ts';
import { openRun } from './run.ts';

const GOAL_COUNT = 5_000;
const DEFINITIONS = 200;
const RESOURCES_EACH = 5;
/** Objects in one file: as generators write them. */
const PER_FILE = 50;

export const scale: Bench = {
  name: 'scale',
  summary: `One application of many objects, and one of definitions with their objects: --count N, default ${GOAL_COUNT}`,
  run: runScale,
};

export interface ScaleFigures {
  readonly count: number;
  /** One application of `count` ConfigMaps: first sync, a commit to one object, a commit to none. */
  readonly firstSync: PhaseFigures;
  readonly changeOne: PhaseFigures;
  readonly changeNone: PhaseFigures;
  /** 200 definitions and five objects of each, in one commit to a cluster that has none of them. */
  readonly definitions: PhaseFigures;
}

async function runScale(options: BenchOptions): Promise<Measured> {
  const count = options.count ?? GOAL_COUNT;
  const figures: ScaleFigures = {
    count,
    ...(await measureLarge(count, options)),
    ...(await measureDefinitions(options)),
  };
  return {
    name: count === GOAL_COUNT ? 'scale' : `scale-${count}`,
    figures: readable(figures),
    goals: goalsOf(figures),
  };
}

/** The promises for this bench, as `figures` keep them. */
export function goalsOf({ count, firstSync, changeOne, changeNone, definitions }: ScaleFigures): readonly Goal[] {
  const all = DEFINITIONS * (1 + RESOURCES_EACH);
  return [
    goal('first sync: requests an object', 1.01, firstSync.requests / count, 'requests'),
    goal('change one of them: requests', 4, changeOne.requests, 'requests'),
    goal('change one of them: seconds', 5, changeOne.seconds, 's'),
    goal('change none: requests', 0, changeNone.requests, 'requests'),
    goal('definitions with objects: requests an object', 1.5, definitions.requests / all, 'requests'),
  ];
}

async function measureLarge(
  count: number,
  options: BenchOptions,
): Promise<Pick<ScaleFigures, 'firstSync' | 'changeOne' | 'changeNone'>> {
  options.say(`one application of ${count} objects`);
  const indices = Array.from({ length: count }, (_, index) => index);
  const fileOf = (file: number, changed = -1): Readonly<Record<string, string>> => {
    const objects = indices.slice(file * PER_FILE, (file + 1) * PER_FILE);
    return {
      [`large/part-${file}.yaml`]: yaml(objects.map((index) => settings(index, index === changed ? '2' : '1'))),
    };
  };
  const files = Array.from({ length: Math.ceil(count / PER_FILE) }, (_, file) => fileOf(file));
  const setup = { applications: [applicationAt('large')], files: Object.assign({}, ...files), label: `large-${count}` };
  await using run = await openRun(setup, options);
  const firstSync = withStart(await run.create());
  options.say(`  first sync ${phaseLine(firstSync)}`);
  const changeOne = await run.change('changeOne', () => fileOf(0, 0), 'Change one');
  options.say(`  change one ${phaseLine(changeOne)}`);
  const changeNone = await run.changeNone();
  options.say(`  change none ${phaseLine(changeNone)}`);
  return { firstSync, changeOne, changeNone };
}

async function measureDefinitions(options: BenchOptions): Promise<Pick<ScaleFigures, 'definitions'>> {
  options.say(`${DEFINITIONS} definitions with ${RESOURCES_EACH} objects each`);
  const kinds = Array.from({ length: DEFINITIONS }, (_, index) => index);
  const files = {
    'kinds/objects.yaml': yaml(
      kinds.flatMap((kind) => Array.from({ length: RESOURCES_EACH }, (_, at) => objectOf(kind, at))),
    ),
    'kinds/definitions.yaml': yaml(kinds.map(definitionOf)),
  };
  const setup = { applications: [applicationAt('kinds')], files, label: 'definitions' };
  await using run = await openRun(setup, options);
  const definitions = withStart(await run.create());
  options.say(`  first sync ${phaseLine(definitions)}`);
  return { definitions };
}

/** With the handful that a start costs: the definitions are of the same kind as those. */
function withStart(figures: PhaseFigures): PhaseFigures {
  return { ...figures, requests: totalOf(new Map(Object.entries(figures.requestsByVerb))) };
}

function applicationAt(name: string): KubeObject {
  return {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name },
    spec: { source: { repository: REPOSITORY, path: name }, namespace: NAMESPACE },
  };
}

function settings(index: number, version: string): object {
  const name = `settings-${String(index).padStart(5, '0')}`;
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { version, index: String(index) } };
}

function definitionOf(index: number): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `kind${index}s.bench.example.org` },
    spec: {
      group: 'bench.example.org',
      scope: 'Namespaced',
      names: { kind: `Kind${index}`, plural: `kind${index}s`, singular: `kind${index}` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}

function objectOf(kind: number, at: number): object {
  return { apiVersion: 'bench.example.org/v1', kind: `Kind${kind}`, metadata: { name: `object-${at}` }, spec: { at } };
}

/** JSON is YAML. */
function yaml(objects: readonly object[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('---\n');
}
