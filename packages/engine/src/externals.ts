import { createHmac } from 'node:crypto';
import { chartCredentialsFromSecret, type Charts } from '@plumb/charts';
import { canonicalJson, PlumbError } from '@plumb/core';
import type { ChartArchive, Substitution } from '@plumb/render';
import type { ExternalSpec } from './targets.ts';

interface Call {
  readonly signal: AbortSignal;
}

export interface ExternalsOptions {
  readonly charts: Charts;
  /** Of this installation: what names variables must not let a guess of them be confirmed. */
  readonly key: Uint8Array;
  readSecret(namespace: string, name: string, call: Call): Promise<Readonly<Record<string, Uint8Array>> | undefined>;
  readConfigMap(namespace: string, name: string, call: Call): Promise<Readonly<Record<string, string>> | undefined>;
}

/** What a render takes from elsewhere than its repository, as it is now. */
export interface Externals {
  readonly chart: Omit<ChartArchive, 'bytes'> | undefined;
  readonly substitution: Substitution | undefined;
  /** Names all of it and tells none of it. */
  readonly mark: string;
}

/** Charts in registries, and variables in ConfigMaps and Secrets. */
export class ExternalReader {
  readonly #options: ExternalsOptions;

  constructor(options: ExternalsOptions) {
    this.#options = options;
  }

  /** Throws `PlumbError`s of the chart's host, and `SecretMissing` for an object that variables come from. */
  async read(spec: ExternalSpec, call: Call): Promise<Externals> {
    const chart = await this.#chart(spec, call);
    const substitution = await this.#substitution(spec, call);
    const named = { name: chart?.name, version: chart?.version, digest: chart?.digest };
    const text = canonicalJson([named, substitution === undefined ? null : { ...substitution }]);
    const mark = createHmac('sha256', this.#options.key).update(text).digest('hex');
    return { chart, substitution, mark };
  }

  /** The chart's bytes: from the cache, else fetched once more. */
  async archive(spec: ExternalSpec, { chart }: Externals, call: Call): Promise<ChartArchive | undefined> {
    if (chart === undefined || spec.chart === undefined) return undefined;
    const bytes = await this.#options.charts.read(chart.digest);
    if (bytes !== undefined) return { ...chart, bytes };
    const again = await this.#resolve({ ...spec, chart: { ...spec.chart, version: chart.version } }, call);
    if (again.digest === chart.digest) return again;
    throw new PlumbError('ChartDigestMismatch', `${chart.name} ${chart.version} is not what it was: ${again.digest}`);
  }

  async #chart(spec: ExternalSpec, call: Call): Promise<Externals['chart']> {
    if (spec.chart === undefined) return undefined;
    const { name, version, digest } = await this.#resolve({ ...spec, chart: spec.chart }, call);
    return { name, version, digest };
  }

  async #resolve({ namespace, chart }: ExternalSpec & Required<Pick<ExternalSpec, 'chart'>>, call: Call) {
    const credentials =
      chart.secret === undefined ? {} : chartCredentialsFromSecret(await this.#secret(namespace, chart.secret, call));
    return this.#options.charts.resolve(chart, { credentials, ...call });
  }

  async #secret(namespace: string, name: string, call: Call): Promise<Readonly<Record<string, Uint8Array>>> {
    const data = await this.#options.readSecret(namespace, name, call);
    return data ?? missing('Secret', namespace, name);
  }

  async #substitution({ namespace, substitute }: ExternalSpec, call: Call): Promise<Substitution | undefined> {
    if (substitute === undefined) return undefined;
    const variables: Record<string, string> = {};
    for (const { kind, name, optional } of substitute.from) {
      const data =
        kind === 'ConfigMap'
          ? await this.#options.readConfigMap(namespace, name, call)
          : textsOf(await this.#options.readSecret(namespace, name, call));
      if (data === undefined && !optional) missing(kind, namespace, name);
      Object.assign(variables, data);
    }
    return { variables: { ...variables, ...substitute.variables }, strict: substitute.strict };
  }
}

function textsOf(data: Readonly<Record<string, Uint8Array>> | undefined): Record<string, string> | undefined {
  if (data === undefined) return undefined;
  const decoder = new TextDecoder();
  return Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, decoder.decode(bytes)]));
}

function missing(kind: string, namespace: string, name: string): never {
  throw new PlumbError('SecretMissing', `${kind} ${name} in ${namespace} does not exist`, {
    subject: `${kind}/${name}`,
    fix: `Create the ${kind} in the namespace of the Application, or mark it as optional.`,
  });
}
