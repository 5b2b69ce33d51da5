import { PlumbError } from './error.ts';
import type { SyncHook } from './hook.ts';
import { objectKey, parseObjectKey, refOf, shortName, shortNameOf, type ObjectKey, type ObjectRef } from './key.ts';
import { fieldAt, groupOf, kindName, type KubeObject } from './object.ts';
import { calledServices, isBackendOf, referencesOf } from './references.ts';
import type { Origin } from './rendered.ts';

/** Another object of the same set that has to be there first. */
export interface Need {
  readonly key: ObjectKey;
  /**
   * `written`: it is in the cluster as Git wants it. `ready`: it is healthy besides. `established`: without that the API
   * server knows no such objects, so that not even healing can do without it.
   */
  readonly until: 'written' | 'ready' | 'established';
}

/** When an object is applied, relative to the others of its set. */
export interface Order {
  /** Waves go one after another, each when all before it is healthy. */
  readonly wave: number;
  /** Undefined for none: most objects. */
  readonly needs?: readonly Need[];
}

export interface OrderedObject {
  readonly key: ObjectKey;
  readonly object: KubeObject;
  readonly origin: Origin;
  readonly hook?: SyncHook | undefined;
}

/** The wave of what a `PreSync` hook cannot do without: its namespace, the definition of its kind. */
export const BEFORE_HOOKS = -(2 ** 31) - 1;

const WAVE_ANNOTATIONS = ['plumb.dev/sync-wave', 'argocd.argoproj.io/sync-wave'] as const;
const HOOK_WEIGHT_ANNOTATION = 'helm.sh/hook-weight';
export const DEPENDS_ON_ANNOTATION = 'config.kubernetes.io/depends-on';

/**
 * The order of a set, as a graph. What goes before what, strongest first:
 *
 * | | from | waits until | against the waves |
 * | --- | --- | --- | --- |
 * | 1 | a Namespace, for what is in it | written | is moved to the earliest wave that needs it |
 * | 2 | a CustomResourceDefinition, for its objects | established | is moved to the earliest wave that needs it |
 * | 3 | `config.kubernetes.io/depends-on` | ready | an error: it can never be |
 * | 4 | waves (`sync-wave`) | ready | |
 * | 5 | what Pods mount, run as, or read their environment from | written | does not count |
 * | 6 | the workload behind a webhook or an aggregated API | ready | does not count |
 *
 * Kinds that refer to each other in other ways (roles before their bindings) are kept apart by `applyPhase`.
 *
 * Errors: `OrderCycle` with the whole circle, `DependencyMissing` where depends-on names what is not in the set,
 * `ObjectInvalid` for a wave that is no number or a depends-on that cannot be read.
 */
export function orderOf(objects: readonly OrderedObject[], errors: PlumbError[]): ReadonlyMap<ObjectKey, Order> {
  const byKey = new Map(objects.map((object) => [object.key, object]));
  const waves = new Map(objects.map((object) => [object.key, waveOf(object, errors)]));
  const waveAt = (key: ObjectKey): number => waves.get(key) ?? 0;
  const definitions = definitionsIn(objects);

  const needs = new Map<ObjectKey, Need[]>();
  const need = (key: ObjectKey, other: ObjectKey, until: Need['until']): void => {
    if (key === other || needs.get(key)?.some((known) => known.key === other) === true) return;
    const known = needs.get(key);
    if (known === undefined) needs.set(key, [{ key: other, until }]);
    else known.push({ key: other, until });
  };
  const provides = (provider: ObjectKey, { key, hook }: OrderedObject): void => {
    const wave = hook?.phases.includes('PreSync') === true ? BEFORE_HOOKS : waveAt(key);
    // A hook's own place is its phase, and its provider is an ordinary object that has to be there before that.
    if (byKey.get(provider)?.hook === undefined) waves.set(provider, Math.min(waveAt(provider), wave));
  };

  // Definitions first: the namespace of an object may itself be moved by it.
  for (const object of objects) {
    const ref = parseObjectKey(object.key);
    if (ref === undefined) continue;
    const definition = definitions.get(kindName(ref));
    if (definition !== undefined) {
      need(object.key, definition, 'established');
      provides(definition, object);
    }
    const namespace = objectKey({ group: '', kind: 'Namespace', namespace: '', name: ref.namespace });
    if (ref.namespace !== '' && byKey.has(namespace)) {
      need(object.key, namespace, 'written');
      provides(namespace, object);
    }
  }
  const explicit = new Set<string>();
  for (const object of objects) {
    const { key } = object;
    // Hooks are ordered by phase and wave, and what was run may be gone again.
    if (object.hook !== undefined) continue;
    for (const other of dependsOn(object, errors)) {
      const known = byKey.get(other);
      if (known === undefined || known.hook !== undefined) {
        errors.push(dependencyMissing(object, other));
        continue;
      }
      need(key, other, 'ready');
      explicit.add(`${key} ${other}`);
      if (waveAt(other) > waveAt(key)) {
        const [mine, others] = [shortNameOf(key), shortNameOf(other)];
        const circle = `${mine} (wave ${waveAt(key)}) → depends-on ${others} (wave ${waveAt(other)}) → waits for wave ${waveAt(key)}`;
        errors.push(orderCycle(object, circle));
      }
    }
  }
  const soft = (key: ObjectKey, other: ObjectRef, until: Need['until']): void => {
    const provider = objectKey(other);
    if (byKey.get(provider)?.hook !== undefined || !byKey.has(provider)) return;
    if (waveAt(provider) <= waveAt(key)) need(key, provider, until);
  };
  const services = objects.filter(({ object }) => object.kind === 'Service' && groupOf(object.apiVersion) === '');
  for (const { key, object, hook } of objects) {
    if (hook !== undefined) continue;
    for (const reference of referencesOf(object)) soft(key, reference, 'written');
    for (const called of calledServices(object)) {
      const service = services.find((known) => known.key === objectKey(called));
      if (service === undefined) continue;
      for (const backend of objects) {
        if (backend.hook === undefined && isBackendOf(backend.object, service.object)) {
          soft(key, refOf(backend.object), 'ready');
        }
      }
    }
  }
  for (const circle of circlesIn(needs)) {
    const first = byKey.get(circle[0] as ObjectKey);
    const names = [...circle, circle[0] as ObjectKey].map((key, index) => {
      const before = circle[index - 1];
      return `${before !== undefined && explicit.has(`${before} ${key}`) ? 'depends-on ' : ''}${shortNameOf(key)}`;
    });
    if (first !== undefined) errors.push(orderCycle(first, names.join(' → ')));
  }
  return new Map(
    objects.map(({ key }): [ObjectKey, Order] => {
      const known = needs.get(key);
      return [key, { wave: waveAt(key), ...(known === undefined ? {} : { needs: known }) }];
    }),
  );
}

/** The wave that an object's own annotations name; 0 where they name none or no whole number. */
export function annotatedWave(object: KubeObject): number {
  const wave = Number(waveText(object)?.text ?? 0);
  return Number.isInteger(wave) ? wave : 0;
}

/** The objects that `depends-on` of a live object names; what cannot be read is left out. */
export function annotatedDependencies(object: KubeObject): readonly ObjectKey[] {
  return dependsOn({ object, origin: { file: '' } }, []);
}

/** By the name of the kind (`Issuer.cert-manager.io`): the definition in the set that brings it. */
export function definitionsIn(
  objects: readonly Pick<OrderedObject, 'key' | 'object'>[],
): ReadonlyMap<string, ObjectKey> {
  const definitions = new Map<string, ObjectKey>();
  for (const { key, object } of objects) {
    if (object.kind !== 'CustomResourceDefinition') continue;
    const group = fieldAt(object, 'spec', 'group');
    const kind = fieldAt(object, 'spec', 'names', 'kind');
    if (typeof group === 'string' && typeof kind === 'string') definitions.set(kindName({ group, kind }), key);
  }
  return definitions;
}

function waveText(object: KubeObject): { readonly name: string; readonly text: string } | undefined {
  const annotations = object.metadata.annotations ?? {};
  for (const name of [...WAVE_ANNOTATIONS, HOOK_WEIGHT_ANNOTATION]) {
    const text = annotations[name];
    if (text !== undefined && (name !== HOOK_WEIGHT_ANNOTATION || annotations['helm.sh/hook'] !== undefined)) {
      return { name, text };
    }
  }
  return undefined;
}

function waveOf({ object, origin }: OrderedObject, errors: PlumbError[]): number {
  const said = waveText(object);
  if (said === undefined) return 0;
  if (/^[+-]?[0-9]{1,9}$/.test(said.text)) return Number(said.text);
  const subject = shortName(refOf(object));
  errors.push(
    new PlumbError('ObjectInvalid', `${subject}: ${said.name} says "${said.text}"`, {
      where: origin,
      subject,
      field: `metadata.annotations[${said.name}]`,
      fix: 'Write a whole number, such as "-1" or "5".',
    }),
  );
  return 0;
}

/**
 * `group/namespaces/NAMESPACE/kind/name` or `group/kind/name`, separated by commas; the core group is empty.
 * Source: SIG CLI, cli-utils, `pkg/object/dependson`.
 */
function dependsOn({ object, origin }: Pick<OrderedObject, 'object' | 'origin'>, errors: PlumbError[]): ObjectKey[] {
  const text = object.metadata.annotations?.[DEPENDS_ON_ANNOTATION];
  if (text === undefined || text.trim() === '') return [];
  return text.split(',').flatMap((reference) => {
    const parts = reference.trim().split('/');
    const [group = '', second = '', third = '', kind = '', name = ''] = parts;
    const isNamespaced = parts.length === 5 && second === 'namespaces';
    if (isNamespaced && third !== '' && kind !== '' && name !== '') {
      return objectKey({ group, kind, namespace: third, name });
    }
    if (parts.length === 3 && second !== '' && third !== '') {
      return objectKey({ group, kind: second, namespace: '', name: third });
    }
    const subject = shortName(refOf(object));
    errors.push(
      new PlumbError('ObjectInvalid', `${subject}: ${DEPENDS_ON_ANNOTATION} names "${reference.trim()}"`, {
        where: origin,
        subject,
        field: `metadata.annotations[${DEPENDS_ON_ANNOTATION}]`,
        fix: 'Write GROUP/namespaces/NAMESPACE/KIND/NAME, or GROUP/KIND/NAME of a cluster-scoped kind: apps/namespaces/shop/Deployment/db.',
      }),
    );
    return [];
  });
}

function dependencyMissing({ key, origin }: OrderedObject, other: ObjectKey): PlumbError {
  const subject = shortNameOf(key);
  const message = `${subject} depends on ${other}, which is not part of the application`;
  return new PlumbError('DependencyMissing', message, {
    where: origin,
    subject,
    field: `metadata.annotations[${DEPENDS_ON_ANNOTATION}]`,
    fix: 'Correct the name, add the object, or depend on the application that has it with spec.dependsOn.',
  });
}

function orderCycle({ key, origin }: OrderedObject, circle: string): PlumbError {
  return new PlumbError('OrderCycle', `No object can be the first: ${circle}`, {
    where: origin,
    subject: shortNameOf(key),
  });
}

/** The circles that a walk along the needs runs into, each once, without recursion: a chain may be 20,000 long. */
function circlesIn(needs: ReadonlyMap<ObjectKey, readonly Need[]>): readonly (readonly ObjectKey[])[] {
  const circles: (readonly ObjectKey[])[] = [];
  const done = new Set<ObjectKey>();
  for (const start of needs.keys()) {
    if (done.has(start)) continue;
    const path: { readonly key: ObjectKey; next: number }[] = [{ key: start, next: 0 }];
    const onPath = new Map<ObjectKey, number>([[start, 0]]);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const other = needs.get(top.key)?.[top.next];
      top.next += 1;
      if (other === undefined) {
        path.pop();
        onPath.delete(top.key);
        done.add(top.key);
        continue;
      }
      const position = onPath.get(other.key);
      if (position !== undefined) circles.push(path.slice(position).map(({ key }) => key));
      else if (!done.has(other.key)) {
        onPath.set(other.key, path.length);
        path.push({ key: other.key, next: 0 });
      }
    }
  }
  return circles;
}
