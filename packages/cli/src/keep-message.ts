import {
  formatChanges,
  parseObjectKey,
  shortNameOf,
  type FieldChange,
  type ObjectKey,
  type TargetKey,
  oneLine,
  printable,
} from '@plumb/core';

export interface KeptChange {
  readonly target: TargetKey;
  readonly key: ObjectKey;
  /** `before` is Git's, `after` is live. */
  readonly changes: readonly FieldChange[];
  /** Who had changed it on the cluster: names of field managers. */
  readonly changedBy: readonly string[];
  readonly reason: string | undefined;
}

const MAX_SUBJECT = 72;

/** What the commit says: what is kept and where, who had changed it, why; and a trailer for whoever looks for it later. */
export function keepMessage({ target, key, changes, changedBy, reason }: KeptChange): string {
  const [, application = '', environment] = target.split('/');
  const [first = '', ...more] = formatChanges(changes);
  const name = environment === undefined ? application : `${application} in ${environment}`;
  const subject = oneLine(
    `Keep ${shortNameOf(key)} of ${name}: ${first}${more.length === 0 ? '' : ` and ${more.length} more`}`,
  );
  const who = changedBy.length === 0 ? '' : ` by ${changedBy.join(', ')}`;
  const body = [
    subject.length > MAX_SUBJECT ? `${subject.slice(0, MAX_SUBJECT - 1)}…` : subject,
    '',
    ...(reason === undefined ? [] : [printable(reason).trim(), '']),
    `Changed on the cluster${oneLine(who) === '' ? '' : ` ${oneLine(who)}`}, and kept as it is:`,
    ...formatChanges(changes).map((line) => `- ${oneLine(line)}`),
    '',
    `Plumb-Target: ${target}`,
    ...changes.map(({ path }) => `Plumb-Keep: ${oneLine(`${placed(key)} ${path}`)}`),
  ];
  return `${body.join('\n')}\n`;
}

function placed(key: ObjectKey): string {
  const namespace = parseObjectKey(key)?.namespace ?? '';
  return namespace === '' ? shortNameOf(key) : `${namespace}/${shortNameOf(key)}`;
}
