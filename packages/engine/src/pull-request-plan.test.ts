import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeApplication } from '@plumb/api';
import {
  fail,
  ok,
  PlumbError,
  targetKey,
  type ObjectKey,
  type Plan,
  type PlanItem,
  type PolicyFinding,
} from '@plumb/core';
import {
  approvalAnswer,
  baseOf,
  branchOf,
  commentedPlan,
  contextOf,
  isChangedBy,
  needsPlan,
  statusOf,
  type PlannedBefore,
} from './pull-request-plan.ts';
import { targetsOf, type TargetSpec } from './targets.ts';

const PLANNED: PlannedBefore = { planned: { head: 'a', base: 'm' }, isAsked: false, failed: undefined };
const FAILED: PlannedBefore = { ...PLANNED, planned: undefined, failed: { head: 'a', retryAt: 100 } };

test('a pull request is planned once for each commit of it and of its base', () => {
  const cases: readonly (readonly [
    before: PlannedBefore | undefined,
    head: string,
    base: string,
    now: number,
    expected: boolean,
  ])[] = [
    [undefined, 'a', 'm', 0, true],
    [PLANNED, 'a', 'm', 0, false],
    [PLANNED, 'b', 'm', 0, true],
    [PLANNED, 'a', 'n', 0, true],
    [{ ...PLANNED, isAsked: true }, 'a', 'm', 0, true],
    [FAILED, 'a', 'm', 99, false],
    [FAILED, 'a', 'm', 100, true],
    [FAILED, 'b', 'm', 99, true],
    [{ ...FAILED, isAsked: true }, 'a', 'm', 99, true],
  ];

  for (const [before, head, base, now, expected] of cases) {
    assert.equal(needsPlan(before, { head }, base, now), expected, JSON.stringify([before, head, base, now]));
  }
});

test('a pull request touches who reads a file that it changes, a folder included', () => {
  const reads = new Map([
    ['deploy/api', 'tree 1'],
    ['base/common.yaml', 'file 2'],
  ]);
  const cases: readonly (readonly [path: string, files: readonly string[], expected: boolean])[] = [
    ['deploy/api', ['deploy/api/one.yaml'], true],
    ['deploy/api', ['deploy/api-v2/one.yaml'], false],
    ['deploy/api', ['base/common.yaml'], true],
    ['deploy/api', ['base/other.yaml', 'README.md'], false],
    ['./deploy/api/', ['deploy/api/one.yaml'], true],
    ['.', ['README.md'], true],
    ['deploy/api', [], false],
  ];

  for (const [path, paths, expected] of cases) {
    assert.equal(isChangedBy({ paths, isComplete: true }, path, reads), expected, `${path} ${paths.join()}`);
  }
  assert.equal(isChangedBy({ paths: [], isComplete: false }, 'deploy/api', reads), true);
});

test('a pull request is held against what is read at its base, not against its commit', () => {
  const at = (commit: string, inputs: string) => ({
    spec: spec('prod'),
    key: 'k',
    fact: { state: 'ready', commit, inputs } as const,
  });
  const failed = { ...at('a', ''), fact: { state: 'failed', error: new PlumbError('PathMissing', 'gone') } as const };

  assert.equal(baseOf([at('a', 'one')]), baseOf([at('b', 'one')]));
  assert.notEqual(baseOf([at('a', 'one')]), baseOf([at('a', 'two')]));
  assert.notEqual(baseOf([at('a', 'one')]), baseOf([failed]));
});

test('a branch is the same with and without its full name', () => {
  assert.equal(branchOf('refs/heads/main'), 'main');
  assert.equal(branchOf('release/1'), 'release/1');
  assert.equal(branchOf('refs/tags/v1'), 'refs/tags/v1');
});

test('a status is named after the environment, and the application where there are several', () => {
  assert.equal(contextOf(spec('prod'), false), 'plumb/plan/prod');
  assert.equal(contextOf(spec('prod'), true), 'plumb/plan/shop/prod');
  assert.equal(contextOf(spec(undefined), false), 'plumb/plan');
  assert.equal(contextOf(spec(undefined), true), 'plumb/plan/shop');
});

test('a status says what would happen, and whose turn it is', () => {
  const broken = new PlumbError('YamlSyntax', 'bad indentation', { where: { file: 'a.yaml', line: 3 } });
  const cases = [
    [ok(plan([])), 'success', 'nothing changes'],
    [ok(plan([item('change'), item('delete')])), 'success', '1 to delete, 1 to change'],
    [ok(plan([item('blocked')])), 'failure', '1 refused'],
    [fail([broken]), 'failure', 'YamlSyntax: a.yaml:3: bad indentation'],
    [fail([new PlumbError('ClusterUnreachable', 'no answer')]), 'error', 'ClusterUnreachable: no answer'],
  ] as const;

  for (const [outcome, state, description] of cases) assert.deepEqual(statusOf(outcome), { state, description });
});

test('a status says that deletions wait for an approval', () => {
  const deletions = { verdict: 'blocked', objects: [], digest: 'd1', reason: 'too many', findings: new Map() } as const;
  const outcome = ok({ ...plan([item('delete')]), deletions });

  assert.equal(statusOf(outcome).description, '1 to delete; the deletions need an approval');
  const commented = commentedPlan(spec('prod'), outcome, ['a note']);
  assert.ok('items' in commented);
  assert.deepEqual(commented.blockedDeletions, { digest: 'd1', reason: 'too many' });
  assert.deepEqual([commented.counts.delete, commented.notes], [1, ['a note']]);
});

test('what a policy denies fails the status, and what it warns of does not', () => {
  const finding: PolicyFinding = {
    policy: 'no-latest-tag',
    severity: 'warn',
    ref: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'api' },
    path: [],
    message: 'no version',
    fix: 'Write a tag.',
    where: { file: 'api.yaml', line: 4 },
  };
  const judged = (...results: readonly PolicyFinding[]) =>
    ok({ ...plan([item('change')]), policies: { results, counts: { ok: 0, warn: 0, deny: 0 } } });
  const denied = { ...finding, severity: 'deny', policy: 'team-label' } as const;

  const warned = statusOf(judged(finding));
  const refused = statusOf(judged(finding, denied, denied));
  const commented = commentedPlan(spec('prod'), judged(denied), []);

  assert.deepEqual(warned, { state: 'success', description: '1 to change' });
  assert.deepEqual(refused, {
    state: 'failure',
    description: 'Deployment/api: no version (denied by the policy team-label) and 1 more; 1 to change',
  });
  assert.deepEqual('findings' in commented && commented.findings, [
    {
      policy: 'team-label',
      severity: 'deny',
      object: 'Deployment/api',
      message: 'no version',
      fix: 'Write a tag.',
      file: 'api.yaml',
      line: 4,
    },
  ]);
});

test('an approval is answered with the command that gives it', () => {
  const digests = new Map([
    [spec('prod').target, '1c9e4b0a77ff'],
    [spec('test').target, 'ffffffffffff'],
  ]);

  assert.match(approvalAnswer('1c9e4b', digests), /^plumb approve 1c9e4b0a77ff shop -n team -e prod$/m);
  assert.doesNotMatch(approvalAnswer('1c9e4b', digests), /ffffffffffff/);
  assert.match(approvalAnswer('aaaaaa', digests), /^No plan of this pull request has the digest `aaaaaa`/);
});

function spec(environment: string | undefined): TargetSpec {
  const decoded = decodeApplication({
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'team' },
    spec: {
      source: { repository: 'code', path: 'deploy' },
      ...(environment === undefined ? {} : { environments: [{ name: environment }] }),
    },
  });
  const [first] = decoded.ok ? targetsOf(decoded.value) : [];
  assert.ok(first);
  return first;
}

function item(action: PlanItem['action']): PlanItem {
  return { action, key: 'v1/ConfigMap/team/one' as ObjectKey, changes: [], predicted: false };
}

function plan(items: readonly PlanItem[]): Plan {
  return {
    target: targetKey({ namespace: 'team', application: 'shop', environment: 'prod' }),
    namespace: 'team',
    digest: '1c9e4b0a77ff',
    desired: 'd',
    items,
    unchanged: 0,
    deletions: { verdict: 'none' },
    quotas: [],
    waits: [],
    notes: [],
  };
}
