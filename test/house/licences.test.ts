import assert from 'node:assert/strict';
import { test } from 'node:test';

import { manifests, read } from './repository.ts';

interface Locked {
  readonly license?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly os?: unknown;
  readonly hasInstallScript?: boolean;
}

const ALLOWED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'PSF-2.0'];
const MAX_RUNTIME_PACKAGES = 60;

const lock = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Locked>> };
const installed = Object.entries(lock.packages).filter(
  ([path, entry]) => path.includes('node_modules/') && !entry.link,
);

test('every dependency has a licence that may be shipped', () => {
  const refused = installed
    .filter(([, { license }]) => !licences(license).some((name) => ALLOWED.includes(name)))
    .map(([path, { license }]) => `${path}: ${license ?? 'none named'}`);

  assert.deepEqual(refused, []);
});

test('no dependency runs a script when it is installed', () => {
  const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);

  assert.deepEqual(scripted, []);
  assert.match(read('.npmrc'), /^ignore-scripts=true$/m);
});

test(`what runs in production is at most ${MAX_RUNTIME_PACKAGES} packages`, () => {
  const runtime = installed.filter(([, { dev, os }]) => !dev && os === undefined).map(([path]) => path);

  assert.ok(runtime.length <= MAX_RUNTIME_PACKAGES, `${runtime.length} packages:\n${runtime.join('\n')}`);
});

test('every version is exact', () => {
  const ranges = manifests().flatMap(({ path, manifest }) =>
    Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${path}: ${name}@${version}`),
  );

  assert.deepEqual(ranges, []);
});

/** The alternatives of a licence expression: one of them is enough. Combinations by AND are left whole, and so refused. */
function licences(expression = ''): string[] {
  return expression.replace(/^\((.*)\)$/, '$1').split(' OR ');
}
