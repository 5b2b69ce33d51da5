import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { editStampPolicy } from '@plumb/api';
import { startCluster, type Cluster } from '@plumb/controlplane';
import {
  attributeChange,
  attributionText,
  fieldAt,
  lostFields,
  ownEntry,
  PART_OF_LABEL,
  PlumbError,
  TOUCHED_AS_ANNOTATION,
  TOUCHED_BY_ANNOTATION,
  type KubeObject,
} from '@plumb/core';
import { connect, loadKubeconfig, type KubeClient } from '@plumb/kube';
import { openTestCluster, realClock, type ApiRequestOptions, type TestCluster } from '@plumb/test-support';
import { keepEditStamp } from './edit-stamp.ts';
import type { EngineEvent } from './narrate.ts';
import { systemRandom } from './ports/clock.ts';

// The policy is of the whole cluster, and would stamp what other tests look at: this one has a cluster of its own.
let running: Cluster;
let cluster: TestCluster;
let client: KubeClient;
let namespace: string;
const { signal } = new AbortController();
const settings = new Map<string, string>();
const said: EngineEvent[] = [];

/** Each look is a write: more of them than this, and the policy does not do what is waited for. */
const MAX_LOOKS = 1_000;

before(async () => {
  running = await startCluster({ nodes: 0, clock: realClock, signal });
  cluster = await openTestCluster(running.kubeconfig);
  const config = await loadKubeconfig({ path: running.kubeconfig, env: {}, signal });
  client = connect(config, { clock: realClock, random: systemRandom, userAgent: 'plumb-test' });
  namespace = await cluster.namespace('stamp');
  assert.equal(await keep(true), true);
  await untilNewObjects((object) => byOf(object) === 'looker');
});

after(async () => {
  await client[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
});

function keep(isWanted: boolean, writer: Pick<KubeClient, 'resource'> = client): Promise<boolean> {
  const ledger = {
    setting: (name: string) => Promise.resolve(settings.get(name)),
    saveSetting: async (name: string, value: string) => void settings.set(name, value),
  };
  const acting = { client, writer: { ...methodsOf(client), ...writer }, ledger, signal };
  return keepEditStamp({ isWanted, ...acting, log: (event) => said.push(event) });
}

function methodsOf(kube: KubeClient) {
  return {
    resource: kube.resource.bind(kube),
    get: kube.get.bind(kube),
    apply: kube.apply.bind(kube),
    patchOwners: kube.patchOwners.bind(kube),
    delete: kube.delete.bind(kube),
    disown: kube.disown.bind(kube),
  };
}

const byOf = (object: KubeObject): string | undefined => object.metadata.annotations?.[TOUCHED_BY_ANNOTATION];
const asOf = (object: KubeObject): string | undefined => object.metadata.annotations?.[TOUCHED_AS_ANNOTATION];

async function send(method: string, path: string, body: object, options: ApiRequestOptions = {}): Promise<KubeObject> {
  const answer = await cluster.request(method, path, { body, ...options });
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
  return answer.body as KubeObject;
}

const labels = { [PART_OF_LABEL]: 'applyset-1-v1' };
const configMaps = (): string => `/api/v1/namespaces/${namespace}/configmaps`;
const pathOf = (name: string): string => `${configMaps()}/${name}`;

/** New kinds of answers come a moment after a policy was written. */
async function untilNewObjects(satisfy: (object: KubeObject) => boolean): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const body = { metadata: { generateName: 'look-', labels } };
    if (satisfy(await send('POST', configMaps(), body, { as: 'looker' }))) return;
  }
  assert.fail('the policy is not what it should be');
}

/** As Plumb applies it. */
async function applied(name: string, data: Record<string, string> = { a: '1', b: '1' }): Promise<KubeObject> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels }, data };
  return (await client.apply(object, { force: true, signal })).object;
}

const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

function patch(name: string, body: object, as: string, manager = 'kubectl-edit'): Promise<KubeObject> {
  return send('PATCH', `${pathOf(name)}?fieldManager=${manager}`, body, { as, contentType: MERGE });
}

/** Who took fields from us between two states of an object. */
function author(good: KubeObject, object: KubeObject): string {
  const entry = ownEntry(good);
  assert.ok(entry);
  const known = { version: good.metadata.resourceVersion };
  return attributionText(attributeChange(lostFields(entry, object), { object, isStamped: true, events: [], known }));
}

test('the user is named whichever way somebody writes', async () => {
  const good = await applied('ways');
  const { managedFields: _none, ...metadata } = good.metadata;
  const whole = (a: string): object => ({ ...good, metadata, data: { a, b: '1' } });

  const merged = await patch('ways', { data: { a: 'merged' } }, 'ann');
  const jsonPatch = [{ op: 'replace', path: '/data/a', value: 'patched' }];
  const options = { as: 'bob', contentType: 'application/json-patch+json' };
  const patched = await send('PATCH', `${pathOf('ways')}?fieldManager=kubectl-patch`, jsonPatch, options);
  const unversioned = { ...whole('put'), metadata: { ...metadata, resourceVersion: undefined } };
  const put = await send('PUT', `${pathOf('ways')}?fieldManager=kubectl-replace`, unversioned, { as: 'ann' });
  const apply = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ways' }, data: { a: 'applied' } };
  const forced = await send('PATCH', `${pathOf('ways')}?fieldManager=kubectl&force=true`, apply, {
    as: 'bob',
    contentType: APPLY,
  });

  assert.deepEqual(
    [merged, patched, put, forced].map((object) => [byOf(object), author(good, object)]),
    [
      ['ann', 'ann (kubectl-edit)'],
      ['bob', 'bob (kubectl-patch)'],
      ['ann', 'ann (kubectl-replace)'],
      ['bob', 'bob (kubectl)'],
    ],
  );
});

test('a client that names no manager is told by its user agent, and a creation has an author too', async () => {
  const created = await send('POST', configMaps(), { metadata: { name: 'agent', labels } }, { as: 'ann' });
  const options = { as: 'bob', contentType: MERGE, userAgent: 'My Tool/1.0' };
  const edited = await send('PATCH', pathOf('agent'), { data: { a: '2' } }, options);

  assert.equal(byOf(created), 'ann');
  assert.match(asOf(created) ?? '', /^- - Update \S+Z \S*$/);
  assert.match(asOf(edited) ?? '', /^\d+ - Update \S+Z My Tool$/);
  assert.equal(byOf(edited), 'bob');
});

test('an object of any built-in kind is stamped; who scaled it is not, and nobody else is taken for them', async () => {
  const container = { name: 'app', image: 'example.org/web:1' };
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } };
  const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const spec = { replicas: 0, selector: { matchLabels: { app: 'web' } }, template };
  const metadata = { name: 'web', namespace, labels };
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec };
  const good = (await client.apply(deployment, { force: true, signal })).object;

  const as = { as: 'bob', contentType: MERGE };
  const edited = await send('PATCH', `${deployments}/web?fieldManager=kubectl`, { spec: { paused: true } }, as);
  await send('PATCH', `${deployments}/web/scale?fieldManager=kubectl`, { spec: { replicas: 1 } }, { ...as, as: 'eve' });
  const scaled = (await cluster.request('GET', `${deployments}/web`)).body as KubeObject;

  assert.deepEqual([byOf(edited), byOf(scaled)], ['bob', 'bob']);
  assert.equal(fieldAt(scaled, 'spec', 'replicas'), 1);
  assert.equal(author(good, scaled), 'unknown user, manager kubectl');
});

test('a custom resource is written as ever, also while the API server does not know its schema yet', async () => {
  const names = { kind: 'Gadget', plural: 'gadgets', singular: 'gadget', listKind: 'GadgetList' };
  const size = { type: 'object', properties: { size: { type: 'integer' } } };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: size } } };
  const versions = [{ name: 'v1', served: true, storage: true, schema }];
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await send('POST', definitions, {
    metadata: { name: 'gadgets.example.org' },
    spec: { group: 'example.org', names, scope: 'Namespaced', versions },
  });
  const isEstablished = /"Established","status":"True"|"status":"True"[^}]*"type":"Established"/;
  while (
    !isEstablished.test(JSON.stringify((await cluster.request('GET', `${definitions}/gadgets.example.org`)).body))
  );
  const gadgets = `/apis/example.org/v1/namespaces/${namespace}/gadgets`;
  while ((await cluster.request('GET', gadgets)).status !== 200);

  const gadget = { apiVersion: 'example.org/v1', kind: 'Gadget', metadata: { name: 'g', labels }, spec: { size: 1 } };
  const created = await send('POST', gadgets, gadget, { as: 'ann' });

  assert.equal(byOf(created), undefined);
});

test('what is only tried, changes nothing, or is done by Plumb or the control plane leaves the object as it is', async () => {
  const good = await applied('quiet');
  const version = good.metadata.resourceVersion;
  const apply = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'quiet' }, data: { a: '1' } };
  const path = pathOf('quiet');

  const tried = await send('PATCH', `${path}?dryRun=All`, { data: { a: '2' } }, { as: 'ann', contentType: MERGE });
  const same = await send('PATCH', path, { data: { a: '1' } }, { as: 'ann', contentType: MERGE });
  const owns = await send('PATCH', `${path}?fieldManager=ci`, apply, { as: 'ann', contentType: APPLY });
  const again = await send('PATCH', `${path}?fieldManager=ci`, apply, { as: 'bob', contentType: APPLY });
  const controller = 'system:serviceaccount:kube-system:some-controller';
  const controlled = await send('PATCH', path, { data: { c: '1' } }, { as: controller, contentType: MERGE });
  const healed = await applied('quiet', { a: '3' });
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'quiet', namespace, labels },
    data: { a: '4' },
  };
  const deployer = `system:serviceaccount:${namespace}:deployer`;
  const rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['*'] };
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await send('POST', `${rbac}/roles`, { metadata: { name: 'deployer' }, rules: [rule] });
  await send('POST', `${rbac}/rolebindings`, {
    metadata: { name: 'deployer' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'deployer' },
    subjects: [{ kind: 'ServiceAccount', name: 'deployer', namespace }],
  });
  await cluster.untilAllowed({ user: deployer, namespace, verb: 'patch', resource: 'configmaps' });
  const impersonating = await client.apply(object, { force: true, impersonate: deployer, signal });
  const operator = await patch('quiet', { data: { a: '5' } }, 'system:serviceaccount:tools:operator', 'operator');

  assert.equal(fieldAt(tried, 'data', 'a'), '2');
  assert.equal(same.metadata.resourceVersion, version);
  assert.equal(again.metadata.resourceVersion, owns.metadata.resourceVersion);
  for (const quiet of [tried, same, owns, again, controlled, healed, impersonating.object]) {
    assert.equal(byOf(quiet), undefined);
  }
  assert.equal(byOf(operator), 'system:serviceaccount:tools:operator');
});

test('a stamp owns nothing, outlives our next apply, and misleads nobody after it', async () => {
  const good = await applied('stale');
  const edited = await patch('stale', { data: { a: '2' } }, 'ann');
  const healed = await applied('stale');
  const byController = await patch(
    'stale',
    { data: { b: '2' } },
    'system:serviceaccount:kube-system:x',
    'kubectl-edit',
  );

  assert.equal(author(good, edited), 'ann (kubectl-edit)');
  assert.doesNotMatch(JSON.stringify(edited.metadata.managedFields), /touched/);
  assert.deepEqual([byOf(healed), byOf(byController)], ['ann', 'ann']);
  assert.equal(author(healed, byController), 'unknown user, manager kubectl-edit');
});

test('of two users of one tool each is named while it is clear who it was, and neither where it is not', async () => {
  const good = await applied('two');
  const first = await patch('two', { data: { a: '2' } }, 'ann');
  const second = await patch('two', { data: { b: '2' } }, 'bob');
  const third = await patch('two', { data: { b: '3' } }, 'ann');

  assert.equal(author(good, first), 'ann (kubectl-edit)');
  assert.equal(author(first, second), 'bob (kubectl-edit)');
  assert.equal(author(good, second), 'unknown user, manager kubectl-edit');
  assert.equal(author(good, third), 'unknown user, manager kubectl-edit');
});

test('who removes a field leaves no entry: the next write after the good state is theirs', async () => {
  const good = await applied('removed');
  const gone = await patch('removed', { data: { a: null } }, 'ann', 'kubectl-patch');
  const later = await patch('removed', { data: { c: '1' } }, 'bob');

  assert.equal(author(good, gone), 'ann (kubectl-patch)');
  assert.equal(author(good, later), 'unknown');
});

test('nobody writes another one’s name: the stamp is of the one who writes it', async () => {
  await applied('forged');
  const annotations = { [TOUCHED_BY_ANNOTATION]: 'bob', [TOUCHED_AS_ANNOTATION]: '1 - Update - kubectl-edit' };

  const forged = await patch('forged', { metadata: { annotations } }, 'eve');

  assert.equal(byOf(forged), 'eve');
});

test('a policy that breaks leaves the writes of everybody as they are', async () => {
  const broken = editStampPolicy('').map((object) => JSON.parse(JSON.stringify(object)));
  const [policy] = broken;
  policy.spec.variables[0].expression = 'string(1 / (request.userInfo.username.size() * 0))';
  await client.apply(policy, { force: true, signal });
  await untilNewObjects((object) => byOf(object) === undefined);

  await applied('broken');
  const edited = await patch('broken', { data: { a: '2' } }, 'ann');

  assert.equal(fieldAt(edited, 'data', 'a'), '2');
  assert.equal(byOf(edited), undefined);
});

test('switched off, the policy goes, once, and what somebody else has put there stays', async () => {
  const policies = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies/edits.plumb.dev';
  assert.equal(await keep(true), true);

  assert.equal(await keep(false), false);
  const gone = await cluster.request('GET', policies);
  await client.apply(editStampPolicy('')[0] as KubeObject, { force: true, signal });
  assert.equal(await keep(false), false);
  const stays = await cluster.request('GET', policies);

  assert.deepEqual([gone.status, stays.status], [404, 200]);
  assert.deepEqual(said, []);
});

test('a cluster without such policies is told in a note, and nothing fails', async () => {
  const resource = (): Promise<never> => Promise.reject(new PlumbError('KindMissing', 'no such kind'));

  assert.equal(await keep(true, { resource }), false);

  assert.deepEqual(
    said.splice(0).map(({ level, message, code }) => [level, message, code]),
    [['warn', 'Edits are not stamped with their user', 'KindMissing']],
  );
});
