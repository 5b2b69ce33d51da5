import { PlumbError } from './error.ts';

/** The text under a key of a Secret. Throws `SecretInvalid` where it is empty, holds a zero byte or is not UTF-8. */
export function secretText(key: string, bytes: Uint8Array | undefined): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (text.trim() === '') throw invalidSecretKey(key, 'is empty');
    if (text.includes('\0')) throw invalidSecretKey(key, 'holds a zero byte');
    return text;
  } catch (error) {
    if (error instanceof PlumbError) throw error;
    throw invalidSecretKey(key, 'is not UTF-8');
  }
}

/** What is wrong with the value of a key, which is never shown. */
export function invalidSecretKey(key: string, fault: string): PlumbError {
  return new PlumbError('SecretInvalid', `the Secret's key "${key}" ${fault}`, { field: `data[${key}]` });
}

export function missingSecretKey(key: string): PlumbError {
  return new PlumbError('SecretInvalid', `the Secret has no key "${key}"`, { field: `data[${key}]` });
}
