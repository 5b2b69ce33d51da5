import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';

const LIST = new URL('debian.txt', import.meta.url);

interface TestPackage {
  readonly name: string;
  /** Absolute path of a program that shows that the package is present. */
  readonly program: string;
}

/**
 * Installs the Debian packages that only tests need, listed in `debian.txt`, where they are missing: as root on a machine
 * with apt-get. Elsewhere it says what is missing; the tests that need it skip themselves.
 */
export async function installTestPackages(options: {
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { report, signal } = options;
  const packages = parsePackageList(await readFile(LIST, 'utf8').catch(() => ''));
  const missing: TestPackage[] = [];
  for (const item of packages) if (!(await isExecutable(item.program))) missing.push(item);
  if (missing.length === 0) return;

  const names = missing.map(({ name }) => name);
  if (process.getuid?.() !== 0 || !(await isExecutable('/usr/bin/apt-get'))) {
    report(
      `Not installed: ${names.join(', ')}. The tests that need ${names.length === 1 ? 'it' : 'them'} are skipped.`,
    );
    return;
  }
  report(`Installing what some tests need: ${names.join(', ')}`);
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...names],
  ]) {
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const child = spawn('/usr/bin/apt-get', args, { stdio: ['ignore', 2, 2], signal, env: environment });
    const [code] = await once(child, 'exit');
    if (code !== 0) {
      report(
        `apt-get ${args[0]} failed with exit code ${String(code)}. The tests that need ${names.join(', ')} are skipped.`,
      );
      return;
    }
  }
}

/** Lines of `package /path/of/its/program`; `#` begins a comment. */
export function parsePackageList(text: string): TestPackage[] {
  return text.split('\n').flatMap((line) => {
    const [name, program] = line.replace(/#.*/, '').trim().split(/\s+/);
    return name && program ? [{ name, program }] : [];
  });
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
