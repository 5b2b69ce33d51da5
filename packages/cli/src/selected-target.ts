import type { Application } from '@plumb/api';
import { PlumbError } from '@plumb/core';
import { targetsOf, type TargetSpec } from '@plumb/engine';
import { checkEnvironment } from './applications.ts';

/** The one target that is meant, also where no environment is named and there is only one. */
export function selectTarget(application: Application, environment: string | undefined): TargetSpec {
  checkEnvironment(application, environment);
  const all = targetsOf(application);
  const targets = all.filter((target) => environment === undefined || target.environment === environment);
  const [only, ...others] = targets;
  if (only !== undefined && others.length === 0) return only;
  throw new PlumbError('Usage', `${application.metadata.name} has several environments`, {
    fix: `Name one with -e: ${all.map((target) => target.environment).join(', ')}.`,
  });
}
