import {
  decodeApplication,
  decodeApproval,
  decodeHold,
  decodeRepository,
  API_VERSION,
  APPLICATION,
  APPROVAL,
  HOLD,
  REPOSITORY,
  type Application,
  type Hold,
  type Repository,
} from '@plumb/api';
import {
  groupOf,
  targetKey,
  type DriftHold,
  type GivenApproval,
  type KubeObject,
  type PlumbError,
  type TargetKey,
} from '@plumb/core';
import type { KubeClient, ReflectEvent, Reflector } from '@plumb/kube';
import { driftRulesOf, holdOf } from './drift-rules.ts';
import { nameOf, targetsOf, type NamespacedName, type TargetSpec } from './targets.ts';

export interface CatalogOptions {
  readonly client: Pick<KubeClient, 'resource' | 'reflect'>;
  /** Watch one namespace only; undefined watches all. */
  readonly namespace: string | undefined;
  readonly signal: AbortSignal;
  repositoryChanged(repository: Repository): void;
  repositoryRemoved(name: NamespacedName): void;
  applicationChanged(application: CatalogApplication, before: CatalogApplication | undefined): void;
  applicationRemoved(application: CatalogApplication): void;
  /** Somebody approved a plan of the target or held it, or took that back. */
  wishesChanged(target: TargetKey): void;
  holdChanged(hold: Hold): void;
  holdRemoved(hold: Hold): void;
  /** An object that cannot be read: it alone stands still, with the error in its status. */
  invalid(object: KubeObject, error: PlumbError): void;
}

export interface CatalogApplication {
  readonly application: Application;
  readonly targets: ReadonlyMap<TargetKey, TargetSpec>;
}

/** The Repositories and Applications of the cluster, decoded one by one. */
export class Catalog implements AsyncDisposable {
  readonly #options: CatalogOptions;
  readonly #applications = new Map<NamespacedName, CatalogApplication>();
  readonly #targets = new Map<TargetKey, TargetSpec>();
  readonly #byRepository = new Map<NamespacedName, Map<TargetKey, TargetSpec>>();
  readonly #approvals = new Map<TargetKey, Map<string, GivenApproval>>();
  readonly #holds = new Map<TargetKey, Map<string, DriftHold>>();
  readonly #reflectors: Reflector[] = [];

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /** Starts the watches; resolves when everything that exists has been reported. */
  async start(): Promise<void> {
    const { client, signal, namespace } = this.#options;
    const where = namespace === undefined ? {} : { namespace };
    const open = async (kind: string, onChange: (event: ReflectEvent) => void): Promise<void> => {
      const resource = await client.resource({ group: groupOf(API_VERSION), kind }, { signal });
      const reflector = client.reflect(resource, { ...where, trim: withoutManagedFields, onChange, signal });
      this.#reflectors.push(reflector);
      await reflector.whenSynced({ signal });
    };
    await open(REPOSITORY.kind, (event) => this.#onRepository(event));
    await open(APPROVAL.kind, (event) => eachLife(event).forEach((one) => this.#onApproval(one)));
    await open(HOLD.kind, (event) => eachLife(event).forEach((one) => this.#onHold(one)));
    await open(APPLICATION.kind, (event) => this.#onApplication(event));
  }

  approvalsOf(target: TargetKey): readonly GivenApproval[] {
    return [...(this.#approvals.get(target)?.values() ?? [])];
  }

  /** Also those that have ended: what was edited meanwhile may stand by them still. */
  holdsOf(target: TargetKey): readonly DriftHold[] {
    return [...(this.#holds.get(target)?.values() ?? [])];
  }

  specOf(target: TargetKey): TargetSpec | undefined {
    return this.#targets.get(target);
  }

  specs(): IterableIterator<TargetSpec> {
    return this.#targets.values();
  }

  application(name: NamespacedName): CatalogApplication | undefined {
    return this.#applications.get(name);
  }

  applications(): IterableIterator<CatalogApplication> {
    return this.#applications.values();
  }

  targetsOf(repository: NamespacedName): ReadonlyMap<TargetKey, TargetSpec> {
    return this.#byRepository.get(repository) ?? new Map();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector[Symbol.asyncDispose]()));
  }

  #onRepository(event: ReflectEvent): void {
    if (event.type === 'deleted') this.#options.repositoryRemoved(rawName(event.object));
    if (event.type !== 'added' && event.type !== 'updated') return;
    const decoded = decodeRepository(event.object);
    if (decoded.ok) this.#options.repositoryChanged(decoded.value);
    else this.#options.invalid(event.object, decoded.error);
  }

  /** What cannot be read approves nothing. */
  #onApproval(event: ReflectEvent): void {
    if (event.type !== 'added' && event.type !== 'updated' && event.type !== 'deleted') return;
    const decoded = decodeApproval(event.object);
    if (!decoded.ok) return;
    const { metadata, spec } = decoded.value;
    const { application, environment, digest, by, groups } = spec;
    const target = targetKey({ namespace: metadata.namespace, application, environment });
    const given = this.#approvals.get(target) ?? new Map<string, GivenApproval>();
    if (event.type === 'deleted') given.delete(metadata.name);
    else given.set(metadata.name, { digest, by, groups });
    if (given.size === 0) this.#approvals.delete(target);
    else this.#approvals.set(target, given);
    this.#options.wishesChanged(target);
  }

  /** What cannot be read holds nothing. */
  #onHold(event: ReflectEvent): void {
    if (event.type !== 'added' && event.type !== 'updated' && event.type !== 'deleted') return;
    const decoded = decodeHold(event.object);
    if (!decoded.ok) return;
    const { metadata, spec } = decoded.value;
    const target = targetKey({ namespace: metadata.namespace, ...spec });
    const holds = this.#holds.get(target) ?? new Map<string, DriftHold>();
    if (event.type === 'deleted') {
      holds.delete(metadata.name);
      this.#options.holdRemoved(decoded.value);
    } else {
      holds.set(metadata.name, holdOf(decoded.value));
      this.#options.holdChanged(decoded.value);
    }
    if (holds.size === 0) this.#holds.delete(target);
    else this.#holds.set(target, holds);
    this.#options.wishesChanged(target);
  }

  #onApplication(event: ReflectEvent): void {
    if (event.type !== 'added' && event.type !== 'updated' && event.type !== 'deleted') return;
    const name = rawName(event.object);
    const before = this.#applications.get(name);
    if (event.type === 'deleted') {
      if (before !== undefined) this.#remove(name, before);
      return;
    }
    const decoded = decodeApplication(event.object);
    if (!decoded.ok) {
      // What it was before stays in force: a typing error in a spec must not let go of anything.
      this.#options.invalid(event.object, decoded.error);
      return;
    }
    const application = decoded.value;
    const invalid = whyInvalid(application);
    if (invalid !== undefined) {
      this.#options.invalid(event.object, invalid);
      return;
    }
    const entry = { application, targets: new Map(targetsOf(application).map((spec) => [spec.target, spec])) };
    this.#applications.set(name, entry);
    for (const [target, spec] of before?.targets ?? []) this.#forget(target, spec);
    for (const [target, spec] of entry.targets) {
      this.#targets.set(target, spec);
      const siblings = this.#byRepository.get(spec.repository) ?? new Map<TargetKey, TargetSpec>();
      this.#byRepository.set(spec.repository, siblings.set(target, spec));
    }
    this.#options.applicationChanged(entry, before);
  }

  #remove(name: NamespacedName, entry: CatalogApplication): void {
    this.#applications.delete(name);
    for (const [target, spec] of entry.targets) this.#forget(target, spec);
    this.#options.applicationRemoved(entry);
  }

  #forget(target: TargetKey, spec: TargetSpec): void {
    this.#targets.delete(target);
    this.#byRepository.get(spec.repository)?.delete(target);
  }
}

/** What the schema alone cannot tell: an expression that cannot be read. */
function whyInvalid({ spec }: Application): PlumbError | undefined {
  for (const { drift } of [spec, ...(spec.environments ?? [])]) {
    const rules = driftRulesOf(drift);
    if (!rules.ok) return rules.error;
  }
  return undefined;
}

/** The name of an object that may not be readable otherwise. */
export function rawName(object: KubeObject): NamespacedName {
  return nameOf({ metadata: { namespace: object.metadata.namespace ?? 'default', name: object.metadata.name } });
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/**
 * A person's wish is never changed: one that was deleted and made anew while the watch was broken off is two, and what the first
 * one was about has to be let go.
 */
function eachLife(event: ReflectEvent): readonly ReflectEvent[] {
  if (event.type !== 'updated' || event.previous === undefined) return [event];
  const { key, object, previous } = event;
  if (previous.metadata.uid === object.metadata.uid) return [event];
  return [
    { type: 'deleted', key, object: previous },
    { type: 'added', key, object },
  ];
}
