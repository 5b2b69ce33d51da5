/**
 * Rebuilds the sandboxed renderer from native/renderer (needs Go): `node tools/build-wasm.ts [--check]`.
 *
 * Writes wasm/<module>.wasm.br and wasm/checksums.json. With `--check` it writes nothing and ends with 1 where the
 * committed module is not what the sources give: builds are reproducible bit for bit for one Go version.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import checksums from '../wasm/checksums.json' with { type: 'json' };

const MODULES = ['helm', 'kustomize'] as const;

const source = fileURLToPath(new URL('../../../native/renderer', import.meta.url));
const target = fileURLToPath(new URL('../wasm', import.meta.url));

function build(isCheck: boolean): boolean {
  const out = mkdtempSync(join(tmpdir(), 'plumb-wasm-'));
  try {
    execFileSync(join(source, 'build.sh'), [out, ...MODULES], { stdio: 'inherit' });
    const go = execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).trim();
    const built = MODULES.map((name) => {
      const bytes = readFileSync(join(out, `${name}.wasm`));
      return { name, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
    });
    if (isCheck) {
      const changed = built.filter(({ name, sha256 }) => checksums[name].sha256 !== sha256);
      for (const { name } of changed) {
        process.stderr.write(
          `${name}.wasm differs from the committed one (built with ${checksums[name].go}, here ${go})\n`,
        );
      }
      return changed.length === 0;
    }
    for (const { name, bytes } of built) {
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
      const packed = brotliCompressSync(bytes, {
        params: { ...params, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
      });
      writeFileSync(join(target, `${name}.wasm.br`), packed);
    }
    const record = Object.fromEntries(
      built.map(({ name, bytes, sha256 }) => [name, { sha256, bytes: bytes.length, go }]),
    );
    writeFileSync(join(target, 'checksums.json'), `${JSON.stringify(record, undefined, 2)}\n`);
    return true;
  } finally {
    rmSync(out, { recursive: true });
  }
}

process.exitCode = build(process.argv.includes('--check')) ? 0 : 1;
