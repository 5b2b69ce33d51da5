/**
 * The module with a maximum written into its memory section. A thread's `resourceLimits` do not count WebAssembly
 * memory, and Go declares no maximum; past this one `memory.grow` fails and the guest ends with "out of memory".
 *
 * Format: WebAssembly core specification, binary format, memory section (id 5).
 */
export function withMemoryMaximum(module: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  const maxPages = Math.floor(maxBytes / PAGE_BYTES);
  for (let at = HEADER_BYTES; at < module.length;) {
    const start = at;
    const id = module[at];
    const [length, body] = readUnsigned(module, at + 1);
    at = body + length;
    if (id !== MEMORY_SECTION) continue;
    const [count, flagsAt] = readUnsigned(module, body);
    if (count !== 1 || module[flagsAt] !== NO_MAXIMUM) throw new Error('the module has an unexpected memory section');
    const [initial] = readUnsigned(module, flagsAt + 1);
    if (initial > maxPages) throw new Error(`the module starts with more than ${maxBytes} bytes of memory`);
    const section = [1, WITH_MAXIMUM, ...writeUnsigned(initial), ...writeUnsigned(maxPages)];
    const head = Uint8Array.from([MEMORY_SECTION, ...writeUnsigned(section.length), ...section]);
    const result = new Uint8Array(module.length - (at - start) + head.length);
    result.set(module.subarray(0, start));
    result.set(head, start);
    result.set(module.subarray(at), start + head.length);
    return result;
  }
  throw new Error('the module has no memory section');
}

const PAGE_BYTES = 65_536;
const HEADER_BYTES = 8;
const MEMORY_SECTION = 5;
const NO_MAXIMUM = 0;
const WITH_MAXIMUM = 1;

/** An unsigned LEB128 number and the offset behind it. */
function readUnsigned(bytes: Uint8Array, offset: number): readonly [number, number] {
  let value = 0;
  for (let at = offset, shift = 0; ; at++, shift += 7) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error('the module is cut short');
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value >>> 0, at + 1];
  }
}

function writeUnsigned(value: number): readonly number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}
