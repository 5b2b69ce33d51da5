import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whether two texts are equal, in a time that depends on neither: both are hashed first, so lengths do not show either. */
export function isSameSecret(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Whether an Authorization header bears this token. No token is borne by nobody. */
export function isBearer(header: string | undefined, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(header ?? '')?.[1] ?? '';
  return isSameSecret(given, token) && token !== '';
}
