import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { fieldAt, PlumbError, type Clock, type KubeObject } from '@plumb/core';
import type { ApiResource } from '@plumb/kube';
import { ManualClock } from '@plumb/test-support';
import { holderName, processSpace } from './holder-name.ts';
import { holdLease, LEASE_NAME, type Lease, type LeaseOptions } from './lease.ts';

const { signal } = new AbortController();

/** The one Lease of an API server: applied per manager of fields, with the version as a precondition. */
class FakeLeases {
  lease: KubeObject | undefined;
  /** While set, writes wait until it is over or until they are aborted. */
  hanging: Promise<void> | undefined;
  writes = 0;
  #version = 0;

  readonly client: LeaseOptions['client'] = {
    resource: async () => ({}) as ApiResource,
    get: async () => this.lease,
    apply: async (object, o) => {
      this.writes += 1;
      if (this.hanging !== undefined) {
        const { promise, reject } = Promise.withResolvers<never>();
        o.signal.addEventListener('abort', () => reject(o.signal.reason), { once: true });
        await Promise.race([this.hanging, promise]);
      }
      const expected = object.metadata.resourceVersion;
      if (expected !== undefined && expected !== this.lease?.metadata.resourceVersion) {
        throw new PlumbError('Conflict', 'the object has been modified');
      }
      // Who applies without a spec takes away the one that it applied before, and no one else's.
      const spec = o.manager === 'plumb-status' ? object['spec'] : this.lease?.['spec'];
      return { object: this.put(spec), created: false, auditId: undefined, warnings: [] };
    },
  };

  put(spec: unknown): KubeObject {
    this.#version += 1;
    const { spec: _before, ...rest } = this.lease ?? LEASE;
    this.lease = {
      ...rest,
      metadata: { ...rest.metadata, resourceVersion: `${this.#version}` },
      ...(spec === undefined ? {} : { spec }),
    };
    return this.lease;
  }

  /** Another engine takes the lease, whatever anybody thinks. */
  takenBy(holderIdentity: string, clock: Clock): void {
    this.put({ holderIdentity, leaseDurationSeconds: 45, renewTime: new Date(clock.now()).toISOString() });
  }

  get holder(): unknown {
    return fieldAt(this.lease, 'spec', 'holderIdentity');
  }
}

const LEASE: KubeObject = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: LEASE_NAME } };

async function hold(t: TestContext, leases: FakeLeases, clock: Clock, holder = 'me') {
  const said: string[] = [];
  const lease: Lease = await holdLease({
    client: leases.client,
    clock,
    namespace: 'plumb-system',
    holder,
    signal,
    lost: (error) => said.push(`lost: ${error.code}`),
    regained: () => said.push('regained'),
    rewound: () => said.push('rewound'),
  });
  t.after(() => lease[Symbol.asyncDispose]());
  return { lease, said };
}

function busy(thrown: unknown): boolean {
  return thrown instanceof PlumbError && thrown.code === 'EngineBusy';
}

/** Nothing here waits for anything but promises: when a turn of the loop is over, all of them have gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    clock.advance(Math.min(1_000, ms - passed));
    await settled();
  }
}

test('of two engines that start at once on a fresh cluster one is refused', async (t) => {
  const leases = new FakeLeases();
  const clock = new ManualClock();

  const outcomes = await Promise.allSettled([hold(t, leases, clock, 'one'), hold(t, leases, clock, 'two')]);

  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  assert.ok(outcomes.some((outcome) => outcome.status === 'rejected' && busy(outcome.reason)));
  const won = outcomes.findIndex(({ status }) => status === 'fulfilled');
  assert.equal(leases.holder, ['one', 'two'][won]);
});

test('a lease that is renewed stays held, and is given back at the end', async (t) => {
  const leases = new FakeLeases();
  const clock = new ManualClock();
  const { lease, said } = await hold(t, leases, clock);

  await pass(clock, 300_000);
  assert.equal(lease.mayWrite(), true);
  assert.deepEqual(said, []);
  await lease[Symbol.asyncDispose]();

  assert.equal(lease.mayWrite(), false);
  assert.equal(leases.holder, '');
  assert.equal(clock.pending, 0);
});

test('D36: a lease that is older in the cluster than before tells that the cluster was set back, at the next renewal', async (t) => {
  const leases = new FakeLeases();
  const clock = new ManualClock();
  const { lease, said } = await hold(t, leases, clock);
  const backup = leases.lease;
  await pass(clock, 60_000);
  const before = lease.version;

  leases.lease = backup;
  await pass(clock, 15_000);

  assert.deepEqual(said, ['rewound']);
  assert.equal(lease.mayWrite(), true);
  assert.notEqual(lease.version, before);
});

test('renewals that hang lose the lease 30 s after the last one, and the first answer brings it back', async (t) => {
  const leases = new FakeLeases();
  const clock = new ManualClock();
  const { lease, said } = await hold(t, leases, clock);
  const outage = Promise.withResolvers<void>();
  leases.hanging = outage.promise;

  await pass(clock, 29_000);
  assert.equal(lease.mayWrite(), true);
  await pass(clock, 1_000);
  assert.equal(lease.mayWrite(), false);
  assert.deepEqual(said, ['lost: ClusterUnreachable']);
  leases.hanging = undefined;
  outage.resolve();
  await pass(clock, 15_000);

  assert.equal(lease.mayWrite(), true);
  assert.deepEqual(said, ['lost: ClusterUnreachable', 'regained']);
});

test('one renewal that hangs is given up in time for the next one', async (t) => {
  const leases = new FakeLeases();
  const clock = new ManualClock();
  const { lease, said } = await hold(t, leases, clock);
  leases.hanging = new Promise(() => undefined);

  await pass(clock, 20_000);
  leases.hanging = undefined;
  await pass(clock, 20_000);

  assert.deepEqual(said, []);
  assert.equal(lease.mayWrite(), true);
});

test('D19: a process that was stopped for a while does not write before it has renewed', async (t) => {
  const leases = new FakeLeases();
  const manual = new ManualClock();
  let stoppedMs = 0;
  // The clocks go on, and no timer fires.
  const clock: Clock = {
    now: () => manual.now() + stoppedMs,
    monotonic: () => manual.monotonic(),
    sleep: (ms, o) => manual.sleep(ms, o),
    timer: (ms, callback) => manual.timer(ms, callback),
  };
  const { lease, said } = await hold(t, leases, clock);

  stoppedMs = 60_000;
  assert.equal(lease.mayWrite(), false);
  await pass(manual, 15_000);

  assert.equal(lease.mayWrite(), true);
  assert.deepEqual(said, ['lost: ClusterUnreachable', 'regained']);
});

test('D19: a lease that another engine has taken is lost at once, and held again when it has run out', async (t) => {
  const leases = new FakeLeases();
  const clock = new ManualClock();
  const { lease, said } = await hold(t, leases, clock);

  leases.takenBy('another', clock);
  await pass(clock, 15_000);
  assert.equal(lease.mayWrite(), false);
  assert.equal(leases.holder, 'another');
  await pass(clock, 70_000);

  assert.equal(lease.mayWrite(), true);
  assert.deepEqual(said, ['lost: EngineBusy', 'regained']);
});

test('D19: who reads the lease anew and finds another engine, or nobody, has lost it at once', async (t) => {
  for (const happens of ['taken', 'given back', 'deleted'] as const) {
    const leases = new FakeLeases();
    const clock = new ManualClock();
    const { lease, said } = await hold(t, leases, clock);
    await lease.confirm({ signal });
    assert.equal(lease.mayWrite(), true);

    if (happens === 'deleted') leases.lease = undefined;
    else leases.takenBy(happens === 'taken' ? 'another' : '', clock);

    await assert.rejects(lease.confirm({ signal }), busy, happens);
    assert.equal(lease.mayWrite(), false, happens);
    assert.deepEqual(said, ['lost: EngineBusy'], happens);
  }
});

test('D19: a lease that cannot be read is not lost, and yet not confirmed', async (t) => {
  const leases = new FakeLeases();
  const clock = new ManualClock();
  const { lease, said } = await hold(t, leases, clock);
  leases.client.get = () => Promise.reject(new PlumbError('ClusterUnreachable', 'no route'));

  await assert.rejects(lease.confirm({ signal }), { code: 'ClusterUnreachable' });

  assert.equal(lease.mayWrite(), true);
  assert.deepEqual(said, []);
});

test('a lease that is deleted is made again', async (t) => {
  const leases = new FakeLeases();
  const clock = new ManualClock();
  const { said } = await hold(t, leases, clock);

  leases.lease = undefined;
  await pass(clock, 15_000);

  assert.equal(leases.holder, 'me');
  assert.deepEqual(said, []);
});

test(
  'that the process of a holder is gone counts at the start, and never for an engine that runs',
  { skip: processSpace().id === undefined ? 'it takes /proc' : false },
  async (t) => {
    const leases = new FakeLeases();
    const clock = new ManualClock();
    const dead = holderName(spawnSync(process.execPath, ['--version']).pid, processSpace());
    leases.takenBy(dead, clock);

    const { lease, said } = await hold(t, leases, clock);
    assert.equal(leases.holder, 'me');
    leases.takenBy(dead, clock);
    await pass(clock, 15_000);

    assert.equal(lease.mayWrite(), false);
    assert.deepEqual(said, ['lost: EngineBusy']);
  },
);

test('a start is refused while another engine renews its lease', async (t) => {
  const leases = new FakeLeases();
  const clock = new ManualClock();
  leases.takenBy('another', clock);

  await assert.rejects(hold(t, leases, clock), busy);
  clock.advance(45_001);

  const holding = hold(t, leases, clock);
  await pass(clock, 21_000);
  assert.equal((await holding).lease.mayWrite(), true);
});

test('D35: an engine whose clock is ten minutes ahead does not take a lease that is being renewed', async (t) => {
  const leases = new FakeLeases();
  const ahead = new ManualClock();
  const behind = { now: () => ahead.now() - 600_000 } as Clock;
  leases.takenBy('other', behind);
  ahead.sleep = async (ms) => {
    ahead.advance(ms);
    leases.takenBy('other', behind);
  };

  await assert.rejects(hold(t, leases, ahead), busy);
  assert.equal(leases.holder, 'other');
});

test('D35: a lease that has run out is taken when it has stood still for as long as a renewal takes', async (t) => {
  const leases = new FakeLeases();
  const clock = new ManualClock();
  leases.takenBy('other', { now: () => clock.now() - 600_000 } as Clock);

  const holding = hold(t, leases, clock);
  await pass(clock, 19_000);
  assert.equal(leases.holder, 'other');
  await pass(clock, 2_000);

  assert.equal((await holding).lease.mayWrite(), true);
  assert.equal(leases.holder, 'me');
});
