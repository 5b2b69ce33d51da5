import { isJsonObject, PlumbError, type Json, type JsonObject } from '@plumb/core';
import { FrameWriter } from './sandbox/frame.ts';
import type { Sandbox } from './sandbox/pool.ts';
import { readReply } from './sandbox/reply.ts';
import { decodeYaml, withEnd } from './yaml/decode.ts';

interface ReadDocument {
  readonly value: JsonObject;
}

/**
 * Reads what Helm rendered as Kubernetes would read it. Our own reader is fast and refuses what is ambiguous; Helm lets
 * some of that through (a key written twice, the last one wins). What charts of others do is theirs, so what our reader
 * refuses is given to Kubernetes' own, which runs in the sandbox, and its answer counts.
 */
export class HelmDocuments {
  readonly #sandbox: Sandbox;
  readonly #signal: AbortSignal;

  constructor(sandbox: Sandbox, signal: AbortSignal) {
    this.#sandbox = sandbox;
    this.#signal = signal;
  }

  async read(text: string, file: string, errors: PlumbError[]): Promise<readonly ReadDocument[]> {
    let values: readonly Json[];
    try {
      values = decodeYaml(text, file).map(({ value }) => value);
    } catch (thrown) {
      if (!(thrown instanceof PlumbError)) throw thrown;
      if (thrown.code === 'NumberRange') {
        errors.push(thrown);
        return [];
      }
      const lenient = await this.#readLeniently(text, file);
      if (lenient === undefined) {
        errors.push(thrown);
        return [];
      }
      values = lenient;
    }
    const documents: ReadDocument[] = [];
    for (const value of values) {
      if (isJsonObject(value)) documents.push({ value });
      else if (value !== null) {
        const what = Array.isArray(value) ? 'a list' : 'a single value';
        errors.push(new PlumbError('NotAnObject', `the document is ${what}, not an object`, { where: { file } }));
      }
    }
    return documents;
  }

  async #readLeniently(text: string, file: string): Promise<readonly Json[] | undefined> {
    const writer = new FrameWriter();
    const ended = text.split(/^---(?:\s.*)?$/m).map(withEnd);
    const texts = ended.map((part) => writer.put(Buffer.from(part)));
    const frame = writer.frame({ op: 'decode', texts });
    const world = { nowMs: 0, seed: '' };
    const reply = readReply(await this.#sandbox.call(frame, { world, isFresh: false, signal: this.#signal }));
    const results = reply.list('results');
    if (results.length !== texts.length || results.some(({ json }) => !isJsonObject(json))) return undefined;
    // JSON is YAML: our reader also sees to numbers that JavaScript would not keep.
    return results.map(({ json }) => decodeYaml(reply.text(json), file)[0]?.value ?? null);
  }
}
