import { oneLine, printable } from '@plumb/core';
import type { TargetSpec } from '@plumb/engine';
import type { IgnoreRule } from './ignore-rule.ts';

const MAX_SUBJECT = 72;

/** What the commit of a rule says: of which object and fields, why, and trailers for whoever looks for it later. */
export function ignoreMessage(
  rule: IgnoreRule,
  place: { readonly application: TargetSpec['application']; readonly environment: string | undefined },
): string {
  const { kind, namespace, name, fields, managers = [], reason } = rule;
  const [, app = ''] = place.application.split('/');
  const where = place.environment === undefined ? app : `${app} in ${place.environment}`;
  const [first = '', ...more] = fields;
  const object = `${kind}/${name}`;
  const subject = oneLine(
    `Ignore drift of ${object} of ${where}: ${first}${more.length === 0 ? '' : ` and ${more.length} more`}`,
  );
  const by = managers.length === 0 ? '' : `, where ${managers.join(' or ')} owns it`;
  const placed = namespace === undefined ? object : `${namespace}/${object}`;
  return [
    subject.length > MAX_SUBJECT ? `${subject.slice(0, MAX_SUBJECT - 1)}…` : subject,
    '',
    printable(reason).trim(),
    '',
    `No drift any more${oneLine(by)}:`,
    ...fields.map((field) => `- ${oneLine(field)}`),
    '',
    `Plumb-Target: ${place.application}${place.environment === undefined ? '' : `/${place.environment}`}`,
    ...fields.map((field) => `Plumb-Ignore: ${oneLine(`${placed} ${field}`)}`),
    '',
  ].join('\n');
}
