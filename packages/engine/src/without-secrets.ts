import type { Json } from '@plumb/core';

/** Shorter values are words as well, and hiding those would tell them. */
const MIN_SECRET_CHARS = 4;
/** Words of ours and names, which no render has made. */
const NAMES: readonly string[] = [
  'action',
  'policy',
  'severity',
  'state',
  'code',
  'digest',
  'app',
  'env',
  'namespace',
  'targetNamespace',
];

/** Whether a value holds one of these: variables carry what Secrets hold into other kinds of objects. */
export function holdsSecret(value: Json | undefined, secrets: readonly string[]): boolean {
  const hidden = longEnough(secrets);
  const isIn = (inner: unknown): boolean => {
    if (typeof inner === 'string') return hidden.some((secret) => inner.includes(secret));
    if (typeof inner === 'number') return hidden.includes(String(inner));
    return typeof inner === 'object' && inner !== null && Object.values(inner).some(isIn);
  };
  return isIn(value);
}

/** The same, without these values in its texts. Below `changes` stand fields of objects. */
export function withoutSecrets<T>(said: T, secrets: readonly string[]): T {
  return hideSecrets(said, secrets, false);
}

/** The same of fields of objects, whose keys may be called anything, and whose numbers may be secret too. */
export function fieldsWithoutSecrets<T>(fields: T, secrets: readonly string[]): T {
  return hideSecrets(fields, secrets, true);
}

function hideSecrets<T>(said: T, secrets: readonly string[], areFields: boolean): T {
  const hidden = longEnough(secrets);
  // Below `changes` stand fields of objects, whatever they are called.
  const hide = (value: unknown, isField: boolean): unknown => {
    if (typeof value === 'string') return hidden.reduce((text, secret) => text.replaceAll(secret, '(secret)'), value);
    // A variable that is all of a value becomes what YAML reads.
    if (typeof value === 'number' && isField && hidden.includes(String(value))) return '(secret)';
    if (Array.isArray(value)) return value.map((inner) => hide(inner, isField));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]: [string, unknown]): [string, unknown] => {
      return [key, !isField && NAMES.includes(key) ? inner : hide(inner, isField || key === 'changes')];
    });
    return Object.fromEntries(entries);
  };
  return hidden.length === 0 ? said : (hide(said, areFields) as T);
}

/** The longest first: one may be a part of another. */
function longEnough(secrets: readonly string[]): readonly string[] {
  return secrets
    .map((value) => value.trim())
    .filter((value) => value.length >= MIN_SECRET_CHARS)
    .toSorted((left, right) => right.length - left.length);
}
