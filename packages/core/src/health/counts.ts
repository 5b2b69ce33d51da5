import { fieldAt, type Json, type KubeObject } from '../object.ts';
import { degraded, healthy, numberAt, progressing, suspended, textAt, type Health } from './health.ts';

/** Where a controller counts what there is, and where how many there are to be; the first that is there counts. */
export interface CountRow {
  readonly wanted: readonly (readonly string[])[];
  readonly have: readonly (readonly string[])[];
  readonly noun: string;
  /** What too few mean: still to come, or found to be ill. */
  readonly tooFew: 'Progressing' | 'Degraded';
}

const SPEC_REPLICAS = [['spec', 'replicas']];

export const COUNT_TABLE: readonly CountRow[] = [
  {
    wanted: SPEC_REPLICAS,
    have: [
      ['status', 'readyReplicas'],
      ['status', 'availableReplicas'],
    ],
    noun: 'replicas are ready',
    tooFew: 'Progressing',
  },
  {
    wanted: SPEC_REPLICAS,
    have: [['status', 'updatedReplicas']],
    noun: 'replicas are updated',
    tooFew: 'Progressing',
  },
  {
    wanted: [['spec', 'instances']],
    have: [['status', 'readyInstances']],
    noun: 'instances are ready',
    tooFew: 'Progressing',
  },
  {
    wanted: [['status', 'desiredNumberScheduled']],
    have: [['status', 'updatedNumberScheduled']],
    noun: 'pods are updated',
    tooFew: 'Progressing',
  },
  {
    wanted: [['status', 'desiredNumberScheduled']],
    have: [
      ['status', 'numberReady'],
      ['status', 'numberAvailable'],
    ],
    noun: 'pods are ready',
    tooFew: 'Progressing',
  },
  {
    wanted: [['status', 'expectedNodes']],
    have: [['status', 'availableNodes']],
    noun: 'nodes are available',
    tooFew: 'Progressing',
  },
  {
    wanted: [
      ['status', 'expectedMachines'],
      ['status', 'desiredHealthy'],
    ],
    have: [['status', 'currentHealthy']],
    noun: 'machines are healthy',
    tooFew: 'Degraded',
  },
];

/** Counts as they are printed for people, `2/3`: the field is called so, or ends so. */
const PRINTED = /^(\w*[rR]eady|statusReplicas)$/;

/** What all counts together say; undefined where there are none. */
export function assessCounts(object: KubeObject): Health | undefined {
  let enough: Health | undefined;
  for (const row of COUNT_TABLE) {
    const wanted = firstNumber(object, row.wanted);
    const have = firstNumber(object, row.have);
    if (wanted === undefined || have === undefined) continue;
    const message = `${have} of ${wanted} ${row.noun}`;
    if (have < wanted) return row.tooFew === 'Degraded' ? degraded(message) : progressing(message);
    enough ??= healthy(message);
  }
  const old = oldReplicas(object);
  if (old > 0) return progressing(`${old} old replicas still to be removed`);
  return assessPrinted(object) ?? enough;
}

function firstNumber(object: KubeObject, paths: readonly (readonly string[])[]): number | undefined {
  for (const path of paths) {
    const number = numberAt(object, ...path);
    if (number !== undefined) return number;
  }
  return undefined;
}

/** A controller that counts both what there is and what is new keeps the difference until it is gone. */
function oldReplicas(object: KubeObject): number {
  const wanted = numberAt(object, 'spec', 'replicas');
  const existing = numberAt(object, 'status', 'replicas');
  const updated = numberAt(object, 'status', 'updatedReplicas');
  return wanted === undefined || existing === undefined || updated === undefined ? 0 : existing - updated;
}

function assessPrinted(object: KubeObject): Health | undefined {
  const { status } = object;
  const places = [status, fieldAt(status, 'scale')];
  for (const [field, value] of places.flatMap((place) => Object.entries((place ?? {}) as Record<string, Json>))) {
    const pair = PRINTED.test(field) && typeof value === 'string' ? /^(\d+)\/(\d+)$/.exec(value) : null;
    if (pair === null) continue;
    const message = `${pair[1]} of ${pair[2]} replicas are ready`;
    return Number(pair[1]) < Number(pair[2]) ? progressing(message) : healthy(message);
  }
  return undefined;
}

/** A rollout that somebody holds: paused in its strategy, or with a partition whose share is updated. */
export function assessHold(object: KubeObject): Health | undefined {
  for (const path of [
    ['spec', 'updateStrategy'],
    ['spec', 'updateStrategy', 'rollingUpdate'],
  ]) {
    if (fieldAt(object, ...path, 'paused') === true) return suspended('the rollout is paused');
    const wanted = numberAt(object, 'spec', 'replicas') ?? numberAt(object, 'status', 'desiredNumberScheduled');
    const updated =
      numberAt(object, 'status', 'updatedReplicas') ?? numberAt(object, 'status', 'updatedNumberScheduled');
    if (wanted === undefined || updated === undefined || updated >= wanted) continue;
    const held = heldBack(object, path, wanted);
    if (held > 0 && updated >= wanted - held) {
      return suspended(`${wanted - updated} of ${wanted} replicas are kept on the old version by the partition`);
    }
  }
  return undefined;
}

/** A partition is a number of replicas or a share of them, `30%`. */
function heldBack(object: KubeObject, path: readonly string[], wanted: number): number {
  const number = numberAt(object, ...path, 'partition');
  if (number !== undefined) return number;
  const share = /^(\d+)(%?)$/.exec(textAt(object, ...path, 'partition') ?? '');
  if (share === null) return 0;
  return share[2] === '' ? Number(share[1]) : Math.round((wanted * Number(share[1])) / 100);
}
