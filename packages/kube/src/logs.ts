import type { ApiResource, ResourceRef } from './api-resource.ts';
import { objectPath, subjectOf } from './api-resource.ts';
import type { Transport } from './transport.ts';

export interface LogOptions {
  readonly container: string;
  /** Of the container's last life instead of its present one. */
  readonly previous?: boolean | undefined;
  /** Go on with what is written from now on. */
  readonly follow?: boolean | undefined;
  readonly sinceSeconds?: number | undefined;
  /** The last lines only. */
  readonly tailLines?: number | undefined;
  readonly signal: AbortSignal;
}

/** What a container of a pod has written, as the server sends it: bytes of any kind, lines cut anywhere. */
export function podLogs(
  transport: Transport,
  pods: ApiResource,
  ref: ResourceRef,
  options: LogOptions,
): Promise<AsyncIterable<Buffer>> {
  const query = new URLSearchParams({ container: options.container });
  if (options.previous === true) query.set('previous', 'true');
  if (options.follow === true) query.set('follow', 'true');
  if (options.sinceSeconds !== undefined) query.set('sinceSeconds', String(options.sinceSeconds));
  if (options.tailLines !== undefined) query.set('tailLines', String(options.tailLines));
  return transport.stream(
    {
      method: 'GET',
      path: `${objectPath(pods, ref)}/log?${query.toString()}`,
      headers: ['accept', '*/*'],
      repeatable: true,
      attempt: { verb: 'read the log of', subject: `${subjectOf(pods, ref)}, container ${options.container}` },
    },
    options,
  );
}
