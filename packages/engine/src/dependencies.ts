import { PlumbError, type DependencyFact, type TargetKey } from '@plumb/core';
import type { NamespacedName, TargetSpec } from './targets.ts';

export interface DependencyView {
  /** The targets of an application; undefined where there is no such application. */
  targetsOf(application: NamespacedName): Iterable<TargetSpec> | undefined;
  /** Whether a target runs, in good health, what Git says now; undefined says that it does, else the state it is in. */
  hindranceOf(target: TargetSpec): string | undefined;
}

/**
 * Whether an application may roll out: every application that it depends on has to be healthy with what Git says now. An
 * environment depends on the one of the same name there, and on all of them where there is none of that name.
 */
export function judgeDependencies(spec: TargetSpec, view: DependencyView): DependencyFact {
  if (spec.dependsOn.length === 0) return { state: 'ready' };
  const circle = circleFrom(spec.application, spec.dependsOn, view);
  if (circle !== undefined) {
    const message = `${spec.application} waits for itself: ${circle.join(' → ')}`;
    return { state: 'failed', error: new PlumbError('DependencyCycle', message) };
  }
  for (const name of spec.dependsOn) {
    const targets = view.targetsOf(name);
    if (targets === undefined) {
      const message = `${spec.application} depends on ${name}, which does not exist`;
      return { state: 'failed', error: new PlumbError('DependencyMissing', message) };
    }
    const all = [...targets];
    const same = all.filter(({ environment }) => environment === spec.environment);
    for (const other of same.length > 0 ? same : all) {
      const hindrance = view.hindranceOf(other);
      if (hindrance === undefined) continue;
      return { state: 'waiting', target: other.target, message: `Waiting for ${other.target}, which is ${hindrance}.` };
    }
  }
  return { state: 'ready' };
}

/** The way from an application back to itself, if there is one. */
function circleFrom(
  start: NamespacedName,
  dependsOn: readonly NamespacedName[],
  view: DependencyView,
): readonly NamespacedName[] | undefined {
  const cameFrom = new Map<NamespacedName, NamespacedName>(dependsOn.map((name) => [name, start]));
  const pending = [...dependsOn];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === start) {
      const way: NamespacedName[] = [start];
      for (let at = cameFrom.get(start); at !== undefined && at !== start; at = cameFrom.get(at)) way.unshift(at);
      return [start, ...way];
    }
    for (const next of dependenciesOf(name, view)) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, name);
      pending.push(next);
    }
  }
  return undefined;
}

/** All environments of an application depend on the same others. */
function dependenciesOf(name: NamespacedName, view: DependencyView): readonly NamespacedName[] {
  for (const { dependsOn } of view.targetsOf(name) ?? []) return dependsOn;
  return [];
}

/** Who depends on an application: they hear of it when it appears. */
export function dependentsOf(
  application: NamespacedName,
  applications: Iterable<{ readonly targets: ReadonlyMap<TargetKey, TargetSpec> }>,
): readonly TargetKey[] {
  const dependents: TargetKey[] = [];
  for (const { targets } of applications) {
    for (const { target, dependsOn } of targets.values()) if (dependsOn.includes(application)) dependents.push(target);
  }
  return dependents;
}
