import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { realClock } from '@plumb/test-support';
import { buildFlags, ensureControlplane } from './binary.ts';
import { lockFile } from './file-lock.ts';

const signal = AbortSignal.timeout(60_000);
const clock = realClock;

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'plumb-test-'));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}

/** A `go` that answers as the real one does, and notes each build in a file beside it. */
async function writeGo(folder: string, build: string): Promise<NodeJS.ProcessEnv> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const script = `#!/bin/sh
case "$1" in
  list) printf 'a\\nb\\n' ;;
  build) echo build >> "${bin}/builds"; while [ "$1" != -o ]; do shift; done; ${build} ;;
esac
`;
  await writeFile(join(bin, 'go'), script);
  await chmod(join(bin, 'go'), 0o755);
  return { PATH: `${bin}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache') };
}

test('a ready binary is used as it is', async () => {
  const path = await ensureControlplane({ signal, clock, environment: { PLUMB_CONTROLPLANE: process.execPath } });

  assert.equal(path, process.execPath);
});

test('a ready binary that cannot be run is refused by name', async () => {
  const environment = { PLUMB_CONTROLPLANE: '/nowhere/controlplane' };

  await assert.rejects(ensureControlplane({ signal, clock, environment }), {
    code: 'PrerequisiteMissing',
    message: /\/nowhere\/controlplane/,
  });
});

test('without Go it says what to install and what else serves', async () => {
  await using folder = await temporaryFolder();
  const environment = { PATH: folder.path, XDG_CACHE_HOME: folder.path };

  await assert.rejects(ensureControlplane({ signal, clock, environment }), {
    code: 'PrerequisiteMissing',
    message: /go is not on the PATH/,
    fix: /Install Go 1\.26.*--context NAME.*KUBEBUILDER_ASSETS.*PLUMB_CONTROLPLANE/,
  });
});

test('of a Go that is too old it says which one to install', async () => {
  await using folder = await temporaryFolder();
  const environment = await writeGo(folder.path, 'true');
  const refusal = 'go: go.mod requires go >= 1.26.0 (running go 1.24.1; GOTOOLCHAIN=local)';
  await writeFile(join(folder.path, 'bin', 'go'), `#!/bin/sh\necho '${refusal}' >&2\nexit 1\n`);

  await assert.rejects(ensureControlplane({ signal, clock, environment }), {
    code: 'PrerequisiteMissing',
    message: /running go 1\.24\.1/,
    fix: /Install Go 1\.26/,
  });
});

test('of two that want the binary at once, one builds it', async () => {
  await using folder = await temporaryFolder();
  const environment = await writeGo(folder.path, 'cp "$0" "$2"; chmod 755 "$2"');

  const [one, other] = await Promise.all([
    ensureControlplane({ signal, clock, environment }),
    ensureControlplane({ signal, clock, environment }),
  ]);
  const later = await ensureControlplane({ signal, clock, environment });
  const builds = await readFile(join(folder.path, 'bin', 'builds'), 'utf8');

  assert.equal(one, other);
  assert.equal(one, later);
  assert.equal(builds, 'build\n');
});

test('a failed build says what the compiler said, and leaves no binary', async () => {
  await using folder = await temporaryFolder();
  const environment = await writeGo(folder.path, 'echo "main.go:1:1: syntax error" >&2; : > "$2"; exit 1');
  const ensure = async (): Promise<string> => await ensureControlplane({ signal, clock, environment });

  await assert.rejects(ensure, { code: 'ControlPlaneFailed', message: /main\.go:1:1: syntax error/ });
  await assert.rejects(ensure, { code: 'ControlPlaneFailed' });
});

test('the binary says that it is the Kubernetes whose module it was built from', () => {
  const flags = buildFlags('require (\n\tk8s.io/kubernetes v1.37.2\n)\n');

  const linker = flags.find((flag) => flag.startsWith('-ldflags='));
  assert.match(linker ?? '', /component-base\/version\.gitVersion=v1\.37\.2 /);
  assert.match(linker ?? '', /version\.gitMinor=37 /);
});

test('a lock waits for the one that holds it', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'lock');
  const first = await lockFile(path, { signal, clock });

  const { promise: waiting, resolve: onWait } = Promise.withResolvers<void>();
  const second = lockFile(path, { signal, clock, onWait });
  await waiting;
  first[Symbol.dispose]();
  using held = await second;

  assert.ok(held);
});

test('a lock of a process that was killed is free', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'lock');
  const program = new URL('../test/hold-lock.ts', import.meta.url).pathname;
  const holder = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface({ input: holder.stdout }), 'line');

  holder.kill('SIGKILL');
  await once(holder, 'close');
  using held = await lockFile(path, { signal, clock, onWait: () => assert.fail('the lock is still held') });

  assert.ok(held);
});
