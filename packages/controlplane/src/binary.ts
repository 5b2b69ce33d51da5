import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlumbError, type Clock } from '@plumb/core';
import { compile } from './compile.ts';
import { lockFile } from './file-lock.ts';

export interface BinaryOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Told what takes long: a line for people. */
  readonly report?: (line: string) => void;
  readonly environment?: NodeJS.ProcessEnv;
}

const SOURCES = fileURLToPath(new URL('../../../native/controlplane/', import.meta.url));

/**
 * The path of the control plane's binary: what `PLUMB_CONTROLPLANE` names, or else one built from `native/controlplane`
 * and kept in the user's cache folder by the hash of all that goes into it. Builds it when it is missing; of several
 * processes that want it at once, one builds and the others wait.
 *
 * `PrerequisiteMissing` when there is no Go to build with; `ControlPlaneFailed` when the build fails.
 */
export async function ensureControlplane(options: BinaryOptions): Promise<string> {
  const { signal, clock, report = () => {}, environment = process.env } = options;
  const given = environment['PLUMB_CONTROLPLANE'];
  if (given) {
    if (await isExecutable(given)) return given;
    throw new PlumbError('PrerequisiteMissing', `PLUMB_CONTROLPLANE names ${given}, which cannot be run`, {
      fix: 'Name a binary built from native/controlplane, or unset PLUMB_CONTROLPLANE to have one built.',
    });
  }

  const build = await describeBuild();
  const cache = environment['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const folder = join(cache, 'plumb', 'controlplane', build.hash);
  const binary = join(folder, 'controlplane');
  if (await isExecutable(binary)) return binary;

  await mkdir(folder, { recursive: true });
  using _lock = await lockFile(join(folder, 'lock'), {
    signal,
    clock,
    onWait: () => report('Another process is building the control plane: waiting for it.'),
  });
  if (await isExecutable(binary)) return binary;
  const partial = `${binary}.partial`;
  await compile({ ...build, sources: SOURCES, output: partial, signal, clock, report, environment });
  await rename(partial, binary);
  return binary;
}

interface Build {
  /** Hex, 16 digits: names the folder in the cache. */
  readonly hash: string;
  readonly flags: readonly string[];
  readonly target: { readonly GOOS: string; readonly GOARCH: string };
}

async function describeBuild(): Promise<Build> {
  const names = (await readdir(SOURCES)).filter((name) => name.endsWith('.go') || /^go\.(mod|sum)$/.test(name)).sort();
  const files = await Promise.all(names.map(async (name) => ({ name, text: await readFile(join(SOURCES, name)) })));
  const goMod = files.find(({ name }) => name === 'go.mod')?.text.toString() ?? '';
  const flags = buildFlags(goMod);
  const target = goTarget(process.platform, process.arch);

  const hash = createHash('sha256').update(JSON.stringify({ flags, target }));
  for (const { name, text } of files) hash.update(`\0${name}\0${text.length}\0`).update(text);
  return { hash: hash.digest('hex').slice(0, 16), flags, target };
}

/** Kubernetes says which version it is by what the linker sets: the version of the module in `go.mod`. */
export function buildFlags(goMod: string): string[] {
  const [, version, major, minor] = /^\s*k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/m.exec(goMod) ?? [];
  if (version === undefined) throw new PlumbError('Internal', 'go.mod requires no version of k8s.io/kubernetes');
  const component = 'k8s.io/component-base/version';
  const variables = [
    `${component}.gitVersion=${version}`,
    `${component}.gitMajor=${major}`,
    `${component}.gitMinor=${minor}`,
    `${component}.gitTreeState=clean`,
    `k8s.io/client-go/pkg/version.gitVersion=${version}`,
  ];
  const linker = ['-s', '-w', ...variables.map((variable) => `-X ${variable}`)].join(' ');
  return ['-trimpath', '-buildvcs=false', '-mod=readonly', `-ldflags=${linker}`];
}

function goTarget(platform: NodeJS.Platform, arch: NodeJS.Architecture): Build['target'] {
  return { GOOS: platform === 'win32' ? 'windows' : platform, GOARCH: arch === 'x64' ? 'amd64' : arch };
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
