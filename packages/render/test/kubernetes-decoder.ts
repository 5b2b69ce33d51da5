import { isJsonObject, type Json } from '@plumb/core';
import { FrameWriter, readFrame, type Span } from '../src/sandbox/frame.ts';
import { Guest } from '../src/sandbox/guest.ts';
import { loadModule } from '../src/sandbox/module.ts';

export interface KubernetesReading {
  /** Undefined where Kubernetes' reader refuses the text. */
  readonly value: Json | undefined;
  readonly error: string;
  /** Why a strict reader would refuse it: duplicate keys. */
  readonly strict: string;
}

/** sigs.k8s.io/yaml itself, in the sandbox: what our decoder is measured with. */
export async function openKubernetesDecoder(): Promise<(texts: readonly string[]) => readonly KubernetesReading[]> {
  const world = { nowMs: 0, seed: 'decode' };
  const guest = new Guest(await loadModule('helm'), world);
  return (texts) => {
    const writer = new FrameWriter();
    const spans = texts.map((text) => writer.put(new TextEncoder().encode(text)));
    const reply = readFrame(guest.call(writer.frame({ op: 'decode', texts: spans }), world));
    guest.release();
    const { header } = reply;
    if (!isJsonObject(header) || !Array.isArray(header['results'])) throw new Error('the guest did not answer');
    return header['results'].filter(isJsonObject).map(({ json, error, strict }) => ({
      value: isJsonObject(json) ? (JSON.parse(reply.text(json as unknown as Span)) as Json) : undefined,
      error: String(error ?? ''),
      strict: String(strict ?? ''),
    }));
  };
}
