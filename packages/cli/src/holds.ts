import { decodeHold, HOLD, type Hold } from '@plumb/api';
import { oneLine, type HoldEnd } from '@plumb/core';
import { targetName } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { listObjects } from './list-objects.ts';
import { openApplication } from './chosen-application.ts';
import type { ChosenCluster, ClusterFlags } from './cluster.ts';
import type { CliContext } from './context.ts';
import { coverText, hasEnded, restText, timeText } from './hold-text.ts';
import { checkedHold, holdOf, type HoldFlags } from './hold-wish.ts';
import { jsonText } from './json-text.ts';
import { selectTarget } from './selected-target.ts';
import { showSign, STATE_SIGNS } from './style.ts';
import { objectOfTarget, shownObject } from './target-object.ts';
import { JSON_VERSION } from './version.ts';

export interface PlaceHoldFlags extends ClusterFlags, HoldFlags {
  readonly env?: string | undefined;
  readonly output: 'text' | 'json';
}

/** Writes a Hold in the name of who asks, and says what it covers, when it ends and how to lift it. */
export async function placeHold(
  cli: CliContext,
  flags: PlaceHoldFlags,
  { app, object: named }: { readonly app: string | undefined; readonly object: string | undefined },
): Promise<void> {
  const { clock, env, signal } = cli.surroundings;
  const { until, reason } = checkedHold(flags, clock.now());
  await using chosen = await openApplication(cli, flags, app);
  const { client, application } = chosen;
  const spec = selectTarget(application, flags.env);
  const object =
    named === undefined ? undefined : await objectOfTarget(client, { application, spec }, named, { signal });
  const { username } = await client.whoAmI({ signal });
  const wish = { until, reason, by: username, fields: flags.field, atEnd: flags.atEnd };
  const hold = holdOf({ ...wish, spec, object: object?.ref });
  await client.apply(hold, { manager: 'plumb-cli', force: true, signal });
  if (object?.isMember === false) {
    cli.note(
      `No live ${shownObject(object.ref, spec)} belongs to ${targetName(spec)}; the hold counts for it all the same.`,
    );
  }
  const now = clock.now();
  if (flags.output === 'json') {
    const data = { apiVersion: JSON_VERSION, kind: 'Hold', ...holdData(hold, now) };
    cli.print(`${jsonText(data, 2)}\n`);
    return;
  }
  const end = Date.parse(hold.spec.until);
  const what = `${targetName(spec)}: edits of ${coverText(hold.spec)} stand until ${timeText(end, env['TZ'])}, ${restText(hold.spec, now)}`;
  const { name, namespace } = hold.metadata;
  cli.show(`${showSign(cli.style, STATE_SIGNS.Held)} ${oneLine(what)}\n`);
  cli.show(`  Hold ${name} by ${oneLine(`${username}: ${reason}`)}\n`);
  cli.show(
    `  What still differs from Git ${ENDINGS[hold.spec.atEnd]} then. Lift it before with: plumb unhold ${name} -n ${namespace}\n`,
  );
}

const ENDINGS: Readonly<Record<HoldEnd, string>> = {
  heal: 'is put back',
  report: 'is left and reported',
  'pull-request': 'is left and becomes a pull request',
};

/** All holds that may be read, those that end first in front and those that have ended last. */
export async function listHolds(cli: CliContext, client: KubeClient, cluster: ChosenCluster): Promise<readonly Hold[]> {
  const { clock, signal } = cli.surroundings;
  const listed = await listObjects(client, HOLD.kind, cluster, { signal });
  const holds = listed.flatMap((object) => {
    const decoded = decodeHold(object);
    if (decoded.ok) return [decoded.value];
    cli.note(`A hold cannot be read: ${oneLine(decoded.error.message)}`);
    return [];
  });
  const now = clock.now();
  return holds.toSorted((a, b) => {
    const order = Number(hasEnded(a.spec, now)) - Number(hasEnded(b.spec, now));
    return order === 0 ? Date.parse(a.spec.until) - Date.parse(b.spec.until) : order;
  });
}

/** Whether a hold is of the application that `NAME` or `NAMESPACE/NAME` means. */
export function isHoldOf({ metadata, spec }: Hold, app: string): boolean {
  return app === spec.application || app === `${metadata.namespace}/${spec.application}`;
}

export function holdData({ metadata, spec, status }: Hold, now: number): object {
  const { application, environment = null, object = null, fields = [], until, by, reason, atEnd } = spec;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    app: application,
    env: environment,
    object: object === null ? null : { ...object, namespace: object.namespace ?? null },
    fields,
    until: new Date(until).toISOString(),
    ended: hasEnded(spec, now),
    by,
    reason,
    atEnd,
    proposal:
      status?.state === undefined
        ? null
        : {
            state: status.state,
            message: status.message ?? '',
            branch: status.branch ?? null,
            pullRequest: status.pullRequest ?? null,
          },
  };
}
