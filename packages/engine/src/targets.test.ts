import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeApplication } from '@plumb/api';
import { parseApprovals, targetsOf, type TargetSpec } from './targets.ts';

function targets(spec: object, metadata: object = {}): readonly TargetSpec[] {
  const decoded = decodeApplication({
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'team', ...metadata },
    spec: { source: { repository: 'code', path: 'deploy' }, ...spec },
  });
  assert.ok(decoded.ok);
  return targetsOf(decoded.value);
}

test('an application without environments is one target in its own namespace', () => {
  const [only, ...others] = targets({});

  assert.equal(others.length, 0);
  assert.equal(only?.target, 'team/shop');
  assert.equal(only?.namespace, 'team');
  assert.equal(only?.repository, 'team/code');
  assert.equal(only?.writeAs, undefined);
  assert.deepEqual(only?.render, { release: 'shop', namespace: 'team' });
});

test('each environment is a target with its own namespace, revision, values and switch', () => {
  const [dev, prod] = targets({
    render: { values: { replicas: 1, image: { tag: 'a', pull: 'Always' } }, valuesFiles: ['base.yaml'] },
    environments: [
      { name: 'dev' },
      {
        name: 'prod',
        namespace: 'live',
        revision: 'v1',
        suspend: true,
        values: { image: { tag: 'b' } },
        valuesFiles: ['prod.yaml'],
      },
    ],
  });

  assert.deepEqual(
    [dev?.target, dev?.namespace, dev?.revision, dev?.suspended],
    ['team/shop/dev', 'team', undefined, false],
  );
  assert.deepEqual(
    [prod?.target, prod?.namespace, prod?.revision, prod?.suspended],
    ['team/shop/prod', 'live', 'v1', true],
  );
  assert.deepEqual(prod?.render, {
    release: 'shop',
    namespace: 'live',
    environment: 'prod',
    values: { replicas: 1, image: { tag: 'b', pull: 'Always' } },
    valuesFiles: ['base.yaml', 'prod.yaml'],
  });
});

test('all environments of an application share its ApplySet', () => {
  const sets = targets({ environments: [{ name: 'dev' }, { name: 'prod' }] }).map(({ applySet }) => applySet);

  assert.equal(new Set(sets).size, 1);
});

test('the service account is impersonated in the namespace that the objects go to', () => {
  const [live] = targets({ serviceAccount: 'deployer', namespace: 'live' });

  assert.equal(live?.writeAs, 'system:serviceaccount:live:deployer');
});

test('an approval counts for its environment alone', () => {
  const approvals = { annotations: { 'plumb.dev/approved-deletions': 'prod=abc,dev=' } };
  const environments = [{ name: 'dev' }, { name: 'prod' }];

  const [dev, prod] = targets({ environments }, approvals);

  assert.equal(prod?.approvedDeletion, 'abc');
  assert.equal(dev?.approvedDeletion, '');
  assert.deepEqual([...parseApprovals('-=abc')], [['-', 'abc']]);
  assert.deepEqual([...parseApprovals('nonsense,,=x')], []);
});
