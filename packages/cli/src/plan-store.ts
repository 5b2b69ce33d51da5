import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  isJsonObject,
  PlumbError,
  type ComparedPlan,
  type JsonObject,
  type ObjectKey,
  type Plan,
  type PlanItem,
} from '@plumb/core';
import type { Surroundings } from './context.ts';
import { decodeJsonObject } from './decode-json.ts';
import { stateFolder } from './folders.ts';

/** A plan as it is kept on this machine. Values of Secrets are masked in it, as wherever a plan is shown. */
export interface StoredPlan {
  /** `p-1c9e4b00`. */
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly server: string;
  readonly application: { readonly namespace: string; readonly name: string };
  /** Empty where the application names no environments. */
  readonly environment: string;
  /** Undefined of a working copy, and of what a merge would leave. */
  readonly commit: string | undefined;
  /** How people call what was planned; undefined where an older version wrote it. */
  readonly label?: string | undefined;
  /** Number of the release that was the last one then, 0 for none. */
  readonly release: number;
  readonly compared: ComparedPlan;
  /** As `plumb plan` showed it: short, and with every field. */
  readonly text: { readonly short: string; readonly full: string };
}

const KEPT = 100;

export function planIdOf({ digest }: Pick<Plan, 'digest'>): string {
  return `p-${digest.slice(0, 8)}`;
}

/** The plans that were made on this machine, the newest hundred of them. */
export class PlanStore {
  readonly #folder: string;

  constructor({ env, home }: Pick<Surroundings, 'env' | 'home'>) {
    this.#folder = stateFolder(env, home, 'plans');
  }

  /** Keeps plans, and the newest hundred of all. */
  async save(plans: readonly StoredPlan[]): Promise<void> {
    for (const plan of plans) await this.#write(plan);
    const old = (await this.list()).slice(KEPT);
    await Promise.all(old.map(({ id }) => rm(join(this.#folder, `${id}.json`), { force: true })));
  }

  async #write(plan: StoredPlan): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = join(this.#folder, `${plan.id}.json`);
    // Whole or not at all: two commands may write the same plan.
    const partial = `${file}.${process.pid}`;
    await writeFile(partial, `${JSON.stringify(plan)}\n`, { mode: 0o600 });
    await rename(partial, file);
  }

  /** Throws `PlanMissing`. */
  async load(id: string): Promise<StoredPlan> {
    const plan = /^p-[0-9a-f]{8}$/.test(id) ? await this.#read(`${id}.json`) : undefined;
    if (plan === undefined) throw new PlumbError('PlanMissing', `There is no plan ${id} on this machine`);
    return plan;
  }

  /** Newest first. */
  async list(): Promise<readonly StoredPlan[]> {
    const names = await readdir(this.#folder).catch((thrown: unknown) => {
      if (isMissing(thrown)) return [];
      throw thrown;
    });
    const plans = await Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => this.#read(name)));
    return plans.filter((plan) => plan !== undefined).sort((a, b) => (a.at < b.at ? 1 : -1));
  }

  /** Undefined where there is none, or what another version wrote. */
  async #read(name: string): Promise<StoredPlan | undefined> {
    try {
      return decode(decodeJsonObject(await readFile(join(this.#folder, name), 'utf8')));
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw thrown;
    }
  }
}

function decode(value: JsonObject | undefined): StoredPlan | undefined {
  const { id, at, server, application, environment, commit, label, release, compared, text } = value ?? {};
  if (typeof id !== 'string' || typeof at !== 'string' || typeof server !== 'string') return undefined;
  if (!isJsonObject(application) || !isJsonObject(compared) || !isJsonObject(text)) return undefined;
  const { namespace, name } = application;
  const { digest, desired, items } = compared;
  const { short, full } = text;
  if (typeof namespace !== 'string' || typeof name !== 'string' || typeof environment !== 'string') return undefined;
  if (typeof digest !== 'string' || typeof desired !== 'string' || !Array.isArray(items)) return undefined;
  if (typeof short !== 'string' || typeof full !== 'string' || typeof release !== 'number') return undefined;
  return {
    id,
    at,
    server,
    application: { namespace, name },
    environment,
    commit: typeof commit === 'string' ? commit : undefined,
    label: typeof label === 'string' ? label : undefined,
    release,
    compared: { digest, desired, items: (items as readonly unknown[]).flatMap(decodeItem) },
    text: { short, full },
  };
}

function decodeItem(value: unknown): ComparedPlan['items'] {
  if (!isJsonObject(value)) return [];
  const { key, action, changes, touched } = value;
  if (typeof key !== 'string' || typeof action !== 'string' || !Array.isArray(changes)) return [];
  return [
    {
      key: key as ObjectKey,
      action: action as PlanItem['action'],
      changes: (changes as readonly unknown[]).flatMap((change) => {
        return isJsonObject(change) && typeof change['path'] === 'string' ? { ...change, path: change['path'] } : [];
      }),
      ...(typeof touched === 'string' ? { touched } : {}),
    },
  ];
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
