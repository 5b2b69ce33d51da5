import { createHash } from 'node:crypto';
import { PlumbError } from '@plumb/core';
import { openTargetRenderer, readDataOnce, systemRandom, type OpenTargetRenderer } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { openLedgerReadOnly } from '@plumb/ledger';
import type { ChosenCluster } from './cluster.ts';
import type { Surroundings } from './context.ts';
import { cacheFolder } from './folders.ts';

/** The engine's own renderer in this process, for whoever asks what the engine would make of a commit. */
export async function openRendererHere(
  { clock, env, home, signal }: Surroundings,
  client: KubeClient,
  cluster: ChosenCluster,
): Promise<OpenTargetRenderer> {
  return await openTargetRenderer({
    client,
    clock,
    random: systemRandom,
    cacheFolder: cacheFolder(env, home),
    deriveKey: (purpose) => keyOf(cluster.stateFolder, purpose),
    readData: (kind, namespace, name, o) => readDataOnce(client, kind, namespace, name, o),
    signal,
  });
}

/**
 * What random functions of templates draw from is a secret of the engine. Where its ledger is on this machine the plan
 * shows what the engine will apply; elsewhere random values differ.
 */
async function keyOf(folder: string, purpose: string): Promise<Uint8Array> {
  try {
    await using ledger = await openLedgerReadOnly(folder);
    return await ledger.deriveKey(purpose);
  } catch (thrown) {
    if (thrown instanceof PlumbError) return createHash('sha256').update(purpose).digest();
    throw thrown;
  }
}
