/**
 * What crosses the border of the sandbox: a header in JSON and, behind it, bytes that the header points into. File
 * contents travel as they are, so neither side pays for escaping megabytes of YAML.
 *
 * Layout: header length (u32, little endian), header, bytes.
 */
export interface Span {
  /** Offset behind the header. */
  readonly o: number;
  /** Length in bytes. */
  readonly n: number;
}

export class FrameWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  put(bytes: Uint8Array): Span {
    const span = { o: this.#length, n: bytes.length };
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return span;
  }

  frame(header: object): Uint8Array<ArrayBuffer> {
    const head = new TextEncoder().encode(JSON.stringify(header));
    const frame = new Uint8Array(4 + head.length + this.#length);
    new DataView(frame.buffer).setUint32(0, head.length, true);
    frame.set(head, 4);
    let at = 4 + head.length;
    for (const part of this.#parts) {
      frame.set(part, at);
      at += part.length;
    }
    return frame;
  }
}

export interface Frame {
  readonly header: unknown;
  /** The text that a span of the header points at. */
  text(span: Span): string;
}

/** JSON of the guest as a value; numbers must be ones that JavaScript holds exactly. */
export function parseGuestJson(text: string): unknown {
  return JSON.parse(text);
}

export function readFrame(frame: Uint8Array): Frame {
  const length = new DataView(frame.buffer, frame.byteOffset).getUint32(0, true);
  const decoder = new TextDecoder();
  const bytes = frame.subarray(4 + length);
  const header: unknown = JSON.parse(decoder.decode(frame.subarray(4, 4 + length)));
  return { header, text: (span) => decoder.decode(bytes.subarray(span.o, span.o + span.n)) };
}
