import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PlumbError } from '@plumb/core';
import { startGitServer } from '@plumb/test-support/git-server';
import { type GitCredentials } from './credentials.ts';
import { openMirror } from './mirror.ts';
import { parseGitUrl } from './url.ts';

const SSHD = '/usr/sbin/sshd';
const signal = new AbortController().signal;
const options = { skip: missing(), timeout: 60_000 };

function missing(): string | false {
  try {
    accessSync(SSHD, constants.X_OK);
    return false;
  } catch {
    return `there is no ${SSHD}: install openssh-server`;
  }
}

interface SshServer {
  readonly port: number;
  readonly credentials: Extract<GitCredentials, { kind: 'ssh' }>;
}

/** A real sshd on loopback that lets one new key in as the user who runs the test. */
async function startSshServer(t: TestContext): Promise<SshServer> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-sshd-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['host', 'user', 'stranger']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(folder, name)]);
  }
  writeFileSync(join(folder, 'authorized_keys'), `restrict ${readFileSync(join(folder, 'user.pub'), 'utf8')}`);
  // Debian makes this folder when it starts the service; without it sshd refuses to run as root.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const port = await freePort();
  writeFileSync(
    join(folder, 'config'),
    [
      ...[`ListenAddress 127.0.0.1:${port}`, `HostKey ${folder}/host`, `AuthorizedKeysFile ${folder}/authorized_keys`],
      ...[
        'PidFile none',
        'UsePAM no',
        'StrictModes no',
        'PermitRootLogin prohibit-password',
        'PasswordAuthentication no',
      ],
    ].join('\n'),
  );
  const sshd = spawn(SSHD, ['-D', '-e', '-f', join(folder, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(async () => {
    if (sshd.exitCode !== null) return;
    sshd.kill();
    await once(sshd, 'exit');
  });
  for await (const chunk of sshd.stderr.iterator({ destroyOnReturn: false })) {
    if (String(chunk).includes('Server listening')) break;
  }
  sshd.stderr.resume();
  const hostKey = readFileSync(join(folder, 'host.pub'), 'utf8').trim();
  const privateKey = readFileSync(join(folder, 'user'), 'utf8');
  return { port, credentials: { kind: 'ssh', privateKey, knownHosts: `[127.0.0.1]:${port} ${hostKey}\n` } };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

function newKey(folder: string): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(folder, 'key')]);
  return readFileSync(join(folder, 'key'), 'utf8');
}

test('a repository is read over SSH with a key and a known host, and strangers are refused', options, async (t) => {
  await using server = await startGitServer();
  await server.create('shop');
  const sha = await server.commit('shop', { 'a.yaml': 'a' });
  const ssh = await startSshServer(t);
  const folder = await mkdtemp(join(tmpdir(), 'plumb-mirror-ssh-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  // Where the key of each run is written: nothing may be left there.
  const temporary = await mkdtemp(join(folder, 'tmp-'));
  process.env['TMPDIR'] = temporary;
  const url = (path: string) => parseGitUrl(`ssh://${userInfo().username}@127.0.0.1:${ssh.port}${path}`);
  const open = (credentials: GitCredentials, path = server.folder('shop')) =>
    openMirror({ url: url(path), folder: join(folder, 'mirror'), credentials: async () => credentials, signal });
  const refused: readonly (readonly [GitCredentials, string])[] = [
    [{ ...ssh.credentials, knownHosts: '' }, 'HostKeyUnknown'],
    [
      { ...ssh.credentials, knownHosts: ssh.credentials.knownHosts.replace(/AAAA\S+/, otherKey(folder)) },
      'HostKeyUnknown',
    ],
    [{ ...ssh.credentials, privateKey: newKey(folder) }, 'RepositoryUnauthorized'],
  ];

  await using mirror = await open(ssh.credentials);
  const fetched = await mirror.fetch(['main'], { signal });
  const tree = mirror.at(sha);
  const [file] = await tree.read(await tree.entries('', { signal }), { signal });

  assert.equal(fetched.get('main'), sha);
  assert.equal(Buffer.from(file ?? []).toString(), 'a');
  for (const [credentials, code] of refused) {
    await using stranger = await open(credentials);
    await assert.rejects(stranger.lsRemote({ signal }), (error) => {
      assert.ok(error instanceof PlumbError);
      assert.equal(error.code, code, error.message);
      return true;
    });
  }
  await using absent = await open(ssh.credentials, '/srv/absent');
  await assert.rejects(absent.lsRemote({ signal }), { code: 'RepositoryNotFound' });
  assert.deepEqual(readdirSync(temporary), []);
});

/** The base64 part of another host's key. */
function otherKey(folder: string): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(folder, 'other')]);
  return readFileSync(join(folder, 'other.pub'), 'utf8').split(' ')[1] ?? '';
}
