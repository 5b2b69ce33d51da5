import { PlumbError } from '@plumb/core';
import type { WriteClient } from './write-client.ts';

export interface NamespaceContext {
  readonly client: WriteClient;
  /** The user to impersonate; undefined writes as ourselves. */
  readonly writeAs: string | undefined;
  /** The namespace that is made where it is missing; undefined makes none. */
  readonly createNamespace: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Sends a write, and once more after making the namespace that it lacked. The namespace bears no marks: it belongs to no
 * application, so several may share it and none of them ever deletes it.
 */
export async function inNamespace<T>(
  namespace: string | undefined,
  { client, writeAs, createNamespace, signal }: NamespaceContext,
  send: () => Promise<T>,
): Promise<T> {
  try {
    return await send();
  } catch (thrown) {
    const isMissing = thrown instanceof PlumbError && thrown.code === 'NamespaceMissing';
    if (!isMissing || namespace === undefined || namespace !== createNamespace) throw thrown;
    await client.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      { force: false, signal, ...(writeAs === undefined ? {} : { impersonate: writeAs }) },
    );
    return await send();
  }
}
