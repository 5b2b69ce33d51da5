import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ManualClock } from '@plumb/test-support';
import { openCredentials } from './credentials.ts';
import type { ExecCommand } from './exec-command.ts';
import type { ClusterAuth, ClusterConfig } from './kubeconfig.ts';

const { signal } = new AbortController();
let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plumb-credentials-'));
});
after(() => rm(dir, { recursive: true }));

test('runs a plug-in once for all who ask at the same time, and keeps what it gave until shortly before its end', async () => {
  const clock = new ManualClock();
  const plugin = await startPlugin('cached', clock.now() + 600_000);
  const credentials = openCredentials(config(plugin.auth), clock, signal);

  const first = await Promise.all([1, 2, 3].map(async () => credentials.current({ signal })));
  clock.advance(560_000);
  const later = await credentials.current({ signal });
  clock.advance(20_000);
  const renewed = await credentials.current({ signal });

  assert.deepEqual(new Set(first.map(({ authorization }) => authorization)), new Set(['Bearer token-1']));
  assert.equal(later.authorization, 'Bearer token-1');
  assert.equal(renewed.authorization, 'Bearer token-2');
});

test('runs a plug-in again when its credential is refused, once for all that were refused', async () => {
  const clock = new ManualClock();
  const plugin = await startPlugin('refused');
  const credentials = openCredentials(config(plugin.auth), clock, signal);
  const refused = await credentials.current({ signal });

  const worthwhile = await Promise.all([1, 2].map(() => credentials.renew(refused, { signal })));
  const late = await credentials.renew(refused, { signal });

  assert.deepEqual([...worthwhile, late], [true, true, true]);
  assert.equal((await credentials.current({ signal })).authorization, 'Bearer token-2');
});

test('tells a plug-in its version and the cluster, and that there is no terminal', async () => {
  const plugin = await startPlugin('info');
  const command: ExecCommand = {
    ...plugin.command,
    provideClusterInfo: true,
    clusterInfo: { server: 'https://api.test' },
  };

  await openCredentials(config({ type: 'exec', command }), new ManualClock(), signal).current({ signal });

  assert.deepEqual(JSON.parse(await readFile(join(dir, 'info.info'), 'utf8')), {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server: 'https://api.test' } },
  });
});

test('says what a failing plug-in wrote to standard error, and nothing of its output', async () => {
  const path = await script(
    'failing',
    'process.stdout.write("hunter2"); process.stderr.write("login expired"); process.exit(1);',
  );
  const credentials = openCredentials(config(exec(path)), new ManualClock(), signal);

  await assert.rejects(async () => credentials.current({ signal }), {
    code: 'ClusterUnauthorized',
    message: `credential plug-in ${path}: login expired`,
  });
});

test('says how to install a plug-in that is missing', async () => {
  const auth = exec(join(dir, 'missing'));
  assert.ok(auth.type === 'exec');
  const command = { ...auth.command, installHint: 'brew install login' };
  const credentials = openCredentials(config({ type: 'exec', command }), new ManualClock(), signal);

  await assert.rejects(async () => credentials.current({ signal }), {
    code: 'ClusterUnauthorized',
    fix: 'brew install login',
  });
});

test('refuses the output of a plug-in that is no credential of its version', async () => {
  for (const [index, output] of ['hunter2', '{}', '{"kind":"ExecCredential","apiVersion":"x"}'].entries()) {
    const path = await script(`output-${index}`, `process.stdout.write(${JSON.stringify(output)});`);
    const credentials = openCredentials(config(exec(path)), new ManualClock(), signal);

    const error = await Promise.resolve(credentials.current({ signal })).catch((thrown: unknown) => thrown);

    assert.ok(error instanceof Error);
    assert.doesNotMatch(error.message, /hunter2/);
  }
});

test('reads a token file anew each minute, and at once when its token is refused', async () => {
  const clock = new ManualClock();
  const path = join(dir, 'token');
  await writeFile(path, 'one\n');
  const credentials = openCredentials(config({ type: 'token-file', path }), clock, signal);
  const one = await credentials.current({ signal });
  await writeFile(path, 'two\n');

  const cached = await credentials.current({ signal });
  clock.advance(60_000);
  const two = await credentials.current({ signal });
  const unchanged = await credentials.renew(two, { signal });
  await writeFile(path, 'three');
  const changed = await credentials.renew(two, { signal });

  assert.equal(one.authorization, 'Bearer one');
  assert.equal(cached, one);
  assert.equal(two.authorization, 'Bearer two');
  assert.deepEqual([unchanged, changed], [false, true]);
});

function config(auth: ClusterAuth): ClusterConfig {
  return { server: 'https://api.test', context: 'test', namespace: 'default', auth };
}

function exec(command: string): ClusterAuth {
  const env = { PATH: process.env['PATH'] ?? '' };
  const apiVersion = 'client.authentication.k8s.io/v1';
  return {
    type: 'exec',
    command: { command, args: [], env, apiVersion, installHint: undefined, provideClusterInfo: false },
  };
}

/** A plug-in that counts its runs in its tokens. */
async function startPlugin(name: string, expiresAt?: number): Promise<{ auth: ClusterAuth; command: ExecCommand }> {
  const expiry = expiresAt === undefined ? '' : `expirationTimestamp: '${new Date(expiresAt).toISOString()}',`;
  const path = await script(
    name,
    `import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
     writeFileSync('${join(dir, name)}.info', process.env.KUBERNETES_EXEC_INFO);
     appendFileSync('${join(dir, name)}.runs', '.');
     const runs = readFileSync('${join(dir, name)}.runs').length;
     const status = { ${expiry} token: 'token-' + runs };
     console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }));`,
  );
  const auth = exec(path);
  assert.ok(auth.type === 'exec');
  return { auth, command: auth.command };
}

async function script(name: string, body: string): Promise<string> {
  const path = join(dir, `${name}.mjs`);
  await writeFile(path, `#!${process.execPath}\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}
