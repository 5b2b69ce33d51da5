import { decodeApplication, type Application } from '@plumb/api';
import { closest, PlumbError, type KubeObject } from '@plumb/core';
import type { ChosenCluster } from './cluster.ts';

/**
 * The applications that `NAME` or `NAMESPACE/NAME` means; all where nothing is named. Of several with one name the one in
 * the context's namespace is meant.
 */
export function selectNamed<T extends KubeObject>(
  objects: readonly T[],
  name: string | undefined,
  cluster: Pick<ChosenCluster, 'namespace'>,
): readonly T[] {
  if (name === undefined) return objects;
  const slash = name.indexOf('/');
  const [namespace, bare] = slash < 0 ? [undefined, name] : [name.slice(0, slash), name.slice(slash + 1)];
  const found = objects.filter(
    ({ metadata }) => metadata.name === bare && (namespace === undefined || metadata.namespace === namespace),
  );
  const [only] = found;
  if (found.length === 1 && only !== undefined) return [only];
  const near = found.find(({ metadata }) => metadata.namespace === cluster.namespace);
  if (near !== undefined) return [near];
  if (found.length > 1) {
    const names = found.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ');
    throw new PlumbError('Usage', `several applications are named ${bare}: ${names}`, {
      fix: 'Name one as NAMESPACE/NAME, or with -n.',
    });
  }
  const guess = closest(
    bare,
    objects.map(({ metadata }) => metadata.name),
  );
  throw new PlumbError('ApplicationMissing', `there is no application ${name}`, {
    fix: guess === undefined ? undefined : `Did you mean ${guess}?`,
  });
}

/** The one application that is meant, also where nothing is named and there is only one. */
export function selectOne<T extends KubeObject>(
  objects: readonly T[],
  name: string | undefined,
  cluster: Pick<ChosenCluster, 'namespace'>,
): T {
  const [only, ...others] = selectNamed(objects, name, cluster);
  if (only === undefined) {
    throw new PlumbError('ApplicationMissing', 'there is no application on this cluster', {
      fix: 'Add one with "plumb app add".',
    });
  }
  if (others.length > 0) {
    const names = objects.map(({ metadata }) => metadata.name).slice(0, 10);
    throw new PlumbError('Usage', 'the name of an application is missing', {
      fix: `Name one of: ${names.join(', ')}.`,
    });
  }
  return only;
}

export function decodedApplication(object: KubeObject): Application {
  const decoded = decodeApplication(object);
  if (!decoded.ok) throw decoded.error;
  return decoded.value;
}

/** Fails with a hint where the application has no such environment. */
export function checkEnvironment(application: Application, environment: string | undefined): void {
  if (environment === undefined) return;
  const names = (application.spec.environments ?? []).map(({ name }) => name);
  if (names.includes(environment)) return;
  const guess = closest(environment, names);
  throw new PlumbError('EnvironmentMissing', `${application.metadata.name} has no environment ${environment}`, {
    fix:
      guess !== undefined
        ? `Did you mean ${guess}?`
        : names.length === 0
          ? 'Leave out -e: the application names no environments.'
          : `Name one of: ${names.join(', ')}.`,
  });
}
