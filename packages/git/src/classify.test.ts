import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classifyGitFailure, isCorruption, isNoRepository, missingRef, redact } from './classify.ts';

const SAMPLES: readonly (readonly [string, string])[] = [
  ['RepositoryUnreachable', "fatal: unable to access 'https://h/x/': Could not resolve host: h"],
  [
    'RepositoryUnreachable',
    "fatal: unable to access 'https://h/x/': Failed to connect to h port 443: Connection refused",
  ],
  ['RepositoryUnreachable', "fatal: unable to access 'https://h/x/': The requested URL returned error: 503"],
  [
    'RepositoryUnreachable',
    'ssh: connect to host h port 22: Connection timed out\nfatal: Could not read from remote repository.',
  ],
  [
    'RepositoryUnreachable',
    'error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: early EOF',
  ],
  ['RepositoryUnauthorized', "fatal: could not read Username for 'https://h': terminal prompts disabled"],
  ['RepositoryUnauthorized', "fatal: Authentication failed for 'https://h/x/'"],
  ['RepositoryUnauthorized', "fatal: unable to access 'https://h/x/': The requested URL returned error: 403"],
  ['RepositoryUnauthorized', 'git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.'],
  ['RepositoryNotFound', "fatal: repository 'https://h/x/' not found"],
  ['RepositoryNotFound', "fatal: '/srv/x' does not appear to be a git repository"],
  ['RepositoryNotFound', 'ERROR: Repository not found.\nfatal: Could not read from remote repository.'],
  ['RefMissing', "fatal: couldn't find remote ref refs/heads/x"],
  ['RefMissing', 'fatal: remote error: upload-pack: not our ref 0123456789012345678901234567890123456789'],
  [
    'HostKeyUnknown',
    'No ED25519 host key is known for h and you have requested strict checking.\nHost key verification failed.',
  ],
  [
    'TlsUntrusted',
    "fatal: unable to access 'https://h/x/': SSL certificate problem: unable to get local issuer certificate",
  ],
  [
    'TlsUntrusted',
    "fatal: unable to access 'https://h/x/': server certificate verification failed. CAfile: /x CRLfile: none",
  ],
  ['GitFailed', 'fatal: something new'],
  ['GitFailed', ''],
];

test('what git says becomes a code', () => {
  for (const [code, stderr] of SAMPLES) assert.equal(classifyGitFailure('fetching x', stderr).code, code, stderr);
});

test('damage of the mirror is told from trouble with the source', () => {
  for (const [, stderr] of SAMPLES) assert.ok(!isCorruption(stderr), stderr);
  for (const stderr of [
    'error: inflate: data stream error (incorrect data check)\nfatal: packed object 12 (stored in x.pack) is corrupt',
    "fatal: Unable to create '/m/shallow.lock': File exists.",
    'fatal: bad object refs/plumb/12',
    'error: file ./objects/pack/x.pack is far too short to be a packfile',
    'fatal: mismatched algorithms: client sha1; server sha256',
    "fatal: not a git repository: '/m'",
  ]) {
    assert.ok(isCorruption(stderr), stderr);
  }
});

test('the ref that the server lacks is found', () => {
  assert.equal(missingRef("fatal: couldn't find remote ref refs/heads/x"), 'refs/heads/x');
  assert.equal(missingRef('fatal: remote error: upload-pack: not our ref 0123'), '0123');
  assert.equal(missingRef('fatal: bad'), undefined);
});

test('no user, query, header or secret is left in a message', () => {
  const stderr =
    "fatal: unable to access 'https://reader:CANARY@h:1/x?token=CANARY#CANARY': no\nremote: bad token CANARY\nAuthorization: Basic CANARY";

  const clean = redact(stderr, ['', 'CANARY']);
  const { message } = classifyGitFailure('fetching https://h:1/x', stderr, { secrets: ['CANARY'] });

  assert.match(clean, /'https:\/\/h:1\/x'/);
  assert.doesNotMatch(clean, /CANARY|reader/);
  assert.doesNotMatch(message, /CANARY|reader/);
  assert.equal(redact('at ssh://git@h/x, and https://u@h/', []), 'at ssh://h/x, and https://h/');
});

test('a folder without a repository is told from one that is damaged', () => {
  assert.ok(isNoRepository("fatal: not a git repository: '/x/.git'"));
  assert.ok(!isNoRepository('fatal: loose object 12 is corrupt'));
});
