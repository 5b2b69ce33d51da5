import { API_VERSION } from '@plumb/api';
import type { KubeObject } from '@plumb/core';

/** An environment of the sample, with what its values say. */
export interface ShopEnvironment {
  readonly name: string;
  readonly namespace: string;
  readonly replicas: number;
}

export const ENVIRONMENTS: readonly ShopEnvironment[] = [
  { name: 'dev', namespace: 'shop-dev', replicas: 1 },
  { name: 'staging', namespace: 'shop-staging', replicas: 2 },
  { name: 'prod', namespace: 'shop-prod', replicas: 3 },
];

/** What a person tells Plumb: where the repository is, and what goes where. The Secret signs the webhook. */
export function shopObjects(url: string, webhookSecret: string): readonly KubeObject[] {
  const metadata = { namespace: 'default', name: 'shop' };
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'default', name: 'shop-webhook' },
      stringData: { token: webhookSecret },
    },
    {
      apiVersion: API_VERSION,
      kind: 'Repository',
      metadata,
      // So rare a poll proves that the webhook is what wakes the engine.
      spec: { url, interval: '5m', webhook: { secretRef: { name: 'shop-webhook' } } },
    },
    {
      apiVersion: API_VERSION,
      kind: 'Application',
      metadata,
      spec: {
        source: { repository: 'shop', path: 'deploy' },
        environments: ENVIRONMENTS.map(({ name, namespace }) => ({ name, namespace })),
      },
    },
  ];
}
