import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startCluster } from '@plumb/controlplane';
import {
  attributeChange,
  attributeDeletion,
  attributionText,
  lostFields,
  objectKey,
  ownEntry,
  type Attribution,
  type KubeObject,
  type ObjectKey,
} from '@plumb/core';
import { connect, loadKubeconfig, type KubeClient } from '@plumb/kube';
import { openTestCluster, realClock, startFaultyProxy, TEST_CA, type TestCluster } from '@plumb/test-support';
import { openAudit, type Audit } from './audit.ts';
import { createHttp, listen } from './http/server.ts';
import { Metrics } from './metrics.ts';
import { systemRandom } from './ports/clock.ts';

const TOKEN = 'correct horse';
const { signal } = new AbortController();
const closing = new AsyncDisposableStack();
const metrics = new Metrics();
let cluster: TestCluster;
let client: KubeClient;
let namespace = '';
let url = '';
/** What the API server has sent, and what was read from its log: each in its own trail. */
let sent: Audit;
let logged: Audit;
const waiting = new Set<() => void>();

// An API server is told at its start where to send audit events: this test has a cluster of its own.
before(async () => {
  const folder = closing.adopt(await mkdtemp(join(tmpdir(), 'plumb-audit-')), (path) => rm(path, { recursive: true }));
  const auditLog = join(folder, 'audit.log');
  const listener = closing.use(
    await listen(
      createHttp({
        clock: realClock,
        metrics,
        accepts: async () => false,
        trigger: () => {},
        delivered: () => {},
        auditToken: async () => TOKEN,
        audited: (events) => sent.add(events),
        unready: () => undefined,
      }),
      { port: 0 },
    ),
  );
  url = `${listener.url}/ingest/audit`;
  // Without TLS an API server sends no token.
  const front = closing.use(await startFaultyProxy({ server: listener.url }, () => 'passed'));
  const ca = Buffer.from(TEST_CA).toString('base64');
  const auditWebhook = join(folder, 'audit-webhook.kubeconfig');
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'plumb',
    clusters: [{ name: 'plumb', cluster: { server: `${front.url}/ingest/audit`, 'certificate-authority-data': ca } }],
    users: [{ name: 'plumb', user: { token: TOKEN } }],
    contexts: [{ name: 'plumb', context: { cluster: 'plumb', user: 'plumb' } }],
  };
  await writeFile(auditWebhook, JSON.stringify(kubeconfig));
  const running = closing.use(await startCluster({ nodes: 0, auditLog, auditWebhook, clock: realClock, signal }));
  cluster = await openTestCluster(running.kubeconfig);
  const config = await loadKubeconfig({ path: running.kubeconfig, env: {}, signal });
  client = closing.use(connect(config, { clock: realClock, random: systemRandom, userAgent: 'plumb/0' }));
  const options = {
    client,
    clock: realClock,
    metrics,
    log: () => {},
    signal,
    isKnown: (key: ObjectKey) => key.includes(`/${namespace}/`),
    isWatched: () => true,
    arrived: () => {
      for (const look of waiting) look();
    },
  };
  sent = closing.use(await openAudit({ ...options, auditToken: async () => TOKEN }));
  logged = closing.use(await openAudit({ ...options, auditLog }));
  namespace = await cluster.namespace('audit');
});

after(() => closing.disposeAsync());

/** What both trails say once they can. */
async function told(attribute: (audit: Audit) => Attribution): Promise<Attribution> {
  const found: Attribution[] = [];
  for (const audit of [sent, logged]) {
    const { promise, resolve } = Promise.withResolvers<Attribution>();
    const look = (): void => {
      const attribution = attribute(audit);
      if (attribution.tier === 'audit') resolve(attribution);
    };
    waiting.add(look);
    look();
    found.push(await promise);
    waiting.delete(look);
  }
  const [first, second] = found;
  assert.ok(first);
  assert.deepEqual(first, second);
  return first;
}

const keyOf = (name: string): ObjectKey => objectKey({ group: 'apps', kind: 'Deployment', namespace, name });
const pathOf = (name: string): string => `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
const PATCH = { contentType: 'application/merge-patch+json', as: 'j.doe', userAgent: 'kubectl/v1.37.0 (linux/amd64)' };

async function applied(name: string): Promise<KubeObject> {
  const template = {
    metadata: { labels: { app: name } },
    spec: { containers: [{ name: 'app', image: 'example.org/web:1' }] },
  };
  const spec = { replicas: 2, selector: { matchLabels: { app: name } }, template };
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec };
  return (await client.apply(object, { force: true, signal })).object;
}

test('a deletion is told from the audit alone: who, from where, with what, as whom', async () => {
  const { metadata } = await applied('deleted');
  await cluster.request('DELETE', pathOf('deleted'), PATCH);
  const sinceMs = Date.parse(metadata.creationTimestamp ?? '');

  const { time, auditId, ...attribution } = await told((audit) =>
    attributeDeletion(audit.eventsFor(keyOf('deleted'), sinceMs)),
  );

  assert.deepEqual(attribution, {
    tier: 'audit',
    user: 'j.doe',
    impersonator: 'kubernetes-admin',
    verb: 'delete',
    address: '127.0.0.1',
    agent: 'kubectl/v1.37.0 (linux/amd64)',
  });
  assert.match(auditId ?? '', /^[0-9a-f-]{36}$/);
  assert.ok(Math.abs(Date.parse(time ?? '') - realClock.now()) < 60_000);
});

test('an edit and a scaling are told with the user behind the manager', async () => {
  const good = await applied('edited');
  const entry = ownEntry(good);
  assert.ok(entry);
  await cluster.request('PATCH', `${pathOf('edited')}?fieldManager=kubectl-edit`, {
    ...PATCH,
    body: { spec: { paused: true, replicas: 3 } },
  });
  const edited = (await cluster.request('GET', pathOf('edited'))).body as KubeObject;
  await applied('scaled');
  await cluster.request('PATCH', `${pathOf('scaled')}/scale`, {
    ...PATCH,
    as: 'a.user',
    body: { spec: { replicas: 5 } },
  });
  const scaled = (await cluster.request('GET', pathOf('scaled'))).body as KubeObject;
  const author = (object: KubeObject, audit: Audit): Attribution =>
    attributeChange(lostFields(entry, object), {
      object,
      isStamped: false,
      events: audit.eventsFor(keyOf(object.metadata.name)),
    });

  const edit = await told((audit) => author(edited, audit));
  const scale = await told((audit) => author(scaled, audit));

  assert.equal(attributionText(edit), 'j.doe, impersonated by kubernetes-admin (kubectl-edit)');
  assert.equal(attributionText(scale), 'a.user, impersonated by kubernetes-admin (kubectl)');
});

test('what Plumb writes itself is not kept', () => {
  assert.deepEqual(
    sent.eventsFor(keyOf('edited')).map(({ user }) => user),
    ['j.doe'],
  );
});

async function deliver(
  headers: Record<string, string>,
  body: string | Uint8Array<ArrayBuffer>,
): Promise<[number, string]> {
  const answer = await fetch(url, { method: 'POST', headers, body });
  return [answer.status, await answer.text()];
}

test('without the very token nothing is taken, whatever is wrong, and the body is not looked at', async () => {
  const list = JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'EventList', items: [] });
  const answers = [
    await deliver({}, list),
    await deliver({ authorization: 'Bearer wrong' }, list),
    await deliver({ authorization: 'Bearer' }, 'no JSON'),
    await deliver({ authorization: `Basic ${TOKEN}` }, new Uint8Array(11 * 1024 * 1024)),
  ];

  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.equal(answers[0]?.[0], 401);
  assert.deepEqual(await deliver({ authorization: `Bearer ${TOKEN}` }, list), [200, '{"kept":0}']);
});

test('what is too large or is no audit is refused, and said to be', async () => {
  const authorization = `Bearer ${TOKEN}`;

  const [large] = await deliver({ authorization }, new Uint8Array(10 * 1024 * 1024 + 1));
  const [other] = await deliver({ authorization }, '{"items":[]}');

  assert.deepEqual([large, other], [413, 400]);
  assert.match(metrics.expose(), /^plumb_audit_total\{result="invalid"\} 1$/m);
});
