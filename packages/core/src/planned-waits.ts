import type { DesiredSet } from './desired.ts';
import { needsStatus } from './health/index.ts';
import type { HookPhase } from './hook.ts';
import { parseObjectKey, type ObjectKey } from './key.ts';
import { BEFORE_HOOKS } from './order-graph.ts';
import { nameSome } from './phrases.ts';
import type { PlanItem } from './plan.ts';

/**
 * What a release waits for before it goes on: that definitions are `established`, that hooks of a phase have `succeeded`,
 * that what it wrote in a wave is `healthy`, that what it deletes is `gone`.
 */
export interface PlannedWait {
  readonly until: 'established' | 'succeeded' | 'healthy' | 'gone';
  /** Of `succeeded`. */
  readonly phase?: HookPhase;
  /** Of `healthy`. */
  readonly wave?: number;
  readonly objects: readonly ObjectKey[];
}

/**
 * The waits of a release that does what is planned, in their order: the definitions, the `PreSync` hooks, each wave with its
 * `Sync` hooks, the deletions, the `PostSync` hooks. Empty where nothing is done. What stays as it is is healthy already, or is
 * waited for in no plan.
 */
export function plannedWaits(
  { objects, hooks }: Pick<DesiredSet, 'objects' | 'hooks'>,
  items: readonly PlanItem[],
): readonly PlannedWait[] {
  const written = new Set(items.flatMap(({ action, key }) => (isWritten(action) ? key : [])));
  const keysOf = (wanted: PlanItem['action']): readonly ObjectKey[] =>
    items.flatMap(({ action, key }) => (action === wanted ? key : []));
  const deleted = keysOf('delete');
  const anew = new Set(keysOf('replace'));
  if (written.size === 0 && deleted.length === 0) return [];

  const needed = new Set(
    objects.flatMap(({ key, needs = [] }) =>
      written.has(key) ? needs.flatMap((need) => (need.until === 'established' ? need.key : [])) : [],
    ),
  );
  const definitions = objects.flatMap(({ key }) => (needed.has(key) && written.has(key) ? key : []));
  const inPhase = (phase: HookPhase, wave?: number): readonly ObjectKey[] =>
    hooks.flatMap((hook) =>
      hook.hook.phases.includes(phase) && (wave === undefined || hook.wave === wave) ? hook.key : [],
    );
  const waves = [...new Set([...objects, ...hooks].map(({ wave }) => wave))].sort((a, b) => a - b);
  const inWaves = waves.flatMap((wave): readonly PlannedWait[] => {
    const healthy = objects.flatMap(({ key, wave: own }) =>
      own === wave && written.has(key) && isJudged(key) ? key : [],
    );
    const replaced = objects.flatMap(({ key, wave: own }) => (own === wave && anew.has(key) ? key : []));
    const ofWave = wave === BEFORE_HOOKS ? {} : { wave };
    return [
      { until: 'gone', objects: replaced },
      { until: 'healthy', ...ofWave, objects: healthy },
      { until: 'succeeded', phase: 'Sync', objects: inPhase('Sync', wave) },
    ];
  });
  const waits: readonly PlannedWait[] = [
    { until: 'established', objects: definitions },
    { until: 'succeeded', phase: 'PreSync', objects: inPhase('PreSync') },
    ...inWaves,
    { until: 'gone', objects: deleted },
    { until: 'succeeded', phase: 'PostSync', objects: inPhase('PostSync') },
  ];
  return waits.filter((wait) => wait.objects.length > 0);
}

function isWritten(action: PlanItem['action']): boolean {
  return action === 'create' || action === 'change' || action === 'adopt' || action === 'replace';
}

/** Whether its health is more than that it is there. */
function isJudged(key: ObjectKey): boolean {
  const ref = parseObjectKey(key);
  return ref !== undefined && ref.kind !== 'CustomResourceDefinition' && needsStatus(ref);
}

/** In words: `Deployment/api is healthy`, `Job/migrate has succeeded (PreSync)`. */
export function waitText({ until, phase, wave, objects }: PlannedWait): string {
  const names = nameSome(objects);
  const are = objects.length === 1 ? 'is' : 'are';
  const ofWave = wave === undefined || wave === 0 ? '' : ` (wave ${wave})`;
  if (until === 'succeeded') return `${names} ${objects.length === 1 ? 'has' : 'have'} succeeded (${phase ?? ''})`;
  return `${names} ${are} ${until}${ofWave}`;
}
