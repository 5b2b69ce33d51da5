/**
 * Gathers the licences of all that is compiled into the shipped modules (needs Go, and the modules downloaded; run it
 * after build-wasm.ts): `node tools/gather-licences.ts` writes native/renderer/THIRD_PARTY_LICENSES. Equal texts appear once.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../../native/renderer', import.meta.url));
const OWN_MODULE = 'plumb.dev/native/renderer';
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

function go(...args: readonly string[]): string {
  const isForTheGuest = args[0] === 'list';
  const env = isForTheGuest ? { ...process.env, GOOS: 'wasip1', GOARCH: 'wasm', CGO_ENABLED: '0' } : process.env;
  return execFileSync('go', args, { cwd: source, env, encoding: 'utf8' });
}

/** Name → folder of every module that a package of the build comes from, the standard library among them. */
function modulesInBuild(): ReadonlyMap<string, string> {
  const format = '{{with .Module}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}';
  // As build.sh builds: both are copies of their sources with our edits, and keep their licences.
  go('run', './cmd/patch', 'out');
  const listed = go('list', '-modfile=out/go.mod', '-deps', '-f', format, './cmd/wasm').split('\n');
  const modules = new Map([[`Go standard library ${go('env', 'GOVERSION').trim()}`, go('env', 'GOROOT').trim()]]);
  for (const line of listed.toSorted()) {
    const [name, folder] = line.split('\t');
    // What stands in for k8s.io/client-go is our own: its folder lies inside of the source.
    if (!name || !folder || name.startsWith(OWN_MODULE) || folder.startsWith(join(source, 'stubs'))) continue;
    const isEdited = folder.startsWith(join(source, 'out'));
    modules.set(isEdited ? `${name.trim()}, edited as cmd/patch says` : name.trim(), folder);
  }
  return modules;
}

function gather(): string {
  const namesByText = new Map<string, string[]>();
  for (const [name, folder] of modulesInBuild()) {
    const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
    if (files.length === 0) throw new Error(`${name} has no licence file in ${folder}`);
    for (const file of files) {
      const text = readFileSync(join(folder, file), 'utf8').trim();
      namesByText.set(text, [...(namesByText.get(text) ?? []), `${name} (${file})`]);
    }
  }
  const sections = [...namesByText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`);
  const intro = 'The WebAssembly modules in packages/render/wasm contain the following software.\n';
  return [intro, ...sections].join(`\n${'='.repeat(100)}\n\n`);
}

writeFileSync(join(source, 'THIRD_PARTY_LICENSES'), gather());
