import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlumbError } from '@plumb/core';
import type { Cluster, ClusterOptions } from './cluster.ts';
import { startComponent, type Component } from './component.ts';

const START_LIMIT_MS = 60_000;
const POLL_MS = 100;

/**
 * A cluster of the binaries in a folder, as envtest of the Kubebuilder project lays them out: `etcd`, `kube-apiserver` and,
 * where present, `kube-controller-manager`. It has no nodes: Deployments get Pods that stay Pending, or none at all.
 */
export async function startKubebuilderCluster(assets: string, options: ClusterOptions): Promise<Cluster> {
  const { signal } = options;
  for (const name of ['etcd', 'kube-apiserver']) {
    if (await exists(join(assets, name))) continue;
    throw new PlumbError('PrerequisiteMissing', `KUBEBUILDER_ASSETS names ${assets}, which holds no ${name}`, {
      fix: 'Name a folder with etcd and kube-apiserver, or unset KUBEBUILDER_ASSETS to have a control plane built.',
    });
  }
  await using started = new AsyncDisposableStack();
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'controlplane-')));
  if (options.dataDir === undefined) started.defer(async () => await rm(dataDir, { recursive: true, force: true }));
  const layout: Layout = {
    dataDir,
    apiPort: options.port ?? (await freePort(await lastPort(dataDir))),
    etcdPort: await freePort(),
    etcdPeerPort: await freePort(),
    controllers: await exists(join(assets, 'kube-controller-manager')),
    auditLog: options.auditLog,
    auditWebhook: options.auditWebhook,
  };
  const token = await writeFiles(layout);
  const start = async (name: string, args: readonly string[]): Promise<Component> => {
    const component = started.use(await startComponent(join(assets, name), args));
    // These programs do not watch their standard input, so they would outlive a process that does not dispose them.
    const kill = (): boolean => process.kill(component.pid);
    process.once('exit', kill);
    void component.exited.then(() => process.off('exit', kill));
    return component;
  };

  const components = [
    await start('etcd', etcdArguments(layout)),
    await start('kube-apiserver', apiServerArguments(layout)),
  ];
  const until = async (path: string): Promise<void> => await untilFound(path, layout, token, components, options);
  await until('/readyz');
  const certificate = await readFile(certificateOf(layout));
  const kubeconfig = join(dataDir, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf(serverOf(layout), certificate, token), { mode: 0o600 });
  if (layout.controllers) {
    components.push(await start('kube-controller-manager', controllerManagerArguments(layout)));
    // The controllers work once this is there, and no Pod can be made before.
    await until('/api/v1/namespaces/default/serviceaccounts/default');
  }
  signal.throwIfAborted();
  for (const component of components) component.unref();
  const stop = started.move();
  return {
    kubeconfig,
    server: serverOf(layout),
    pid: components[1]?.pid ?? 0,
    dataDir,
    exited: Promise.race(components.map((component) => component.exited)),
    [Symbol.asyncDispose]: async () => await stop.disposeAsync(),
  };
}

/** Where the parts of one such cluster are. */
export interface Layout {
  readonly dataDir: string;
  readonly apiPort: number;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  /** Whether kube-controller-manager runs. */
  readonly controllers: boolean;
  readonly auditLog: string | undefined;
  readonly auditWebhook?: string | undefined;
}

export function etcdArguments({ dataDir, etcdPort, etcdPeerPort }: Layout): string[] {
  const client = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${etcdPeerPort}`;
  return [
    `--data-dir=${join(dataDir, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync=true',
  ];
}

export function apiServerArguments(layout: Layout): string[] {
  const { dataDir, apiPort, etcdPort, controllers, auditLog, auditWebhook } = layout;
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${apiPort}`,
    // Endpoints may not hold loopback addresses, so the "kubernetes" Service gets none.
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    `--cert-dir=${join(dataDir, 'certs')}`,
    `--token-auth-file=${join(dataDir, 'tokens.csv')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(dataDir, 'sa.key')}`,
    `--service-account-signing-key-file=${join(dataDir, 'sa.key')}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
    // A stop ends open watches at once; by default it waits up to a minute for clients to let go of them.
    '--shutdown-send-retry-after=true',
    '--shutdown-watch-termination-grace-period=500ms',
    // Without controllers nobody makes the ServiceAccount that this plug-in asks of every Pod.
    ...(controllers ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...(auditLog === undefined
      ? []
      : [`--audit-log-path=${auditLog}`, `--audit-policy-file=${join(dataDir, 'audit-policy.json')}`]),
    ...(auditWebhook === undefined ? [] : auditWebhookArguments(auditWebhook)),
  ];
}

/** Sent soon, since somebody waits for them. */
export function auditWebhookArguments(kubeconfig: string): readonly string[] {
  return [`--audit-webhook-config-file=${kubeconfig}`, '--audit-webhook-batch-max-wait=100ms'];
}

export function controllerManagerArguments({ dataDir }: Layout): string[] {
  return [
    `--kubeconfig=${join(dataDir, 'kubeconfig')}`,
    '--leader-elect=false',
    '--secure-port=0',
    `--service-account-private-key-file=${join(dataDir, 'sa.key')}`,
    `--root-ca-file=${certificateOf({ dataDir })}`,
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ];
}

/** A kubeconfig with a bearer token; JSON, which is YAML too. */
export function kubeconfigOf(server: string, certificate: Buffer, token: string): string {
  const name = 'controlplane';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': certificate.toString('base64') } }],
    contexts: [{ name, context: { cluster: name, user: 'admin' } }],
    users: [{ name: 'admin', user: { token } }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** What the API server makes for itself: its certificate, and after it the authority that signed it. */
function certificateOf({ dataDir }: Pick<Layout, 'dataDir'>): string {
  return join(dataDir, 'certs', 'apiserver.crt');
}

function serverOf({ apiPort }: Layout): string {
  return `https://127.0.0.1:${apiPort}`;
}

/** Writes what the programs read, keeping the keys of an earlier start, and answers the admin's token. */
async function writeFiles({ dataDir, apiPort }: Layout): Promise<string> {
  const file = (name: string): string => join(dataDir, name);
  const secret = { mode: 0o600 };
  await mkdir(file('certs'), { recursive: true, mode: 0o700 });
  if (!(await exists(file('admin.token')))) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(file('sa.key'), privateKey.export({ type: 'sec1', format: 'pem' }), secret);
    await writeFile(file('admin.token'), randomBytes(24).toString('hex'), secret);
  }
  await writeFile(file('port'), String(apiPort));
  const token = await readFile(file('admin.token'), 'utf8');
  await writeFile(file('tokens.csv'), `${token},kubernetes-admin,kubernetes-admin,system:masters\n`, secret);
  const writes = { level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] };
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [writes, { level: 'None' }],
  };
  await writeFile(file('audit-policy.json'), JSON.stringify(policy));
  return token;
}

/** Waits until the API server answers 200 to a GET of `path`. `ControlPlaneFailed` when a program ends, or after a minute. */
async function untilFound(
  path: string,
  layout: Layout,
  token: string,
  components: readonly Component[],
  { signal, clock }: ClusterOptions,
): Promise<void> {
  let ended = false;
  for (const { exited } of components) void exited.then(() => (ended = true));
  const deadline = clock.monotonic() + START_LIMIT_MS;
  for (; clock.monotonic() < deadline && !ended; await clock.sleep(POLL_MS, { signal })) {
    // There from the moment on that the API server has made it.
    const certificate = await readFile(certificateOf(layout)).catch(() => undefined);
    if (certificate === undefined) continue;
    if (await isFound(`${serverOf(layout)}${path}`, certificate, token)) return;
  }
  const lines = components.flatMap((component) => component.lastErrors());
  throw new PlumbError(
    'ControlPlaneFailed',
    ['the binaries of KUBEBUILDER_ASSETS did not start:', ...lines].join('\n'),
  );
}

async function isFound(url: string, ca: Buffer, token: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const request = get(url, { ca, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}

/** The port of the last start on this data, so that kubeconfigs stay good; 0: there was none. */
async function lastPort(dataDir: string): Promise<number> {
  return Number(await readFile(join(dataDir, 'port'), 'utf8').catch(() => '0'));
}

/** A port that was free a moment ago, `wanted` if it is: the programs cannot be handed an open socket. */
async function freePort(wanted = 0): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (wanted === 0) throw error;
    return await freePort();
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new PlumbError('Internal', 'a server has no port');
  return address.port;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
