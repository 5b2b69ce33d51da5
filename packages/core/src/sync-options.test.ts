import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { syncOptionsOf, type SyncOptions } from './sync-options.ts';

const ARGO = 'argocd.argoproj.io/sync-options';
const OURS = 'plumb.dev/sync-options';

const NOTHING: SyncOptions = { recreate: false, awaitsKind: false, notes: [] };

const TABLE: readonly [name: string, annotations: Record<string, string>, expected: Partial<SyncOptions>][] = [
  ['an object without options', {}, {}],
  ['Force of Argo CD', { [ARGO]: 'Force=true,Replace=true' }, { recreate: true }],
  ['Force by our name', { [OURS]: ' Force=true ' }, { recreate: true }],
  ['force of Flux', { 'kustomize.toolkit.fluxcd.io/force': 'enabled' }, { recreate: true }],
  ['Replace alone deletes nothing', { [ARGO]: 'Replace=true' }, {}],
  ['our name wins over theirs', { [ARGO]: 'Force=true', [OURS]: 'Force=false' }, {}],
  ['one option of ours leaves their others', { [ARGO]: 'Force=true', [OURS]: 'Delete=true' }, { recreate: true }],
  ['a kind that comes later', { [ARGO]: 'SkipDryRunOnMissingResource=true' }, { awaitsKind: true }],
  ['Prune=false', { [ARGO]: 'Prune=false' }, { keep: `${ARGO}: Prune=false` }],
  ['Prune=confirm', { [ARGO]: 'Prune=confirm' }, { askFirst: `${ARGO}: Prune=confirm` }],
  ['Delete=false', { [OURS]: 'Delete=false' }, { keepWithoutApplication: `${OURS}: Delete=false` }],
  [
    'prune of ours',
    { 'plumb.dev/prune': 'false' },
    { keep: 'plumb.dev/prune: false', keepWithoutApplication: 'plumb.dev/prune: false' },
  ],
  ['prune of ours that says yes', { 'plumb.dev/prune': 'true' }, {}],
  [
    'prune of Flux',
    { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' },
    {
      keep: 'kustomize.toolkit.fluxcd.io/prune: disabled',
      keepWithoutApplication: 'kustomize.toolkit.fluxcd.io/prune: disabled',
    },
  ],
  [
    'the policy of Helm',
    { 'helm.sh/resource-policy': 'keep' },
    { keep: 'helm.sh/resource-policy: keep', keepWithoutApplication: 'helm.sh/resource-policy: keep' },
  ],
  ['what Plumb does in any case', { [ARGO]: 'ServerSideApply=true,PruneLast=true,RespectIgnoreDifferences=true' }, {}],
  [
    'what Plumb does not do',
    { [ARGO]: 'ServerSideApply=false' },
    { notes: [`${ARGO}: ServerSideApply=false does nothing: every write is a server-side apply`] },
  ],
  ['an unknown option', { [ARGO]: 'Hurry=true' }, { notes: [`${ARGO} has an unknown option "Hurry=true"`] }],
  [
    'a name that every object has',
    { [ARGO]: 'constructor=1' },
    { notes: [`${ARGO} has an unknown option "constructor=1"`] },
  ],
  [
    'an unknown value keeps the default',
    { [ARGO]: 'Force=yes' },
    { notes: [`${ARGO} says "Force=yes", and Force is one of true, false`] },
  ],
  ['empty parts', { [ARGO]: ',, Prune=false ,' }, { keep: `${ARGO}: Prune=false` }],
];

for (const [name, annotations, expected] of TABLE) {
  test(`sync options: ${name}`, () => {
    assert.deepEqual(syncOptionsOf({ metadata: { name: 'one', annotations } }), { ...NOTHING, ...expected });
  });
}

test('sync options: Flux may say it with a label', () => {
  const labels = { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' };

  assert.equal(
    syncOptionsOf({ metadata: { name: 'one', labels } }).keep,
    'kustomize.toolkit.fluxcd.io/prune: disabled',
  );
});

test('sync options: no text is an error, and none of chance lets an object be deleted and made anew', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (theirs, ours) => {
      fc.pre(!`${theirs}${ours}`.includes('Force'));
      const options = syncOptionsOf({ metadata: { name: 'one', annotations: { [ARGO]: theirs, [OURS]: ours } } });

      assert.equal(options.recreate, false);
    }),
  );
});
