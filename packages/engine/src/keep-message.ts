import {
  formatChanges,
  oneLine,
  parseObjectKey,
  printable,
  shortNameOf,
  type FieldChange,
  type ObjectKey,
  type TargetKey,
} from '@plumb/core';

/** Live values of one object that Git is to say. */
export interface KeptObject {
  readonly key: ObjectKey;
  /** `before` is Git's, `after` is live. */
  readonly changes: readonly FieldChange[];
  /** Who had changed it on the cluster: names of field managers, or of people where they are known. */
  readonly changedBy: readonly string[];
}

export interface KeptChange {
  readonly target: TargetKey;
  readonly objects: readonly KeptObject[];
  readonly reason: string | undefined;
  /** `namespace/name` of the Hold that left it, where one did. */
  readonly hold?: string | undefined;
}

const MAX_SUBJECT = 72;

/** `Keep Deployment/shop of shop in prod: replicas 3 → 7`. */
export function keepSubject({ target, objects }: Pick<KeptChange, 'target' | 'objects'>): string {
  const [, application = '', environment] = target.split('/');
  const name = environment === undefined ? application : `${application} in ${environment}`;
  const [only] = objects;
  const [first = '', ...more] = formatChanges(only?.changes ?? []);
  const subject = oneLine(
    only === undefined || objects.length > 1
      ? `Keep edits of ${objects.length} objects of ${name}`
      : `Keep ${shortNameOf(only.key)} of ${name}: ${first}${more.length === 0 ? '' : ` and ${more.length} more`}`,
  );
  return subject.length > MAX_SUBJECT ? `${subject.slice(0, MAX_SUBJECT - 1)}…` : subject;
}

/** What the commit says: what is kept and where, who had changed it, why; and trailers for whoever looks for it later. */
export function keepMessage(kept: KeptChange): string {
  const { target, objects, reason, hold } = kept;
  const who = oneLine([...new Set(objects.flatMap(({ changedBy }) => changedBy))].join(', '));
  const body = [
    keepSubject(kept),
    '',
    ...(reason === undefined ? [] : [printable(reason).trim(), '']),
    `Changed on the cluster${who === '' ? '' : ` by ${who}`}, and kept as it is:`,
    ...objects.flatMap(({ key, changes }) => {
      const name = objects.length > 1 ? `${shortNameOf(key)} ` : '';
      return formatChanges(changes).map((line) => `- ${oneLine(`${name}${line}`)}`);
    }),
    '',
    `Plumb-Target: ${target}`,
    ...(hold === undefined ? [] : [`Plumb-Hold: ${hold}`]),
    ...objects.flatMap(({ key, changes }) =>
      changes.map(({ path }) => `Plumb-Keep: ${oneLine(`${placed(key)} ${path}`)}`),
    ),
  ];
  return `${body.join('\n')}\n`;
}

function placed(key: ObjectKey): string {
  const namespace = parseObjectKey(key)?.namespace ?? '';
  return namespace === '' ? shortNameOf(key) : `${namespace}/${shortNameOf(key)}`;
}
