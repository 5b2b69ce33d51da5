import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { advance } from './advance.ts';
import { desiredHash } from './canonical.ts';
import type { AppliedObject } from './decide.ts';
import { DEFAULT_DELETION_BUDGET } from './deletion.ts';
import { arrange, type DesiredSet } from './desired.ts';
import { driftState, REVERT_ALL, type Drift } from './drift/index.ts';
import { PlumbError } from './error.ts';
import type { Health } from './health/index.ts';
import { hookRunId, type HookRun } from './hook-run.ts';
import { shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';
import { fieldAt, type KubeObject } from './object.ts';
import { DELETION, rehearsedState, type Rehearsed } from './rehearsal.ts';
import type { Step } from './step.ts';
import type { TargetFacts } from './target-facts.ts';

const TARGET = 'shop/web' as TargetKey;
const HEALTHY: Health = { status: 'Healthy', message: 'works' };
const PROGRESSING: Health = { status: 'Progressing', message: 'is on its way' };
const DEGRADED: Health = { status: 'Degraded', message: 'has failed' };

/** One target in a cluster that obeys, with the memory that survives a crash (ledger and cluster) and no other. */
class World {
  readonly live = new Map<ObjectKey, LiveObject>();
  readonly applied = new Map<ObjectKey, AppliedObject>();
  readonly runs = new Map<string, HookRun>();
  readonly selectors = new Map<ObjectKey, unknown>();
  readonly findings = new Map<ObjectKey, Drift>();
  readonly rehearsed = new Map<ObjectKey, Rehearsed>();
  readonly failures = new Map<ObjectKey, { hash: string; error: PlumbError; retryAt: number | undefined }>();
  /** What was sent, in order. */
  readonly sent: string[] = [];
  release = 0;
  attempt = 1;
  releasedDigest: string | undefined;
  outcome: 'healthy' | 'failed' | undefined;
  desired: DesiredSet;
  now = 0;
  wait: TargetFacts['wait'];
  dependencies: ReturnType<TargetFacts['dependencies']> = { state: 'ready' };
  #uids = 0;

  constructor(objects: readonly KubeObject[]) {
    this.desired = World.arrange(objects);
  }

  static arrange(objects: readonly KubeObject[]): DesiredSet {
    const errors: PlumbError[] = [];
    const origin = (object: KubeObject) => ({ file: `${object.metadata.name}.yaml`, line: 1 });
    const set = arrange(
      objects.map((object) => ({ object, origin: origin(object) })),
      errors,
    );
    assert.deepEqual(errors, []);
    return set;
  }

  commit(objects: readonly KubeObject[]): void {
    this.desired = World.arrange(objects);
  }

  facts(): TargetFacts {
    const inputs = this.desired.digest;
    const kinds = [
      { group: '', kind: 'ConfigMap' },
      { group: '', kind: 'Namespace' },
      { group: '', kind: 'PersistentVolumeClaim' },
      { group: '', kind: 'ServiceAccount' },
      { group: 'apps', kind: 'Deployment' },
      { group: 'batch', kind: 'Job' },
    ];
    const isOpen = this.release > 0 && this.outcome !== 'healthy';
    return {
      target: TARGET,
      now: this.now,
      time: 1_700_000_000_000 + this.now,
      deadlineMs: 60_000,
      wait: this.wait,
      suspended: false,
      policy: { conflicts: 'report' },
      budget: DEFAULT_DELETION_BUDGET,
      approvedDeletion: undefined,
      deletions: { examined: () => ({ findings: new Map() }), allowed: undefined, pause: () => undefined },
      source: { state: 'ready', commit: 'c', inputs },
      renderFailure: undefined,
      desired: { ...this.desired, inputs, commit: 'c' },
      watchOf: () => ({ state: 'synced' }),
      parentKinds: kinds,
      siblingKinds: kinds,
      liveOf: (key) => this.live.get(key),
      members: [...this.live.values()],
      applied: this.applied,
      failures: this.failures,
      ownerOf: () => undefined,
      heirOf: () => undefined,
      behind: () => undefined,
      drift: { wishes: { rules: REVERT_ALL, holds: [] }, findingOf: (key) => this.findings.get(key) },
      healAfter: () => 0,
      dependencies: () => this.dependencies,
      openRelease: isOpen
        ? { number: this.release, hasFailed: this.outcome === 'failed', attempt: this.attempt, runs: this.runs }
        : undefined,
      released: undefined,
      rehearsed: this.rehearsed,
      releasedDigest: this.releasedDigest,
    };
  }

  /** Does what `advance` says until it rests. `crashAfter` ends the process after so many effects. */
  run(crashAfter = Infinity): Step {
    for (let steps = 0; steps < 200; steps += 1) {
      const facts = this.facts();
      const step = advance(facts);
      if (step.do === 'rest') {
        if (step.waitsOn === undefined) this.wait = undefined;
        else if (this.wait?.on !== step.waitsOn) {
          this.wait = { on: step.waitsOn, since: facts.now, sinceTime: facts.time };
        }
        return step;
      }
      if (steps >= crashAfter) return step;
      this.#execute(step, steps + 1 >= crashAfter);
    }
    throw new Error(`no rest: ${this.sent.join(', ')}`);
  }

  /** `isLast`: the process dies after the cluster has obeyed and before the ledger knows. */
  #execute(step: Step, isLast: boolean): void {
    switch (step.do) {
      case 'rehearse':
        for (const { key, desired } of step.writes) {
          const state = rehearsedState(this.live.get(key));
          this.rehearsed.set(key, { hash: desired.hash, state, error: undefined, retryAt: undefined });
        }
        for (const live of step.deletions) {
          const state = rehearsedState(live);
          this.rehearsed.set(live.key, { hash: DELETION, state, error: undefined, retryAt: undefined });
        }
        return;
      case 'inspect':
        for (const { key, desired } of step.writes) {
          this.findings.set(key, {
            key,
            kind: 'edited',
            fields: [],
            by: { tier: 'none' },
            state: driftState(this.live.get(key)),
            resourceVersion: undefined,
            desiredHash: desired.hash,
            foundAt: 0,
          });
        }
        return;
      case 'release':
        this.release += 1;
        this.attempt = 1;
        this.runs.clear();
        this.outcome = undefined;
        this.releasedDigest = this.desired.digest;
        return;
      case 'write':
        for (const { key, desired } of step.writes) {
          if (this.#isImmutable(key, desired.object)) {
            const error = new PlumbError('FieldImmutable', 'no', { field: 'spec.selector' });
            if (!isLast) this.failures.set(key, { hash: desired.hash, error, retryAt: Infinity });
            continue;
          }
          this.failures.delete(key);
          this.selectors.set(key, fieldAt(desired.object, 'spec', 'selector'));
          this.#put(key, desired.object);
          this.sent.push(shortNameOf(key));
          if (isLast) continue;
          const live = this.live.get(key);
          this.applied.set(key, { uid: live?.uid ?? '', desiredHash: desired.hash, fieldsHash: live?.fieldsHash });
        }
        return;
      case 'start-hooks':
        for (const { hook, mark } of step.starts) {
          this.#put(hook.key, hook.object, mark);
          this.sent.push(`${shortNameOf(hook.key)} ${mark}`);
          if (isLast) continue;
          const uid = this.live.get(hook.key)?.uid ?? '';
          this.runs.set(hookRunId(hook.key, mark), { state: 'started', uid, message: '' });
        }
        return;
      case 'record-hooks':
        if (isLast) return;
        for (const { key, mark, state, uid, message } of step.ends) {
          this.runs.set(hookRunId(key, mark), { state, uid, message });
        }
        return;
      case 'replace':
        for (const { key } of step.replacements) {
          this.live.delete(key);
          this.sent.push(`-${shortNameOf(key)}`);
          if (isLast) continue;
          this.applied.delete(key);
          this.failures.delete(key);
        }
        return;
      case 'strike':
        for (const key of step.keys) this.applied.delete(key);
        return;
      case 'clear-hooks':
      case 'prune':
        for (const { key } of step.objects) {
          this.live.delete(key);
          this.sent.push(`-${shortNameOf(key)}`);
        }
        return;
      case 'conclude':
        this.outcome = step.outcome;
        this.sent.push(step.outcome);
        return;
      default:
        throw new Error(`not expected: ${step.do}`);
    }
  }

  #isImmutable(key: ObjectKey, object: KubeObject): boolean {
    return this.live.has(key) && this.selectors.get(key) !== fieldAt(object, 'spec', 'selector');
  }

  #put(key: ObjectKey, object: KubeObject, hookRun?: string): void {
    const known = this.live.get(key);
    this.#uids += 1;
    const isInstant = key.startsWith('/');
    this.live.set(key, {
      key,
      apiVersion: object.apiVersion,
      uid: known?.uid ?? `u${this.#uids}`,
      resourceVersion: String(this.#uids),
      target: TARGET,
      fieldsHash: desiredHash(object),
      lastEditor: undefined,
      deleting: false,
      health: isInstant ? HEALTHY : PROGRESSING,
      ...(hookRun === undefined ? {} : { hookRun }),
    });
  }

  turn(name: string, health: Health): void {
    for (const [key, live] of this.live) if (shortNameOf(key) === name) this.live.set(key, { ...live, health });
  }

  /** Everything that is on its way arrives. */
  settle(): void {
    for (const [key, live] of this.live) {
      if (live.health.status === 'Progressing') this.live.set(key, { ...live, health: HEALTHY });
    }
  }
}

function object(kind: string, name: string, annotations: Record<string, string> = {}, more: object = {}): KubeObject {
  const apiVersion = { Deployment: 'apps/v1', Job: 'batch/v1' }[kind] ?? 'v1';
  return { apiVersion, kind, metadata: { name, namespace: 'shop', annotations }, ...more };
}

const wave = (number: number): Record<string, string> => ({ 'plumb.dev/sync-wave': String(number) });
const hook = (phase: string, policy?: string): Record<string, string> => ({
  'plumb.dev/hook': phase,
  ...(policy === undefined ? {} : { 'plumb.dev/hook-delete-policy': policy }),
});

function said(step: Step): string {
  return step.do === 'rest' ? `${step.state}: ${step.message}` : step.do;
}

test('a wave begins when everything before it is healthy', () => {
  const world = new World([
    object('Deployment', 'web', wave(1)),
    object('Deployment', 'db', wave(-1)),
    object('ConfigMap', 'env'),
  ]);
  assert.match(said(world.run()), /^Syncing: Before what comes after wave -1: Deployment\/db is on its way \(since/);
  assert.deepEqual(world.sent, ['Deployment/db']);
  world.settle();
  world.run();
  assert.deepEqual(world.sent, ['Deployment/db', 'ConfigMap/env', 'Deployment/web']);
});

test('an object that fails holds up the waves after it, and nothing beside it', () => {
  const world = new World([object('ConfigMap', 'a'), object('ConfigMap', 'b'), object('ConfigMap', 'late', wave(1))]);
  const bad = world.desired.objects.find(({ key }) => key.endsWith('/a'));
  const error = new PlumbError('FieldInvalid', 'a is not valid');
  world.failures.set(bad?.key ?? ('' as ObjectKey), { hash: bad?.hash ?? '', error, retryAt: undefined });
  assert.match(said(world.run()), /^Failed: a is not valid/);
  assert.deepEqual(world.sent, ['ConfigMap/b', 'failed']);
});

test('what needs an object that fails waits, and what does not need it goes on', () => {
  const pod = { spec: { template: { spec: { volumes: [{ name: 'v', configMap: { name: 'env' } }] } } } };
  const world = new World([
    object('ConfigMap', 'env'),
    object('Deployment', 'web', {}, pod),
    object('Deployment', 'other'),
  ]);
  const bad = world.desired.objects.find(({ key }) => key.endsWith('/env'));
  const error = new PlumbError('FieldInvalid', 'env is not valid');
  world.failures.set(bad?.key ?? ('' as ObjectKey), { hash: bad?.hash ?? '', error, retryAt: undefined });
  world.run();
  assert.deepEqual(world.sent, ['Deployment/other', 'failed']);
});

test('depends-on waits until what it names is healthy', () => {
  const after = { 'config.kubernetes.io/depends-on': 'apps/namespaces/shop/Deployment/db' };
  const world = new World([object('ConfigMap', 'a', after), object('Deployment', 'db')]);
  assert.match(said(world.run()), /ConfigMap\/a waits until Deployment\/db is ready/);
  world.settle();
  assert.match(said(world.run()), /^Healthy/);
  assert.deepEqual(world.sent, ['Deployment/db', 'ConfigMap/a', 'healthy']);
});

test('hooks run before, between and after the objects, each in its turn', () => {
  const world = new World([
    object('Deployment', 'web'),
    object('Job', 'migrate', hook('PreSync')),
    object('Job', 'middle', { ...hook('Sync'), ...wave(0) }),
    object('Deployment', 'late', wave(1)),
    object('Job', 'smoke', hook('PostSync')),
    object('Job', 'alarm', hook('SyncFail')),
  ]);
  for (let round = 0; round < 10 && world.outcome === undefined; round += 1) {
    world.run();
    world.settle();
  }
  assert.deepEqual(world.sent, [
    'Job/migrate r1.1 PreSync',
    'Deployment/web',
    'Job/middle r1.1 Sync',
    'Deployment/late',
    'Job/smoke r1.1 PostSync',
    'healthy',
  ]);
});

test('hooks of one phase go by their weights, and the account before the Job of the same weight', () => {
  const helm = (weight: number) => ({ 'helm.sh/hook': 'pre-install', 'helm.sh/hook-weight': String(weight) });
  const world = new World([
    object('Job', 'second', helm(5)),
    object('Job', 'first', helm(-5)),
    object('ServiceAccount', 'first', helm(-5)),
    object('ConfigMap', 'env'),
  ]);
  for (let round = 0; round < 10 && world.outcome === undefined; round += 1) {
    world.run();
    world.settle();
  }
  assert.deepEqual(world.sent, [
    'ServiceAccount/first r1.1 PreSync',
    'Job/first r1.1 PreSync',
    'Job/second r1.1 PreSync',
    'ConfigMap/env',
    'healthy',
  ]);
});

test('the namespace that a PreSync hook runs in is made before it', () => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  const world = new World([namespace, object('Job', 'migrate', hook('PreSync')), object('ConfigMap', 'env')]);
  world.run();
  assert.deepEqual(world.sent, ['Namespace/shop', 'Job/migrate r1.1 PreSync']);
});

test('a PreSync hook that fails stops everything, runs the SyncFail hooks, and is not run again by itself', () => {
  const world = new World([
    object('ConfigMap', 'env'),
    object('Job', 'migrate', hook('PreSync')),
    object('Job', 'alarm', hook('SyncFail')),
  ]);
  world.run();
  world.turn('Job/migrate', DEGRADED);
  assert.match(said(world.run()), /^Failed: migrate.yaml:1: The PreSync hook Job\/migrate has failed/);
  world.settle();
  world.run();
  world.now += 3_600_000;
  assert.match(said(world.run()), /^Failed/);
  assert.deepEqual(world.sent, ['Job/migrate r1.1 PreSync', 'Job/alarm r1.1 SyncFail', 'failed']);
});

test('another attempt runs the hooks again, and what is left of the failed one goes first', () => {
  const world = new World([object('ConfigMap', 'env'), object('Job', 'migrate', hook('PreSync'))]);
  world.run();
  world.turn('Job/migrate', DEGRADED);
  world.run();
  world.attempt = 2;
  world.runs.clear();
  world.outcome = undefined;
  world.run();
  world.settle();
  world.run();
  assert.deepEqual(world.sent, [
    'Job/migrate r1.1 PreSync',
    'failed',
    '-Job/migrate',
    'Job/migrate r1.2 PreSync',
    'ConfigMap/env',
    'healthy',
  ]);
});

test('D16: a hook that is still green from the last release runs again for the next one', () => {
  const migrate = object('Job', 'migrate', hook('PreSync'));
  const world = new World([object('ConfigMap', 'one'), migrate]);
  world.run();
  world.settle();
  world.run();
  world.commit([object('ConfigMap', 'one'), object('ConfigMap', 'two'), migrate]);
  world.run();
  world.settle();
  world.run();
  assert.deepEqual(world.sent, [
    'Job/migrate r1.1 PreSync',
    'ConfigMap/one',
    'healthy',
    '-Job/migrate',
    'Job/migrate r2.1 PreSync',
    'ConfigMap/two',
    'healthy',
  ]);
});

test('D16: a newer release waits until the Job of the older one has ended, and then runs its own', () => {
  const migrate = object('Job', 'migrate', hook('PreSync'));
  const world = new World([object('ConfigMap', 'one'), migrate]);
  world.run();
  world.commit([object('ConfigMap', 'two'), migrate]);
  assert.match(said(world.run()), /^Syncing: Waiting until Job\/migrate of r1\.1 PreSync has ended/);
  world.settle();
  world.run();
  assert.deepEqual(world.sent, ['Job/migrate r1.1 PreSync', '-Job/migrate', 'Job/migrate r2.1 PreSync']);
});

test('a hook whose end nobody saw counts as failed and is not run twice', () => {
  const world = new World([object('ConfigMap', 'env'), object('Job', 'migrate', hook('PreSync'))]);
  world.run();
  world.live.clear();
  assert.match(said(world.run()), /The PreSync hook Job\/migrate is gone, and nobody saw how it ended/);
  assert.deepEqual(world.sent, ['Job/migrate r1.1 PreSync', 'failed']);
});

test('delete policies take hooks away when their phase is over, and never a claim for storage', () => {
  const world = new World([
    object('ConfigMap', 'env'),
    object('Job', 'good', hook('PreSync', 'HookSucceeded')),
    object('Job', 'kept', hook('PreSync', 'HookFailed')),
    object('PersistentVolumeClaim', 'data', hook('PreSync', 'HookSucceeded')),
  ]);
  for (let round = 0; round < 10 && world.outcome === undefined; round += 1) {
    world.run();
    world.settle();
  }
  assert.deepEqual(
    world.sent.filter((text) => text.startsWith('-')),
    ['-Job/good'],
  );
});

test('a hook is never pruned, also when Git has it no more', () => {
  const world = new World([object('ConfigMap', 'env'), object('Job', 'migrate', hook('PreSync'))]);
  world.run();
  world.settle();
  world.run();
  world.commit([object('ConfigMap', 'env')]);
  world.run();
  assert.deepEqual(
    world.sent.filter((text) => text.startsWith('-')),
    [],
  );
});

test('a wait has a deadline: then the release has failed, and goes on by itself once what it waits for is healthy', () => {
  const world = new World([object('Deployment', 'db'), object('Deployment', 'web', wave(1))]);
  const waiting = world.run();
  assert.equal(waiting.do === 'rest' && waiting.wakeAt, 60_000);
  assert.match(said(waiting), /\(since 2023-11-14T22:13:20Z\)$/);
  world.now = 60_000;
  const late = world.run();
  assert.equal(late.do === 'rest' && late.failures[0]?.code, 'WaitTimeout');
  assert.match(said(late), /^Failed: .*that is longer than 1 min$/);
  world.settle();
  world.run();
  world.settle();
  assert.match(said(world.run()), /^Healthy/);
  assert.deepEqual(world.sent, ['Deployment/db', 'failed', 'Deployment/web', 'healthy']);
});

test('a release that never becomes healthy has failed after the deadline', () => {
  const world = new World([object('Deployment', 'web')]);
  assert.match(said(world.run()), /^Syncing/);
  world.now = 60_000;
  world.run();
  assert.equal(world.outcome, 'failed');
});

test('a newer commit supersedes a wait', () => {
  const world = new World([object('Deployment', 'db'), object('ConfigMap', 'late', wave(1))]);
  world.run();
  world.commit([object('ConfigMap', 'late', wave(1))]);
  world.run();
  assert.deepEqual(world.sent, ['Deployment/db', 'ConfigMap/late', '-Deployment/db', 'healthy']);
});

test('healing does not wait for waves: what was there is put back at once', () => {
  const world = new World([object('Deployment', 'db'), object('ConfigMap', 'late', wave(1))]);
  world.run();
  world.settle();
  world.run();
  world.turn('Deployment/db', DEGRADED);
  for (const key of world.live.keys()) if (key.endsWith('/late')) world.live.delete(key);
  world.run();
  assert.deepEqual(world.sent.slice(-1), ['ConfigMap/late']);
});

test('a release begins when what the application depends on is healthy', () => {
  const world = new World([object('ConfigMap', 'env')]);
  const target = 'shop/redis' as TargetKey;
  world.dependencies = { state: 'waiting', target, message: 'Waiting for shop/redis, which is Syncing.' };
  const step = world.run();
  assert.equal(said(step), 'Pending: Waiting for shop/redis, which is Syncing.');
  assert.equal(step.do === 'rest' && step.waitsFor, target);
  assert.deepEqual(world.sent, []);
  world.dependencies = { state: 'ready' };
  world.run();
  assert.deepEqual(world.sent, ['ConfigMap/env', 'healthy']);
});

test('whatever crashes and whenever, every hook is started once, no wave overtakes another, and it ends healthy', () => {
  const step = fc.record({ crashAfter: fc.integer({ min: 0, max: 6 }), settles: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const world = new World([
        object('ConfigMap', 'env'),
        object('Deployment', 'db'),
        object('Deployment', 'web', wave(1)),
        object('Job', 'migrate', hook('PreSync')),
        object('Job', 'seed', { ...hook('Sync', 'HookSucceeded'), ...wave(0) }),
        object('Job', 'smoke', hook('PostSync', 'HookSucceeded')),
      ]);
      for (const { crashAfter, settles } of steps) {
        world.run(crashAfter);
        if (settles) world.settle();
      }
      for (let round = 0; round < 10 && world.outcome === undefined; round += 1) {
        world.run();
        world.settle();
      }
      assert.equal(world.outcome, 'healthy');
      const starts = world.sent.filter((text) => text.startsWith('Job/'));
      assert.deepEqual(starts, ['Job/migrate r1.1 PreSync', 'Job/seed r1.1 Sync', 'Job/smoke r1.1 PostSync']);
      const firstOf = (text: string): number => world.sent.indexOf(text);
      assert.ok(firstOf('Job/migrate r1.1 PreSync') < firstOf('ConfigMap/env'));
      assert.ok(firstOf('Deployment/db') < firstOf('Job/seed r1.1 Sync'));
      assert.ok(firstOf('Job/seed r1.1 Sync') < firstOf('Deployment/web'));
      assert.ok(firstOf('Deployment/web') < firstOf('Job/smoke r1.1 PostSync'));
    }),
  );
});

test('D18: a replacement that is killed anywhere ends with the new object, deleted once', () => {
  const willing = (selector: string): KubeObject =>
    object('Deployment', 'web', { 'plumb.dev/sync-options': 'Force=true' }, { spec: { selector } });
  for (let crashAfter = 0; crashAfter < 12; crashAfter += 1) {
    const world = new World([willing('old')]);
    world.run();
    world.settle();
    world.run();
    world.commit([willing('new')]);

    world.run(crashAfter);
    world.failures.clear();
    world.run();
    world.settle();

    assert.match(said(world.run()), /^Healthy/);
    const deletions = world.sent.filter((what) => what === '-Deployment/web');
    assert.equal(deletions.length, 1, `killed after ${crashAfter} steps`);
    assert.deepEqual([...world.selectors.values()], ['new']);
  }
});
