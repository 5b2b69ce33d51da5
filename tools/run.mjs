// Makes the set-up current, then runs a TypeScript file with the pinned Node: node tools/run.mjs FILE.ts [ARGS…]
// Plain JavaScript without dependencies, because it is what runs on a fresh clone: on any Node from 18 on, before a
// package is installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MINIMUM_NODE = [24, 12];
const MINIMUM_GIT = [2, 36];
const LOCK_RETRY_MS = 500;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const binaries = join(root, 'node_modules', '.bin');

async function main() {
  const [file, ...args] = process.argv.slice(2);
  if (file === undefined) fail('usage: node tools/run.mjs FILE.ts [ARGS…]');

  requireGit();
  await installPackages();
  const node = findNode();
  run(node, [join(root, file), ...args]);
}

function requireGit() {
  const version = versionOf('git');
  if (version === undefined) fail('git is not on the PATH.', `Install git ${MINIMUM_GIT.join('.')} or later.`);
  if (!isAtLeast(version, MINIMUM_GIT)) {
    fail(`git ${version.join('.')} is too old.`, `Install git ${MINIMUM_GIT.join('.')} or later.`);
  }
}

async function installPackages() {
  if (isInstalled()) return;
  const release = await lock(join(root, '.plumb', 'install.lock'));
  try {
    if (isInstalled()) return;
    say('Installing the packages (once, under a minute)…');
    // Under `npm run`, the same npm again; its output goes to standard error, which is where progress belongs.
    const npm = process.env.npm_execpath;
    // Not `npm ci`: that refuses a lockfile without the optional packages of platforms that the registry did not have
    // when it was written. This installs what the lockfile says as well, and changes neither it nor package.json.
    const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const [program, programArgs] = npm?.endsWith('js') ? [process.execPath, [npm, ...args]] : ['npm', args];
    const { error, status } = spawnSync(program, programArgs, { cwd: root, stdio: ['ignore', 2, 2] });
    if (error?.code === 'ENOENT') fail('npm is not on the PATH.', 'Install npm 10 or later.');
    if (error || status !== 0) fail('npm could not install the packages.', 'See what npm says above.');
  } finally {
    release();
  }
}

/**
 * Whether node_modules holds what the lockfile asks for. npm keeps its own record there, written when an installation is
 * whole; packages of other platforms are optional and absent from it.
 */
function isInstalled() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (!path.startsWith('node_modules/')) return true;
    return path in installed ? installed[path].version === version : optional === true;
  });
}

/** A file that holds our process id; one left by a process that is gone is taken over. */
async function lock(path) {
  mkdirSync(dirname(path), { recursive: true });
  for (let waiting = false; ; waiting = true) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale(path)) rmSync(path, { force: true });
    else {
      if (!waiting) say('Another process installs the packages: waiting for it…');
      await sleep(LOCK_RETRY_MS);
    }
  }
}

function isStale(path) {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** The Node that the lockfile pins, where its package exists for this platform; else the one that runs this, if new enough. */
function findNode() {
  for (const node of [join(binaries, 'node'), process.execPath]) {
    const version = versionOf(node);
    if (version !== undefined && isAtLeast(version, MINIMUM_NODE)) return node;
  }
  fail(
    `There is no pinned Node for ${process.platform}-${process.arch}, and this one is ${process.version}.`,
    `Install Node ${MINIMUM_NODE.join('.')} or later.`,
  );
}

function run(node, args) {
  const child = spawn(node, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: [binaries, dirname(node), process.env.PATH].join(delimiter),
      // Node 24 calls node:sqlite experimental in some releases; the warning would be noise in every output.
      NODE_OPTIONS: [process.env.NODE_OPTIONS, '--disable-warning=ExperimentalWarning'].filter(Boolean).join(' '),
    },
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  // A terminal sends Ctrl-C to the whole group: sent on as well, it would count as the second one, which means «now».
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('error', (error) => fail(`${node} cannot be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/** What `PROGRAM --version` says, as numbers; undefined when there is no such program. */
function versionOf(program) {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const numbers = /(\d+)\.(\d+)/.exec(stdout ?? '');
  return numbers?.slice(1).map(Number);
}

function isAtLeast([major, minor], [wantedMajor, wantedMinor]) {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(what, fix) {
  say(`error: ${what}`);
  if (fix !== undefined) say(`  fix: ${fix}`);
  process.exit(1);
}

await main();
