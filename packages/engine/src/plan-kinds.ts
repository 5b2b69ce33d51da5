import { groupOf, kindName, PlumbError, versionOf, type GroupKind, type KubeObject } from '@plumb/core';
import type { ApiResource, KubeClient } from '@plumb/kube';

/** How the cluster serves the kinds of a plan, in the versions that the plan names. */
export class PlanKinds {
  readonly #client: KubeClient;
  readonly #signal: AbortSignal;
  readonly #byKind = new Map<string, ApiResource>();

  static async load(client: KubeClient, objects: readonly KubeObject[], signal: AbortSignal): Promise<PlanKinds> {
    const kinds = new PlanKinds(client, signal);
    const wanted = new Map(objects.map((object) => [object.kind + ' ' + object.apiVersion, groupKindOf(object)]));
    await Promise.all([...wanted.values()].map((groupKind) => kinds.find(groupKind)));
    return kinds;
  }

  constructor(client: KubeClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  get(groupKind: GroupKind): ApiResource | undefined {
    return this.#byKind.get(kindName(groupKind));
  }

  scopeOf(groupKind: GroupKind): 'namespaced' | 'cluster' | undefined {
    const resource = this.get(groupKind);
    return resource === undefined ? undefined : resource.namespaced ? 'namespaced' : 'cluster';
  }

  /** Undefined where the cluster does not serve the kind. */
  async find(groupKind: GroupKind & { readonly version?: string }): Promise<ApiResource | undefined> {
    const known = this.get(groupKind);
    if (known !== undefined) return known;
    try {
      const resource = await this.#client.resource(groupKind, { signal: this.#signal });
      this.#byKind.set(kindName(groupKind), resource);
      return resource;
    } catch (thrown) {
      if (thrown instanceof PlumbError && thrown.code === 'KindMissing') return undefined;
      throw thrown;
    }
  }
}

export function groupKindOf({ apiVersion, kind }: KubeObject): GroupKind & { readonly version: string } {
  return { group: groupOf(apiVersion), version: versionOf(apiVersion), kind };
}
