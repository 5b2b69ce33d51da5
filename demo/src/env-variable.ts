import { fieldAt, type KubeObject } from '@plumb/core';

/** The value of a variable in the containers of a Deployment. */
export function variable(deployment: KubeObject | undefined, name: string): unknown {
  const template = fieldAt(deployment, 'spec', 'template', 'spec', 'containers');
  const containers = Array.isArray(template) ? template : [];
  const variables = containers.flatMap((container) => fieldAt(container, 'env') ?? []);
  return fieldAt(
    variables.find((entry) => fieldAt(entry, 'name') === name),
    'value',
  );
}
