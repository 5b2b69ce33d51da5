import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { attributionText, driftText, shortNameOf } from '@plumb/core';
import { openLedgerReadOnly, type DriftRecord } from '@plumb/ledger';
import { isHealthy, startFixture, type EngineFixture, type KubeLike } from './engine-fixture.ts';
import { configMap, deployment } from './manifests.ts';

const PART_OF = 'applyset.kubernetes.io/part-of';
const TRACKING = 'plumb.dev/tracking';

const SERVICE = `apiVersion: v1
kind: Service
metadata:
  name: front
  labels: {tier: front}
spec:
  selector: {app: front}
  ports: [{port: 80}]
`;

const FILES = {
  'deploy/scaled.yaml': deployment('scaled', { replicas: 2 }),
  'deploy/imaged.yaml': deployment('imaged'),
  'deploy/front.yaml': SERVICE,
  'deploy/labelled.yaml': SERVICE.replaceAll('front', 'labelled'),
  ...Object.fromEntries(
    ['edited', 'emptied', 'stolen', 'shared', 'deleted', 'recreated', 'unlabelled', 'untracked', 'extended'].map(
      (name) => [`deploy/${name}.yaml`, configMap(name)],
    ),
  ),
};

interface Edit {
  readonly says: string;
  readonly object: string;
  /** Done while no engine runs. */
  readonly isOffline?: boolean;
  make(plumb: EngineFixture): Promise<unknown>;
}

/** The rows of docs/guides/kinds-of-drift.md, in their order. */
const EDITS: readonly Edit[] = [
  {
    says: 'changes a value (`kubectl edit`)',
    object: 'ConfigMap/edited',
    make: (plumb) => plumb.edit('v1', 'configmaps', 'edited', { data: { key: 'other' } }),
  },
  {
    says: 'sets an image (`kubectl set image`)',
    object: 'Deployment/imaged',
    make: (plumb) => {
      const containers = [{ name: 'app', image: 'registry.example.com/app:2' }];
      return plumb.edit(
        'apps/v1',
        'deployments',
        'imaged',
        { spec: { template: { spec: { containers } } } },
        'kubectl-set',
      );
    },
  },
  {
    says: 'scales (`kubectl scale`)',
    object: 'Deployment/scaled',
    make: (plumb) =>
      send(plumb, 'PATCH', 'apps/v1', 'deployments/scaled/scale?fieldManager=kubectl', { spec: { replicas: 5 } }),
  },
  {
    says: 'changes a label that Git sets (`kubectl label`)',
    object: 'Service/labelled',
    make: (plumb) =>
      plumb.edit('v1', 'services', 'labelled', { metadata: { labels: { tier: 'back' } } }, 'kubectl-label'),
  },
  {
    says: 'removes a field that Git sets',
    object: 'ConfigMap/emptied',
    make: (plumb) => plumb.edit('v1', 'configmaps', 'emptied', { data: { key: null } }),
  },
  {
    says: 'adds to what Git sets as a whole (a selector)',
    object: 'Service/front',
    make: (plumb) => plumb.edit('v1', 'services', 'front', { spec: { selector: { canary: 'no' } } }),
  },
  {
    says: 'takes a field by force (`kubectl apply --server-side --force-conflicts`)',
    object: 'ConfigMap/stolen',
    make: (plumb) => apply(plumb, 'stolen', { key: 'theirs' }),
  },
  {
    says: 'deletes the object',
    object: 'ConfigMap/deleted',
    make: (plumb) => plumb.remove('v1', 'configmaps', 'deleted'),
  },
  {
    says: 'deletes it and makes it anew, marks and all, while no engine runs',
    object: 'ConfigMap/recreated',
    isOffline: true,
    make: recreate,
  },
  {
    says: 'removes the label of Plumb',
    object: 'ConfigMap/unlabelled',
    make: (plumb) => plumb.edit('v1', 'configmaps', 'unlabelled', { metadata: { labels: { [PART_OF]: null } } }),
  },
  {
    says: 'removes the annotation of Plumb',
    object: 'ConfigMap/untracked',
    make: (plumb) => plumb.edit('v1', 'configmaps', 'untracked', { metadata: { annotations: { [TRACKING]: null } } }),
  },
  {
    says: 'deletes the namespace (`spec.createNamespace`)',
    object: 'ConfigMap/inner',
    make: (plumb) => plumb.cluster.request('DELETE', `/api/v1/namespaces/${plumb.namespace}-inner`),
  },
];

test('each kind of edit is found, told with its author as far as that can be known, and healed', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/guides/kinds-of-drift.md'), 'utf8');
  const rows = page.split('\n').map((line) => line.replaceAll(/\s+/g, ' '));
  await using plumb = await startFixture({ prefix: 'drift' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', FILES);
  await plumb.git.commit('shop', { 'inner/inner.yaml': configMap('inner') });
  await plumb.application('shop');
  const inner = {
    source: { repository: 'shop', path: 'inner' },
    namespace: `${plumb.namespace}-inner`,
    createNamespace: true,
  };
  await plumb.create('plumb.dev/v1alpha1', 'applications', {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'inner' },
    spec: inner,
  });
  await plumb.until('shop', isHealthy);
  await plumb.until('inner', isHealthy);
  const missing: string[] = [];

  for (const { says, object, isOffline, make } of EDITS) {
    if (isOffline === true) await plumb.stop();
    await make(plumb);
    if (isOffline === true) await plumb.start();
    await plumb.untilEvent((event) => event.message === 'Healed' && event['object'] === object);
    for (const name of ['shop', 'inner']) await plumb.until(name, isHealthy);
    const record = await lastOf(plumb, object);
    const cells = [says, record?.kind, what(record), who(record), record?.end?.outcome ?? 'open'];
    const row = `| ${cells.join(' | ')} |`;
    if (!rows.some((line) => line === row)) missing.push(row);
  }

  assert.deepEqual(missing, [], 'rows of docs/guides/kinds-of-drift.md');
});

test('what is nobody’s drift is recorded for nobody', async () => {
  await using plumb = await startFixture({ prefix: 'drift' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', FILES);
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  await plumb.edit('v1', 'configmaps', 'extended', { data: { more: 'theirs' } });
  await apply(plumb, 'shared', { key: 'value' });
  await plumb.sync('shop');

  assert.deepEqual(await recordsOf(plumb), []);
});

test('what is only reported stands, is told with its author, and ends when somebody puts it back', async () => {
  await using plumb = await startFixture({ prefix: 'drift' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', FILES);
  await plumb.application('shop', { drift: { policy: 'report' } });
  await plumb.until('shop', isHealthy);

  await plumb.edit('v1', 'configmaps', 'edited', { data: { key: 'other' } });
  const drifted = await plumb.until('shop', (application) => application.status?.state === 'Drifted');
  const open = await recordsOf(plumb);
  await plumb.edit('v1', 'configmaps', 'edited', { data: { key: 'value' } });
  await plumb.sync('shop');
  const after = await plumb.until('shop', (application) => application.status?.state !== 'Syncing');
  const ended = await recordsOf(plumb);

  assert.match(
    drifted.status.message,
    /^ConfigMap\/edited: data key value → other by unknown user, manager kubectl-edit; it is only reported\.$/,
  );
  assert.deepEqual(
    open.map(({ standing, end }) => [standing?.policy, end]),
    [['report', undefined]],
  );
  assert.equal(after.status.state, 'Healthy');
  assert.deepEqual(
    ended.map(({ kind, end }) => [kind, end?.outcome]),
    [['edited', 'gone']],
  );
});

test('what a rule ignores is left alone, also by the next release, and is put back once the rule is gone', async () => {
  await using plumb = await startFixture({ prefix: 'drift' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/app.yaml': deployment('app', { replicas: 2 }) });
  const rules = [{ kind: 'Deployment', fields: ['/spec/replicas'], policy: 'ignore' }];
  await plumb.application('shop', { drift: { rules } });
  await plumb.until('shop', isHealthy);

  await plumb.edit('apps/v1', 'deployments', 'app', { spec: { replicas: 5 } });
  await plumb.sync('shop');
  const second = await plumb.git.commit('shop', {
    'deploy/app.yaml': deployment('app', { replicas: 2, image: 'registry.example.com/app:2' }),
  });
  await plumb.until('shop', (application) => isHealthy(application) && application.status.revision === second);
  const kept = await plumb.get('apps/v1', 'deployments', 'app');
  const records = await recordsOf(plumb);
  await plumb.edit('plumb.dev/v1alpha1', 'applications', 'shop', { spec: { drift: null } });
  await plumb.untilObject('apps/v1', 'deployments', 'app', (object) => object?.spec.replicas === 2);

  assert.deepEqual(
    [kept?.spec.replicas, kept?.spec.template.spec.containers[0].image],
    [5, 'registry.example.com/app:2'],
  );
  assert.deepEqual(records, []);
});

test('what a rule has ignored is found and on record once another rule reports it', async () => {
  await using plumb = await startFixture({ prefix: 'drift' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one') });
  await plumb.application('shop', { drift: { rules: [{ kind: 'ConfigMap', policy: 'ignore' }] } });
  await plumb.until('shop', isHealthy);
  await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'by hand' } });
  await plumb.sync('shop');
  const ignored = await recordsOf(plumb);

  await plumb.edit('plumb.dev/v1alpha1', 'applications', 'shop', {
    spec: { drift: { policy: 'report', rules: null } },
  });
  await plumb.until('shop', ({ status }) => status?.state === 'Drifted');
  const [record, ...others] = await recordsOf(plumb);

  assert.deepEqual([ignored, others], [[], []]);
  assert.deepEqual([record?.standing?.policy, record?.fields[0]?.live], ['report', 'by hand']);
});

test('what a variable has brought from a Secret is told by no record, status or log of a drift', async () => {
  await using plumb = await startFixture({ prefix: 'drift' });
  await plumb.create('v1', 'secrets', { metadata: { name: 'vars' }, stringData: { password: 'CANARY-password' } });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one', { url: `http://a:\${password}@db` }) });
  const substitute = { from: [{ kind: 'Secret', name: 'vars' }] };
  await plumb.application('shop', { drift: { policy: 'report' }, render: { substitute } });
  await plumb.until('shop', isHealthy);

  await plumb.edit('v1', 'configmaps', 'one', { data: { url: 'http://b:CANARY-password@db' } });
  const drifted = await plumb.until('shop', ({ status }) => status?.state === 'Drifted');
  const [record] = await recordsOf(plumb);

  assert.match(String(drifted.status.message), /url http:\/\/a:\(secret\)@db → http:\/\/b:\(secret\)@db/);
  assert.deepEqual([record?.fields[0]?.git, record?.fields[0]?.live], ['http://a:(secret)@db', 'http://b:(secret)@db']);
  assert.doesNotMatch(JSON.stringify([drifted, record, plumb.events]), /CANARY/);
});

test('under a hold edits stand and are recorded, and at its end they are healed by themselves', async () => {
  await using plumb = await startFixture({ prefix: 'drift' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one') });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  await hold(plumb, 'h-long', Date.now() + 3_600_000);
  await plumb.until('shop', (application) => application.status?.state === 'Held');
  const edited = await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'by hand' } });
  const held = await plumb.until('shop', (application) =>
    String(application.status?.message).endsWith(' 1 object was edited.'),
  );
  const [open] = await recordsOf(plumb);
  const left = await plumb.get('v1', 'configmaps', 'one');
  // The same for a shorter time: nobody has to come and end it.
  await hold(plumb, 'h-short', Date.now() + 1_500);
  await plumb.remove('plumb.dev/v1alpha1', 'holds', 'h-long');
  await plumb.untilObject('v1', 'configmaps', 'one', (object) => object?.data?.['key'] === 'value');
  await plumb.until('shop', isHealthy);
  const [ended] = await recordsOf(plumb);

  assert.equal(left?.metadata.resourceVersion, edited.metadata.resourceVersion);
  assert.match(held.status.message, /^Until .* edits are allowed by kubernetes-admin: INC-9\. 1 object was edited\.$/);
  assert.deepEqual([open?.standing?.policy, open?.standing?.hold, open?.end], ['allow', 'h-long', undefined]);
  assert.equal(ended?.end?.outcome, 'healed');
});

test('what a person asks to heal is healed, whatever is said otherwise, and what comes later is not', async () => {
  await using plumb = await startFixture({ prefix: 'drift' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one'), 'deploy/two.yaml': configMap('two') });
  await plumb.application('shop', { drift: { policy: 'report' } });
  await plumb.until('shop', isHealthy);

  await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'x' } });
  await plumb.until('shop', (application) => application.status?.state === 'Drifted');
  await plumb.edit('plumb.dev/v1alpha1', 'applications', 'shop', {
    metadata: { annotations: { 'plumb.dev/heal-drift': `-=${new Date(Date.now() + 1).toISOString()}` } },
  });
  await plumb.untilObject('v1', 'configmaps', 'one', (object) => object?.data?.['key'] === 'value');
  await plumb.until('shop', isHealthy);
  await plumb.edit('v1', 'configmaps', 'two', { data: { key: 'y' } });
  const again = await plumb.until('shop', (application) => application.status?.state === 'Drifted');

  assert.match(again.status.message, /^ConfigMap\/two: /);
});

test('a rule that cannot be read leaves the former spec in force, and says where it is wrong', async () => {
  await using plumb = await startFixture({ prefix: 'drift' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one') });
  await plumb.application('shop', { drift: { policy: 'report' } });
  await plumb.until('shop', isHealthy);

  const rules = [{ policy: 'ignore', when: 'field ==' }];
  await plumb.edit('plumb.dev/v1alpha1', 'applications', 'shop', { spec: { drift: { policy: 'revert', rules } } });
  const said = await plumb.untilEvent(({ message }) => message === 'A spec is not valid');
  await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'x' } });
  await plumb.untilEvent(({ message }) => message === 'Drift');
  const left = await plumb.get('v1', 'configmaps', 'one');

  assert.equal(said['code'], 'CelSyntax');
  assert.match(String(said['error']), /^spec\.drift\.rules\[0\]\.when: /);
  assert.equal(left?.data?.['key'], 'x');
});

function what(record: DriftRecord | undefined): string {
  return record === undefined ? '' : `\`${driftText(record)}\``;
}

function who(record: DriftRecord | undefined): string {
  return record === undefined ? '' : attributionText(record.by);
}

async function recordsOf(plumb: EngineFixture): Promise<readonly DriftRecord[]> {
  await using ledger = await openLedgerReadOnly(join(plumb.stateFolder, 'state'));
  return await ledger.drifts({ limit: 100 });
}

async function lastOf(plumb: EngineFixture, object: string): Promise<DriftRecord | undefined> {
  return (await recordsOf(plumb)).find((record) => shortNameOf(record.object) === object);
}

async function apply(plumb: EngineFixture, name: string, data: object): Promise<void> {
  const path = `configmaps/${name}?fieldManager=other-tool&force=true`;
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
  await send(plumb, 'PATCH', 'v1', path, body, 'application/apply-patch+yaml');
}

async function recreate(plumb: EngineFixture): Promise<void> {
  const before = await plumb.get('v1', 'configmaps', 'recreated');
  await plumb.remove('v1', 'configmaps', 'recreated');
  const { name, labels, annotations } = before?.metadata ?? assert.fail();
  const body = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels, annotations },
    data: { key: 'theirs' },
  };
  await send(plumb, 'POST', 'v1', 'configmaps?fieldManager=kubectl-create', body, 'application/json');
}

async function hold(plumb: EngineFixture, name: string, until: number): Promise<void> {
  await plumb.create('plumb.dev/v1alpha1', 'holds', {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Hold',
    metadata: { name },
    spec: {
      application: 'shop',
      allowEdits: true,
      until: new Date(until).toISOString(),
      by: 'kubernetes-admin',
      reason: 'INC-9',
    },
  });
}

async function send(
  plumb: EngineFixture,
  method: string,
  apiVersion: string,
  rest: string,
  body: object,
  contentType = 'application/merge-patch+json',
): Promise<KubeLike> {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const answer = await plumb.cluster.request(method, `${root}/namespaces/${plumb.namespace}/${rest}`, {
    body,
    contentType,
  });
  assert.ok(answer.status < 300, `${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as KubeLike;
}
