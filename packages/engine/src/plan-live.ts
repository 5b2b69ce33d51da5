import { kindName, PART_OF_LABEL, type KubeObject } from '@plumb/core';
import type { ApiResource, KubeClient } from '@plumb/kube';

/**
 * The managed objects that plans are held against, read by lists and kept for one question. Narrow, each application is asked
 * for by itself; wide, one list of a kind serves all applications, which is what planning many of them needs.
 */
export class PlanLive {
  readonly #client: Pick<KubeClient, 'list'>;
  readonly #isWide: boolean;
  readonly #all = new Map<string, Promise<ReadonlyMap<string, readonly KubeObject[]>>>();

  constructor(client: Pick<KubeClient, 'list'>, { isWide }: { readonly isWide: boolean }) {
    this.#client = client;
    this.#isWide = isWide;
  }

  /** The objects of a kind that bear the label of an application. A list that fails fails the plan. */
  async objectsOf(
    applySet: string,
    resource: ApiResource,
    options: { readonly signal: AbortSignal },
  ): Promise<readonly KubeObject[]> {
    if (!this.#isWide) {
      const labelSelector = `${PART_OF_LABEL}=${applySet}`;
      return (await this.#client.list(resource, { labelSelector, ...options })).items;
    }
    return (await this.#everything(resource, options)).get(applySet) ?? [];
  }

  /** Wide, begins to read a kind that will be asked for; what goes wrong with it is told to whoever asks. */
  expect(resource: ApiResource, options: { readonly signal: AbortSignal }): void {
    if (this.#isWide) this.#everything(resource, options).catch(() => undefined);
  }

  #everything(
    resource: ApiResource,
    options: { readonly signal: AbortSignal },
  ): Promise<ReadonlyMap<string, readonly KubeObject[]>> {
    const name = `${kindName(resource)} ${resource.version}`;
    const read = this.#all.get(name) ?? this.#read(resource, options);
    this.#all.set(name, read);
    return read;
  }

  async #read(
    resource: ApiResource,
    options: { readonly signal: AbortSignal },
  ): Promise<ReadonlyMap<string, readonly KubeObject[]>> {
    const { items } = await this.#client.list(resource, { labelSelector: PART_OF_LABEL, ...options });
    return Map.groupBy(items, ({ metadata }) => metadata.labels?.[PART_OF_LABEL] ?? '');
  }
}
