import { isJsonArray } from './canonical.ts';
import { fieldAt, isJsonObject, type Json, type JsonObject, type KubeObject } from './object.ts';
import { parseQuantity } from './quantity.ts';

/** What a plan makes of one object: undefined where it is not there. */
export interface PlannedUse {
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

/** A quota that would not suffice. */
export interface QuotaExcess {
  readonly namespace: string;
  /** The name of the ResourceQuota. */
  readonly quota: string;
  /** `requests.cpu` */
  readonly resource: string;
  /** How much more the plan needs, and how much is left, as quantities. */
  readonly needed: string;
  readonly left: string;
}

/**
 * The quotas that a plan as a whole would go beyond: each object by itself may still fit, which is all that a dry run tells,
 * and of the pods of a workload it tells nothing. Counted are pods and what their containers request and may use, and the
 * storage of claims; not counted what a rollout needs beside it, and quotas with scopes.
 */
export function exceededQuotas(quotas: readonly KubeObject[], uses: readonly PlannedUse[]): readonly QuotaExcess[] {
  const byNamespace = Map.groupBy(uses, ({ before, after }) => (after ?? before)?.metadata.namespace ?? '');
  return quotas.flatMap((quota) => {
    if (fieldAt(quota, 'spec', 'scopes') !== undefined || fieldAt(quota, 'spec', 'scopeSelector') !== undefined)
      return [];
    const { namespace = '', name } = quota.metadata;
    const hard = fieldAt(quota, 'status', 'hard') ?? fieldAt(quota, 'spec', 'hard');
    const needed = needOf(byNamespace.get(namespace) ?? []);
    if (!isJsonObject(hard)) return [];
    return Object.entries(hard).flatMap(([resource, limit]): readonly QuotaExcess[] => {
      const more = needed.get(ALIASES[resource] ?? resource) ?? 0n;
      const left = amountOf(limit) - amountOf(fieldAt(quota, 'status', 'used', resource));
      if (more <= 0n || more <= left) return [];
      return [{ namespace, quota: name, resource, needed: textOf(more), left: textOf(left) }];
    });
  });
}

/** Quotas name the requests of the two oldest resources in two ways. */
const ALIASES: Readonly<Record<string, string>> = { cpu: 'requests.cpu', memory: 'requests.memory' };

type Amounts = Map<string, bigint>;

function needOf(uses: readonly PlannedUse[]): Amounts {
  const sum: Amounts = new Map();
  for (const { before, after } of uses) {
    if (after !== undefined) addTimes(sum, useOf(after), 1n);
    if (before !== undefined) addTimes(sum, useOf(before), -1n);
  }
  return sum;
}

/** Whether it may count against a quota at all. */
export function usesQuota(object: KubeObject): boolean {
  return useOf(object).size > 0;
}

function useOf(object: KubeObject): Amounts {
  const { kind } = object;
  if (kind === 'PersistentVolumeClaim') {
    const storage = amountOf(fieldAt(object, 'spec', 'resources', 'requests', 'storage'));
    return new Map([
      ['requests.storage', storage],
      ['persistentvolumeclaims', ONE],
    ]);
  }
  const pod = kind === 'Pod' ? fieldAt(object, 'spec') : fieldAt(object, 'spec', 'template', 'spec');
  const times = podsOf(object);
  const use: Amounts = new Map();
  if (times === 0 || !isJsonObject(pod)) return use;
  addTimes(use, podUse(pod), BigInt(times));
  return use;
}

/** How many pods a workload runs at a time; 0 where that is not for its manifest to say. */
function podsOf(object: KubeObject): number {
  const number = (...path: readonly string[]): number | undefined => {
    const value = fieldAt(object, ...path);
    return typeof value === 'number' && value >= 0 ? Math.floor(value) : undefined;
  };
  switch (object.kind) {
    case 'Pod':
      return 1;
    case 'Deployment':
    case 'StatefulSet':
    case 'ReplicaSet':
      return number('spec', 'replicas') ?? 1;
    case 'DaemonSet':
      return number('status', 'desiredNumberScheduled') ?? 0;
    case 'Job':
      return number('spec', 'parallelism') ?? 1;
    default:
      return 0;
  }
}

/** The containers together, or the largest of those that run before them. */
function podUse(pod: JsonObject): Amounts {
  const use: Amounts = new Map();
  const before: Amounts = new Map();
  for (const container of listOf(pod['containers'])) addTimes(use, containerUse(container), 1n);
  for (const container of listOf(pod['initContainers'])) {
    const own = containerUse(container);
    if (container['restartPolicy'] === 'Always') addTimes(use, own, 1n);
    else
      for (const [name, amount] of own)
        before.set(name, amount > (before.get(name) ?? 0n) ? amount : (before.get(name) ?? 0n));
  }
  for (const [name, amount] of before) if (amount > (use.get(name) ?? 0n)) use.set(name, amount);
  use.set('pods', ONE);
  return use;
}

/** What is not requested is requested up to its limit. */
function containerUse(container: JsonObject): Amounts {
  const use: Amounts = new Map();
  const limits = mapOf(fieldAt(container, 'resources', 'limits'));
  const requests = { ...limits, ...mapOf(fieldAt(container, 'resources', 'requests')) };
  for (const [name, value] of Object.entries(requests)) use.set(`requests.${name}`, amountOf(value));
  for (const [name, value] of Object.entries(limits)) use.set(`limits.${name}`, amountOf(value));
  return use;
}

function addTimes(sum: Amounts, other: Amounts, times: bigint): void {
  for (const [name, amount] of other) sum.set(name, (sum.get(name) ?? 0n) + amount * times);
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return isJsonArray(value) ? value.filter(isJsonObject) : [];
}

function mapOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

const ONE = 1_000_000_000n;

/** In billionths, as `parseQuantity` counts; nothing where it is no quantity. */
function amountOf(value: Json | undefined): bigint {
  return typeof value === 'string' || typeof value === 'number' ? (parseQuantity(String(value)) ?? 0n) : 0n;
}

const UNITS: readonly (readonly [bigint, string])[] = [
  [1024n ** 3n * ONE, 'Gi'],
  [1024n ** 2n * ONE, 'Mi'],
  [1024n * ONE, 'Ki'],
];

/** `3`, `500m`, `2Gi`: in the largest unit that leaves a whole number. */
function textOf(amount: bigint): string {
  if (amount === 0n) return '0';
  for (const [unit, suffix] of UNITS) if (amount % unit === 0n) return `${amount / unit}${suffix}`;
  if (amount % ONE === 0n) return `${amount / ONE}`;
  return `${(amount * 1000n) / ONE}m`;
}
