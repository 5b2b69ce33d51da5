import { PlumbError, type Clock } from '@plumb/core';
import { ensureControlplane } from './binary.ts';
import { startComponent, type Component } from './component.ts';
import { decodeJson } from './decode-json.ts';
import { auditWebhookArguments, startKubebuilderCluster } from './kubebuilder.ts';

/** A running control plane on loopback. Disposing stops it and waits until it is gone; it takes about a second. */
export interface Cluster extends AsyncDisposable {
  /** Path of a kubeconfig with cluster-admin's bearer token. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  readonly pid: number;
  readonly dataDir: string;
  /** Resolves when the control plane is gone, however it ended. */
  readonly exited: Promise<void>;
}

export interface ClusterOptions {
  /** Keeps the cluster's state over restarts; without it a temporary folder that is removed at the end. */
  readonly dataDir?: string;
  /** Default: the port of the last start on this data when it is free, else any free one. */
  readonly port?: number;
  /** Simulated nodes. Default 2; 0, and with `KUBEBUILDER_ASSETS`: no pod ever runs. */
  readonly nodes?: number;
  /** File that the API server appends an audit event to for each write. */
  readonly auditLog?: string;
  /** Kubeconfig of a webhook that the same events are sent to; needs `auditLog`. */
  readonly auditWebhook?: string;
  /** Only the start: a cluster that runs is stopped by disposing it. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Told what takes long: a line for people. */
  readonly report?: (line: string) => void;
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Starts a Kubernetes control plane and returns when it serves and its controllers work, after about 3 s; the binary is
 * built first where it is missing (see `ensureControlplane`). With `KUBEBUILDER_ASSETS` set, the binaries in that folder
 * are used instead. The control plane ends with this process, however that ends, and does not keep it alive.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { signal, environment = process.env } = options;
  signal.throwIfAborted();
  const assets = environment['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && assets !== '' && !environment['PLUMB_CONTROLPLANE']) {
    return await startKubebuilderCluster(assets, options);
  }

  const binary = await ensureControlplane(options);
  const component = await startComponent(binary, controlplaneArguments(options));
  try {
    const ready = await untilReady(component, signal);
    component.unref();
    return {
      ...ready,
      pid: component.pid,
      exited: component.exited,
      [Symbol.asyncDispose]: () => component[Symbol.asyncDispose](),
    };
  } catch (error) {
    await component[Symbol.asyncDispose]();
    throw error;
  }
}

export function controlplaneArguments(
  options: Pick<ClusterOptions, 'dataDir' | 'port' | 'nodes' | 'auditLog' | 'auditWebhook'>,
): string[] {
  const { dataDir, port, nodes, auditLog, auditWebhook } = options;
  return [
    '--exit-with-stdin',
    ...(dataDir === undefined ? [] : [`--data=${dataDir}`]),
    ...(port === undefined ? [] : [`--port=${port}`]),
    ...(nodes === undefined ? [] : [`--nodes=${nodes}`]),
    ...(auditLog === undefined ? [] : [`--audit-log=${auditLog}`]),
    ...(auditWebhook === undefined ? [] : [`--apiserver-args=${auditWebhookArguments(auditWebhook).join(' ')}`]),
  ];
}

/** What the program prints on one line, as soon as it serves. */
interface Ready {
  readonly kubeconfig: string;
  readonly server: string;
  readonly dataDir: string;
}

async function untilReady(component: Component, signal: AbortSignal): Promise<Ready> {
  using aborted = whenAborted(signal);
  const line = await Promise.race([component.firstLine, aborted.promise]);
  if (line !== undefined) return decodeReady(line);

  const lines = component.lastErrors();
  throw new PlumbError('ControlPlaneFailed', ['the control plane ended before it was ready:', ...lines].join('\n'));
}

function decodeReady(line: string): Ready {
  const { server, kubeconfig, data } = decodeJson(line) ?? {};
  if (typeof server === 'string' && typeof kubeconfig === 'string' && typeof data === 'string') {
    return { server, kubeconfig, dataDir: data };
  }
  throw new PlumbError('ControlPlaneFailed', `the control plane printed an unknown line: ${line}`, {
    fix: 'Check that PLUMB_CONTROLPLANE names a binary of this version.',
  });
}

function whenAborted(signal: AbortSignal): Disposable & { readonly promise: Promise<never> } {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  promise.catch(() => {}); // told only to whom races against it
  return { promise, [Symbol.dispose]: () => signal.removeEventListener('abort', onAbort) };
}
