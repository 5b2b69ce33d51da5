import { HOLD, type Hold } from '@plumb/api';
import { closest, PlumbError, oneLine } from '@plumb/core';
import { plumbResource } from '../list-objects.ts';
import { chooseCluster, openClient, type ChosenCluster, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { coverText, hasEnded } from '../hold-text.ts';
import { holdData, isHoldOf, listHolds } from '../holds.ts';
import { jsonText } from '../json-text.ts';
import { showSign, STATE_SIGNS } from '../style.ts';
import { JSON_VERSION } from '../version.ts';

export interface UnholdFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly output: 'text' | 'json';
}

/** `plumb unhold`: lifts a hold by its name, or all of a target, whoever has placed them. Kubernetes decides who may. */
export async function unhold(this: CliContext, flags: UnholdFlags, name: string): Promise<void> {
  const { clock, signal } = this.surroundings;
  const cluster = await chooseCluster(this, flags);
  await using client = openClient(this.surroundings, cluster.config);
  const resource = await plumbResource(client, HOLD.kind, { signal });
  const meant = holdsNamed(await listHolds(this, client, cluster), name, flags.env, cluster);
  const { username } = await client.whoAmI({ signal });
  const lifted: Hold[] = [];
  for (const hold of meant) {
    const { namespace, uid } = hold.metadata;
    // One that is gone meanwhile holds nothing either.
    await client.delete(resource, { namespace, name: hold.metadata.name }, { uid, signal });
    lifted.push(hold);
    if (flags.output === 'text') this.show(`${showSign(this.style, STATE_SIGNS.Healthy)} ${textOf(hold, username)}\n`);
  }
  if (flags.output === 'json') {
    const items = lifted.map((hold) => holdData(hold, clock.now()));
    this.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'Unheld', items }, 2)}\n`);
  } else if (lifted.some(({ spec }) => !hasEnded(spec, clock.now()))) {
    this.note('From now on the rules of the application decide what happens to the edits.');
  }
}

function textOf({ metadata, spec }: Hold, user: string): string {
  const target = spec.environment === undefined ? spec.application : `${spec.application} → ${spec.environment}`;
  const whose = spec.by === user ? '' : `; it was the hold of ${spec.by}: ${spec.reason}`;
  return oneLine(`${metadata.name} is lifted: ${coverText(spec)} of ${target}${whose}`);
}

/** A hold of that name; else all holds of the application, in that environment. Errors: `HoldMissing`, `Usage`. */
function holdsNamed(
  holds: readonly Hold[],
  name: string,
  environment: string | undefined,
  cluster: Pick<ChosenCluster, 'namespace'>,
): readonly Hold[] {
  const named = holds.filter(({ metadata }) =>
    [metadata.name, `${metadata.namespace}/${metadata.name}`].includes(name),
  );
  if (named.length > 0) return oneNamespace(named, name, cluster);
  const ofApp = holds.filter((hold) => isHoldOf(hold, name));
  const meant = ofApp.filter(({ spec }) => environment === undefined || spec.environment === environment);
  if (meant.length === 0) {
    const what = environment === undefined ? name : `${name} → ${environment}`;
    const known = ofApp.length > 0 ? ofApp : holds;
    const guess = closest(
      name,
      holds.flatMap(({ metadata, spec }) => [metadata.name, spec.application]),
    );
    throw new PlumbError('HoldMissing', `there is no hold ${what}, and none of an application of that name`, {
      fix:
        guess !== undefined && ofApp.length === 0
          ? `Did you mean ${guess}?`
          : known.length === 0
            ? 'Nothing is held: see "plumb hold list".'
            : `There are: ${known.map(({ metadata }) => metadata.name).join(', ')}.`,
    });
  }
  const environments = new Set(meant.map(({ spec }) => spec.environment ?? '-'));
  if (environments.size > 1) {
    throw new PlumbError('Usage', `${name} is held in several environments`, {
      fix: `Name one with -e: ${[...environments].join(', ')}.`,
    });
  }
  return oneNamespace(meant, name, cluster);
}

/** Of several namespaces the one of the context is meant. */
function oneNamespace(
  holds: readonly Hold[],
  name: string,
  { namespace }: Pick<ChosenCluster, 'namespace'>,
): readonly Hold[] {
  const namespaces = [...new Set(holds.map(({ metadata }) => metadata.namespace))];
  if (namespaces.length === 1) return holds;
  const near = holds.filter(({ metadata }) => metadata.namespace === namespace);
  if (near.length > 0) return near;
  throw new PlumbError('Usage', `${name} is held in several namespaces: ${namespaces.join(', ')}`, {
    fix: 'Name one with -n.',
  });
}
