import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { advance } from './advance.ts';
import type { PlanFact } from './approval-gate.ts';
import { DEFAULT_DELETION_BUDGET, deletionId } from './deletion.ts';
import { driftState, parseFieldPattern, REVERT_ALL, type Drift, type DriftWishes } from './drift/index.ts';
import { digestOf, type DesiredObject, type DesiredSet } from './desired.ts';
import { PlumbError } from './error.ts';
import type { ErrorCode } from './error-codes.ts';
import { keyOf, type ObjectKey, type TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';
import type { KubeObject } from './object.ts';
import type { Step } from './step.ts';
import type { TargetFacts, WriteFailure } from './target-facts.ts';
import { applyPhase } from './order.ts';
import { DELETION, rehearsedState, type Rehearsed } from './rehearsal.ts';

const TARGET = 'shop/web' as TargetKey;

function desiredObject(kind: string, name: string, apiVersion = 'v1', more: object = {}): DesiredObject {
  const metadata = kind === 'CustomResourceDefinition' ? { name } : { name, namespace: 'shop' };
  const object: KubeObject = { apiVersion, kind, metadata, ...more };
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  return {
    key: keyOf(object),
    hash: `hash of ${name}`,
    phase: applyPhase({ group, kind }),
    wave: 0,
    origin: { file: `${name}.yaml`, line: 1 },
    object,
  };
}

function liveObject(key: ObjectKey, change: Partial<LiveObject> = {}): LiveObject {
  return {
    key,
    apiVersion: 'v1',
    uid: `uid of ${key}`,
    resourceVersion: '5',
    target: TARGET,
    fieldsHash: 'f',
    lastEditor: undefined,
    deleting: false,
    health: { status: 'Healthy', message: 'fine' },
    ...change,
  };
}

const CONFIG = desiredObject('ConfigMap', 'env');
const WEB = desiredObject('Deployment', 'web', 'apps/v1');
const GONE = liveObject(desiredObject('ConfigMap', 'gone').key);
const KINDS = [
  { group: '', kind: 'ConfigMap' },
  { group: 'apps', kind: 'Deployment' },
];

interface World {
  readonly desired?: readonly DesiredObject[];
  readonly live?: readonly LiveObject[];
  readonly failures?: Readonly<Record<string, Partial<WriteFailure> & { readonly code: ErrorCode }>>;
  readonly facts?: Partial<TargetFacts>;
}

function setOf(objects: readonly DesiredObject[]): DesiredSet {
  return { objects, hooks: [], awaiting: [], digest: digestOf(objects) };
}

/** The facts of a target that is as it should be, changed as the test says. */
function facts(world: World = {}): TargetFacts {
  const objects = world.desired ?? [CONFIG, WEB];
  const set = setOf(objects);
  const live = world.live ?? objects.map(({ key }) => liveObject(key));
  const failures = Object.entries(world.failures ?? {}).map(([key, { code, ...rest }]): [ObjectKey, WriteFailure] => [
    key as ObjectKey,
    {
      hash: objects.find((object) => object.key === key)?.hash ?? DELETION,
      error: new PlumbError(code, code),
      retryAt: undefined,
      ...rest,
    },
  ]);
  return {
    target: TARGET,
    now: 1_000,
    suspended: false,
    policy: { conflicts: 'report' },
    budget: DEFAULT_DELETION_BUDGET,
    approvedDeletion: undefined,
    deletions: { examined: () => ({ findings: new Map() }), allowed: undefined, pause: () => undefined },
    source: { state: 'ready', commit: 'c1', inputs: 'i1' },
    renderFailure: undefined,
    desired: { ...set, inputs: 'i1', commit: 'c1' },
    watchOf: () => ({ state: 'synced' }),
    parentKinds: KINDS,
    siblingKinds: [],
    liveOf: (key) => live.find((object) => object.key === key),
    members: live,
    applied: new Map(
      objects.map(({ key, hash }) => [key, { uid: `uid of ${key}`, desiredHash: hash, fieldsHash: 'f' }]),
    ),
    failures: new Map(failures),
    ownerOf: () => undefined,
    heirOf: () => undefined,
    behind: () => undefined,
    drift: revertingAll(objects, (key) => live.find((object) => object.key === key)),
    healAfter: () => 0,
    dependencies: () => ({ state: 'ready' }),
    wait: undefined,
    time: 1_700_000_000_000,
    deadlineMs: 600_000,
    openRelease: undefined,
    released: { ...set, inputs: 'i1', commit: 'c1' },
    rehearsed: new Map(),
    releasedDigest: set.digest,
    ...world.facts,
  };
}

/** Everything that others changed was looked into, and is put back. */
function revertingAll(
  objects: readonly DesiredObject[],
  liveOf: (key: ObjectKey) => LiveObject | undefined,
): TargetFacts['drift'] {
  return {
    wishes: { rules: REVERT_ALL, holds: [] },
    findingOf: (key) => driftOf(objects, key, liveOf(key)),
  };
}

function driftOf(objects: readonly DesiredObject[], key: ObjectKey, live: LiveObject | undefined): Drift {
  const path = 'spec.replicas';
  const owners = [{ manager: 'kubectl-edit', subresource: undefined, field: path }];
  const by = { tier: 'manager', manager: 'kubectl-edit' } as const;
  return {
    key,
    kind: live === undefined ? 'deleted' : 'edited',
    fields: live === undefined ? [] : [{ path, git: 3, live: 9, owners, by }],
    by,
    state: driftState(live),
    resourceVersion: live?.resourceVersion,
    desiredHash: objects.find((object) => object.key === key)?.hash ?? '',
    foundAt: 1_700_000_000_000,
  };
}

function summary(step: Step): string {
  if (step.do === 'rest')
    return `rest ${step.state}${step.failures.length > 0 ? ` ${step.failures.map(({ code }) => code).join(' ')}` : ''}`;
  if (step.do === 'write')
    return `write ${step.writes.map(({ action, key }) => `${action} ${key.split('/').at(-1)}`).join(', ')}`;
  if (step.do === 'inspect') return `inspect ${step.writes.map(({ key }) => key.split('/').at(-1)).join(', ')}`;
  if (step.do === 'prune') return `prune ${step.objects.map(({ key }) => key.split('/').at(-1)).join(', ')}`;
  if (step.do === 'watch' || step.do === 'membership')
    return `${step.do} ${step.kinds.map(({ kind }) => kind).join(', ')}`;
  return step.do === 'conclude' ? `conclude ${step.outcome}` : step.do;
}

const unreachable = new PlumbError('RepositoryUnreachable', 'no answer');
const pathMissing = new PlumbError('PathMissing', 'no folder');
const syntax = new PlumbError('YamlSyntax', 'a tab', { where: { file: 'a.yaml', line: 3 } });
const broken = { inputs: 'i2', errors: [syntax], retryAt: undefined, commit: '3f2a1bc by Test Author' };
const newer: Partial<TargetFacts> = { source: { state: 'ready', commit: 'c2', inputs: 'i2' } };
const withGone = [...[CONFIG, WEB].map(({ key }) => liveObject(key)), GONE];
const fresh: Partial<TargetFacts> = {
  applied: new Map(),
  releasedDigest: undefined,
  members: [],
  liveOf: () => undefined,
};

const TABLE: readonly [name: string, world: World, expected: string][] = [
  ['all is as it should be', {}, 'rest Healthy'],
  ['suspended', { facts: { suspended: true, ...newer } }, 'rest Suspended'],
  ['nothing is known yet', { facts: { desired: undefined, source: { state: 'waiting' } } }, 'rest Pending'],
  ['a first commit', { facts: { desired: undefined } }, 'render'],
  ['a new commit', { facts: newer }, 'render'],
  [
    'the render failed and cannot help itself',
    { facts: { ...newer, renderFailure: broken } },
    'rest Failed YamlSyntax',
  ],
  [
    'the first render ever failed',
    { facts: { ...newer, desired: undefined, renderFailure: broken } },
    'rest Failed YamlSyntax',
  ],
  ['it is time to render again', { facts: { ...newer, renderFailure: { ...broken, retryAt: 900 } } }, 'render'],
  [
    'yesterday’s failure says nothing about new inputs',
    { facts: { source: { state: 'ready', commit: 'c3', inputs: 'i3' }, renderFailure: broken } },
    'render',
  ],
  [
    'a broken render, and a live object was edited',
    {
      facts: { ...newer, renderFailure: broken },
      live: [liveObject(CONFIG.key, { fieldsHash: 'x' }), liveObject(WEB.key)],
    },
    'write update env',
  ],
  ['Git is down, and all is well', { facts: { source: { state: 'failed', error: unreachable } } }, 'rest Healthy'],
  [
    'Git is down, and a live object was deleted',
    { facts: { source: { state: 'failed', error: unreachable } }, live: [liveObject(WEB.key)] },
    'write create env',
  ],
  [
    'Git is down before the first commit',
    { facts: { desired: undefined, source: { state: 'failed', error: unreachable } } },
    'rest Failed RepositoryUnreachable',
  ],
  ['the folder is gone', { facts: { source: { state: 'failed', error: pathMissing } } }, 'rest Failed PathMissing'],
  ['a kind is not watched yet', { facts: { watchOf: () => ({ state: 'missing' }) } }, 'watch ConfigMap, Deployment'],
  ['a watch is being opened', { facts: { watchOf: () => ({ state: 'starting' }) } }, 'rest Syncing'],
  ['a new desired set', { facts: { releasedDigest: 'other' } }, 'release'],
  ['the parent does not name a kind yet', { facts: { parentKinds: [] } }, 'membership ConfigMap, Deployment'],
  ['the first phase goes first', { facts: { ...fresh, releasedDigest: digestOf([CONFIG, WEB]) } }, 'write create env'],
  ['then the next one', { live: [liveObject(CONFIG.key)] }, 'write create web'],
  [
    'an object that failed does not hold up the others',
    { live: [], failures: { [CONFIG.key]: { code: 'Forbidden', retryAt: 5_000 } } },
    'write create web',
  ],
  [
    'all that could be written is',
    { live: [liveObject(WEB.key)], failures: { [CONFIG.key]: { code: 'Forbidden', retryAt: 5_000 } } },
    'rest Failed Forbidden',
  ],
  [
    'it is time to try again',
    { live: [liveObject(WEB.key)], failures: { [CONFIG.key]: { code: 'Forbidden', retryAt: 1_000 } } },
    'write create env',
  ],
  [
    'a new wish is a new attempt',
    { live: [liveObject(WEB.key)], failures: { [CONFIG.key]: { code: 'FieldInvalid', hash: 'old', retryAt: 5_000 } } },
    'write create env',
  ],
  [
    'a release that only a person can mend has failed',
    {
      live: [liveObject(WEB.key)],
      failures: { [CONFIG.key]: { code: 'FieldInvalid', retryAt: 5_000 } },
      facts: { openRelease: { number: 1, hasFailed: false, attempt: 1, runs: new Map() } },
    },
    'conclude failed',
  ],
  [
    'an object of another target stops a release before its first write',
    {
      live: [],
      facts: { releasedDigest: 'other', ownerOf: (key) => (key === WEB.key ? ('shop/api' as TargetKey) : undefined) },
    },
    'rest Failed OwnedByOther',
  ],
  ['what Git no longer has is pruned', { live: withGone }, 'prune gone'],
  [
    'nothing is pruned while a write has failed',
    { live: [liveObject(WEB.key), GONE], failures: { [CONFIG.key]: { code: 'Forbidden', retryAt: 5_000 } } },
    'rest Failed Forbidden',
  ],
  [
    'nothing is pruned with a broken render',
    { live: withGone, facts: { ...newer, renderFailure: broken } },
    'rest Failed YamlSyntax',
  ],
  [
    'nothing is pruned while Git is down',
    { live: withGone, facts: { source: { state: 'failed', error: unreachable } } },
    'rest Healthy',
  ],
  [
    'nothing is pruned while a watch is blind',
    {
      live: withGone,
      facts: {
        parentKinds: [...KINDS, { group: '', kind: 'Secret' }],
        watchOf: ({ kind }) =>
          kind === 'Secret' ? { state: 'failed', error: new PlumbError('Forbidden', 'no') } : { state: 'synced' },
      },
    },
    'rest Failed Forbidden',
  ],
  [
    'a kind that Git does not want and the cluster has no more is forgotten',
    {
      facts: {
        parentKinds: [...KINDS, { group: 'example.org', kind: 'Widget' }],
        watchOf: ({ kind }) =>
          kind === 'Widget' ? { state: 'failed', error: new PlumbError('KindMissing', 'no') } : { state: 'synced' },
      },
    },
    'membership ConfigMap, Deployment',
  ],
  [
    'what Git no longer has waits for a neighbour that may want it',
    { live: withGone, facts: { behind: () => 'shop/api' as TargetKey } },
    'rest Syncing',
  ],
  [
    'an object that is on its way out is waited for',
    { live: [...[CONFIG, WEB].map(({ key }) => liveObject(key)), { ...GONE, deleting: true }] },
    'rest Syncing',
  ],
  [
    'an object that is deleted again and again is healed later',
    { live: [liveObject(WEB.key)], facts: { healAfter: () => 9_000 } },
    'rest Drifted Fighting',
  ],
  [
    'a new wish does not wait for the end of a fight',
    {
      desired: [{ ...CONFIG, hash: 'new' }, WEB],
      facts: {
        healAfter: () => 9_000,
        applied: new Map([
          [CONFIG.key, { uid: `uid of ${CONFIG.key}`, desiredHash: 'old', fieldsHash: 'f' }],
          [WEB.key, { uid: `uid of ${WEB.key}`, desiredHash: WEB.hash, fieldsHash: 'f' }],
        ]),
      },
    },
    'write update env',
  ],
  [
    'nothing is called done before Git was asked',
    {
      facts: {
        source: { state: 'waiting' },
        openRelease: { number: 1, hasFailed: false, attempt: 1, runs: new Map() },
      },
    },
    'rest Pending',
  ],
  [
    'a release that failed before may still become healthy',
    { facts: { openRelease: { number: 1, hasFailed: true, attempt: 1, runs: new Map() } } },
    'conclude healthy',
  ],
  [
    'a release that was rendered and never released waits for its repository',
    { facts: { releasedDigest: 'other', source: { state: 'failed', error: unreachable } } },
    'rest Failed RepositoryUnreachable',
  ],
  [
    'what another target wants now is handed over',
    { live: withGone, facts: { heirOf: (key) => (key === GONE.key ? ('shop/api' as TargetKey) : undefined) } },
    'rest Healthy',
  ],
  [
    'a deletion that failed is tried later',
    { live: withGone, failures: { [GONE.key]: { code: 'AdmissionDenied', retryAt: 5_000 } } },
    'rest Failed AdmissionDenied',
  ],
  [
    'the parent is narrowed when a kind has no object left',
    { facts: { parentKinds: [...KINDS, { group: '', kind: 'Secret' }] } },
    'membership ConfigMap, Deployment',
  ],
  [
    'a kind that a sibling needs stays',
    {
      facts: { parentKinds: [...KINDS, { group: '', kind: 'Secret' }], siblingKinds: [{ group: '', kind: 'Secret' }] },
    },
    'rest Healthy',
  ],
  [
    'Git wants nothing any more',
    { desired: [], live: withGone, facts: { releasedDigest: 'other' } },
    'rest Failed DeletionBlocked',
  ],
  [
    'Git never wanted anything',
    { desired: [], live: [], facts: { releasedDigest: undefined, parentKinds: [] } },
    'rest Failed SuspiciouslyEmpty',
  ],
  [
    'a rollout goes on',
    {
      live: [liveObject(CONFIG.key), liveObject(WEB.key, { health: { status: 'Progressing', message: '1 of 2' } })],
      facts: { openRelease: { number: 1, hasFailed: false, attempt: 1, runs: new Map() } },
    },
    'rest Syncing',
  ],
  [
    'a rollout is stuck',
    { live: [liveObject(CONFIG.key), liveObject(WEB.key, { health: { status: 'Degraded', message: 'no image' } })] },
    'rest Degraded',
  ],
  [
    'a release is healthy',
    { facts: { openRelease: { number: 1, hasFailed: false, attempt: 1, runs: new Map() } } },
    'conclude healthy',
  ],
  [
    'an object that keeps being changed is healed later',
    { live: [liveObject(CONFIG.key, { fieldsHash: 'x' }), liveObject(WEB.key)], facts: { healAfter: () => 9_000 } },
    'rest Drifted Fighting',
  ],
  [
    'a fight over one object does not hold up another one',
    {
      live: [liveObject(CONFIG.key, { fieldsHash: 'x' }), liveObject(WEB.key, { fieldsHash: 'x' })],
      facts: { healAfter: (key) => (key === CONFIG.key ? 9_000 : 0) },
    },
    'write update web',
  ],
  [
    'an object on its way out is waited for',
    { live: [liveObject(CONFIG.key, { deleting: true }), liveObject(WEB.key)] },
    'rest Syncing',
  ],
];

const EDITED = [liveObject(CONFIG.key, { fieldsHash: 'x' }), liveObject(WEB.key)];

/** The facts of an edited object under these wishes, and what is known of the edit. */
function edited(wishes: Partial<DriftWishes>, more: Partial<World> = {}): World {
  const objects = [CONFIG, WEB];
  const live = more.live ?? EDITED;
  const reverting = revertingAll(objects, (key) => live.find((object) => object.key === key));
  return {
    live,
    ...more,
    facts: { drift: { ...reverting, wishes: { rules: REVERT_ALL, holds: [], ...wishes } }, ...more.facts },
  };
}

const HOLD = { hold: 'h', until: 1_700_000_100_000, since: 0, reason: 'INC-9', by: 'dana', atEnd: 'heal' } as const;

const DRIFT_TABLE: readonly (readonly [says: string, world: World, expected: string])[] = [
  [
    'what nobody has looked into is looked into before anything is written',
    edited({}, { facts: { drift: { wishes: { rules: REVERT_ALL, holds: [] }, findingOf: () => undefined } } }),
    'inspect env',
  ],
  [
    'what was found of another state is looked into anew',
    {
      live: EDITED,
      facts: {
        drift: {
          wishes: { rules: REVERT_ALL, holds: [] },
          findingOf: (key) => driftOf([CONFIG, WEB], key, liveObject(key, { fieldsHash: 'older' })),
        },
      },
    },
    'inspect env',
  ],
  ['what was found is put back', edited({}), 'write update env'],
  ['what is only reported stands, and is told', edited({ rules: { policy: 'report', rules: [] } }), 'rest Drifted'],
  [
    'what a rule allows stands, and the target is healthy',
    edited({ rules: { policy: 'revert', rules: [{ policy: 'allow', reason: 'r', until: HOLD.until }] } }),
    'rest Healthy',
  ],
  [
    'what is ignored says nothing',
    edited({ rules: { policy: 'revert', rules: [{ policy: 'ignore' }] } }),
    'rest Healthy',
  ],
  ['under a hold of the whole target it is held', edited({ holds: [HOLD] }), 'rest Held'],
  [
    'also where nothing was edited',
    edited({ holds: [HOLD] }, { live: [CONFIG, WEB].map(({ key }) => liveObject(key)) }),
    'rest Held',
  ],
  ['a hold that has ended heals', edited({ holds: [{ ...HOLD, until: 1_700_000_000_000 }] }), 'write update env'],
  [
    'what a person asked to heal is healed',
    edited({ rules: { policy: 'report', rules: [] }, heal: { at: 1_700_000_000_000 } }),
    'write update env',
  ],
  [
    'an object that is gone and only reported is drift',
    edited({ rules: { policy: 'report', rules: [] } }, { live: [liveObject(WEB.key)] }),
    'rest Drifted',
  ],
  [
    'an object that may be gone is not waited for',
    edited({ rules: { policy: 'revert', rules: [{ policy: 'ignore' }] } }, { live: [liveObject(WEB.key)] }),
    'rest Healthy',
  ],
  [
    'what stands does not hold up a release',
    edited(
      { rules: { policy: 'report', rules: [] } },
      { facts: { openRelease: { number: 1, hasFailed: false, attempt: 1, runs: new Map() } } },
    ),
    'conclude healthy',
  ],
];

for (const [name, world, expected] of DRIFT_TABLE) {
  test(name, () => assert.equal(summary(advance(facts(world))), expected));
}

test('what stands until a time is looked at again then', () => {
  const step = advance(
    facts(edited({ rules: { policy: 'revert', rules: [{ policy: 'allow', reason: 'r', until: 1_700_000_005_000 }] } })),
  );
  assert.deepEqual([step.do, step.do === 'rest' ? step.wakeAt : undefined], ['rest', 6_000]);
});

test('a hold says who, why and until when, and in its last quarter of an hour that it ends', () => {
  const soon = advance(facts(edited({ holds: [HOLD] })));
  const later = advance(facts(edited({ holds: [{ ...HOLD, until: 1_700_003_600_000 }] })));
  assert.ok(soon.do === 'rest' && later.do === 'rest');
  assert.deepEqual([soon.reason, later.reason], ['HoldEnding', 'EditsAllowed']);
  assert.match(later.message, /^Until 2023-11-14 23:13 UTC edits are allowed by dana: INC-9\. 1 object was edited\.$/);
  assert.equal(later.wakeAt, 1_000 + 3_600_000 - 15 * 60_000);
});

test('a partly reverted drift leaves the fields that stand, and names what it puts back', () => {
  const fields = ['spec.a', 'spec.b'].map((path) => ({
    path,
    git: 1,
    live: 2,
    owners: [],
    by: { tier: 'none' } as const,
  }));
  const world = edited({});
  const rules = [{ policy: 'ignore', fields: [parseFieldPattern('spec.b') ?? assert.fail()] }] as const;
  const drift: TargetFacts['drift'] = {
    wishes: { rules: { policy: 'revert', rules }, holds: [] },
    findingOf: (key) => ({
      ...driftOf(
        [CONFIG, WEB],
        key,
        EDITED.find((live) => live.key === key),
      ),
      fields,
    }),
  };
  const step = advance(facts({ ...world, facts: { drift } }));
  assert.ok(step.do === 'write');
  assert.deepEqual([step.writes[0]?.heal?.left, step.writes[0]?.heal?.paths], [['spec.b'], ['spec.a']]);
});

for (const [name, world, expected] of TABLE) {
  test(`next step: ${name}`, () => {
    assert.equal(summary(advance(facts(world))), expected);
  });
}

const CRD = desiredObject('CustomResourceDefinition', 'widgets.example.org', 'apiextensions.k8s.io/v1', {
  spec: { group: 'example.org', names: { kind: 'Widget' }, scope: 'Namespaced' },
});
const WIDGET: DesiredObject = {
  ...desiredObject('Widget', 'w', 'example.org/v1'),
  needs: [{ key: CRD.key, until: 'established' }],
};

test('an object waits for the definition of its kind that comes with it', () => {
  const world = (crd: readonly LiveObject[], widgets: 'missing' | 'synced'): TargetFacts =>
    facts({
      desired: [CRD, WIDGET],
      live: crd,
      facts: {
        applied: new Map(),
        parentKinds: [
          { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
          { group: 'example.org', kind: 'Widget' },
        ],
        watchOf: ({ kind }) => ({ state: kind === 'Widget' ? widgets : 'synced' }),
      },
    });
  const established = liveObject(CRD.key);
  const starting = liveObject(CRD.key, { health: { status: 'Progressing', message: 'not established' } });
  const record = new Map([[CRD.key, { uid: `uid of ${CRD.key}`, desiredHash: CRD.hash, fieldsHash: 'f' }]]);

  assert.equal(summary(advance(world([], 'missing'))), 'write create widgets.example.org');
  assert.equal(summary(advance({ ...world([starting], 'missing'), applied: record })), 'rest Syncing');
  assert.equal(summary(advance({ ...world([established], 'missing'), applied: record })), 'watch Widget');
  assert.equal(summary(advance({ ...world([established], 'synced'), applied: record })), 'write create w');
});

const CHANGED = [CONFIG, WEB].map((object) => ({ ...object, hash: `new ${object.hash}` }));
const ofOldHashes = new Map(
  [CONFIG, WEB].map(({ key, hash }) => [key, { uid: `uid of ${key}`, desiredHash: hash, fieldsHash: 'f' }]),
);

/** A commit changes both objects; dry-runs have said that all is well, but for the errors. */
function opening(errors: Readonly<Record<string, PlumbError>>, change: Partial<TargetFacts> = {}): TargetFacts {
  const rehearsed = CHANGED.map(({ key, hash }): [ObjectKey, Rehearsed] => {
    const state = rehearsedState(liveObject(key));
    return [key, { hash, state, error: errors[key], retryAt: errors[key] === undefined ? undefined : 5_000 }];
  });
  return facts({
    desired: CHANGED,
    facts: {
      applied: ofOldHashes,
      released: { ...setOf([CONFIG, WEB]), inputs: 'i0', commit: 'c0' },
      releasedDigest: digestOf([CONFIG, WEB]),
      rehearsed: new Map(rehearsed),
      ...change,
    },
  });
}

test('a change of two live objects is tried before its first write, and then released', () => {
  const step = advance(opening({}, { rehearsed: new Map() }));

  assert.ok(step.do === 'rehearse');
  assert.deepEqual(
    step.writes.map(({ key }) => key),
    [CONFIG.key, WEB.key],
  );
  assert.equal(summary(advance(opening({}))), 'release');
});

test('what would be refused stops the change whole, all of it is told, and the last release goes on being healed', () => {
  const immutable = new PlumbError('FieldImmutable', 'spec.selector', { where: { file: 'web.yaml', line: 1 } });
  const errors = { [CONFIG.key]: new PlumbError('FieldInvalid', 'no'), [WEB.key]: immutable };

  const stopped = advance(opening(errors));
  assert.ok(stopped.do === 'rest');
  assert.equal(stopped.state, 'Failed');
  assert.deepEqual(
    stopped.failures.map(({ code }) => code),
    ['FieldInvalid', 'FieldImmutable'],
  );
  assert.equal(stopped.wakeAt, 5_000);

  const edited = opening(errors, {
    liveOf: (key) => liveObject(key, key === WEB.key ? { lastEditor: { manager: 'x', time: '' }, uid: 'again' } : {}),
    rehearsed: new Map(
      CHANGED.map(({ key, hash }) => {
        const live = liveObject(key, key === WEB.key ? { uid: 'again' } : {});
        return [key, { hash, state: rehearsedState(live), error: errors[key], retryAt: 5_000 }];
      }),
    ),
  });
  const healing = advance(edited);
  assert.ok(healing.do === 'inspect');
  assert.deepEqual(
    healing.writes.map(({ reason, desired }) => [reason, desired.hash]),
    [['recreated', WEB.hash]],
  );
});

test('a refusal is asked about again when its time has come, and when the live object has changed', () => {
  const errors = { [WEB.key]: new PlumbError('Forbidden', 'no') };

  assert.equal(summary(advance(opening(errors, { now: 5_000 }))), 'rehearse');
  const liveOf = (key: ObjectKey): LiveObject => liveObject(key, { fieldsHash: 'other' });
  assert.equal(summary(advance(opening(errors, { liveOf }))), 'rehearse');
});

const approval = { digest: 'aaaaaaaaaaaa', by: 'bob', groups: [] };
function gateOf(change: Partial<NonNullable<TargetFacts['gate']>> = {}): TargetFacts['gate'] {
  return { rule: undefined, wish: undefined, isJudged: false, plan: undefined, approvals: [], author: [], ...change };
}
function planned(desired: string, deletes: readonly LiveObject[]): PlanFact {
  const losses = { replaces: [], deletes: new Set(deletes.map(deletionId)) };
  return { state: 'made', digest: approval.digest, desired, isFresh: true, denials: [], losses };
}

test('a blocked deletion goes with an approval of the plan of this moment, and no plan is made without any approval', () => {
  const set = digestOf([CONFIG, WEB]);
  const budget = { ...DEFAULT_DELETION_BUDGET, maxObjects: 0 };
  const step = (gate: TargetFacts['gate']): Step => advance(facts({ live: withGone, facts: { budget, gate } }));

  assert.equal(summary(step(gateOf())), 'rest Failed DeletionBlocked');
  assert.equal(summary(step(gateOf({ approvals: [approval] }))), 'plan');
  assert.equal(summary(step(gateOf({ approvals: [approval], plan: planned(set, []) }))), 'rest Failed DeletionBlocked');
  const pruned = step(gateOf({ approvals: [approval], plan: planned(set, [GONE]) }));
  assert.equal(summary(pruned), 'prune gone');
  assert.equal(pruned.do === 'prune' && pruned.reason, 'approved');
});

test('a release with the approval of its plan takes along what that plan loses', () => {
  const set = digestOf([CONFIG, WEB]);
  const budget = { ...DEFAULT_DELETION_BUDGET, maxObjects: 0 };
  const step = (gate: TargetFacts['gate']): Step =>
    advance(facts({ live: withGone, facts: { budget, gate, releasedDigest: 'other', parentKinds: KINDS } }));

  assert.deepEqual(step(gateOf()), { do: 'release' });
  assert.equal(summary(step(gateOf({ approvals: [approval] }))), 'plan');
  assert.deepEqual(step(gateOf({ approvals: [approval], plan: planned(set, [GONE]) })), {
    do: 'release',
    isConsented: true,
  });
  const other = { ...approval, digest: 'bbbbbbbbbbbb' };
  assert.deepEqual(step(gateOf({ approvals: [other], plan: planned(set, [GONE]) })), { do: 'release' });
});

test('a blocked deletion says what it would delete and how to approve exactly that', () => {
  const step = advance(
    facts({
      desired: [CONFIG],
      live: [liveObject(CONFIG.key), ...[1, 2, 3, 4].map((n) => liveObject(desiredObject('Secret', `s${n}`).key))],
      facts: {
        parentKinds: [
          { group: '', kind: 'ConfigMap' },
          { group: '', kind: 'Secret' },
        ],
      },
    }),
  );

  assert.ok(step.do === 'rest' && step.deletions.verdict === 'blocked');
  assert.match(
    step.message,
    /Secret\/s1, Secret\/s2, Secret\/s3 and 1 more is blocked: 4 of 5 objects would go, and 2 may/,
  );
  assert.equal(
    step.failures[0]?.fix,
    `Restore them in Git, or approve exactly this set: plumb sync web -n shop --approve-deletion ${step.deletions.digest}`,
  );
});

test('a render that is to be tried again is not forgotten, whatever else is wrong', () => {
  const renderFailure = { ...broken, errors: [new PlumbError('KindMissing', 'no')], retryAt: 7_000 };

  const healthy = advance(facts({ facts: { ...newer, renderFailure } }));
  const failing = advance(
    facts({
      live: [liveObject(WEB.key)],
      failures: { [CONFIG.key]: { code: 'Forbidden', retryAt: 9_000 } },
      facts: { ...newer, renderFailure },
    }),
  );

  assert.ok(healthy.do === 'rest' && failing.do === 'rest');
  assert.deepEqual([healthy.wakeAt, failing.wakeAt], [7_000, 7_000]);
});

test('a mistake in Git is told with its place, and with the commit and its author', () => {
  const step = advance(facts({ facts: { ...newer, renderFailure: broken } }));

  assert.ok(step.do === 'rest');
  assert.equal(step.message, 'a.yaml:3: a tab, since 3f2a1bc by Test Author');
});

const calm = { examined: () => ({ findings: new Map() }), allowed: undefined, pause: () => undefined };

test('while a kind is awaited nothing is deleted, and once the cluster has it everything is placed anew', () => {
  const awaiting = [
    { kind: { group: 'example.com', kind: 'Widget' }, subject: 'Widget/a', origin: { file: 'a.yaml' } },
  ];
  const { desired } = facts();
  const given = (state: 'missing' | 'starting' | 'synced'): Step =>
    advance(
      facts({
        live: withGone,
        facts: {
          ...(desired === undefined ? {} : { desired: { ...desired, awaiting } }),
          watchOf: ({ kind }) => ({ state: kind === 'Widget' ? state : 'synced' }),
        },
      }),
    );

  const waiting = given('starting');

  assert.equal(summary(given('missing')), 'watch Widget');
  assert.equal(summary(waiting), 'rest Syncing');
  assert.match(
    waiting.do === 'rest' ? waiting.message : '',
    /^Waiting until the cluster has the kind Widget.example.com/,
  );
  assert.equal(summary(given('synced')), 'render');
});

test('D2: nothing is pruned before it was examined, nor while two renders do not agree', () => {
  const error = new PlumbError('RenderUnstable', 'two renders differ');

  const first = advance(facts({ live: withGone, facts: { deletions: { ...calm, examined: () => undefined } } }));
  const doubted = advance(
    facts({
      live: withGone,
      facts: { deletions: { ...calm, examined: () => ({ findings: new Map(), doubt: { error, retryAt: 7_000 } }) } },
    }),
  );

  assert.ok(first.do === 'examine' && first.confirm);
  assert.ok(doubted.do === 'rest');
  assert.deepEqual([summary(doubted), doubted.wakeAt], ['rest Failed RenderUnstable', 7_000]);
});

test('a deletion that waits with those of all applications is looked at again when they go on', () => {
  const pause = { reason: 'the deletions of all applications wait', until: 9_000, isFrozen: false };

  const step = advance(facts({ live: withGone, facts: { deletions: { ...calm, pause: () => pause } } }));

  assert.ok(step.do === 'rest' && step.deletions.verdict === 'blocked');
  assert.deepEqual([summary(step), step.wakeAt], ['rest Failed DeletionBlocked', 9_000]);
  assert.match(step.message, /ConfigMap\/gone is blocked: the deletions of all applications wait/);
});

test('D14: what is being deleted holds up what goes after it, and its finalizer is named', () => {
  const workload = liveObject(desiredObject('Deployment', 'old', 'apps/v1').key);
  const live = [...[CONFIG, WEB].map(({ key }) => liveObject(key)), GONE, workload];
  const leaving = live.map((one) =>
    one === workload ? { ...one, deleting: true, finalizers: ['example.com/hold'] } : one,
  );

  assert.equal(summary(advance(facts({ live }))), 'prune old');
  const waiting = advance(facts({ live: leaving }));
  assert.ok(waiting.do === 'rest');
  assert.equal(waiting.message, 'Waiting until Deployment/old is gone (finalizer example.com/hold).');
});

test('D14: an entry leaves the inventory only when its object is seen to be gone, or another', () => {
  const wanted = [CONFIG, WEB].map(({ key }) => liveObject(key));
  const record = (key: ObjectKey): [ObjectKey, { uid: string; desiredHash: string; fieldsHash: string }] => [
    key,
    { uid: `uid of ${key}`, desiredHash: [CONFIG, WEB].find((one) => one.key === key)?.hash ?? '', fieldsHash: 'f' },
  ];
  const applied = new Map([CONFIG.key, WEB.key, GONE.key].map(record));
  const withLive = (...more: LiveObject[]): Step => advance(facts({ live: [...wanted, ...more], facts: { applied } }));
  const strike = { do: 'strike', keys: [GONE.key] };

  assert.deepEqual(withLive(), strike);
  assert.deepEqual(withLive({ ...GONE, uid: 'another', fieldsHash: undefined }), strike);
  assert.equal(withLive({ ...GONE, deleting: true }).do, 'rest');
  assert.equal(withLive(GONE).do, 'prune');
});

test('no facts make a deletion out of a read that failed', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Partial<TargetFacts>>(
        { source: { state: 'waiting' } },
        { source: { state: 'failed', error: unreachable } },
        { source: { state: 'failed', error: pathMissing } },
        { ...newer, renderFailure: broken },
        { watchOf: () => ({ state: 'failed', error: new PlumbError('ClusterUnreachable', 'no') }) },
        { watchOf: ({ kind }) => (kind === 'ConfigMap' ? { state: 'starting' } : { state: 'synced' }) },
      ),
      fc.subarray([CONFIG, WEB]),
      fc.subarray([...withGone]),
      fc.boolean(),
      (failure, desired, live, approve) => {
        const approvedDeletion = approve ? 'anything' : undefined;

        const step = advance(facts({ desired, live, facts: { ...failure, approvedDeletion } }));

        assert.notEqual(step.do, 'prune');
      },
    ),
  );
});
