import { objectKey, targetKey, type Clock, type KubeObject, type TargetKey } from '@plumb/core';
import type { AppliedObject, NewRelease, ReleaseObject, WriteIntent } from '../src/index.ts';

export const SHOP = targetKey({ namespace: 'team', application: 'shop' });
export const PAY = targetKey({ namespace: 'team', application: 'pay', environment: 'prod' });

/** A clock that stands still until it is told. */
export function manualClock(startMs: number): Clock & { advance(ms: number): void } {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: () => Promise.reject(new Error('the ledger never sleeps')),
    timer: () => ({ [Symbol.dispose]: () => undefined }),
    advance(ms) {
      nowMs += ms;
    },
  };
}

export function configMap(name: string, data: Readonly<Record<string, string>> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'team' }, data };
}

export function secret(name: string, value: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'team' }, stringData: { password: value } };
}

export function releaseOf(target: TargetKey, objects: readonly KubeObject[], commit = 'c0ffee'): NewRelease {
  return {
    target,
    commit,
    treeId: 'tree',
    inputsKey: 'inputs',
    digest: 'digest',
    objects: objects.map((object): ReleaseObject => ({ object, origin: { file: 'deploy/all.yaml', line: 1 } })),
    subject: 'Ship it',
    author: 'Test Author <author@example.com>',
  };
}

export function intentOf(target: TargetKey, name: string): WriteIntent {
  return {
    change: 'c0ffee',
    target,
    verb: 'apply',
    object: objectKey({ group: '', kind: 'ConfigMap', namespace: 'team', name }),
    desiredHash: `hash of ${name}`,
    reason: 'create',
    actor: 'system:admin',
  };
}

export function appliedOf(kind: string, name: string, release = 1): AppliedObject {
  return {
    key: objectKey({ group: '', kind, namespace: 'team', name }),
    uid: `uid of ${name}`,
    apiVersion: 'v1',
    desiredHash: `hash of ${name}`,
    fieldsHash: `fields of ${name}`,
    release,
  };
}
