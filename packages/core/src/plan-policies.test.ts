import assert from 'node:assert/strict';
import { test } from 'node:test';
import { denialsOf, type PolicyFinding } from './plan-policies.ts';

const FOUND: PolicyFinding = {
  policy: 'no-latest-tag',
  severity: 'deny',
  ref: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'api' },
  path: [{ field: 'spec' }],
  message: 'the image api names no version',
  fix: 'Write a tag.',
  where: { file: 'deploy/api.yaml', line: 9 },
};

test('each denial is an error that names the object, the rule, the line and what to do; warnings are none', () => {
  const counts = { ok: 0, warn: 1, deny: 2 };
  const results = [FOUND, { ...FOUND, severity: 'warn' } as const, { ...FOUND, ref: undefined, path: [] }];

  const records = denialsOf({ results, counts }).map((error) => ({ ...error.toRecord(), field: error.field }));

  assert.deepEqual(records, [
    {
      code: 'PolicyDenied',
      message: 'Deployment/api: the image api names no version (denied by the policy no-latest-tag)',
      fix: 'Write a tag.',
      file: 'deploy/api.yaml',
      line: 9,
      object: 'Deployment/api',
      field: 'spec',
    },
    {
      code: 'PolicyDenied',
      message: 'the image api names no version (denied by the policy no-latest-tag)',
      fix: 'Write a tag.',
      file: 'deploy/api.yaml',
      line: 9,
      field: undefined,
    },
  ]);
});
