import type { JsonObject, KubeObject } from '@plumb/core';
import { applyOf, deploymentOf, objectsOf } from './fleet.ts';

/** Objects of the fleet as an API server tells of them: with managed fields, and what controllers have written. */
export function watchedObject(kind: 'Deployment' | 'ServiceAccount', index: number): KubeObject {
  const wanted = kind === 'Deployment' ? deploymentOf(index, '1') : objectsOf(index, '1')[0];
  if (wanted === undefined) throw new Error(`the fleet has no ${kind}`);
  const { metadata, ...rest } = JSON.parse(applyOf(index, wanted).body) as KubeObject;
  const time = '2026-01-02T03:04:05Z';
  const managed = {
    ...metadata,
    uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    resourceVersion: String(1_000 + index),
    generation: 1,
    creationTimestamp: time,
  };
  const entry = { operation: 'Apply', apiVersion: wanted.apiVersion, time, fieldsType: 'FieldsV1' };
  const { annotations, labels } = metadata;
  const fields = { 'f:metadata': fieldsOf({ annotations, labels }), ...fieldsOf(rest) };
  const ours = { manager: 'plumb', ...entry, fieldsV1: fields };
  if (kind === 'ServiceAccount') return { ...rest, metadata: { ...managed, managedFields: [ours] } } as KubeObject;
  const status = {
    observedGeneration: 1,
    conditions: ['Available', 'Progressing'].map((type) => ({
      type,
      status: 'True',
      lastUpdateTime: time,
      lastTransitionTime: time,
      reason: type === 'Available' ? 'MinimumReplicasAvailable' : 'NewReplicaSetAvailable',
      message: `ReplicaSet "${metadata.name}-7d9c5c8f6b" has successfully progressed.`,
    })),
  };
  const theirs = {
    manager: 'kube-controller-manager',
    ...entry,
    operation: 'Update',
    subresource: 'status',
    fieldsV1: { 'f:status': fieldsOf(status) },
  };
  return { ...rest, status, metadata: { ...managed, managedFields: [ours, theirs] } } as KubeObject;
}

function fieldsOf(value: object): JsonObject {
  const fields = Object.entries(value).flatMap(([key, child]: [string, unknown]) => {
    if (child === undefined || key === 'apiVersion' || key === 'kind') return [];
    const isMap = typeof child === 'object' && child !== null && !Array.isArray(child);
    return [[`f:${key}`, isMap ? fieldsOf(child) : {}] as const];
  });
  return Object.fromEntries(fields);
}
