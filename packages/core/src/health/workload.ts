import { fieldAt, type KubeObject } from '../object.ts';
import { conditionOf } from './conditions.ts';
import {
  because,
  count,
  degraded,
  healthy,
  numberAt,
  progressing,
  suspended,
  textAt,
  type Health,
  type HealthRule,
} from './health.ts';

// Source of the rules: `sigs.k8s.io/cli-utils/pkg/kstatus/status`, core.go, and the controllers that write the status.

export const deployment: HealthRule = {
  assess: assessDeployment,
  reads: {
    spec: ['replicas', 'paused', 'progressDeadlineSeconds'],
    status: ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas'],
  },
};

/** The API server sets 600 s where nothing is given; this value means "no deadline" to the controller. */
const NO_DEADLINE_S = 2_147_483_647;

function assessDeployment(object: KubeObject): Health {
  if (fieldAt(object, 'spec', 'paused') === true) return suspended('the rollout is paused');
  const unobserved = waitForController(object);
  if (unobserved !== undefined) return unobserved;
  const progress = conditionOf(object, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') {
    return degraded(because(deadlineMessage(object), failureMessage(object), progress.message));
  }

  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const existing = numberAt(object, 'status', 'replicas') ?? 0;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  const ready = numberAt(object, 'status', 'readyReplicas') ?? 0;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  if (existing < wanted) return progressing(because(`${existing} of ${wanted} replicas exist`, failureMessage(object)));
  if (updated < wanted) {
    return progressing(because(`${updated} of ${wanted} replicas are updated`, failureMessage(object)));
  }
  if (existing > wanted) return progressing(`${count(existing - wanted, 'old replica')} still to be removed`);
  if (ready < wanted) return progressing(`${ready} of ${wanted} replicas are ready`);
  if (available < updated) return progressing(`${available} of ${wanted} replicas are available`);

  const hasDeadline = (numberAt(object, 'spec', 'progressDeadlineSeconds') ?? NO_DEADLINE_S) !== NO_DEADLINE_S;
  if (hasDeadline && !(progress?.status === 'True' && progress.reason === 'NewReplicaSetAvailable')) {
    return progressing('waiting for the new ReplicaSet to be available');
  }
  const availability = conditionOf(object, 'Available');
  if (availability?.status !== 'True') {
    return progressing(because('waiting for the Deployment to be available', availability?.message));
  }
  return healthy(`${wanted} of ${wanted} replicas are available`);
}

function deadlineMessage(object: KubeObject): string {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  const deadlineS = numberAt(object, 'spec', 'progressDeadlineSeconds');
  const after = deadlineS === undefined ? 'within its deadline' : `within ${deadlineS} s`;
  return `no progress ${after}, ${available} of ${wanted} replicas are available`;
}

/** Why pods cannot be created: a quota, a policy, a missing service account. */
function failureMessage(object: KubeObject): string | undefined {
  const failure = conditionOf(object, 'ReplicaFailure');
  return failure?.status === 'True' ? (failure.message ?? failure.reason ?? failure.type) : undefined;
}

/** A controller that has seen the object has written `observedGeneration`. */
function waitForController(object: KubeObject): Health | undefined {
  const { generation } = object.metadata;
  const observed = numberAt(object, 'status', 'observedGeneration');
  if (generation === undefined || observed !== undefined) return undefined;
  return progressing(`waiting for generation ${generation} to be observed`);
}

export const statefulSet: HealthRule = {
  assess: assessStatefulSet,
  reads: {
    spec: ['replicas', 'updateStrategy'],
    status: [
      'replicas',
      'readyReplicas',
      'currentReplicas',
      'updatedReplicas',
      'availableReplicas',
      'currentRevision',
      'updateRevision',
    ],
  },
};

function assessStatefulSet(object: KubeObject): Health {
  const unobserved = waitForController(object);
  if (unobserved !== undefined) return unobserved;
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const existing = numberAt(object, 'status', 'replicas') ?? 0;
  const ready = numberAt(object, 'status', 'readyReplicas') ?? 0;
  if (existing < wanted) return progressing(`${existing} of ${wanted} replicas exist`);
  if (ready < wanted) return progressing(`${ready} of ${wanted} replicas are ready`);
  if (existing > wanted) return progressing(`${count(existing - wanted, 'replica')} still to be removed`);
  // Written only by servers that know minReadySeconds.
  const available = numberAt(object, 'status', 'availableReplicas');
  if (available !== undefined && available < wanted) {
    return progressing(`${available} of ${wanted} replicas are available`);
  }

  // With OnDelete a person decides when each pod takes the new template: old ones are no fault.
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') {
    return healthy(`${ready} of ${wanted} replicas are ready, they are updated when deleted by hand`);
  }
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  if (partition > 0) {
    const toUpdate = Math.max(0, wanted - partition);
    if (updated < toUpdate) return progressing(`${updated} of ${toUpdate} replicas of the partition are updated`);
    return healthy(`${ready} of ${wanted} replicas are ready, ${toUpdate} of them in the updated partition`);
  }
  const currentRevision = textAt(object, 'status', 'currentRevision');
  const updateRevision = textAt(object, 'status', 'updateRevision');
  if (currentRevision !== updateRevision) return progressing(`${updated} of ${wanted} replicas are updated`);
  const current = numberAt(object, 'status', 'currentReplicas') ?? 0;
  if (current < wanted) return progressing(`${current} of ${wanted} replicas are current`);
  return healthy(`${ready} of ${wanted} replicas are ready`);
}

export const daemonSet: HealthRule = {
  assess: assessDaemonSet,
  reads: {
    spec: ['updateStrategy'],
    status: [
      'desiredNumberScheduled',
      'currentNumberScheduled',
      'updatedNumberScheduled',
      'numberAvailable',
      'numberReady',
    ],
  },
};

function assessDaemonSet(object: KubeObject): Health {
  const unobserved = waitForController(object);
  if (unobserved !== undefined) return unobserved;
  const wanted = numberAt(object, 'status', 'desiredNumberScheduled');
  if (wanted === undefined) return progressing('waiting for the nodes to be counted');
  const scheduled = numberAt(object, 'status', 'currentNumberScheduled') ?? 0;
  const updated = numberAt(object, 'status', 'updatedNumberScheduled') ?? 0;
  const available = numberAt(object, 'status', 'numberAvailable') ?? 0;
  const ready = numberAt(object, 'status', 'numberReady') ?? 0;
  if (scheduled < wanted) return progressing(`${scheduled} of ${wanted} nodes have a pod`);
  const onDelete = textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  if (updated < wanted && !onDelete) return progressing(`${updated} of ${wanted} pods are updated`);
  if (ready < wanted) return progressing(`${ready} of ${wanted} pods are ready`);
  if (available < wanted) return progressing(`${available} of ${wanted} pods are available`);
  return healthy(`${available} of ${wanted} pods are available`);
}

/** Also of ReplicationController, which has the same fields. */
export const replicaSet: HealthRule = {
  assess: assessReplicaSet,
  reads: { spec: ['replicas'], status: ['replicas', 'fullyLabeledReplicas', 'availableReplicas', 'readyReplicas'] },
};

function assessReplicaSet(object: KubeObject): Health {
  // As of a Deployment: a quota may be raised, a policy changed, and the controller tries again.
  const failure = failureMessage(object);
  if (failure !== undefined) return progressing(because('pods cannot be created', failure));
  const unobserved = waitForController(object);
  if (unobserved !== undefined) return unobserved;
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const existing = numberAt(object, 'status', 'replicas') ?? 0;
  const labelled = numberAt(object, 'status', 'fullyLabeledReplicas') ?? 0;
  const ready = numberAt(object, 'status', 'readyReplicas') ?? 0;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  if (existing < wanted) return progressing(`${existing} of ${wanted} replicas exist`);
  if (labelled < wanted) return progressing(`${labelled} of ${wanted} replicas have all labels`);
  if (ready < wanted) return progressing(`${ready} of ${wanted} replicas are ready`);
  if (available < wanted) return progressing(`${available} of ${wanted} replicas are available`);
  if (existing > wanted) return progressing(`${count(existing - wanted, 'replica')} still to be removed`);
  return healthy(`${available} of ${wanted} replicas are available`);
}
