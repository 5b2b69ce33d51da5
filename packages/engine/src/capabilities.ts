import type { KubeClient, Reflector } from '@plumb/kube';
import type { Capabilities } from '@plumb/render';
import type { TargetSpec } from './targets.ts';

export interface CapabilitiesOptions {
  readonly client: KubeClient;
  /** Ends the reads that callers share, and the watch. */
  readonly signal: AbortSignal;
  /** What the cluster can do may be something else now. Undefined: whoever asks does not stay to hear it. */
  readonly changed: (() => void) | undefined;
}

/** What the cluster can do, as charts may ask for it. Kept until a kind comes or goes. */
export class ClusterCapabilities implements AsyncDisposable {
  readonly #options: CapabilitiesOptions;
  #known: Promise<Capabilities> | undefined;
  #watch: Promise<Reflector> | undefined;

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
  }

  async #start(changed: () => void): Promise<Reflector> {
    const { client, signal } = this.#options;
    const group = 'apiextensions.k8s.io';
    const resource = await client.resource({ group, kind: 'CustomResourceDefinition' }, { signal });
    let isKnown = false;
    return client.reflect(resource, {
      metadataOnly: true,
      trim: ({ apiVersion, kind, metadata: { name } }) => ({ apiVersion, kind, metadata: { name } }),
      signal,
      onChange: ({ type }) => {
        if (type === 'failed') return;
        if (type === 'synced') isKnown = true;
        else if (isKnown) {
          client.invalidateDiscovery();
          this.#known = undefined;
          changed();
        }
      },
    });
  }

  #read(): Promise<Capabilities> {
    const { client, signal } = this.#options;
    return (this.#known ??= readCapabilities(client, signal).catch((thrown: unknown) => {
      this.#known = undefined;
      throw thrown;
    }));
  }
}

async function readCapabilities(client: KubeClient, signal: AbortSignal): Promise<Capabilities> {
  const [{ gitVersion }, apiVersions] = await Promise.all([client.version({ signal }), client.apiVersions({ signal })]);
  return { kubeVersion: gitVersion, apiVersions };
}
