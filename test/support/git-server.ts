import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a file becomes in a commit: text, bytes, another mode, or removed. */
export type FileChange =
  | string
  | Uint8Array
  | null
  | { readonly mode: '100644' | '100755' | '120000' | '160000'; readonly content: string };

export interface CommitOptions {
  readonly message?: string;
  /** Default `main`. */
  readonly branch?: string;
  readonly author?: { readonly name: string; readonly email: string };
  /** Seconds since the epoch; default now. */
  readonly time?: number;
  /** Starts the branch anew, without a parent: what a force push looks like. */
  readonly orphan?: boolean;
}

export type GitServerFault = 'unauthorized' | 'not-found' | 'error-500' | 'empty' | 'truncated' | 'hang' | undefined;

export interface GitServerOptions {
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal;
  /** Asks every request for HTTP basic authentication. */
  readonly user?: string;
  readonly password?: string;
  /** Serves HTTPS with a certificate of its own authority: see `caPem`. */
  readonly tls?: boolean;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Parent of the repositories; default a temporary folder that is removed on dispose. */
  readonly folder?: string;
  /** Called after a branch or tag was moved by a push or by `commit`. `sha` is undefined where it was deleted. */
  readonly onPush?: (repository: string, ref: string, sha: string | undefined) => void;
}

/** Real bare repositories served over smart HTTP by `git http-backend` on loopback. Anyone who can read may push. */
export interface GitServer extends AsyncDisposable {
  /** Set it to make every following request fail in this way. */
  fault: GitServerFault;
  /** Requests answered so far. */
  readonly requests: number;
  /** The authority that signed the certificate, where `tls` is on. */
  readonly caPem: string | undefined;
  readonly port: number;
  url(repository: string): string;
  /** The bare repository's folder. */
  folder(repository: string): string;
  /** Creates an empty repository and returns its URL. */
  create(repository: string, options?: { readonly objectFormat?: 'sha1' | 'sha256' }): Promise<string>;
  /** Commits on top of the branch without a working copy and returns the commit id. */
  commit(
    repository: string,
    files: Readonly<Record<string, FileChange>>,
    options?: CommitOptions | string,
  ): Promise<string>;
  /** Runs git inside the bare repository and returns what it printed. */
  git(repository: string, args: readonly string[], input?: string | Uint8Array): Promise<string>;
}

export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  await using cleanup = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), 'plumb-git-server-'));
  cleanup.defer(() => rm(root, { recursive: true, force: true }));
  const repositories = options.folder ?? join(root, 'repositories');
  const children = new Set<ChildProcess>();
  const certificate = options.tls === true ? await selfSigned(root) : undefined;
  const authorization = options.password === undefined ? undefined : basic(options.user ?? '', options.password);
  let fault: GitServerFault;
  let requests = 0;

  function refsOf(repository: string): Promise<string> {
    return run(['for-each-ref', '--format=%(refname) %(objectname)'], join(repositories, repository));
  }

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    requests++;
    const refused = refusal(request);
    if (refused === 'hang') return;
    if (refused !== undefined) {
      request.resume();
      response.writeHead(refused, refused === 401 ? { 'www-authenticate': 'Basic realm="git"' } : emptyAnswer(request));
      response.end();
      return;
    }
    const repository = /^\/([\w.-]+)\/git-receive-pack$/.exec(request.url ?? '')?.[1];
    const before = repository === undefined || !options.onPush ? undefined : await refsOf(repository);
    await serve(request, response, repositories, children, fault === 'truncated' ? TRUNCATED_BYTES : Infinity);
    if (repository !== undefined && before !== undefined) announce(repository, before, await refsOf(repository));
  }

  function refusal(request: http.IncomingMessage): number | 'hang' | undefined {
    if (fault === 'hang') return 'hang';
    if (fault === 'unauthorized') return 401;
    if (fault === 'not-found') return 404;
    if (fault === 'error-500') return 500;
    if (fault === 'empty') return 200;
    return authorization === undefined || sameText(request.headers.authorization ?? '', authorization)
      ? undefined
      : 401;
  }

  function announce(repository: string, before: string, after: string): void {
    const old = parseRefs(before);
    const now = parseRefs(after);
    for (const ref of new Set([...old.keys(), ...now.keys()])) {
      if (old.get(ref) !== now.get(ref)) options.onPush?.(repository, ref, now.get(ref));
    }
  }

  function onRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  }

  const listener = certificate
    ? https.createServer({ key: certificate.key, cert: certificate.cert }, onRequest)
    : http.createServer(onRequest);
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  cleanup.defer(async () => {
    for (const child of children) child.kill('SIGKILL');
    const closed = new Promise((resolve) => listener.close(resolve));
    listener.closeAllConnections();
    await closed;
  });
  const { port } = listener.address() as AddressInfo;
  const owned = cleanup.move();
  const server: GitServer = {
    get fault() {
      return fault;
    },
    set fault(value) {
      fault = value;
    },
    get requests() {
      return requests;
    },
    caPem: certificate?.caPem,
    port,
    url: (repository) => `${certificate ? 'https' : 'http'}://127.0.0.1:${port}/${repository}`,
    folder: (repository) => join(repositories, repository),
    async create(repository, { objectFormat = 'sha1' } = {}) {
      const folder = join(repositories, repository);
      await run(['init', '-q', '--bare', '-b', 'main', `--object-format=${objectFormat}`, '--', folder], undefined);
      await writeFile(
        join(folder, 'config'),
        `${await readFile(join(folder, 'config'), 'utf8')}[http]\n\treceivepack = true\n[uploadpack]\n\tallowFilter = true\n[gc]\n\tauto = 0\n[receive]\n\tautogc = false\n`,
      );
      return server.url(repository);
    },
    async commit(repository, files, given = {}) {
      const commitOptions = typeof given === 'string' ? { message: given } : given;
      const ref = `refs/heads/${commitOptions.branch ?? 'main'}`;
      const folder = join(repositories, repository);
      const parent = commitOptions.orphan
        ? ''
        : await run(['for-each-ref', '--format=%(objectname)', '--', ref], folder);
      const sha = await run(
        ['fast-import', '--quiet', '--force'],
        folder,
        importStream(ref, parent, files, commitOptions),
      );
      options.onPush?.(repository, ref, sha);
      return sha;
    },
    git: (repository, args, input) => run(args, join(repositories, repository), input),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  options.signal?.addEventListener('abort', () => void owned.disposeAsync(), { once: true });
  return server;
}

/** What a truncated answer has left of its body. */
const TRUNCATED_BYTES = 20;

/** One request through the CGI program, as any web server would run it. */
async function serve(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  root: string,
  children: Set<ChildProcess>,
  limit: number,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...gitEnvironment(),
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'git',
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  children.add(child);
  child.stdin.on('error', () => {});
  request.pipe(child.stdin);
  response.on('close', () => child.kill('SIGKILL'));
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (head === undefined) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    writeHead(response, head.subarray(0, end).toString('latin1'));
    if (head.length > end + 4) response.write(head.subarray(end + 4, end + 4 + limit));
    head = undefined;
    if (limit !== Infinity) break;
  }
  children.delete(child);
  if (head !== undefined) response.writeHead(500);
  await new Promise<void>((resolve) => response.end(resolve));
}

function writeHead(response: http.ServerResponse, text: string): void {
  const headers = text.split('\r\n').map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const status = headers.find(([name]) => name === 'status')?.[1];
  response.writeHead(
    status === undefined ? 200 : Number.parseInt(status, 10),
    Object.fromEntries(headers.filter(([name]) => name !== 'status')),
  );
}

/** The headers of a server that says yes and then nothing. */
function emptyAnswer(request: http.IncomingMessage): Record<string, string> {
  const service = new URL(request.url ?? '/', 'http://localhost').searchParams.get('service');
  return {
    'content-type':
      service === null ? 'application/x-git-upload-pack-result' : `application/x-${service}-advertisement`,
  };
}

/** https://git-scm.com/docs/git-fast-import#_input_format; `get-mark` makes it print the commit id. */
function importStream(
  ref: string,
  parent: string,
  files: Readonly<Record<string, FileChange>>,
  options: CommitOptions,
): Buffer {
  const { name, email } = options.author ?? { name: 'Test Author', email: 'author@example.com' };
  const who = `${name} <${email}> ${options.time ?? Math.floor(Date.now() / 1000)} +0000`;
  const parts: (string | Uint8Array)[] = [
    parent === '' && options.orphan ? `reset ${ref}\n` : '',
    `commit ${ref}\nmark :1\nauthor ${who}\ncommitter ${who}\n`,
    ...block(options.message ?? 'Change'),
    parent === '' ? '' : `from ${parent}\n`,
  ];
  for (const [path, change] of Object.entries(files)) {
    const quoted = `"${path.replaceAll(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
    if (change === null) {
      parts.push(`D ${quoted}\n`);
      continue;
    }
    const { mode, content } =
      typeof change === 'string' || change instanceof Uint8Array ? { mode: '100644', content: change } : change;
    if (mode === '160000') parts.push(`M ${mode} ${String(content)} ${quoted}\n`);
    else parts.push(`M ${mode} inline ${quoted}\n`, ...block(content));
  }
  parts.push('\nget-mark :1\n');
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

function block(content: string | Uint8Array): (string | Uint8Array)[] {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return [`data ${bytes.length}\n`, bytes, '\n'];
}

function parseRefs(text: string): Map<string, string> {
  const lines = text === '' ? [] : text.split('\n');
  return new Map(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );
}

async function run(args: readonly string[], folder: string | undefined, input?: string | Uint8Array): Promise<string> {
  const where = folder === undefined ? [] : ['--git-dir', folder];
  return output('git', [...where, ...args], input);
}

async function output(program: string, args: readonly string[], input?: string | Uint8Array): Promise<string> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: gitEnvironment() });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return Buffer.concat(stdout).toString().trimEnd();
  throw new Error(`${program} ${args.join(' ')}: ${Buffer.concat(stderr).toString().trim()}`);
}

/** Nothing of the person's own settings. */
function gitEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function sameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/** A new authority and a certificate of it for 127.0.0.1 and localhost. */
async function selfSigned(folder: string): Promise<{ key: string; cert: string; caPem: string }> {
  const at = (name: string): string => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await output('openssl', [
    ...['req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', at('ca.crt'), '-days', '30'],
    ...['-subj', '/CN=plumb test authority', '-addext', 'keyUsage=critical,keyCertSign'],
  ]);
  await output('openssl', [
    ...['req', '-x509', ...newKey, '-keyout', at('server.key'), '-out', at('server.crt'), '-days', '30'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE', '-CA', at('ca.crt'), '-CAkey', at('ca.key')],
  ]);
  const [key, cert, caPem] = await Promise.all(
    ['server.key', 'server.crt', 'ca.crt'].map((name) => readFile(at(name), 'utf8')),
  );
  if (key === undefined || cert === undefined || caPem === undefined) throw new Error('openssl wrote no certificate');
  return { key, cert, caPem };
}

/** The newest commits of the branches of a repository that a Git server has, as they are when they are asked for. */
export function branchHeads(
  git: Pick<GitServer, 'folder'>,
  repository: string,
): { get(name: string): string | undefined } {
  return {
    get(name) {
      try {
        // A branch that was pushed just now is a file of its own.
        return readFileSync(join(git.folder(repository), 'refs', 'heads', name), 'utf8').trim();
      } catch {
        return undefined;
      }
    },
  };
}
