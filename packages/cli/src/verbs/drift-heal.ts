import { APPLICATION, type Application, type State, type TargetStatus } from '@plumb/api';
import { objectKey, PlumbError, type ObjectKey, oneLine } from '@plumb/core';
import { HEAL_ANNOTATION, parseHealWishes, targetsOf, type TargetSpec } from '@plumb/engine';
import { plumbResource } from '../list-objects.ts';
import { openApplication } from '../chosen-application.ts';
import type { ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { requireEngine } from '../engine-lease.ts';
import type { EveryVerb } from '../flags.ts';
import { jsonText } from '../json-text.ts';
import { throwAll } from '../report-error.ts';
import { follow, hasHandled, requestOf, targetsOf as statusesOf } from '../request.ts';
import { placeOf } from '../retire.ts';
import { selectTarget } from '../selected-target.ts';
import { showSign, STATE_SIGNS } from '../style.ts';
import { objectOfTarget, shownObject } from '../target-object.ts';
import { JSON_VERSION } from '../version.ts';
import { errorsOf } from './sync.ts';

export interface DriftHealFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly noWait?: boolean | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly output: 'text' | 'json';
}

/**
 * `plumb drift heal`: has the engine put back what has drifted, whatever rules and holds say, and waits until it has looked. A
 * plan that alone may be applied stays the only one.
 */
export async function driftHeal(this: CliContext, flags: DriftHealFlags, name: string, named?: string): Promise<void> {
  const { clock, signal } = this.surroundings;
  await using chosen = await openApplication(this, flags, name);
  const { client, cluster, application } = chosen;
  const { namespace } = application.metadata;
  const only = named === undefined ? undefined : selectTarget(application, flags.env);
  const specs =
    only === undefined
      ? targetsOf(application).filter(({ environment }) => flags.env === undefined || environment === flags.env)
      : [only];
  const object =
    only === undefined || named === undefined
      ? undefined
      : (await objectOfTarget(client, { application, spec: only }, named, { signal })).ref;
  await requireEngine(client, namespace, cluster.config.context, { now: clock.now(), signal });

  const request = new Date(clock.now()).toISOString();
  const key = object === undefined ? undefined : objectKey(object);
  const heal = healWishes(application, specs, { now: clock.now(), key });
  const wish = requestOf(application, { request, heal, keepsPlan: true });
  await client.apply(wish, { manager: 'plumb-request', force: true, signal });
  const shown = object === undefined || only === undefined ? null : shownObject(object, only);
  const report = (states: readonly TargetStatus[]): void => {
    if (flags.output !== 'json') return;
    const items = specs.map((spec) => {
      const status = states.find((one) => one.name === spec.environment);
      const asked = heal.get(placeOf(spec))?.at ?? clock.now();
      return {
        env: spec.environment === '' ? null : spec.environment,
        asked: new Date(asked).toISOString(),
        state: status?.state ?? null,
        message: status?.message ?? null,
      };
    });
    const data = {
      apiVersion: JSON_VERSION,
      kind: 'HealRequest',
      app: application.metadata.name,
      object: shown,
      items,
    };
    this.print(`${jsonText(data, 2)}\n`);
  };
  if (flags.noWait === true) {
    report([]);
    this.note(`Asked for ${application.metadata.name}; see "plumb status".`);
    return;
  }
  const ended = await follow(this, {
    client,
    resource: await plumbResource(client, APPLICATION.kind, { signal }),
    application,
    isOver: hasHandled(request),
    aim: 'healed',
    environment: flags.env ?? (only?.environment || undefined),
    timeout: flags.timeout,
  });
  const states = statusesOf(ended, undefined).filter((one) => specs.some((spec) => spec.environment === one.name));
  const errors = states.flatMap((status) => leftOver(application.metadata.name, status));
  // Where it is an error, that is what the reader of JSON gets.
  if (errors.length > 0) return throwAll(errors);
  report(states);
  if (flags.output === 'json') return;
  for (const { name: env, state, message } of states) {
    const place = env === '' ? application.metadata.name : `${application.metadata.name} → ${env}`;
    const what = shown === null ? 'is as Git says' : `${shown} is as Git says`;
    const besides = state === 'Healthy' ? '' : `; it is ${state.toLowerCase()}: ${message ?? ''}`;
    this.show(`${showSign(this.style, STATE_SIGNS.Healthy)} ${oneLine(`${place}: ${what}${besides}`)}\n`);
  }
}

/**
 * What is asked for, for each target. A new wish is later than the one before, whatever this clock says, and not before the
 * engine has said that the target has drifted: else it would be about nothing.
 */
function healWishes(
  { metadata, status }: Application,
  specs: readonly TargetSpec[],
  { now, key }: { readonly now: number; readonly key: ObjectKey | undefined },
): ReturnType<typeof parseHealWishes> {
  const before = parseHealWishes(metadata.annotations?.[HEAL_ANNOTATION] ?? '');
  return new Map(
    specs.map((spec) => {
      const place = placeOf(spec);
      const state = status?.environments?.find(({ name }) => name === spec.environment);
      const since = state?.state === 'Drifted' ? Date.parse(state.since ?? '') : NaN;
      const earlier = before.get(place)?.at;
      const at = Math.max(now, earlier === undefined ? 0 : earlier + 1, Number.isNaN(since) ? 0 : since);
      return [place, { at, ...(key === undefined ? {} : { key }) }];
    }),
  );
}

/** Without these it has been healed, however it is otherwise. */
const NOT_HEALED: ReadonlySet<State> = new Set(['Failed', 'Suspended', 'Stale']);

/** Why a target is not healed: what it says itself. */
function leftOver(app: string, status: TargetStatus): readonly PlumbError[] {
  if (status.state !== 'Drifted') return NOT_HEALED.has(status.state) ? errorsOf(app, status) : [];
  if ((status.failures ?? []).length > 0) return errorsOf(app, status);
  const place = status.name === '' ? app : `${app} ${status.name}`;
  return [
    new PlumbError('Unhealthy', `${place} has still drifted: ${status.message ?? 'it does not say why'}`, {
      fix: 'See "plumb why", and whether somebody else writes the same fields.',
    }),
  ];
}
