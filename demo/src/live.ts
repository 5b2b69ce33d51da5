import type { GroupKind, KubeObject } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { inTime, type Patience } from './deadline.ts';

export interface LiveRef extends GroupKind {
  readonly namespace?: string;
  readonly name: string;
}

export interface Sighting {
  /** Undefined: there is none. */
  readonly object: KubeObject | undefined;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** Objects as the API server has them: the story believes nothing else. */
export class Live {
  readonly #client: KubeClient;
  readonly #patience: Patience;

  constructor(client: KubeClient, patience: Patience) {
    this.#client = client;
    this.#patience = patience;
  }

  async get(ref: LiveRef): Promise<KubeObject | undefined> {
    const { signal } = this.#patience;
    return this.#client.get(await this.#client.resource(ref, { signal }), ref, { signal });
  }

  /** Watches an object until it satisfies. Throws a `Mismatch` of the claim when that takes too long. */
  async until(claim: string, ref: LiveRef, satisfies: (object: KubeObject | undefined) => boolean): Promise<Sighting> {
    const { clock, signal } = this.#patience;
    const { promise, resolve } = Promise.withResolvers<Sighting>();
    let last: KubeObject | undefined;
    const check = (object: KubeObject | undefined): void => {
      last = object;
      if (satisfies(object)) resolve({ object, at: clock.monotonic() });
    };
    const resource = await this.#client.resource(ref, { signal });
    await using reflector = this.#client.reflect(resource, {
      ...(ref.namespace === undefined ? {} : { namespace: ref.namespace }),
      fieldSelector: `metadata.name=${ref.name}`,
      signal,
      onChange(event) {
        if (event.type === 'added' || event.type === 'updated') check(event.object);
        else if (event.type === 'deleted') check(undefined);
        else if (event.type === 'synced' && reflector.size === 0) check(undefined);
      },
    });
    return await inTime(claim, promise, () => last?.['status'] ?? last, this.#patience);
  }
}
