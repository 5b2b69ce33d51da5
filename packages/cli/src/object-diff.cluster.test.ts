import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  canonicalJson,
  compareObjects,
  diffObjects,
  equalJson,
  groupOf,
  isJsonObject,
  secretMask,
  type FieldChange,
  type Json,
  type KubeObject,
} from '@plumb/core';
import { connect, loadKubeconfig, type KubeClient } from '@plumb/kube';
import { realClock, sharedCluster, type TestCluster } from '@plumb/test-support';
import * as fc from 'fast-check';
import { objectsIn } from './objects-file.ts';

// What is worked out without a server, beside what a real one answers to the same apply as a dry run.

const { signal } = new AbortController();
const mask = secretMask(Buffer.from('key of the test'));
let cluster: TestCluster;
let client: KubeClient;
let corpus: string;

before(async () => {
  cluster = await sharedCluster();
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  client = connect(config, { clock: realClock, random: { next: () => 0.5 }, userAgent: 'plumb/test' });
  corpus = await readFile(join(import.meta.dirname, 'testdata/built-in-objects.yaml'), 'utf8');
});
after(() => client[Symbol.asyncDispose]());

type Mutable = { [field: string]: Json };

/** An object of the corpus, under a name that is free. */
async function placed(object: KubeObject, namespace: string, suffix = ''): Promise<KubeObject> {
  const resource = await client.resource({ group: groupOf(object.apiVersion), kind: object.kind }, { signal });
  const name = `${object.metadata.name}${suffix}`;
  const isFree = resource.namespaced || HAS_FREE_NAME.has(object.kind);
  const place = isFree ? { name } : { name: `${namespace}-${name}` };
  return { ...object, metadata: { ...object.metadata, ...place, ...(resource.namespaced ? { namespace } : {}) } };
}

/** Its name says what it is, and is made for the namespace already. */
const HAS_FREE_NAME: ReadonlySet<string> = new Set(['CustomResourceDefinition']);

async function apply(object: KubeObject, manager: string, isDryRun = false): Promise<KubeObject> {
  const options = { force: true, dryRun: isDryRun, fieldValidation: 'Ignore', signal } as const;
  return (await client.apply(object, { ...options, ...(manager === 'plumb' ? {} : { manager: 'plumb-cli' as const }) }))
    .object;
}

async function liveOf(object: KubeObject): Promise<KubeObject> {
  const resource = await client.resource({ group: groupOf(object.apiVersion), kind: object.kind }, { signal });
  const { namespace, name } = object.metadata;
  const live = await client.get(resource, { name, ...(namespace === undefined ? {} : { namespace }) }, { signal });
  assert.ok(live);
  return live;
}

test('an object of every built-in kind is what was applied, once the server has stored it', async () => {
  const namespace = await cluster.namespace('diff');
  const wrong: unknown[] = [];
  let count = 0;

  for (const object of objectsIn(corpus.replaceAll('NAMESPACE', namespace), 'corpus')) {
    const desired = await placed(object, namespace);
    const live = await apply(desired, 'plumb');
    const { changes } = compareObjects(live, desired, { mask });
    if (changes.length > 0) wrong.push([desired.kind, object.metadata.name, changes]);
    count += 1;
  }

  assert.deepEqual(wrong, []);
  assert.ok(count > 60, String(count));
});

interface Edit {
  /** As a row of the table in docs/guides/comparing-objects.md. */
  readonly name: string;
  readonly base: KubeObject;
  /** What another manager applies besides. */
  readonly other?: KubeObject;
  readonly desired: KubeObject;
}

const META = { name: 'api' };

function deployment(container: Mutable, spec: Mutable = {}, pod: Mutable = {}): KubeObject {
  const containers = [{ name: 'app', image: 'nginx:1', ...container }, ...((pod['more'] as Json[] | undefined) ?? [])];
  const { more: _more, ...rest } = pod;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: META,
    spec: {
      selector: { matchLabels: { app: 'api' } },
      ...spec,
      template: { metadata: { labels: { app: 'api' } }, spec: { ...rest, containers } },
    },
  };
}

const env = (...names: readonly string[]): Mutable => ({ env: names.map((name) => ({ name, value: 'x' })) });
const limits = (cpu: Json, memory: Json): Mutable => ({ resources: { limits: { cpu, memory } } });
const labelled = (labels: { readonly [name: string]: string }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { ...META, labels },
});
const config = (data: Mutable): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: META, data });
const secret = (content: Mutable): KubeObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: META, ...content });
const service = (spec: Mutable): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: META, spec });
const sidecar = { name: 'sidecar', image: 'proxy:1' };

const EDITS: readonly Edit[] = [
  { name: 'another image', base: deployment({}), desired: deployment({ image: 'nginx:2' }) },
  { name: 'a variable more', base: deployment(env('A')), desired: deployment(env('A', 'B')) },
  { name: 'a variable less', base: deployment(env('A', 'B')), desired: deployment(env('A')) },
  { name: 'two variables swapped', base: deployment(env('A', 'B')), desired: deployment(env('B', 'A')) },
  {
    name: 'a variable of another manager between ours',
    base: deployment(env('A', 'B')),
    other: deployment(env('A', 'THEIRS', 'B')),
    desired: deployment(env('A', 'B')),
  },
  { name: 'arguments swapped', base: deployment({ args: ['a', 'b'] }), desired: deployment({ args: ['b', 'a'] }) },
  {
    name: 'ports in another order',
    base: deployment({ ports: [{ containerPort: 80 }, { containerPort: 81 }] }),
    desired: deployment({ ports: [{ containerPort: 81 }, { containerPort: 80 }] }),
  },
  {
    name: 'TCP becomes UDP',
    base: deployment({ ports: [{ containerPort: 53 }] }),
    desired: deployment({ ports: [{ containerPort: 53, protocol: 'UDP' }] }),
  },
  { name: 'a container less', base: deployment({}, {}, { more: [sidecar] }), desired: deployment({}) },
  {
    name: 'a probe less',
    base: deployment({ livenessProbe: { httpGet: { port: 80 } } }),
    desired: deployment({}),
  },
  {
    name: '1000m for 1, 1024Mi for 1Gi',
    base: deployment(limits('1', '1Gi')),
    desired: deployment(limits('1000m', '1024Mi')),
  },
  {
    name: '0.5 for 500m, bytes for 1Gi',
    base: deployment(limits('500m', '1Gi')),
    desired: deployment(limits(0.5, 1073741824)),
  },
  { name: 'another limit', base: deployment(limits('1', '1Gi')), desired: deployment(limits('1', '2Gi')) },
  {
    name: 'defaults written out',
    base: deployment({}),
    desired: deployment(
      { imagePullPolicy: 'IfNotPresent', terminationMessagePath: '/dev/termination-log' },
      { replicas: 1, revisionHistoryLimit: 10 },
      { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' },
    ),
  },
  { name: 'replicas left out, where they were ours', base: deployment({}, { replicas: 2 }), desired: deployment({}) },
  {
    name: 'nulls, empty lists and maps',
    base: deployment({}),
    desired: deployment({ args: [], env: [] }, {}, { nodeSelector: {}, tolerations: [] }),
  },
  { name: 'an empty affinity', base: deployment({}), desired: deployment({}, {}, { affinity: {} }) },
  {
    name: 'a label of another manager',
    base: labelled({ a: '1' }),
    other: labelled({ b: '1' }),
    desired: labelled({ a: '1' }),
  },
  {
    name: 'a label left out that another manager sets too',
    base: labelled({ a: '1', b: '1' }),
    other: labelled({ b: '1' }),
    desired: labelled({ a: '1' }),
  },
  { name: 'a key less', base: config({ a: '1', b: '1' }), desired: config({ a: '1' }) },
  {
    name: 'a Secret in plain text with the same value',
    base: secret({ data: { a: 'YQ==' } }),
    desired: secret({ stringData: { a: 'a' } }),
  },
  {
    name: 'a Secret with another value',
    base: secret({ data: { a: 'YQ==' } }),
    desired: secret({ stringData: { a: 'b' } }),
  },
  {
    name: 'a NodePort Service becomes internal',
    base: service({ type: 'NodePort', ports: [{ port: 80 }] }),
    desired: service({ ports: [{ port: 80 }] }),
  },
];

test('edits: Plumb shows each change that the server would make, and no other', async () => {
  const page = await readFile(join(import.meta.dirname, '../../../docs/guides/comparing-objects.md'), 'utf8');
  const rows = page.split('\n').map((line) => line.replaceAll(/\s+/g, ' '));
  const wrong: unknown[] = [];
  const missing: string[] = [];

  for (const { name, base, other, desired } of EDITS) {
    const namespace = await cluster.namespace('edit');
    const at = (object: KubeObject): KubeObject => ({ ...object, metadata: { ...object.metadata, namespace } });
    await apply(at(base), 'plumb');
    if (other !== undefined) await apply(at(other), 'other');
    // A controller may write to it at any time: both sides are to see the same state.
    const { live, answer } = await untilStill(at(desired));

    const { changes } = compareObjects(live, at(desired), { mask });
    const onServer = diffObjects(live, answer);
    const isReordered = isOrderOnly(onServer) && !equalJson(contentOf(live), contentOf(answer));
    const row = `| ${name} | ${isReordered ? 'order' : onServer.length} | ${isOrderOnly(changes) && changes.length > 0 ? 'order' : changes.length} |`;
    const isKnown = rows.some((line) => line.startsWith(row.slice(0, -1)));
    if (!isKnown) missing.push(row);
    if (!(name in NOISE)) {
      const [mine, theirs] = [pathsOf(changes), pathsOf(onServer)];
      if (!equalJson(mine, theirs)) wrong.push([name, mine, theirs]);
    }
  }

  assert.deepEqual(wrong, []);
  assert.deepEqual(missing, [], 'rows of docs/guides/comparing-objects.md');
});

/** Where the server writes something anew that means the same. */
const NOISE: Readonly<Record<string, true>> = { 'an empty affinity': true, '0.5 for 500m, bytes for 1Gi': true };

function pathsOf(changes: readonly FieldChange[]): readonly string[] {
  return changes.map(({ path }) => path).toSorted();
}

function isOrderOnly(changes: readonly FieldChange[]): boolean {
  return changes.every(({ isOrder }) => isOrder === true);
}

function contentOf(object: KubeObject): Json {
  const { metadata: _metadata, status: _status, ...rest } = object;
  return rest as Mutable;
}

/** The live object, and what the server would make of it, with nobody else writing in between. */
async function untilStill(desired: KubeObject): Promise<{ readonly live: KubeObject; readonly answer: KubeObject }> {
  for (;;) {
    const live = await liveOf(desired);
    const answer = await apply(desired, 'plumb', true);
    const again = await liveOf(desired);
    if (live.metadata.resourceVersion === again.metadata.resourceVersion) return { live, answer };
  }
}

/** A change somewhere in an object: the place by its number among all, and what is done there. */
interface Blow {
  readonly at: number;
  readonly how: 'remove' | 'change' | 'turn' | 'add';
}

const blows = fc.array(
  fc.record({ at: fc.nat(), how: fc.constantFrom<Blow['how']>('remove', 'change', 'turn', 'add') }),
  {
    maxLength: 3,
  },
);

function struck(object: KubeObject, all: readonly Blow[]): KubeObject {
  const copy = structuredClone(object) as unknown as Mutable;
  for (const blow of all) strike(copy, blow);
  return copy as unknown as KubeObject;
}

function strike(object: Mutable, { at, how }: Blow): void {
  const places = placesIn(object);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return;
  const { holder, key } = place;
  const value = (holder as Mutable)[key] ?? null;
  const put = (given: Json): void => void ((holder as Mutable)[key] = given);
  if (how === 'turn' && Array.isArray(value)) put((value as readonly Json[]).toReversed());
  else if (how === 'add' && Array.isArray(value)) put([...(value as readonly Json[]), ...copyOfFirst(value)]);
  else if (how === 'add' && isJsonObject(value) && /labels|annotations|data/i.test(key))
    put({ ...value, added: 'new' });
  else if (how === 'remove') {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete (holder as Mutable)[key];
  } else if (typeof value === 'string') put(`${value}x`);
  else if (typeof value === 'number') put(value + 1);
  else if (typeof value === 'boolean') put(!value);
}

function copyOfFirst([first]: readonly Json[]): readonly Json[] {
  if (typeof first === 'string') return [`${first}x`];
  if (!isJsonObject(first)) return [];
  const key = ['name', 'mountPath', 'containerPort', 'port', 'ip', 'key'].find((name) => first[name] !== undefined);
  const value = key === undefined ? undefined : first[key];
  if (key === undefined || value === undefined) return [];
  return [{ ...first, [key]: typeof value === 'number' ? value + 1 : `${String(value)}x` }];
}

interface Place {
  readonly holder: object;
  readonly key: string;
}

/** Everything that may be struck: content, labels and annotations. */
function placesIn(object: Mutable): readonly Place[] {
  const places: Place[] = [];
  const walk = (value: Json | undefined): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ holder: value, key });
      walk((value as Mutable)[key]);
    }
  };
  for (const [key, value] of Object.entries(object)) {
    if (['apiVersion', 'kind', 'status'].includes(key)) continue;
    if (key !== 'metadata') {
      places.push({ holder: object, key });
      walk(value);
    } else if (isJsonObject(value)) {
      walk(value['labels']);
      walk(value['annotations']);
    }
  }
  return places;
}

/** Left out: objects that a controller keeps writing to, or that are read in another version than they were written in. */
const STRUCK_KINDS: ReadonlySet<string> = new Set([
  'ConfigMap',
  'CronJob',
  'Deployment',
  'EndpointSlice',
  'Ingress',
  'LimitRange',
  'NetworkPolicy',
  'PersistentVolumeClaim',
  'PodDisruptionBudget',
  'PodTemplate',
  'Role',
  'RoleBinding',
  'Secret',
  'Service',
  'StatefulSet',
]);

test('any edits after any edits of ours and of another: the same fields as the server names', async () => {
  const namespace = await cluster.namespace('struck');
  const objects = objectsIn(corpus, 'corpus').filter(({ kind }) => STRUCK_KINDS.has(kind));
  let number = 0;
  let compared = 0;

  await fc.assert(
    fc.asyncProperty(fc.nat(), blows, blows, blows, async (index, first, others, last) => {
      const object = objects[index % objects.length];
      assert.ok(object);
      number += 1;
      const base = await placed(object, namespace, `-${number}`);
      const desired = struck(base, last);
      const found = await serverDiff(struck(base, first), struck(base, others), desired);
      // Most objects that are struck at random are refused.
      if (found === undefined) return;
      compared += 1;
      const { changes } = compareObjects(found.live, desired, { mask });
      const mine = pathsOf(changes.filter(({ isOrder }) => isOrder !== true));
      const theirs = found.changes.filter((change) => isMeaningful(change) || mine.includes(change.path));
      assert.deepEqual(mine, pathsOf(theirs), canonicalJson(desired));
    }),
    { numRuns: 150, endOnFailure: true, seed: 20_261_126 },
  );

  assert.ok(compared > 40, String(compared));
});

async function serverDiff(
  first: KubeObject,
  other: KubeObject,
  desired: KubeObject,
): Promise<{ readonly live: KubeObject; readonly changes: readonly FieldChange[] } | undefined> {
  try {
    await apply(first, 'plumb');
    await apply(other, 'other').catch(() => undefined);
    const { live, answer } = await untilStill(desired);
    return { live, changes: diffObjects(live, answer) };
  } catch {
    return undefined;
  }
}

/** Not what the server writes anew though it says nothing, nor a number that it draws. */
function isMeaningful({ path, before: left, after: right }: FieldChange): boolean {
  const isEmpty = [left, right].every((value) => value === undefined || equalJson(value, {}));
  return !isEmpty && !path.endsWith('healthCheckNodePort');
}
