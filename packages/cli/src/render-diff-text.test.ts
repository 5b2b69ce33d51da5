import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderDiffData, renderDiffText, type ComparedRender } from './render-diff-text.ts';

const OPTIONS = { style: { isColored: false, isUnicode: true }, isFull: false };

const COMPARED: ComparedRender = {
  path: 'apps/shop',
  namespace: 'shop',
  from: { label: 'main', commit: '9f3c1ab000000000000000000000000000000000' },
  to: { label: 'working copy', commit: undefined },
  diff: {
    unchanged: 36,
    items: [
      {
        action: 'delete',
        ref: { group: '', kind: 'ConfigMap', namespace: 'elsewhere', name: 'old' },
        origin: { file: 'apps/shop/old.yaml', line: 1 },
        changes: [],
      },
      {
        action: 'change',
        ref: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'api' },
        origin: { file: 'base/api.yaml', line: 12 },
        changes: [
          { path: 'spec.replicas', before: 2, after: 4, place: { file: 'apps/shop/replicas.yaml', line: 6 } },
          { path: 'spec.template.spec.containers[name="api"].image', before: 'r/api:2.13.4', after: 'r/api:2.14.0' },
        ],
      },
      {
        action: 'create',
        ref: { group: '', kind: 'Service', namespace: '', name: 'api' },
        origin: { file: 'base/kustomization.yaml' },
        changes: [],
      },
    ],
  },
};

test('a difference of renders reads like a plan: what is gone first, each field, the place of every object', () => {
  assert.equal(
    renderDiffText(COMPARED, OPTIONS),
    `Render  apps/shop   main (9f3c1ab) → working copy
  − delete  ConfigMap/old (elsewhere)                                              apps/shop/old.yaml:1
  ~ change  Deployment/api             replicas 2 → 4 (apps/shop/replicas.yaml:6)  base/api.yaml:12
                                       image 2.13.4 → 2.14.0
  + create  Service/api                                                            base/kustomization.yaml
1 deleted, 1 changed, 1 created, 36 unchanged.
`,
  );
});

test('no difference is one line, and an id that was asked for is not said twice', () => {
  const from = { label: '9f3c1ab0', commit: '9f3c1ab000000000000000000000000000000000' };

  assert.equal(
    renderDiffText({ ...COMPARED, path: '', from, diff: { items: [], unchanged: 36 } }, OPTIONS),
    'Render  .   9f3c1ab → working copy\n36 unchanged.\n',
  );
});

test('the data name both sides, every change and the counts', () => {
  const data = JSON.parse(JSON.stringify(renderDiffData(COMPARED)));

  assert.deepEqual([data.apiVersion, data.kind, data.path], ['cli.plumb.dev/v1', 'RenderDiff', 'apps/shop']);
  assert.deepEqual(
    [data.from, data.to],
    [{ label: 'main', commit: '9f3c1ab000000000000000000000000000000000' }, { label: 'working copy' }],
  );
  assert.deepEqual(data.items[0], {
    action: 'delete',
    group: '',
    kind: 'ConfigMap',
    namespace: 'elsewhere',
    name: 'old',
    file: 'apps/shop/old.yaml',
    line: 1,
    changes: [],
  });
  assert.deepEqual(data.items[1].changes[0], {
    ...{ path: 'spec.replicas', before: 2, after: 4 },
    place: { file: 'apps/shop/replicas.yaml', line: 6 },
  });
  assert.deepEqual(data.counts, { delete: 1, change: 1, create: 1, unchanged: 36 });
});
