import { createHmac } from 'node:crypto';
import type { Charts } from '@plumb/charts';
import { canonicalJson, PlumbError, type Clock } from '@plumb/core';
import type { ChartArchive, Substitution } from '@plumb/render';
import { keyOf, type Data, type DataKind } from './named-data.ts';
import type { ExternalSpec } from './targets.ts';

interface Call {
  readonly signal: AbortSignal;
}

export interface ExternalsOptions {
  /** Opened with the first application that has one. */
  charts(): Promise<Charts>;
  /** Of this installation: what names variables must not let a guess of them be confirmed. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  /** Undefined where there is no such object. */
  readData(kind: DataKind, namespace: string, name: string, call: Call): Promise<Data | undefined>;
}

/** What a render takes from elsewhere than its repository, as it is now. */
export interface Externals {
  readonly chart: Omit<ChartArchive, 'bytes'> | undefined;
  readonly substitution: Substitution | undefined;
  /** Names all of it and tells none of it. */
  readonly mark: string;
}

interface Resolved {
  readonly chart: NonNullable<Externals['chart']>;
  /** Monotonic milliseconds. */
  readonly untilMs: number;
}

/** How long a chart's range is not looked at again: as long as its host's list of versions is kept. */
const RESOLVED_MS = 5 * 60_000;

/** Charts in registries, and variables in ConfigMaps and Secrets. */
export class ExternalReader {
  readonly #options: ExternalsOptions;
  /** By what the specs say; as many as there are charts in use. */
  readonly #resolved = new Map<string, Resolved>();

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

  /** The values of Secrets that variables come from, as far as they are there; what is missing is told by a render. */
  async secrets({ namespace, substitute }: ExternalSpec, call: Call): Promise<readonly string[]> {
    const values: string[] = [];
    for (const { kind, name } of substitute?.from ?? []) {
      if (kind !== 'Secret') continue;
      values.push(...Object.values(textsOf((await this.#options.readData(kind, namespace, name, call)) ?? {})));
    }
    return values;
  }

  /** The chart's bytes: from the cache, else fetched once more. */
  async archive(spec: ExternalSpec, { chart }: Externals, call: Call): Promise<ChartArchive | undefined> {
    if (chart === undefined || spec.chart === undefined) return undefined;
    const bytes = await (await this.#options.charts()).read(chart.digest);
    if (bytes !== undefined) return { ...chart, bytes };
    const again = await this.#resolve({ ...spec, chart: { ...spec.chart, version: chart.version } }, call);
    if (again.digest === chart.digest) return again;
    throw new PlumbError('ChartDigestMismatch', `${chart.name} ${chart.version} is not what it was: ${again.digest}`);
  }

  async #chart(spec: ExternalSpec, call: Call): Promise<Externals['chart']> {
    if (spec.chart === undefined) return undefined;
    const now = this.#options.clock.monotonic();
    const key = canonicalJson([spec.namespace, { ...spec.chart }]);
    const known = this.#resolved.get(key);
    if (known !== undefined && now < known.untilMs) return known.chart;
    const { name, version, digest } = await this.#resolve({ ...spec, chart: spec.chart }, call);
    const chart = { name, version, digest };
    this.#resolved.set(key, { chart, untilMs: now + RESOLVED_MS });
    if (this.#resolved.size > MAX_RESOLVED) this.#resolved.clear();
    return chart;
  }

  async #resolve({ namespace, chart }: ExternalSpec & Required<Pick<ExternalSpec, 'chart'>>, call: Call) {
    const { chartCredentialsFromSecret } = await import('@plumb/charts');
    const credentials =
      chart.secret === undefined
        ? {}
        : chartCredentialsFromSecret(await this.#data('Secret', namespace, chart.secret, call));
    return (await this.#options.charts()).resolve(chart, { credentials, ...call });
  }

  async #data(kind: DataKind, namespace: string, name: string, call: Call): Promise<Data> {
    return (await this.#options.readData(kind, namespace, name, call)) ?? missing(kind, namespace, name);
  }

  async #substitution({ namespace, substitute }: ExternalSpec, call: Call): Promise<Substitution | undefined> {
    if (substitute === undefined) return undefined;
    const variables: Record<string, string> = {};
    for (const { kind, name, optional } of substitute.from) {
      const data = optional
        ? ((await this.#options.readData(kind, namespace, name, call)) ?? {})
        : await this.#data(kind, namespace, name, call);
      Object.assign(variables, textsOf(data));
    }
    return { variables: { ...variables, ...substitute.variables }, strict: substitute.strict };
  }
}

function textsOf(data: Data): Record<string, string> {
  const decoder = new TextDecoder();
  return Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, decoder.decode(bytes)]));
}

/** The objects that a spec names, as `NamedData` calls them. */
export function dataNamesOf({ namespace, chart, substitute }: ExternalSpec): readonly string[] {
  const secrets = chart?.secret === undefined ? [] : [keyOf('Secret', namespace, chart.secret)];
  return [...secrets, ...(substitute?.from ?? []).map(({ kind, name }) => keyOf(kind, namespace, name))];
}

/** More than there are charts; a spec that is edited leaves its last one behind. */
const MAX_RESOLVED = 10_000;

function missing(kind: DataKind, namespace: string, name: string): never {
  throw new PlumbError('SecretMissing', `${kind} ${name} in ${namespace} does not exist`, {
    subject: `${kind}/${name}`,
    fix: `Create the ${kind} in the namespace of the Application, or mark it as optional.`,
  });
}
