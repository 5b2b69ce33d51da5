import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectKey } from './key.ts';
import { canBeReplaced, syncOptionsOf, type SyncOptions } from './sync-options.ts';

const OPTIONS: readonly [annotations: Record<string, string>, expected: Partial<SyncOptions>][] = [
  [{}, {}],
  [{ 'plumb.dev/sync-options': 'Force=true' }, { recreate: true }],
  [{ 'plumb.dev/sync-options': 'Replace=true' }, { recreate: true }],
  [{ 'argocd.argoproj.io/sync-options': 'Force=true,Replace=true' }, { recreate: true }],
  // Alone it never deletes with Argo CD either.
  [{ 'argocd.argoproj.io/sync-options': 'Replace=true' }, {}],
  [{ 'plumb.dev/sync-options': 'Force=false' }, {}],
  [
    { 'plumb.dev/sync-options': 'Prune=false' },
    { keep: 'plumb.dev/sync-options: Prune=false', keepOnDelete: 'plumb.dev/sync-options: Prune=false' },
  ],
  [
    { 'argocd.argoproj.io/sync-options': ' ServerSideApply=true , Prune=false ' },
    {
      keep: 'argocd.argoproj.io/sync-options: Prune=false',
      keepOnDelete: 'argocd.argoproj.io/sync-options: Prune=false',
    },
  ],
  [
    { 'argocd.argoproj.io/sync-options': 'Delete=false' },
    { keepOnDelete: 'argocd.argoproj.io/sync-options: Delete=false' },
  ],
  [
    { 'plumb.dev/sync-options': 'Prune=confirm' },
    { keep: 'plumb.dev/sync-options: Prune=confirm', keepOnDelete: 'plumb.dev/sync-options: Prune=confirm' },
  ],
  [{ 'plumb.dev/prune': 'false' }, { keep: 'plumb.dev/prune: false', keepOnDelete: 'plumb.dev/prune: false' }],
  [
    { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' },
    {
      keep: 'kustomize.toolkit.fluxcd.io/prune: disabled',
      keepOnDelete: 'kustomize.toolkit.fluxcd.io/prune: disabled',
    },
  ],
  [
    { 'helm.sh/resource-policy': 'keep' },
    { keep: 'helm.sh/resource-policy: keep', keepOnDelete: 'helm.sh/resource-policy: keep' },
  ],
  [{ 'plumb.dev/prune': 'true', 'kustomize.toolkit.fluxcd.io/prune': 'enabled' }, {}],
  [
    { 'argocd.argoproj.io/sync-options': 'SkipDryRunOnMissingResource=true,Prnue=false,CreateNamespace=true' },
    { unknown: ['argocd.argoproj.io/sync-options: Prnue=false'] },
  ],
];

for (const [annotations, expected] of OPTIONS) {
  test(`sync options of ${JSON.stringify(annotations)}`, () => {
    assert.deepEqual(syncOptionsOf(annotations), {
      recreate: false,
      keep: undefined,
      keepOnDelete: undefined,
      unknown: [],
      ...expected,
    });
  });
}

const FIELDS: readonly [key: string, field: string | undefined, replaceable: boolean][] = [
  ['apps/Deployment/shop/web', 'spec.selector', true],
  ['apps/Deployment/shop/web', 'spec.selector.matchLabels', true],
  ['apps/Deployment/shop/web', 'spec.selectors', false],
  ['apps/Deployment/shop/web', 'spec.template.spec.containers[0].resources', false],
  ['apps/Deployment/shop/web', undefined, false],
  ['apps/StatefulSet/shop/db', 'spec.selector', false],
  ['/Service/shop/web', 'spec.clusterIPs[0]', true],
  ['/PersistentVolumeClaim/shop/data', 'spec', false],
  ['/Namespace//shop', 'spec', false],
  ['apiextensions.k8s.io/CustomResourceDefinition//w.example.org', 'spec.scope', false],
  ['rbac.authorization.k8s.io/ClusterRoleBinding//web', 'roleRef', true],
  ['batch/Job/shop/once', 'spec.template', true],
  ['example.org/Widget/shop/w', 'spec.size', false],
];

for (const [key, field, replaceable] of FIELDS) {
  test(`${field} of ${key} ${replaceable ? 'may' : 'must not'} lead to a new object`, () => {
    assert.equal(canBeReplaced(key as ObjectKey, field), replaceable);
  });
}
