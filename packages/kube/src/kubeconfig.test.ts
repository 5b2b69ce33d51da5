import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { CLIENT_CERT, CLIENT_KEY, TEST_CA } from '@plumb/test-support';
import { loadKubeconfig } from './kubeconfig.ts';

const { signal } = new AbortController();
let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plumb-kubeconfig-'));
});
after(() => rm(dir, { recursive: true }));

test('reads server, authority, certificate and namespace of the current context', async () => {
  const path = await file(
    'full',
    kubeconfig({ user: { 'client-certificate-data': base64(CLIENT_CERT), 'client-key-data': base64(CLIENT_KEY) } }),
  );

  const config = await loadKubeconfig({ path, env: {}, signal });

  assert.deepEqual(config, {
    server: 'https://api.test:6443',
    context: 'here',
    namespace: 'shop',
    ca: TEST_CA,
    certificate: { cert: CLIENT_CERT, key: CLIENT_KEY },
    auth: { type: 'none' },
  });
});

test('finds files beside the kubeconfig that names them', async () => {
  await file('sub/ca.crt', TEST_CA);
  await file('sub/token', 'secret');
  const path = await file(
    'sub/config',
    kubeconfig({
      cluster: { 'certificate-authority-data': undefined, 'certificate-authority': 'ca.crt' },
      user: { tokenFile: 'token' },
    }),
  );

  const config = await loadKubeconfig({ path, env: {}, signal });

  assert.equal(config.ca, TEST_CA);
  assert.deepEqual(config.auth, { type: 'token-file', path: join(dir, 'sub/token') });
});

test('merges the files of KUBECONFIG: the first to name something wins, missing files do not matter', async () => {
  const one = await file('one', kubeconfig({ user: { token: 'one' } }));
  const two = await file('two', kubeconfig({ user: { token: 'two' }, context: 'there' }));
  const KUBECONFIG = [join(dir, 'missing'), one, two].join(delimiter);

  const current = await loadKubeconfig({ env: { KUBECONFIG }, signal });
  const other = await loadKubeconfig({ env: { KUBECONFIG }, context: 'there', signal });

  assert.equal(current.context, 'here');
  assert.equal(other.context, 'there');
  assert.deepEqual(other.auth, { type: 'token', token: 'one' });
});

test('falls back to the file in the home directory', async () => {
  await file('home/.kube/config', kubeconfig({ user: { token: 'home' } }));

  const config = await loadKubeconfig({ env: { HOME: join(dir, 'home') }, signal });

  assert.deepEqual(config.auth, { type: 'token', token: 'home' });
});

test('falls back to the service account of a Pod', async () => {
  await file('sa/ca.crt', TEST_CA);
  await file('sa/namespace', 'plumb-system\n');
  const env = { HOME: join(dir, 'nowhere'), KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  const config = await loadKubeconfig({ env, serviceAccountDir: join(dir, 'sa'), signal });

  assert.deepEqual(config, {
    server: 'https://[fd00::1]:443',
    context: 'in-cluster',
    namespace: 'plumb-system',
    ca: TEST_CA,
    auth: { type: 'token-file', path: join(dir, 'sa/token') },
  });
});

test('says what is missing: any file, the named file, the named context', async () => {
  const path = await file('contexts', kubeconfig({}));

  await assert.rejects(loadKubeconfig({ env: { HOME: join(dir, 'nowhere') }, signal }), { code: 'KubeconfigMissing' });
  await assert.rejects(loadKubeconfig({ env: { KUBECONFIG: join(dir, 'x') }, signal }), { code: 'KubeconfigMissing' });
  await assert.rejects(loadKubeconfig({ path: join(dir, 'x'), env: {}, signal }), { code: 'KubeconfigMissing' });
  await assert.rejects(loadKubeconfig({ path, env: {}, context: 'no', signal }), {
    code: 'KubeconfigMissing',
    fix: 'Use one of: here.',
  });
});

const REFUSED: readonly (readonly [string, Parts, string])[] = [
  [
    'a certificate that is not checked',
    { cluster: { 'insecure-skip-tls-verify': true } },
    'clusters[name="c"].cluster.insecure-skip-tls-verify',
  ],
  ['credentials in the clear', { cluster: { server: 'http://api.test' } }, 'clusters[name="c"].cluster.server'],
  ['a server that is no URL', { cluster: { server: 'api.test' } }, 'clusters[name="c"].cluster.server'],
  ['a password', { user: { username: 'a', password: 'b' } }, 'users[name="u"].user.username'],
  ['an auth-provider', { user: { 'auth-provider': { name: 'gcp' } } }, 'users[name="u"].user.auth-provider'],
  ['acting as another', { user: { token: 'x', as: 'root' } }, 'users[name="u"].user.as'],
  [
    'a key without certificate',
    { user: { 'client-key-data': base64(CLIENT_KEY) } },
    'users[name="u"].user.client-certificate-data',
  ],
  [
    'an authority that is no PEM',
    { cluster: { 'certificate-authority-data': 'aGVsbG8=' } },
    'clusters[name="c"].cluster.certificate-authority-data',
  ],
  ['a proxy of an unknown kind', { cluster: { 'proxy-url': 'socks5://x' } }, 'clusters[name="c"].cluster.proxy-url'],
  [
    'a plug-in of an old version',
    { user: { exec: { command: 'x', apiVersion: 'client.authentication.k8s.io/v1alpha1' } } },
    'users[name="u"].user.exec.apiVersion',
  ],
  [
    'a plug-in that always asks',
    { user: { exec: { command: 'x', apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Always' } } },
    'users[name="u"].user.exec.interactiveMode',
  ],
];

for (const [index, [name, parts, field]] of REFUSED.entries()) {
  test(`refuses ${name} and names file and field`, async () => {
    const path = await file(`refused-${index}`, kubeconfig(parts));

    await assert.rejects(loadKubeconfig({ path, env: {}, signal }), {
      code: 'KubeconfigInvalid',
      field,
      where: { file: path },
    });
  });
}

test('shows nothing of a broken file, which may hold a token', async () => {
  const path = await file('broken', 'users:\n- user: {token: hunter2\n  name: "x');

  const error = await loadKubeconfig({ path, env: {}, signal }).catch((thrown: unknown) => thrown);

  assert.ok(error instanceof Error);
  assert.doesNotMatch(`${error.message} ${error.stack} ${String(error.cause)}`, /hunter2/);
});

test('finds a plug-in beside the kubeconfig, or by its name in PATH', async () => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    args: ['get-token'],
    env: [{ name: 'REGION', value: 'eu' }],
  };
  const beside = await file('plug/one', kubeconfig({ user: { exec: { ...exec, command: './login' } } }));
  const named = await file('plug/two', kubeconfig({ user: { exec: { ...exec, command: 'aws' } } }));

  const [one, two] = await Promise.all(
    [beside, named].map((path) => loadKubeconfig({ path, env: { PATH: '/bin' }, signal })),
  );

  assert.ok(one?.auth.type === 'exec' && two?.auth.type === 'exec');
  assert.equal(one.auth.command.command, join(dir, 'plug/login'));
  assert.equal(two.auth.command.command, 'aws');
  assert.deepEqual(two.auth.command.args, ['get-token']);
  assert.deepEqual(two.auth.command.env, { PATH: '/bin', REGION: 'eu' });
});

interface Parts {
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
  readonly context?: string;
}

function kubeconfig(parts: Parts): string {
  const context = parts.context ?? 'here';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    clusters: [
      {
        name: 'c',
        cluster: { server: 'https://api.test:6443/', 'certificate-authority-data': base64(TEST_CA), ...parts.cluster },
      },
    ],
    users: [{ name: 'u', user: parts.user ?? {} }],
    contexts: [{ name: context, context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

async function file(name: string, content: string): Promise<string> {
  const path = join(dir, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}
