import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { brotliDecompress } from 'node:zlib';
import checksums from '../../wasm/checksums.json' with { type: 'json' };
import { withMemoryMaximum } from './memory-limit.ts';

export type ModuleName = keyof typeof checksums;

const MAX_MEMORY_BYTES = 256 * 1024 * 1024;

/**
 * V8 aborts the whole process, seldom, where it frees code of a module while a thread that runs it is stopped
 * (nodejs/node#64500: `jit_page_->allocations_.erase(addr) == 1`). Code that is kept costs some 30 MB, once.
 */
setFlagsFromString('--no-wasm-code-gc');

const compiled = new Map<ModuleName, Promise<WebAssembly.Module>>();

/** The compiled module, once per process: unpacked, its checksum verified, its memory capped. */
export function loadModule(name: ModuleName): Promise<WebAssembly.Module> {
  let module = compiled.get(name);
  if (module === undefined) {
    module = compileModule(name);
    compiled.set(name, module);
  }
  return module;
}

async function compileModule(name: ModuleName): Promise<WebAssembly.Module> {
  const packed = await readFile(new URL(`../../wasm/${name}.wasm.br`, import.meta.url));
  const bytes = await promisify(brotliDecompress)(packed);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== checksums[name].sha256) throw new Error(`the module ${name}.wasm.br is not the one that was built`);
  return WebAssembly.compile(withMemoryMaximum(bytes, MAX_MEMORY_BYTES));
}
