import { fieldAt, isJsonObject, type KubeObject } from '@plumb/core';
import type { KubeClient, Reflector } from '@plumb/kube';

export type DataKind = 'ConfigMap' | 'Secret';

/** The data of an object by key; of a Secret decoded. */
export type Data = Readonly<Record<string, Uint8Array>>;

/** The data of a Secret; undefined where there is none. */
export type ReadSecret = (
  namespace: string,
  name: string,
  o: { readonly signal: AbortSignal },
) => Promise<Data | undefined>;

interface Call {
  readonly signal: AbortSignal;
}

export interface NamedDataOptions {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  /** One of the objects is another now, or is gone, or has come. */
  changed(): void;
}

interface Watched {
  readonly reflector: Promise<Reflector>;
  /** Whether somebody has read it: what comes before is no change. */
  isRead: boolean;
}

/**
 * ConfigMaps and Secrets that applications name. Each has a watch of its own, by name: reading it again costs nothing, a
 * change is known at once, and no right to read others is needed.
 */
export class NamedData implements AsyncDisposable {
  readonly #options: NamedDataOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: NamedDataOptions) {
    this.#options = options;
  }

  /** Undefined where there is no such object. Throws what the API server says against reading it. */
  async read(kind: DataKind, namespace: string, name: string, call: Call): Promise<Data | undefined> {
    const key = keyOf(kind, namespace, name);
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      watched = { reflector: this.#watch(key, kind, namespace, name), isRead: false };
      this.#watched.set(key, watched);
    }
    try {
      const reflector = await watched.reflector;
      if (!reflector.synced && reflector.error !== undefined) throw reflector.error;
      await reflector.whenSynced(call);
      watched.isRead = true;
      const [object] = reflector.values();
      return object === undefined ? undefined : dataOf(object);
    } catch (thrown) {
      // Without the right to it a watch is of no use; the next look tries anew.
      await this.#forget(key, watched);
      throw thrown;
    }
  }

  /** Stops the watches of all others than these. */
  async keepOnly(names: ReadonlySet<string>): Promise<void> {
    const others = [...this.#watched].filter(([key]) => !names.has(key));
    await Promise.all(others.map(([key, watched]) => this.#forget(key, watched)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.keepOnly(new Set());
  }

  async #watch(key: string, kind: DataKind, namespace: string, name: string): Promise<Reflector> {
    const { client, signal, changed } = this.#options;
    const resource = await client.resource({ group: '', kind }, { signal });
    const first = Promise.withResolvers<Reflector>();
    const reflector = client.reflect(resource, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
      signal,
      onChange: (event) => {
        // Whoever waits is told of a refusal instead of waiting for the next try.
        if (event.type === 'failed' || event.type === 'synced') first.resolve(reflector);
        else if (this.#watched.get(key)?.isRead === true) changed();
      },
    });
    return first.promise;
  }

  async #forget(key: string, watched: Watched): Promise<void> {
    if (this.#watched.get(key) === watched) this.#watched.delete(key);
    const reflector = await watched.reflector.catch(() => undefined);
    await reflector?.[Symbol.asyncDispose]();
  }
}

/** How `keepOnly` names an object. */
export function keyOf(kind: DataKind, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`;
}

/** An object's data, once: for whoever does not stay. */
export async function readDataOnce(
  client: KubeClient,
  kind: DataKind,
  namespace: string,
  name: string,
  { signal }: Call,
): Promise<Data | undefined> {
  const resource = await client.resource({ group: '', kind }, { signal });
  const object = await client.get(resource, { namespace, name }, { signal });
  return object === undefined ? undefined : dataOf(object);
}

function dataOf(object: KubeObject): Data {
  const data = fieldAt(object, 'data');
  if (!isJsonObject(data)) return {};
  const encoding = object.kind === 'Secret' ? 'base64' : 'utf8';
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, Buffer.from(value, encoding)]] : [],
    ),
  );
}
