import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import {
  applySetId,
  formatGroupKinds,
  parseObjectKey,
  planDelta,
  targetKey,
  type KubeObject,
  type Plan,
  type PlanItem,
  type PlanPolicies,
  REVERT_ALL,
  fieldsHash,
  type AppliedObject,
  type DriftHold,
  type ObjectKey,
} from '@plumb/core';
import { localTree } from '@plumb/git';
import { connect, loadKubeconfig } from '@plumb/kube';
import { readPolicies } from '@plumb/policy';
import { openTargetRenderer } from './open-target-renderer.ts';
import { realClock, sharedCluster, type TestCluster } from '@plumb/test-support';
import { planTarget } from './plan.ts';
import type { PlanRequest } from './plan-request.ts';
import { systemRandom } from './ports/clock.ts';
import type { TargetSpec } from './targets.ts';

const signal = new AbortController().signal;

interface World extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly namespace: string;
  readonly spec: TargetSpec;
  readonly request: PlanRequest;
  /** Replaces all files of the working copy. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  plan(more?: Partial<PlanRequest>): Promise<Plan>;
  /** What was applied, as the ledger has it. */
  readonly applied: Map<ObjectKey, AppliedObject>;
  /** Applies the files as the engine does. */
  apply(more?: Partial<TargetSpec>): Promise<void>;
}

async function openWorld(): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const cluster = await sharedCluster();
  const namespace = await cluster.namespace('plan');
  const folder = opening.adopt(await mkdtemp(join(tmpdir(), 'plumb-plan-')), (path) => rm(path, { recursive: true }));
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  const client = opening.use(connect(config, { clock: realClock, random: systemRandom, userAgent: 'plumb-test' }));
  const { renderer } = opening.use(
    await openTargetRenderer({
      client,
      clock: realClock,
      random: systemRandom,
      cacheFolder: join(folder, 'cache'),
      deriveKey: async (purpose) => Buffer.from(purpose),
      readData: async () => undefined,
      signal,
    }),
  );
  const parentRef = { group: 'plumb.dev', kind: 'Application', namespace, name: 'shop' };
  const spec: TargetSpec = {
    target: targetKey({ namespace, application: 'shop' }),
    application: `${namespace}/shop`,
    generation: 1,
    environment: '',
    repository: `${namespace}/shop`,
    path: 'app',
    revision: undefined,
    namespace,
    writeAs: undefined,
    conflicts: 'report',
    createNamespace: undefined,
    approvals: undefined,
    policies: undefined,
    planWish: undefined,
    budget: { maxObjects: 25, maxPercent: 20, protect: [] },
    approvedDeletion: undefined,
    drift: REVERT_ALL,
    healWish: undefined,
    retirement: undefined,
    suspended: false,
    dependsOn: [],
    deadlineMs: 600_000,
    applySet: applySetId(parentRef),
    render: { release: 'shop', namespace },
    externals: undefined,
    capabilities: {},
    isVolatile: false,
  };
  const kinds = [
    { group: '', kind: 'ConfigMap' },
    { group: 'apps', kind: 'Deployment' },
  ];
  const parent: KubeObject = {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: {
      name: 'shop',
      namespace,
      annotations: { 'applyset.kubernetes.io/contains-group-kinds': formatGroupKinds(kinds) },
    },
  };
  const tree = localTree(folder);
  const applied = new Map<ObjectKey, AppliedObject>();
  const source = { tree, externals: undefined, committedMs: 0 };
  const request: PlanRequest = {
    client,
    spec,
    tree,
    committedMs: 0,
    renderer,
    parent,
    targets: new Set([spec.target]),
    signal,
  };

  async function write(files: Readonly<Record<string, string>>): Promise<void> {
    await rm(join(folder, 'app'), { recursive: true, force: true });
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, 'app', name)), { recursive: true });
      await writeFile(join(folder, 'app', name), content);
    }
  }
  async function plan(more: Partial<PlanRequest> = {}): Promise<Plan> {
    const result = await planTarget({ ...request, ...more });
    if (!result.ok) throw new AggregateError(result.error, result.error[0]?.message);
    return result.value;
  }
  async function apply(more: Partial<TargetSpec> = {}): Promise<void> {
    const { place } = await import('@plumb/core');
    const wanted = { ...spec, ...more };
    const rendered = await renderer.render(spec, source, { signal });
    assert.ok(rendered.ok);
    const { desired } = place(rendered.value.objects, { ...wanted, scopeOf: () => 'namespaced' });
    for (const { key, hash, object } of desired.objects) {
      const answer = await client.apply(object, { force: true, signal });
      applied.set(key, {
        uid: answer.object.metadata.uid ?? '',
        desiredHash: hash,
        fieldsHash: fieldsHash(answer.object),
      });
    }
  }
  const open = opening.move();
  return {
    applied,
    cluster,
    namespace,
    spec,
    request,
    write,
    plan,
    apply,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** The changes, with the owners by name: when they wrote is another time in every run. */
function ownedChanges(item: PlanItem | undefined): readonly object[] {
  return (item?.changes ?? []).map(({ owners, ...change }) => {
    return owners === undefined ? change : { ...change, owners: owners.map(({ manager }) => manager) };
  });
}

function summary(items: readonly PlanItem[]): readonly string[] {
  return items.map(({ action, key }) => `${action} ${parseObjectKey(key)?.kind}/${parseObjectKey(key)?.name}`);
}

const configMap = (name: string, level: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {LEVEL: ${level}}\n`;
const deployment = (replicas: string): string =>
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "api:1"}]}
`;

test('on an empty namespace everything is created, and nothing is written', async () => {
  await using world = await openWorld();
  await world.write({ 'a.yaml': configMap('env', 'info'), 'b.yaml': deployment('2') });

  const plan = await world.plan();

  assert.deepEqual(summary(plan.items), ['create ConfigMap/env', 'create Deployment/api']);
  assert.deepEqual(
    plan.items.map(({ origin }) => origin),
    [
      { file: 'app/a.yaml', line: 1 },
      { file: 'app/b.yaml', line: 1 },
    ],
  );
  const { status } = await world.cluster.request('GET', `/api/v1/namespaces/${world.namespace}/configmaps/env`);
  assert.equal(status, 404);
});

test('what is as Git wants it does not show up, and a change names its fields', async () => {
  await using world = await openWorld();
  await world.write({ 'a.yaml': configMap('env', 'info'), 'b.yaml': deployment('2') });
  await world.apply();

  const same = await world.plan();
  await world.write({ 'a.yaml': configMap('env', 'debug'), 'b.yaml': deployment('2') });
  const changed = await world.plan();

  assert.deepEqual([same.items, same.unchanged], [[], 2]);
  assert.deepEqual(summary(changed.items), ['change ConfigMap/env']);
  assert.deepEqual(changed.items[0]?.changes, [
    { path: 'data.LEVEL', before: 'info', after: 'debug', place: { file: 'app/a.yaml', line: 4 } },
  ]);
  assert.notEqual(changed.digest, same.digest);
});

test('what somebody changed by hand would be put back', async () => {
  await using world = await openWorld();
  await world.write({ 'a.yaml': configMap('env', 'info') });
  await world.apply();
  await world.cluster.request('PATCH', `/api/v1/namespaces/${world.namespace}/configmaps/env`, {
    body: { data: { LEVEL: 'trace' } },
    contentType: 'application/merge-patch+json',
  });

  const plan = await world.plan();

  assert.deepEqual(ownedChanges(plan.items[0]), [
    {
      path: 'data.LEVEL',
      before: 'trace',
      after: 'info',
      place: { file: 'app/a.yaml', line: 4 },
      owners: ['unknown'],
    },
  ]);
});

test('a plan is void once a live field that it touches has moved, and not for any other', async () => {
  await using world = await openWorld();
  await world.write({ 'a.yaml': configMap('env', 'info') });
  await world.apply();
  await world.write({ 'a.yaml': configMap('env', 'debug') });
  const before = await world.plan();
  const edit = async (data: object): Promise<Plan> => {
    await world.cluster.request('PATCH', `/api/v1/namespaces/${world.namespace}/configmaps/env`, {
      body: { data },
      contentType: 'application/merge-patch+json',
    });
    return world.plan();
  };

  const untouched = await edit({ OTHER: 'x' });
  const touched = await edit({ LEVEL: 'trace' });

  assert.equal(untouched.digest, before.digest);
  assert.notEqual(touched.digest, before.digest);
  assert.deepEqual(planDelta(before, touched), ['ConfigMap/env: data LEVEL info → trace since']);
});

test('what Git no longer has is deleted, first in the list', async () => {
  await using world = await openWorld();
  await world.write({ 'a.yaml': configMap('env', 'info'), 'b.yaml': configMap('old', 'info') });
  await world.apply();
  await world.write({ 'a.yaml': configMap('env', 'debug') });

  const plan = await world.plan();

  assert.deepEqual(summary(plan.items), ['delete ConfigMap/old', 'change ConfigMap/env']);
  assert.equal(plan.deletions.verdict, 'allowed');
});

test('deletions beyond the budget are blocked as they would be at the sync', async () => {
  await using world = await openWorld();
  const files = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}.yaml`, configMap(name, 'info')]));
  await world.write(files);
  await world.apply();
  await world.write({ 'a.yaml': configMap('a', 'info') });

  const { deletions } = await world.plan();
  assert.ok(deletions.verdict === 'blocked');
  const approved = await world.plan({ spec: { ...world.spec, approvedDeletion: deletions.digest } });

  assert.equal(deletions.objects.length, 3);
  assert.equal(approved.deletions.verdict, 'allowed');
});

test('without any manifest the plan fails: an empty folder is never a wish', async () => {
  await using world = await openWorld();
  await world.write({ 'README.md': 'nothing here' });

  const result = await planTarget(world.request);

  assert.ok(!result.ok);
  assert.equal(result.error[0]?.code, 'SuspiciouslyEmpty');
});

test('a folder that is not there, and a file that cannot be read, are errors of the input', async () => {
  await using world = await openWorld();
  const missing = await planTarget(world.request);
  await world.write({ 'a.yaml': 'a: [' });
  const broken = await planTarget(world.request);

  assert.ok(!missing.ok && !broken.ok);
  assert.equal(missing.error[0]?.code, 'PathMissing');
  assert.deepEqual([broken.error[0]?.code, broken.error[0]?.where?.file], ['YamlSyntax', 'app/a.yaml']);
});

test('what the API server refuses is blocked with the place, and hinders no other object', async () => {
  await using world = await openWorld();
  await world.write({ 'a.yaml': configMap('env', 'info'), 'b.yaml': deployment('many') });

  const plan = await world.plan();

  assert.deepEqual(summary(plan.items), ['create ConfigMap/env', 'blocked Deployment/api']);
  const blocked = plan.items[1];
  assert.deepEqual(blocked?.error?.where, { file: 'app/b.yaml', line: 1 });
  assert.match(blocked?.error?.message ?? '', /replicas/);
});

test('an object that nobody manages is adopted, and only with force where others own its fields', async () => {
  await using world = await openWorld();
  await world.write({ 'a.yaml': configMap('env', 'info') });
  await world.cluster.request('POST', `/api/v1/namespaces/${world.namespace}/configmaps`, {
    body: { metadata: { name: 'env' }, data: { LEVEL: 'trace' } },
  });

  const reported = await world.plan();
  const forced = await world.plan({ spec: { ...world.spec, conflicts: 'force' } });

  assert.deepEqual(summary(reported.items), ['blocked ConfigMap/env']);
  assert.equal(reported.items[0]?.error?.code, 'FieldConflict');
  assert.deepEqual(summary(forced.items), ['adopt ConfigMap/env']);
  assert.deepEqual(ownedChanges(forced.items[0]), [
    {
      path: 'data.LEVEL',
      before: 'trace',
      after: 'info',
      place: { file: 'app/a.yaml', line: 4 },
      owners: ['unknown'],
    },
  ]);
});

test('D28: what kubectl had put on an object and Git does not name is shown as going', async () => {
  await using world = await openWorld();
  await world.write({ 'a.yaml': configMap('env', 'info') });
  const applied = { metadata: { name: 'env' }, data: { LEVEL: 'info', OLD: 'yes' } };
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(applied) };
  const path = `/api/v1/namespaces/${world.namespace}/configmaps?fieldManager=kubectl-client-side-apply`;
  await world.cluster.request('POST', path, { body: { ...applied, metadata: { name: 'env', annotations } } });

  const plan = await world.plan();

  assert.deepEqual(summary(plan.items), ['adopt ConfigMap/env']);
  assert.deepEqual(ownedChanges(plan.items[0]), [
    { path: 'data.OLD', before: 'yes', owners: ['kubectl-client-side-apply'] },
  ]);
});

test('what a ValidatingAdmissionPolicy of the cluster denies is told with its name, binding and words', async () => {
  await using world = await openWorld();
  const name = `no-trace.${world.namespace}`;
  const registration = '/apis/admissionregistration.k8s.io/v1';
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] };
  const policy = await world.cluster.request('POST', `${registration}/validatingadmissionpolicies`, {
    body: {
      metadata: { name },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: "object.?data.?LEVEL.orValue('') != 'trace'", message: 'it says too much' }],
      },
    },
  });
  const binding = await world.cluster.request('POST', `${registration}/validatingadmissionpolicybindings`, {
    body: {
      metadata: { name: `${name}.here` },
      spec: {
        policyName: name,
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': world.namespace } } },
      },
    },
  });
  assert.deepEqual([policy.status, binding.status], [201, 201], JSON.stringify([policy.body, binding.body]));
  await world.write({ 'a.yaml': configMap('env', 'trace'), 'b.yaml': configMap('other', 'info') });

  // The API server takes a policy up a moment after it was written.
  let plan = await world.plan();
  while (plan.items.every(({ action }) => action !== 'blocked')) plan = await world.plan();

  assert.deepEqual(summary(plan.items), ['blocked ConfigMap/env', 'create ConfigMap/other']);
  assert.deepEqual(plan.items[0]?.deniedBy, { policy: name, binding: `${name}.here`, message: 'it says too much' });
  assert.equal(plan.items[0]?.error?.code, 'AdmissionDenied');
});

test("another living application's object is not taken; a dead one's is adopted", async () => {
  await using world = await openWorld();
  const other = targetKey({ namespace: world.namespace, application: 'other' });
  await world.write({ 'a.yaml': configMap('env', 'info') });
  await world.apply({ target: other });

  const living = await world.plan({ targets: new Set([world.spec.target, other]) });
  const dead = await world.plan();

  assert.equal(living.items[0]?.error?.code, 'OwnedByOther');
  assert.deepEqual(summary(dead.items), ['adopt ConfigMap/env']);
});

test('objects in a namespace, or of a kind, that the same plan brings are predicted', async () => {
  await using world = await openWorld();
  const fresh = `${world.namespace}-new`;
  const group = `${world.namespace}.example.com`;
  await world.write({
    'a.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${fresh}}\n`,
    'b.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env, namespace: ${fresh}}\n`,
    'c.yaml': `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.${group}}
spec:
  group: ${group}
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`,
    'd.yaml': `apiVersion: ${group}/v1\nkind: Widget\nmetadata: {name: w}\n`,
  });

  const plan = await world.plan();

  assert.deepEqual(
    plan.items.map(({ action, key, predicted }) => `${action} ${parseObjectKey(key)?.kind} ${predicted}`),
    ['create Namespace false', 'create CustomResourceDefinition false', 'create ConfigMap true', 'create Widget true'],
  );
});

test('what the same plan brings is held against its own definition', async () => {
  await using world = await openWorld();
  const group = `${world.namespace}.example.com`;
  const widget = (name: string, size: string): string =>
    `apiVersion: ${group}/v1\nkind: Widget\nmetadata: {name: ${name}}\nspec: {size: ${size}}\n`;
  await world.write({
    'a.yaml': `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.${group}}
spec:
  group: ${group}
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, properties: {size: {type: integer}}}}
`,
    'b.yaml': widget('good', '2'),
    'c.yaml': widget('bad', 'two'),
  });

  const plan = await world.plan();

  assert.deepEqual(summary(plan.items), [
    'create CustomResourceDefinition/widgets.' + group,
    'blocked Widget/bad',
    'create Widget/good',
  ]);
  const { error } = plan.items[1] ?? {};
  assert.deepEqual([error?.code, error?.field, error?.where?.file], ['FieldInvalid', 'spec.size', 'app/c.yaml']);
  assert.deepEqual(
    plan.waits.map(({ until, objects }) => [until, objects.length]),
    [
      ['established', 1],
      ['healthy', 1],
    ],
  );
});

test('what differs and is no change is told apart, with its reason', async () => {
  await using world = await openWorld();
  await world.write({ 'b.yaml': deployment('2') });
  await world.apply();
  await world.cluster.request('PATCH', `/apis/apps/v1/namespaces/${world.namespace}/deployments/api`, {
    body: { metadata: { annotations: { note: 'theirs' } } },
    contentType: 'application/merge-patch+json',
  });
  await world.write({ 'b.yaml': deployment('3') });
  const told = new Map<string, string>();

  const plan = await world.plan({
    leftOut: (_key, fields) => fields.forEach(({ path, reason }) => told.set(path, reason)),
  });

  assert.deepEqual(ownedChanges(plan.items[0]), [
    { path: 'spec.replicas', before: 2, after: 3, place: { file: 'app/b.yaml', line: 5 } },
  ]);
  assert.equal(told.get('spec.template.spec.restartPolicy'), 'default');
  assert.equal(told.get('metadata.annotations.note'), 'owner');
  assert.equal(told.get('spec.replicas'), undefined);
});

test('a quota that all of it together would go beyond is told, with what is needed and left', async () => {
  await using world = await openWorld();
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'pods' }, spec: { hard: { pods: '3' } } };
  await world.cluster.request('POST', `/api/v1/namespaces/${world.namespace}/resourcequotas`, { body: quota });
  await world.write({ 'b.yaml': deployment('2') });
  const fits = await world.plan();
  await world.write({ 'b.yaml': deployment('5') });
  const exceeds = await world.plan();

  assert.deepEqual(fits.quotas, []);
  assert.deepEqual(exceeds.quotas, [
    { namespace: world.namespace, quota: 'pods', resource: 'pods', needed: '5', left: '3' },
  ]);
});

test('what others changed shows as the engine will treat it: by rules, holds and wishes', async () => {
  await using world = await openWorld();
  const { applied, spec } = world;
  await world.write({ 'a.yaml': configMap('env', 'info'), 'b.yaml': configMap('gone', 'info') });
  await world.apply();
  await world.cluster.request('PATCH', `/api/v1/namespaces/${world.namespace}/configmaps/env`, {
    body: { data: { LEVEL: 'trace' } },
    contentType: 'application/merge-patch+json',
  });
  await world.cluster.request('DELETE', `/api/v1/namespaces/${world.namespace}/configmaps/gone`);
  const hold: DriftHold = { hold: 'h', until: 10, since: 0, by: 'dana', reason: 'INC-9', atEnd: 'heal' };
  const plan = async (drift: TargetSpec['drift'], holds: readonly DriftHold[] = [], time = 5): Promise<Plan> => {
    return await world.plan({ applied, spec: { ...spec, drift }, standing: { holds, time } });
  };

  const reverted = await plan({ policy: 'revert', rules: [] });
  const reported = await plan({ policy: 'report', rules: [] });
  const ignored = await plan({ policy: 'revert', rules: [{ policy: 'ignore' }] });
  const held = await plan({ policy: 'revert', rules: [] }, [hold]);
  const ended = await plan({ policy: 'revert', rules: [] }, [hold], 10);

  assert.deepEqual(summary(reverted.items), ['change ConfigMap/env', 'create ConfigMap/gone']);
  assert.deepEqual([reported.items, reported.unchanged], [[], 2]);
  assert.deepEqual(reported.notes, [
    'ConfigMap/env data.LEVEL differs, and stays so (report)',
    'ConfigMap/gone differs, and stays so (report)',
  ]);
  assert.deepEqual([ignored.items, ignored.notes], [[], ['ConfigMap/env: data.LEVEL is left to unknown']]);
  assert.deepEqual([held.items, held.notes.length], [[], 2]);
  assert.deepEqual(summary(ended.items), summary(reverted.items));
});

test('variables in another order are a change, since pods are made anew for it', async () => {
  await using world = await openWorld();
  const withEnv = (env: string): string => deployment('2').replace('image:', `env: [${env}], image:`);
  await world.write({ 'b.yaml': withEnv('{name: A, value: "1"}, {name: B, value: "2"}') });
  await world.apply();
  await world.write({ 'b.yaml': withEnv('{name: B, value: "2"}, {name: A, value: "1"}') });

  const plan = await world.plan();

  const [change] = plan.items[0]?.changes ?? [];
  assert.deepEqual([change?.path, change?.isOrder], ['spec.template.spec.containers[name="api"].env', true]);
  assert.equal(plan.items[0]?.restarts, 2);
});

test('values of Secrets never leave them: a tag tells what is equal', async () => {
  await using world = await openWorld();
  const secret = (value: string): string =>
    `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {pw: ${value}}\n`;
  await world.write({ 's.yaml': secret('hunter2') });
  await world.apply();
  await world.write({ 's.yaml': secret('correct-horse') });

  const plan = await world.plan();

  assert.deepEqual(summary(plan.items), ['change Secret/s']);
  const [change] = plan.items[0]?.changes ?? [];
  assert.match(String(change?.before), /^\(secret [0-9a-f]{8}\)$/);
  assert.match(String(change?.after), /^\(secret [0-9a-f]{8}\)$/);
  assert.notEqual(change?.before, change?.after);
  const text = JSON.stringify(plan);
  for (const value of ['hunter2', 'correct-horse']) {
    assert.ok(!text.includes(value) && !text.includes(Buffer.from(value).toString('base64')));
  }
});

test('a Secret in plain text changes at its line, and policies see it as it is written', async () => {
  await using world = await openWorld();
  const secret = (value: string): string =>
    `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  pw: ${value}\n`;
  await world.write({ 's.yaml': secret('hunter2') });
  await world.apply();
  await world.write({ 's.yaml': secret('correct-horse') });
  const rules = [{ name: 'no-plain-text', action: 'deny', expression: '!has(object.stringData)' }];
  const read = readPolicies([{ documents: [{ policies: rules }], file: 'p.yaml' }], { monotonic: realClock.monotonic });
  assert.ok(read.ok);
  let judged: PlanPolicies | undefined;

  const plan = await world.plan({
    judging: async (judge) => {
      judged = await judge(read.value);
    },
  });

  const [change] = plan.items[0]?.changes ?? [];
  assert.deepEqual([change?.path, change?.place], ['data.pw', { file: 'app/s.yaml', line: 5 }]);
  assert.deepEqual(
    judged?.results.map(({ policy, where }) => [policy, where?.file]),
    [['no-plain-text', 'app/s.yaml']],
  );
});

test('a Secret that a former Plumb has sent as stringData is no change', async () => {
  await using world = await openWorld();
  await world.write({ 's.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {pw: hunter2}\n' });
  await world.apply();
  const path = `/api/v1/namespaces/${world.namespace}/secrets/s`;
  const { body } = await world.cluster.request('GET', path);
  const { metadata } = body as KubeObject;
  const { name, labels = {}, annotations = {} } = metadata;
  const sent = await world.cluster.request('PATCH', `${path}?fieldManager=plumb&force=true`, {
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name, labels, annotations }, stringData: { pw: 'hunter2' } },
    contentType: 'application/apply-patch+yaml',
  });

  const plan = await world.plan();

  assert.match(JSON.stringify((sent.body as KubeObject).metadata.managedFields), /f:stringData/);
  assert.deepEqual([plan.items, plan.unchanged], [[], 1]);
});
