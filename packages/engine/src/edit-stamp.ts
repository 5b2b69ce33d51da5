import { editStampPolicy } from '@plumb/api';
import { groupOf, isAbort, toPlumbError, versionOf } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import type { Ledger } from '@plumb/ledger';
import type { Log } from './narrate.ts';
import type { WriteClient } from './write-client.ts';

export interface EditStampOptions {
  /** Whether edits are to be stamped. */
  readonly isWanted: boolean;
  readonly client: Pick<KubeClient, 'whoAmI'>;
  readonly writer: WriteClient;
  readonly ledger: Pick<Ledger, 'setting' | 'saveSetting'>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Puts the policy on the cluster that stamps edits, or takes away the one that this engine has put there; answers whether
 * stamps can be relied on. A cluster that has no such policies, and an account that may not write them, are told in a
 * note: attribution is then what it would be without. Stamps stay on the objects, and are not read any more.
 */
export async function keepEditStamp({ isWanted, ...options }: EditStampOptions): Promise<boolean> {
  const { ledger, log, signal } = options;
  const isOurs = (await ledger.setting('stampsEdits')) === 'yes';
  if (!isWanted && !isOurs) return false;
  try {
    await (isWanted ? putPolicy(options) : removePolicy(options));
    return isWanted;
  } catch (thrown) {
    if (isAbort(thrown, signal)) throw thrown;
    const { code, message } = toPlumbError(thrown);
    const what = isWanted
      ? 'Edits are not stamped with their user'
      : 'The policy that stamps edits could not be removed';
    log({ level: 'warn', message: what, code, error: message });
    return false;
  }
}

type Acting = Omit<EditStampOptions, 'isWanted'>;

async function putPolicy({ client, writer, ledger, signal }: Acting): Promise<void> {
  const { username } = await client.whoAmI({ signal });
  const objects = editStampPolicy(username);
  // Asked first, so that a cluster without them is told as such.
  for (const { apiVersion, kind } of objects) {
    await writer.resource({ group: groupOf(apiVersion), version: versionOf(apiVersion), kind }, { signal });
  }
  // Before the first write, so that a crash leaves nothing behind that nobody knows of.
  await ledger.saveSetting('stampsEdits', 'yes');
  for (const object of objects) await writer.apply(object, { force: true, signal });
}

async function removePolicy({ writer, ledger, signal }: Acting): Promise<void> {
  // The binding first: a policy without one does nothing.
  for (const object of editStampPolicy('').toReversed()) {
    const resource = await writer.resource({ group: groupOf(object.apiVersion), kind: object.kind }, { signal });
    await writer.delete(resource, { name: object.metadata.name }, { signal });
  }
  await ledger.saveSetting('stampsEdits', 'no');
}
