import { canonicalJson, type Clock } from '@plumb/core';
import type { KubeClient, Reflector } from '@plumb/kube';
import type { Capabilities } from '@plumb/render';
import type { TargetSpec } from './targets.ts';

export interface CapabilitiesOptions {
  readonly client: Pick<KubeClient, 'apiVersions' | 'invalidateDiscovery' | 'reflect' | 'resource' | 'version'>;
  readonly clock: Clock;
  /** Ends the reads that callers share, and the watch. */
  readonly signal: AbortSignal;
  /** What the cluster can do may be something else now. Undefined: whoever asks does not stay to hear it. */
  readonly changed: (() => void) | undefined;
}

/**
 * When to look after a definition has changed: an API server tells nobody when it begins to serve a kind, which is some
 * moments after the definition says so, and each of several servers has moments of its own.
 */
const LOOK_AFTER_MS = [0, 1_000, 5_000, 20_000];

/** What the cluster can do, as charts may ask for it. Kept until a kind comes or goes. */
export class ClusterCapabilities implements AsyncDisposable {
  readonly #options: CapabilitiesOptions;
  #known: Promise<Capabilities> | undefined;
  #watch: Promise<Reflector> | undefined;
  /** Which of the looks after the last change is next. */
  #look = 0;
  #isLooking = false;
  #timer: Disposable | undefined;

  constructor(options: CapabilitiesOptions) {
    this.#options = options;
  }

  /** What a target's charts are told: what the cluster can do, unless the spec says something else. */
  async of({ capabilities }: TargetSpec): Promise<Capabilities> {
    const { kubeVersion, apiVersions } = capabilities;
    if (kubeVersion !== undefined && apiVersions !== undefined) return { kubeVersion, apiVersions };
    const known = await this.#read();
    return kubeVersion === undefined && apiVersions === undefined ? known : { ...known, ...capabilities };
  }

  /**
   * Somebody has asked what the cluster can do: from now on definitions of kinds are watched, whoever installs them. As
   * long as nobody asks, there is no such watch.
   */
  async follow(): Promise<void> {
    const { changed } = this.#options;
    if (changed === undefined) return;
    this.#watch ??= this.#start(changed);
    await this.#watch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const watch = await this.#watch?.catch(() => undefined);
    await watch?.[Symbol.asyncDispose]();
    this.#look = LOOK_AFTER_MS.length;
    this.#timer?.[Symbol.dispose]();
  }

  async #start(changed: () => void): Promise<Reflector> {
    const { client, signal } = this.#options;
    const group = 'apiextensions.k8s.io';
    const resource = await client.resource({ group, kind: 'CustomResourceDefinition' }, { signal });
    return client.reflect(resource, {
      metadataOnly: true,
      trim: ({ apiVersion, kind, metadata: { name } }) => ({ apiVersion, kind, metadata: { name } }),
      signal,
      onChange: ({ type }) => {
        if (type === 'failed') return;
        // What came before the watch is in sync, may have come after the cluster was asked.
        this.#look = 0;
        if (!this.#isLooking) this.#wait(changed);
      },
    });
  }

  #wait(changed: () => void): void {
    this.#timer?.[Symbol.dispose]();
    const delay = LOOK_AFTER_MS[this.#look];
    if (delay === undefined || this.#options.signal.aborted) return;
    this.#look += 1;
    this.#timer = this.#options.clock.timer(delay, () => void this.#lookAnew(changed));
  }

  async #lookAnew(changed: () => void): Promise<void> {
    this.#isLooking = true;
    const before = await this.#known?.catch(() => undefined);
    this.#options.client.invalidateDiscovery();
    this.#known = undefined;
    // Whoever needs it, asks for it, and says what keeps it from being read.
    const now = await this.#read().catch(() => undefined);
    this.#isLooking = false;
    if (before === undefined || now === undefined || canonicalJson({ ...before }) !== canonicalJson({ ...now })) {
      changed();
    }
    this.#wait(changed);
  }

  #read(): Promise<Capabilities> {
    const { client, signal } = this.#options;
    return (this.#known ??= readCapabilities(client, signal).catch((thrown: unknown) => {
      this.#known = undefined;
      throw thrown;
    }));
  }
}

async function readCapabilities(client: CapabilitiesOptions['client'], signal: AbortSignal): Promise<Capabilities> {
  const [{ gitVersion }, apiVersions] = await Promise.all([client.version({ signal }), client.apiVersions({ signal })]);
  return { kubeVersion: gitVersion, apiVersions };
}
