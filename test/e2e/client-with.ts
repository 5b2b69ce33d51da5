import type { KubeClient } from '@plumb/kube';

/** A client that does some things in another way, and passes on everything else. */
export function clientWith(client: KubeClient, changes: Partial<KubeClient>): KubeClient {
  return new Proxy(client, {
    get(_target, name) {
      const source = Object.hasOwn(changes, name) ? changes : client;
      const value: unknown = Reflect.get(source, name);
      return typeof value === 'function' ? value.bind(source) : value;
    },
  });
}
