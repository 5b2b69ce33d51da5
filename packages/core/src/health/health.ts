import { isJsonArray } from '../canonical.ts';
import { fieldAt, type Json, type KubeObject } from '../object.ts';

/**
 * - `Healthy`: does what its spec asks for.
 * - `Progressing`: on its way; nothing says that it cannot arrive.
 * - `Degraded`: failed, and will not recover without a change.
 * - `Suspended`: somebody told it to stand still.
 * - `Missing`: not in the cluster. Never computed from an object: there is none.
 * - `Unknown`: not read yet, not readable by the user's rule, or not known to its own controller.
 */
export type HealthStatus = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown';

export interface Health {
  readonly status: HealthStatus;
  /** The cause in one sentence, without a full stop: `2 of 4 replicas are ready`. */
  readonly message: string;
}

/** How an object is looked at. */
export interface Look {
  /**
   * Whether what runs to an end is waited for. To kstatus a Job that runs is as it should be; whoever waits for it waits
   * for its end.
   */
  readonly awaitsEnd: boolean;
  /** Milliseconds since 1970. Without it nothing ever takes too long: who is woken by changes alone sees no time pass. */
  readonly now?: number | undefined;
}

/** How the health of one kind is told, and all that has to be kept of an object to tell it. */
export interface HealthRule {
  readonly assess: (object: KubeObject, look: Look) => Health;
  /** The fields of `spec` and `status` that `assess` reads; `observedGeneration` and `conditions` are always kept. */
  readonly reads: { readonly spec?: readonly string[]; readonly status?: readonly string[] | 'all' };
}

export function healthy(message: string): Health {
  return { status: 'Healthy', message };
}

export function progressing(message: string): Health {
  return { status: 'Progressing', message };
}

export function degraded(message: string): Health {
  return { status: 'Degraded', message };
}

export function suspended(message: string): Health {
  return { status: 'Suspended', message };
}

export function numberAt(object: unknown, ...path: readonly string[]): number | undefined {
  const value = fieldAt(object, ...path);
  return typeof value === 'number' ? value : undefined;
}

export function textAt(object: unknown, ...path: readonly string[]): string | undefined {
  const value = fieldAt(object, ...path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function listAt(object: unknown, ...path: readonly string[]): readonly Json[] {
  const value = fieldAt(object, ...path);
  return isJsonArray(value) ? value : [];
}

/** The message with what a controller said about it, where it said something. */
export function because(message: string, ...details: readonly (string | undefined)[]): string {
  const detail = details.find((text) => text !== undefined);
  return detail === undefined ? message : `${message}: ${oneLine(detail)}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '');
}

/** `1 pod`, `2 pods`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
