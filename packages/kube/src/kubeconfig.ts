import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { load } from 'js-yaml';
import { fieldAt, isJsonArray, isJsonObject, PlumbError, type Json, type JsonObject } from '@plumb/core';
import { execCommand, type ExecCommand } from './exec-command.ts';

/** One cluster and how to speak to it: what is left of a kubeconfig once a context is chosen and files are read. */
export interface ClusterConfig {
  /** Without a slash at the end; may hold a path: `https://rancher.example/k8s/clusters/c-1`. */
  readonly server: string;
  readonly context: string;
  /** The context's namespace; `default` where it names none. */
  readonly namespace: string;
  /** PEM. Without it the system's authorities count. */
  readonly ca?: string;
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
  readonly certificate?: ClientCertificate;
  readonly auth: ClusterAuth;
}

/** PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

export type ClusterAuth =
  | { readonly type: 'none' }
  | { readonly type: 'token'; readonly token: string }
  | { readonly type: 'token-file'; readonly path: string }
  | { readonly type: 'exec'; readonly command: ExecCommand };

export interface KubeconfigOptions {
  /** This file alone. Without it: the files of KUBECONFIG, then ~/.kube/config, then the Pod's service account. */
  readonly path?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Instead of the current context. */
  readonly context?: string | undefined;
  /** Where a Pod finds its service account; for tests. */
  readonly serviceAccountDir?: string | undefined;
  readonly signal: AbortSignal;
}

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** A file's entry by name, with the file it came from: relative paths in it start there, and errors name it. */
interface Entry {
  readonly file: string;
  readonly field: string;
  readonly value: JsonObject;
}

interface Kubeconfig {
  readonly files: readonly string[];
  readonly currentContext: string | undefined;
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
}

/**
 * Reads the kubeconfig by the rules of kubectl: several files are merged, the first to name an entry wins, paths are
 * relative to the file they stand in. Throws `KubeconfigMissing` where there is none, `KubeconfigInvalid` with file and
 * field where it cannot be used; switching off the check of certificates, passwords and the removed auth-providers are
 * refused.
 */
export async function loadKubeconfig(options: KubeconfigOptions): Promise<ClusterConfig> {
  const { env, signal } = options;
  const kubeconfig = await readKubeconfig(options);
  if (kubeconfig === undefined) {
    return inClusterConfig(env, options.serviceAccountDir ?? SERVICE_ACCOUNT_DIR, signal);
  }
  const name = options.context ?? kubeconfig.currentContext;
  if (name === undefined || name === '') {
    throw invalid(kubeconfig.files[0], 'current-context', 'no current context is set', 'Name one with --context.');
  }
  const context = kubeconfig.contexts.get(name);
  if (context === undefined) {
    const known = [...kubeconfig.contexts.keys()].sort().join(', ');
    throw new PlumbError('KubeconfigMissing', `${kubeconfig.files.join(', ')} has no context "${name}"`, {
      fix: known === '' ? undefined : `Use one of: ${known}.`,
    });
  }
  const cluster = named(kubeconfig.clusters, context, 'cluster');
  const user = named(kubeconfig.users, context, 'user');
  return clusterConfig(name, text(context, 'namespace') ?? 'default', cluster, user, env, signal);
}

async function clusterConfig(
  context: string,
  namespace: string,
  cluster: Entry | undefined,
  user: Entry | undefined,
  env: KubeconfigOptions['env'],
  signal: AbortSignal,
): Promise<ClusterConfig> {
  if (cluster === undefined) throw new PlumbError('KubeconfigInvalid', `context "${context}" names no cluster`);
  if (cluster.value['insecure-skip-tls-verify'] === true) {
    throw refused(cluster, 'insecure-skip-tls-verify', 'Plumb always checks the certificate of the API server', {
      fix: 'Set certificate-authority-data instead.',
    });
  }
  const server = serverUrl(cluster);
  const ca = await pem(cluster, 'certificate-authority', signal);
  const tlsServerName = text(cluster, 'tls-server-name');
  const proxyUrl = text(cluster, 'proxy-url');
  if (proxyUrl !== undefined && !/^https?:$/.test(parseUrl(cluster, 'proxy-url', proxyUrl).protocol)) {
    throw refused(cluster, 'proxy-url', 'only http and https proxies are supported');
  }
  const certificate = user === undefined ? undefined : await clientCertificate(user, signal);
  return {
    server,
    context,
    namespace,
    auth: user === undefined ? { type: 'none' } : userAuth(user, cluster, env, ca),
    ...(ca === undefined ? {} : { ca }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(certificate === undefined ? {} : { certificate }),
  };
}

function userAuth(user: Entry, cluster: Entry, env: KubeconfigOptions['env'], ca: string | undefined): ClusterAuth {
  for (const field of ['username', 'password'] as const) {
    if (user.value[field] !== undefined) throw refused(user, field, 'the API server no longer takes passwords');
  }
  if (user.value['auth-provider'] !== undefined) {
    throw refused(user, 'auth-provider', 'auth-providers were removed from Kubernetes', {
      fix: 'Let your cloud\'s command line write the user anew: it uses "exec" now.',
    });
  }
  for (const field of ['as', 'as-uid', 'as-groups', 'as-user-extra'] as const) {
    if (user.value[field] !== undefined) {
      throw refused(
        user,
        field,
        'a kubeconfig that impersonates is not supported: it would act with more rights than it says',
      );
    }
  }
  const exec = user.value['exec'];
  if (exec !== undefined && exec !== null) return { type: 'exec', command: readExec(user, exec, cluster, env, ca) };
  // As in kubectl, the file wins over the token: it is the one that is renewed.
  const tokenFile = text(user, 'tokenFile');
  if (tokenFile !== undefined) return { type: 'token-file', path: besides(user.file, tokenFile) };
  const token = text(user, 'token');
  return token === undefined ? { type: 'none' } : { type: 'token', token };
}

function readExec(
  user: Entry,
  exec: Json,
  cluster: Entry,
  env: KubeconfigOptions['env'],
  ca: string | undefined,
): ExecCommand {
  const read = execCommand(exec, { dir: dirname(user.file), env });
  if ('problem' in read) throw refused(user, `exec.${read.field}`, read.problem);
  if (!read.command.provideClusterInfo) return read.command;
  const extensions = cluster.value['extensions'];
  const config = isJsonArray(extensions)
    ? extensions.find((extension) => fieldAt(extension, 'name') === 'client.authentication.k8s.io/exec')
    : undefined;
  return {
    ...read.command,
    clusterInfo: {
      server: serverUrl(cluster),
      ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
      ...(text(cluster, 'tls-server-name') === undefined
        ? {}
        : { 'tls-server-name': text(cluster, 'tls-server-name') }),
      ...(config === undefined ? {} : { config: fieldAt(config, 'extension') }),
    },
  };
}

async function clientCertificate(user: Entry, signal: AbortSignal): Promise<ClientCertificate | undefined> {
  const cert = await pem(user, 'client-certificate', signal);
  const key = await pem(user, 'client-key', signal);
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw refused(user, 'client-certificate-data', 'there is a key but no certificate');
  if (key === undefined) throw refused(user, 'client-key-data', 'there is a certificate but no key');
  return { cert, key };
}

function serverUrl(cluster: Entry): string {
  const server = text(cluster, 'server');
  if (server === undefined) throw refused(cluster, 'server', 'the cluster has no server');
  const url = parseUrl(cluster, 'server', server);
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw refused(cluster, 'server', 'credentials are sent over https only', { fix: 'Use an https:// address.' });
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw refused(cluster, 'server', 'the address may hold a host, a port and a path only');
  }
  return url.href.replace(/\/+$/, '');
}

function parseUrl(entry: Entry, field: string, value: string): URL {
  const url = URL.parse(value);
  if (url === null) throw refused(entry, field, 'this is no URL');
  return url;
}

/** A Pod's own service account. The token is read anew as the kubelet renews it. */
async function inClusterConfig(
  env: KubeconfigOptions['env'],
  dir: string,
  signal: AbortSignal,
): Promise<ClusterConfig> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) throw new PlumbError('KubeconfigMissing', 'there is no kubeconfig, and this is no Pod');
  const namespace = await readOptional(join(dir, 'namespace'), signal);
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    context: 'in-cluster',
    namespace: namespace?.trim() ?? 'default',
    ca: await readNamed(join(dir, 'ca.crt'), signal),
    auth: { type: 'token-file', path: join(dir, 'token') },
  };
}

async function readKubeconfig(options: KubeconfigOptions): Promise<Kubeconfig | undefined> {
  const { path, env, signal } = options;
  const list = env['KUBECONFIG']?.split(delimiter).filter((file) => file !== '') ?? [];
  const home = env['HOME'] ?? env['USERPROFILE'] ?? homedir();
  const files = path !== undefined ? [path] : list.length > 0 ? list : [join(home, '.kube', 'config')];
  const documents: Entry[] = [];
  for (const name of files) {
    const file = resolve(name);
    const content = path === undefined ? await readOptional(file, signal) : await readNamed(file, signal);
    if (content !== undefined) documents.push({ file, field: '', value: parseFile(file, content) });
  }
  if (documents.length === 0) {
    if (list.length === 0) return undefined;
    throw new PlumbError('KubeconfigMissing', `KUBECONFIG names ${list.join(', ')}, which does not exist`);
  }
  const current = documents.map((document) => text(document, 'current-context')).find((name) => name !== undefined);
  return {
    files: documents.map(({ file }) => file),
    currentContext: current,
    clusters: merged(documents, 'clusters', 'cluster'),
    contexts: merged(documents, 'contexts', 'context'),
    users: merged(documents, 'users', 'user'),
  };
}

function parseFile(file: string, content: string): JsonObject {
  let value: unknown;
  try {
    value = load(content, { filename: file });
  } catch (cause) {
    // The parser's message shows the lines around the error, and those may hold a token.
    const line = fieldAt(cause, 'mark', 'line');
    throw new PlumbError('KubeconfigInvalid', `${file} is not valid YAML`, {
      where: { file, ...(typeof line === 'number' ? { line: line + 1 } : {}) },
    });
  }
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw invalid(file, '', 'the file is no mapping');
  return value;
}

function merged(documents: readonly Entry[], list: string, item: string): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { file, value } of documents) {
    const items = value[list] ?? [];
    if (!Array.isArray(items)) throw invalid(file, list, 'this is no list');
    for (const [index, entry] of items.entries()) {
      const name = fieldAt(entry, 'name');
      const body = fieldAt(entry, item) ?? {};
      if (typeof name !== 'string') throw invalid(file, `${list}[${index}].name`, 'the entry has no name');
      if (!isJsonObject(body)) throw invalid(file, `${list}[${index}].${item}`, 'this is no mapping');
      if (!entries.has(name)) entries.set(name, { file, field: `${list}[name="${name}"].${item}`, value: body });
    }
  }
  return entries;
}

function named(entries: ReadonlyMap<string, Entry>, context: Entry, field: 'cluster' | 'user'): Entry | undefined {
  const name = text(context, field);
  if (name === undefined) return undefined;
  const entry = entries.get(name);
  if (entry === undefined) throw refused(context, field, `there is no ${field} "${name}"`);
  return entry;
}

/** The value of a field that stands there itself (`…-data`, base64) or in a file. */
async function pem(entry: Entry, field: string, signal: AbortSignal): Promise<string | undefined> {
  const data = text(entry, `${field}-data`);
  if (data !== undefined) {
    const decoded = Buffer.from(data, 'base64').toString('utf8');
    if (!decoded.includes('-----BEGIN')) throw refused(entry, `${field}-data`, 'this is no base64 of a PEM text');
    return decoded;
  }
  const path = text(entry, field);
  if (path === undefined) return undefined;
  const file = besides(entry.file, path);
  const content = await readOptional(file, signal);
  if (content === undefined) throw refused(entry, field, `${file} does not exist`);
  return content;
}

function text(entry: Entry, field: string): string | undefined {
  const value = entry.value[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw refused(entry, field, 'this is no text');
  return value;
}

function besides(file: string, path: string): string {
  return isAbsolute(path) ? path : resolve(dirname(file), path);
}

async function readNamed(file: string, signal: AbortSignal): Promise<string> {
  const content = await readOptional(file, signal);
  if (content === undefined) throw new PlumbError('KubeconfigMissing', `${file} does not exist`, { where: { file } });
  return content;
}

async function readOptional(file: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await readFile(file, { encoding: 'utf8', signal });
  } catch (cause) {
    const code = fieldAt(cause, 'code');
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (signal.aborted) throw cause;
    throw new PlumbError('KubeconfigInvalid', `${file} cannot be read (${String(code)})`, { where: { file }, cause });
  }
}

function refused(entry: Entry, field: string, problem: string, options: { readonly fix?: string } = {}): PlumbError {
  return invalid(entry.file, `${entry.field}.${field}`, problem, options.fix);
}

function invalid(file: string | undefined, field: string, problem: string, fix?: string): PlumbError {
  const place = [file, field].filter((part) => part !== undefined && part !== '').join(': ');
  return new PlumbError('KubeconfigInvalid', `${place}: ${problem}`, {
    where: file === undefined ? undefined : { file },
    field: field === '' ? undefined : field,
    fix,
  });
}
