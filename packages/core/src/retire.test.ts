import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deletionDigest, type DeletionFacts } from './deletion.ts';
import { arrange } from './desired.ts';
import { PlumbError } from './error.ts';
import type { HookPhase } from './hook.ts';
import { objectKey, shortNameOf, type TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';
import { decommissionSet, retire, type RetirementFacts, type RetirementStep } from './retire.ts';

const TARGET = 'shop/web' as TargetKey;
const CONFIG = { group: '', kind: 'ConfigMap' };

function live(name: string, more: Partial<LiveObject> = {}): LiveObject {
  return {
    key: objectKey({ ...CONFIG, namespace: 'shop', name }),
    apiVersion: 'v1',
    uid: `uid of ${name}`,
    resourceVersion: '1',
    target: TARGET,
    fieldsHash: 'f',
    lastEditor: undefined,
    deleting: false,
    health: { status: 'Healthy', message: '' },
    ...more,
  };
}

const CALM: DeletionFacts = {
  examined: () => ({ findings: new Map() }),
  allowed: undefined,
  pause: () => undefined,
};
const A = live('a');
const B = live('b');
const BOTH = deletionDigest([A, B]);
const forget = { how: 'forget' } as const;
const approved = (digest: string) => ({ how: 'decommission', approved: digest }) as const;

function facts(change: Partial<RetirementFacts> = {}): RetirementFacts {
  return {
    target: TARGET,
    retirement: forget,
    members: [A, B],
    parentKinds: [CONFIG],
    siblingKinds: [],
    watchOf: () => ({ state: 'synced' }),
    applied: new Map([[A.key, { uid: A.uid, desiredHash: 'h', fieldsHash: 'f' }]]),
    heirOf: () => undefined,
    deletions: CALM,
    isRecalled: true,
    hooks: [],
    progressOf: () => ({ state: 'done' }),
    ...change,
  };
}

function summary(step: RetirementStep): string {
  if (step.next === 'blocked') return `blocked ${step.deletion.digest === BOTH ? 'both' : 'others'}`;
  if (step.next === 'hooks')
    return `hooks ${step.progress.state === 'waiting' ? step.progress.message : step.progress.state}`;
  if (step.next === 'unreadable') return `unreadable ${step.error.code}`;
  if ('objects' in step)
    return `${step.next} ${step.objects.map(({ key }) => shortNameOf(key).split('/')[1]).join(' ')}`;
  return step.next;
}

const unreachable = new PlumbError('ClusterUnreachable', 'no');
const missing = new PlumbError('KindMissing', 'no');
const nothingLeft = { members: [], applied: new Map(), isRecalled: false };
const frozen: DeletionFacts = { ...CALM, pause: () => ({ reason: 'frozen', until: 9, isFrozen: true }) };
const TABLE: readonly [name: string, change: Partial<RetirementFacts>, step: string][] = [
  ['forgotten objects lose their marks', {}, 'disown a b'],
  ['what is on its way out is forgotten too', { members: [live('a', { deleting: true })] }, 'disown a'],
  ['a watch that was not started is started first', { watchOf: () => ({ state: 'missing' }) }, 'watch'],
  ['a watch that reads is waited for', { watchOf: () => ({ state: 'starting' }) }, 'read'],
  [
    'what cannot be read ends nothing',
    { retirement: approved(BOTH), watchOf: () => ({ state: 'failed', error: unreachable }) },
    'unreadable ClusterUnreachable',
  ],
  ['a kind that is no more has no objects', { watchOf: () => ({ state: 'failed', error: missing }) }, 'disown a b'],
  [
    'nothing goes that has not been examined',
    { retirement: approved(BOTH), deletions: { ...CALM, examined: () => undefined } },
    'examine a b',
  ],
  ['nothing goes without an approval', { retirement: approved('') }, 'blocked both'],
  ['an approval of another set is none', { retirement: approved(deletionDigest([A])) }, 'blocked both'],
  ['an approval of a larger set is none', { retirement: approved(BOTH), members: [A] }, 'blocked others'],
  ['what was approved goes', { retirement: approved(BOTH) }, 'delete a b'],
  [
    'what is left of an approved set goes too',
    {
      retirement: approved(BOTH),
      members: [B],
      deletions: { ...CALM, allowed: { by: 'approval', ids: new Set([`${A.key} ${A.uid}`, `${B.key} ${B.uid}`]) } },
    },
    'delete b',
  ],
  [
    'an object made anew meanwhile is not what was approved',
    {
      retirement: approved(BOTH),
      members: [live('b', { uid: 'another' })],
      deletions: { ...CALM, allowed: { by: 'approval', ids: new Set([`${B.key} ${B.uid}`]) } },
    },
    'blocked others',
  ],
  [
    'an heir gets its object',
    { retirement: approved(BOTH), heirOf: (key) => (key === A.key ? ('shop/heir' as TargetKey) : undefined) },
    'delete b',
  ],
  [
    'a cluster that was set back keeps what is approved',
    { retirement: approved(BOTH), deletions: frozen },
    'blocked both',
  ],
  [
    'what waits for a finalizer is waited for',
    { retirement: approved(BOTH), members: [live('a', { deleting: true })] },
    'delete ',
  ],
  ['when nothing is left, the memory goes', { retirement: approved(BOTH), members: [] }, 'forget'],
  ['then the kinds of the set', nothingLeft, 'narrow'],
  ['but not those that a sibling needs', { ...nothingLeft, siblingKinds: [CONFIG] }, 'done'],
  ['and that is all', { ...nothingLeft, parentKinds: [] }, 'done'],
];

for (const [name, change, expected] of TABLE) {
  test(`ending a target: ${name}`, () => {
    assert.equal(summary(retire(facts(change))), expected);
  });
}

const ROOM = live('shop', { key: objectKey({ group: '', kind: 'Namespace', namespace: '', name: 'shop' }) });
const ALL = deletionDigest([A, ROOM]);
const { hooks: HOOKS } = arrange(
  (['PreDelete', 'PostDelete'] as const).map((phase) => ({
    origin: { file: 'hooks.yaml' },
    object: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: phase.toLowerCase(), namespace: 'shop', annotations: { 'plumb.dev/hook': phase } },
    },
  })),
  [],
);
const RAN = live('ran', { hookRun: 'r1.1 PostDelete' });

/** A decommission with hooks of both phases, of which these have ended. */
function ending(ended: readonly HookPhase[], change: Partial<RetirementFacts> = {}): RetirementFacts {
  return facts({
    retirement: approved(ALL),
    members: [A, ROOM],
    hooks: HOOKS,
    progressOf: (phase) =>
      ended.includes(phase) ? { state: 'done' } : { state: 'waiting', on: A.key, message: `of ${phase}` },
    deletions: {
      ...CALM,
      allowed: { by: 'approval', ids: new Set([A, ROOM].map(({ key, uid }) => `${key} ${uid}`)) },
    },
    ...change,
  });
}

const HOOK_TABLE: readonly [name: string, facts: RetirementFacts, step: string][] = [
  ['what may go is kept in mind before the first hook runs', ending([], { deletions: CALM }), 'allow a shop'],
  ['no hook runs without an approval', ending([], { retirement: approved(''), deletions: CALM }), 'blocked others'],
  ['PreDelete hooks run before the first deletion', ending([]), 'hooks of PreDelete'],
  ['the namespace of a PostDelete hook outlives it', ending(['PreDelete']), 'delete a'],
  [
    'PostDelete hooks wait until the last object is gone',
    ending(['PreDelete'], { members: [live('a', { deleting: true }), ROOM] }),
    'delete ',
  ],
  ['PostDelete hooks run once all is gone', ending(['PreDelete'], { members: [ROOM] }), 'hooks of PostDelete'],
  [
    'a hook that is on its way out by its own policy holds up nothing',
    ending(['PreDelete'], { members: [ROOM, live('ran', { hookRun: 'r1.1 PreDelete', deleting: true })] }),
    'hooks of PostDelete',
  ],
  [
    'what has run goes with its namespace at the end',
    ending(['PreDelete', 'PostDelete'], { members: [ROOM, RAN] }),
    'delete ran shop',
  ],
  ['what has run is no part of what was approved', ending([], { members: [A, ROOM, RAN] }), 'hooks of PreDelete'],
  [
    'an examination counts what has run as going',
    ending([], { members: [A, ROOM, RAN], deletions: { ...CALM, examined: () => undefined } }),
    'examine a shop ran',
  ],
  [
    'a volume that a hook brought stays, and is nobody’s',
    ending(['PreDelete', 'PostDelete'], {
      members: [
        live('data', {
          key: objectKey({ group: '', kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'data' }),
          hookRun: 'r1.1 PreDelete',
        }),
      ],
    }),
    'disown data',
  ],
  ['forgetting runs nothing', ending([], { retirement: forget }), 'disown a shop'],
];

for (const [name, given, expected] of HOOK_TABLE) {
  test(`hooks of a decommission: ${name}`, () => {
    assert.equal(summary(retire(given)), expected);
  });
}

test('a namespace that holds what is not going stays, though its deletion was approved, and the reason is told', () => {
  const namespace = live('shared', { key: objectKey({ group: '', kind: 'Namespace', namespace: '', name: 'shared' }) });
  const findings = new Map([[namespace.key, { foreign: ['ConfigMap/x'] }]]);

  const step = retire(
    facts({
      members: [namespace],
      retirement: approved(deletionDigest([namespace])),
      deletions: { ...CALM, examined: () => ({ findings }) },
    }),
  );

  assert.ok(step.next === 'done');
  assert.deepEqual(
    step.kept.map(({ code, message }) => [code, message]),
    [['NamespaceKept', 'Namespace/shared is not deleted, because this is still in it: ConfigMap/x']],
  );
});

test('nothing is ever deleted that was not in the approved set', () => {
  const object = fc.record({ name: fc.constantFrom('a', 'b', 'c'), deleting: fc.boolean(), isOurs: fc.boolean() });
  const set = fc
    .uniqueArray(object, { selector: ({ name }) => name, maxLength: 3 })
    .map((all) =>
      all.map(({ name, deleting, isOurs }) => live(name, { deleting, fieldsHash: isOurs ? 'f' : undefined })),
    );
  fc.assert(
    fc.property(set, set, (before, now) => {
      const set = decommissionSet(before);

      const step = retire(facts({ members: now, retirement: approved(deletionDigest(set)) }));

      if (step.next === 'delete') for (const one of step.objects) assert.ok(set.some(({ uid }) => uid === one.uid));
    }),
  );
});
