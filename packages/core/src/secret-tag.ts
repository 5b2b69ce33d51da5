import { createHmac } from 'node:crypto';
import { canonicalJson, isJsonArray } from './canonical.ts';
import { isJsonObject, type Json } from './object.ts';
import { isBase64 } from './offline-diff/same-value.ts';

/** What stands for a value of a Secret. */
export type SecretMask = (value: Json) => Json;

const TAG_DIGITS = 8;

/**
 * Puts `(secret 3f9a01bc)` in the place of every value of a Secret: equal values have the same tag under one key, which is
 * to be random and to be thrown away with the response, so that nothing can be tried against a tag.
 */
export function secretMask(tagKey: Uint8Array): SecretMask {
  const mask = (value: Json): Json => {
    if (isJsonArray(value)) return value.map(mask);
    if (isJsonObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mask(item)]));
    const tag = createHmac('sha256', tagKey).update(contentOf(value)).digest('hex').slice(0, TAG_DIGITS);
    return `(secret ${tag})`;
  };
  return mask;
}

function contentOf(value: Json): Uint8Array {
  if (typeof value === 'string' && isBase64(value)) return Buffer.from(value, 'base64');
  return Buffer.from(canonicalJson(value), 'utf8');
}
