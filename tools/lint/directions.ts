/**
 * Who may import what: the one table, read by the lint rule `house/import-directions` and by the test of the same name.
 * Imports point inward to `core`, so that what decides can be tested without what acts.
 */

/** For each of our packages, the packages of ours that its sources may import. */
export const DIRECTIONS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  git: ['core'],
  charts: ['core'],
  hosts: ['core'],
  render: ['core'],
  cel: ['core'],
  health: ['core', 'cel'],
  policy: ['core', 'cel'],
  kube: ['core'],
  ledger: ['core'],
  api: ['core'],
  controlplane: ['core'],
  engine: [
    'core',
    'git',
    'charts',
    'hosts',
    'render',
    'cel',
    'health',
    'policy',
    'kube',
    'ledger',
    'api',
    'controlplane',
  ],
  cli: [
    'core',
    'git',
    'charts',
    'hosts',
    'render',
    'health',
    'policy',
    'kube',
    'ledger',
    'api',
    'controlplane',
    'engine',
  ],
};

/** What the tests inside the packages may import beside what their package may: real servers and shared fixtures. */
const TEST_SUPPORT = ['controlplane', 'test-support'];

/** `core` is pure: hashes are the only thing it takes from the platform. */
const CORE_NODE_MODULES = ['node:crypto'];

/** Modules that live behind a wrapper of ours, and the folders or files of `packages/` that may import them. */
export const WRAPPED: Readonly<Record<string, readonly string[]>> = {
  undici: ['kube/src/', 'charts/src/connections.ts', 'hosts/src/connections.ts'],
  'js-yaml': ['kube/src/', 'render/src/', 'charts/src/index-file.ts'],
  semver: ['charts/src/version-range.ts'],
  '@marcbachmann/cel-js': ['cel/src/'],
  'node:sqlite': ['ledger/src/', 'controlplane/src/file-lock.ts'],
  kysely: ['ledger/src/'],
  zod: ['api/src/'],
  hono: ['engine/src/'],
  '@hono/node-server': ['engine/src/'],
  '@stricli/core': ['cli/src/'],
  'node:child_process': ['controlplane/src/', 'git/src/git-process.ts', 'kube/src/exec-command.ts'],
};

/** Wrapped modules that exactly one source file of a package may import, so that a change of theirs has one place. */
export const ONE_FILE_EACH: readonly string[] = ['js-yaml'];

/**
 * Why `specifier` may not be imported by `file`, in one sentence; `undefined` when it may.
 *
 * @param file path relative to the repository's root, with forward slashes
 * @param specifier as written in the import
 */
export function whyForbidden(file: string, specifier: string): string | undefined {
  const [, from, isSource] = /^packages\/([^/]+)\/(src\/)?/.exec(file) ?? [];
  if (from === undefined) return undefined;
  if (specifier.startsWith('.')) return whyRelativeForbidden(file, specifier);
  const isTest = isSource === undefined || file.endsWith('.test.ts') || file.includes('/testdata/');

  const [, to] = /^@plumb\/([^/]+)/.exec(specifier) ?? [];
  if (to !== undefined) {
    const allowed = DIRECTIONS[from];
    if (allowed === undefined) return `Package "${from}" is not in tools/lint/directions.ts: give it its row.`;
    if (allowed.includes(to) || to === from || (isTest && TEST_SUPPORT.includes(to))) return undefined;
    return `"${from}" may not import "${to}": imports point inward, ${from} ← ${list(importersOf(from))}.`;
  }
  if (isTest) return undefined;

  const module = moduleName(specifier);
  if (module.startsWith('node:test')) return `"${specifier}" is for tests.`;
  if (from === 'core' && !CORE_NODE_MODULES.includes(module)) {
    return `"core" is pure and imports only ${list(CORE_NODE_MODULES)}: take "${specifier}" as a parameter.`;
  }
  const places = WRAPPED[module];
  if (places === undefined || places.some((place) => file.startsWith(`packages/${place}`))) return undefined;
  return `"${module}" is wrapped: only ${list(places.map((place) => `packages/${place}`))} may import it.`;
}

/** The module that a specifier names: without its subpath, and with `node:` for built-in ones. */
function moduleName(specifier: string): string {
  const parts = specifier.split('/');
  if (specifier.startsWith('node:')) return specifier;
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
  return BARE_BUILT_INS.includes(name) ? `node:${specifier}` : name;
}

const BARE_BUILT_INS = ['child_process', 'sqlite', 'fs', 'net', 'http', 'https', 'os', 'path', 'process', 'timers'];

function whyRelativeForbidden(file: string, specifier: string): string | undefined {
  const root = file.split('/').slice(0, 2).join('/');
  const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
  if (target.startsWith(`${root}/`)) return undefined;
  return `"${specifier}" leaves ${root}: import the other package by its name.`;
}

function importersOf(name: string): string[] {
  return Object.entries(DIRECTIONS).flatMap(([importer, allowed]) => (allowed.includes(name) ? [importer] : []));
}

function list(words: readonly string[]): string {
  return words.length === 0 ? 'nothing' : words.join(', ');
}
