import { API_VERSION } from '@plumb/api';
import type { KubeObject } from '@plumb/core';

/** A target beside the shop, with what its files say. */
export interface Neighbour {
  readonly application: string;
  /** Empty where the application names none. */
  readonly environment: string;
  /** How the story calls it. */
  readonly label: string;
  readonly namespace: string;
  /** The name of its Deployment. */
  readonly deployment: string;
  readonly replicas: number;
}

/** One chart, with a values file for prod. */
export const CART: readonly Neighbour[] = [
  {
    application: 'cart',
    environment: 'dev',
    label: 'cart dev',
    namespace: 'cart-dev',
    deployment: 'cart',
    replicas: 1,
  },
  {
    application: 'cart',
    environment: 'prod',
    label: 'cart prod',
    namespace: 'cart-prod',
    deployment: 'cart',
    replicas: 2,
  },
];

/** Two overlays of one base, each an application of its own. */
export const REVIEWS: readonly Neighbour[] = [
  {
    application: 'reviews-dev',
    environment: '',
    label: 'reviews-dev',
    namespace: 'reviews-dev',
    deployment: 'reviews',
    replicas: 1,
  },
  {
    application: 'reviews-prod',
    environment: '',
    label: 'reviews-prod',
    namespace: 'reviews-prod',
    deployment: 'reviews',
    replicas: 3,
  },
];

/** What a person tells Plumb about them. The overlays bring their namespaces; a chart does not. */
export function neighbourObjects(): readonly KubeObject[] {
  const namespaces = CART.map(({ namespace }) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  }));
  const cart = application('cart', {
    source: { repository: 'shop', path: 'charts/cart' },
    environments: CART.map(({ environment, namespace }) => ({
      name: environment,
      namespace,
      ...(environment === 'prod' ? { valuesFiles: ['values-prod.yaml'] } : {}),
    })),
  });
  const reviews = REVIEWS.map(({ application: name, namespace }) =>
    application(name, { source: { repository: 'shop', path: `overlays/${name}` }, namespace }),
  );
  return [...namespaces, cart, ...reviews];
}

function application(name: string, spec: KubeObject['spec']): KubeObject {
  return { apiVersion: API_VERSION, kind: 'Application', metadata: { namespace: 'default', name }, spec };
}
