import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectKey, PlumbError, targetKey, type LiveObject, type ObjectKey, type Plan } from '@plumb/core';
import { planData, planText, totalOf, totalText } from './plan-text.ts';

const OPTIONS = { style: { isColored: false, isUnicode: true }, isFull: false };

function key(group: string, kind: string, name: string, namespace = 'shop-prod'): ObjectKey {
  return objectKey({ group, kind, namespace, name });
}

function live(objectKeyOf: ObjectKey): LiveObject {
  return {
    key: objectKeyOf,
    apiVersion: 'v1',
    uid: 'u',
    resourceVersion: '1',
    target: undefined,
    fieldsHash: 'f',
    lastEditor: undefined,
    deleting: false,
    health: { status: 'Healthy', message: '' },
  };
}

const CLAIM = key('', 'PersistentVolumeClaim', 'reports');
const PLAN: Plan = {
  target: targetKey({ namespace: 'shop', application: 'checkout', environment: 'prod' }),
  namespace: 'shop-prod',
  digest: '1c9e4b000000',
  desired: 'd',
  quotas: [],
  waits: [],
  notes: [],
  unchanged: 36,
  deletions: {
    verdict: 'blocked',
    objects: [live(CLAIM)],
    digest: 'abcdef012345',
    reason: 'it is of a protected kind',
    findings: new Map(),
  },
  items: [
    { action: 'delete', key: CLAIM, reason: 'removed', changes: [], predicted: false },
    {
      action: 'change',
      key: key('apps', 'Deployment', 'api'),
      reason: 'changed',
      origin: { file: 'deploy/api.yaml', line: 12 },
      changes: [
        { path: 'spec.template.spec.containers[name="api"].image', before: 'r/api:2.13.4', after: 'r/api:2.14.0' },
        {
          path: 'spec.template.spec.containers[name="api"].resources.limits.memory',
          before: '512Mi',
          after: '256Mi',
          owners: [{ manager: 'kubectl-edit', operation: 'Update', time: '2026-01-02T01:12:03Z' }],
        },
      ],
      restarts: 6,
      predicted: false,
    },
    {
      action: 'create',
      key: key('', 'ConfigMap', 'flags', 'elsewhere'),
      reason: 'absent',
      origin: { file: 'deploy/flags.yaml', line: 1 },
      changes: [],
      predicted: true,
    },
    {
      action: 'blocked',
      key: key('', 'Service', 'api'),
      origin: { file: 'deploy/svc.yaml', line: 3 },
      changes: [],
      predicted: false,
      error: new PlumbError('FieldInvalid', 'spec.ports[0].port must be a number'),
    },
  ],
};

test('a plan shows what is lost first, each change with its fields, and the place of every object', () => {
  assert.equal(
    planText({ plan: PLAN, label: '9f3c1ab' }, OPTIONS),
    `Plan  checkout@9f3c1ab → prod   namespace shop-prod   digest 1c9e4b000000
  − delete   PersistentVolumeClaim/reports  !! needs an approval
  ~ change   Deployment/api                 image 2.13.4 → 2.14.0              deploy/api.yaml:12
                                            limits.memory 512Mi → 256Mi, resets kubectl-edit of 2026-01-02 01:12 UTC
                                            restarts 6 pods
  + create   ConfigMap/flags (elsewhere)    its namespace or kind comes first  deploy/flags.yaml:1
  ✕ blocked  Service/api                    deploy/svc.yaml:3
                                            spec.ports[0].port must be a number
                                            fix: Correct the named field.
1 to delete, 1 to change, 1 to create, 1 refused, 36 unchanged.
6 pods of 1 workload made anew
!! data is at stake: PersistentVolumeClaim/reports
Blocked: nothing is deleted, because it is of a protected kind. Approve exactly this set: plumb sync checkout -n shop -e prod --approve-deletion abcdef012345
`,
  );
});

test('many fields of one object are counted, and all shown with --full', () => {
  const changes = Array.from({ length: 8 }, (_, index) => ({ path: `data.k${index}`, before: 'a', after: 'b' }));
  const item = { action: 'change', key: key('', 'ConfigMap', 'env'), changes, predicted: false } as const;
  const plan: Plan = { ...PLAN, items: [item], deletions: { verdict: 'none' } };

  const few = planText({ plan, label: 'x' }, OPTIONS);
  const all = planText({ plan, label: 'x' }, { ...OPTIONS, isFull: true });

  assert.match(few, /and 2 more fields \(--full\)/);
  assert.match(all, /data k7 a → b/);
});

test('the denial of a policy of the cluster is told as one, in the text and in the data', () => {
  const deniedBy = { policy: 'replicas', binding: 'all', message: 'at most 5\nreplicas' };
  const error = new PlumbError('AdmissionDenied', 'apply Deployment/api: … denied request: at most 5\nreplicas');
  const item = { action: 'blocked', key: key('apps', 'Deployment', 'api'), changes: [], predicted: false } as const;
  const plan: Plan = { ...PLAN, items: [{ ...item, error, deniedBy }], deletions: { verdict: 'none' } };

  const text = planText({ plan, label: 'x' }, OPTIONS);
  const data = JSON.parse(JSON.stringify(planData({ plan, label: 'x' }, undefined)));

  assert.match(text, /^ +denied by the ValidatingAdmissionPolicy replicas \(binding all\): at most 5 replicas$/m);
  assert.match(text, /^ +fix: Change the object as the policy asks\.$/m);
  assert.deepEqual([data.items[0].deniedBy, data.items[0].error.code], [deniedBy, 'AdmissionDenied']);
});

test('what holds data and would be made anew says what is lost, and that it takes an approval', () => {
  const consent = { uid: 'u', loss: 'its pods stop. No backup is made' };
  const item = { action: 'replace', key: key('apps', 'StatefulSet', 'db'), changes: [], predicted: false } as const;
  const items = [{ ...item, forcedBy: 'spec.serviceName', consent }];
  const plan: Plan = { ...PLAN, items, deletions: { verdict: 'none' } };

  const text = planText({ plan, label: 'x' }, OPTIONS);
  const data = JSON.parse(JSON.stringify(planData({ plan, label: 'x' }, undefined)));

  assert.match(text, /^ +!! deleted and made anew: spec\.serviceName cannot be changed$/m);
  assert.match(text, /^ +!! needs an approval: its pods stop\. No backup is made$/m);
  assert.equal(data.items[0].needsApproval, consent.loss);
});

test('how far several plans reach together is told in one line', () => {
  const still: Plan = { ...PLAN, target: targetKey({ namespace: 'shop', application: 'cart' }), items: [] };
  assert.equal(
    totalText(totalOf([PLAN, still])),
    'All: 1 of 2 targets of 2 applications, 3 objects in 2 namespaces; 1 deletion; 6 pods of 1 workload made anew.\n',
  );
});

test('a plan without changes says so in one line', () => {
  const plan: Plan = { ...PLAN, items: [], deletions: { verdict: 'none' } };

  assert.equal(
    planText({ plan, label: '9f3c1ab' }, OPTIONS),
    'Plan  checkout@9f3c1ab → prod   namespace shop-prod   digest 1c9e4b000000\n36 unchanged.\n',
  );
});

test('what is waited for, and what differs without being a change, stands below the counts', () => {
  const plan: Plan = {
    ...PLAN,
    items: [],
    deletions: { verdict: 'none' },
    waits: [
      { until: 'succeeded', phase: 'PreSync', objects: [key('batch', 'Job', 'migrate')] },
      { until: 'healthy', wave: 0, objects: [key('apps', 'Deployment', 'api')] },
    ],
  };
  const ref = { group: 'apps', kind: 'Deployment', namespace: 'shop-prod', name: 'api' };
  const normalised = [{ ref, fields: [{ path: 'spec.progressDeadlineSeconds', reason: 'default' as const }] }];
  const head = 'Plan  checkout@x → prod   namespace shop-prod   digest 1c9e4b000000\n36 unchanged.\n';
  const waits = 'waits until: Job/migrate has succeeded (PreSync) → Deployment/api is healthy\n';

  assert.equal(
    planText({ plan, label: 'x', normalised }, OPTIONS),
    `${head}0 changes, 1 normalised (1 default).\n${waits}`,
  );
  assert.equal(
    planText({ plan, label: 'x', normalised }, { ...OPTIONS, isListed: true }),
    `${head}0 changes, 1 normalised (1 default).\n${waits}\nDeployment/api (shop-prod)\n  spec.progressDeadlineSeconds  default\n`,
  );
});

test('what else a person should know stands below the counts, a line each, and in the data', () => {
  const notes = [
    'chart shop 1.2.3 (sha256:12)',
    'hooks are not run yet:\nJob/migrate \u001b[31m',
    'a warning of the chart',
  ];
  const plan: Plan = { ...PLAN, items: [], notes };

  const text = planText({ plan, label: 'working copy' }, OPTIONS);
  const data = planData({ plan, label: 'working copy' }, undefined);

  assert.equal(
    text.split('\n').slice(1, 5).join('\n'),
    `36 unchanged.
note: chart shop 1.2.3 (sha256:12)
note: hooks are not run yet: Job/migrate [31m
note: a warning of the chart`,
  );
  assert.match(text.split('\n')[5] ?? '', /^Blocked: /);
  assert.deepEqual(JSON.parse(JSON.stringify(data)).notes, notes);
});
