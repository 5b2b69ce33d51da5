import type { KubeClient } from '@plumb/kube';
import type { Capabilities } from '@plumb/render';
import type { TargetSpec } from './targets.ts';

interface Call {
  readonly signal: AbortSignal;
}

/** What the cluster can do, as charts may ask for it. Kept until something says that it has changed. */
export class ClusterCapabilities {
  readonly #client: KubeClient;
  readonly #signal: AbortSignal;
  #known: Promise<Capabilities> | undefined;

  /** `signal` ends the reads that callers share. */
  constructor(client: KubeClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** What a target's charts are told: what the cluster can do, unless the spec says something else. */
  async of({ capabilities }: TargetSpec): Promise<Capabilities> {
    const { kubeVersion, apiVersions } = capabilities;
    if (kubeVersion !== undefined && apiVersions !== undefined) return { kubeVersion, apiVersions };
    const known = await this.#read();
    return kubeVersion === undefined && apiVersions === undefined ? known : { ...known, ...capabilities };
  }

  /** A kind came or went. */
  changed(): void {
    this.#known = undefined;
  }

  #read(): Promise<Capabilities> {
    return (this.#known ??= readCapabilities(this.#client, { signal: this.#signal }).catch((thrown: unknown) => {
      this.#known = undefined;
      throw thrown;
    }));
  }
}

async function readCapabilities(client: KubeClient, call: Call): Promise<Capabilities> {
  const [{ gitVersion }, apiVersions] = await Promise.all([client.version(call), client.apiVersions(call)]);
  return { kubeVersion: gitVersion, apiVersions };
}
