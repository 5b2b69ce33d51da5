import { z } from 'zod';
import { objectDiff, renderDiff, stateDiff } from './diff.ts';
import { blame, drifts, healRequest, hold, holds, ignored, kept, unheld } from './drift.ts';
import { plan, storedPlan, storedPlans } from './plan.ts';
import { decommissionPlan, events, history, status, tree, why } from './state.ts';

/** Of everything that `-o json` prints. */
const JSON_VERSION = 'cli.plumb.dev/v1';

const FIELDS = {
  Blame: blame,
  DecommissionPlan: decommissionPlan,
  Drifts: drifts,
  Events: events,
  HealRequest: healRequest,
  History: history,
  Hold: hold,
  Holds: holds,
  Ignored: ignored,
  ObjectDiff: objectDiff,
  Kept: kept,
  Plan: plan,
  RenderDiff: renderDiff,
  StateDiff: stateDiff,
  Status: status,
  StoredPlan: storedPlan,
  StoredPlans: storedPlans,
  Tree: tree,
  Unheld: unheld,
  Why: why,
} as const;

/** What `-o json` prints, by its `kind`. Nothing else is ever in it: a field that is not here is a fault of a test. */
export const OUTPUT_SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map(
  Object.entries(FIELDS).map(([kind, fields]) => [
    kind,
    z.strictObject({ apiVersion: z.literal(JSON_VERSION), kind: z.literal(kind), ...fields }),
  ]),
);

/** The same as JSON Schema (draft 2020-12). */
export function outputJsonSchemas(): ReadonlyMap<string, object> {
  return new Map([...OUTPUT_SCHEMAS].map(([kind, schema]) => [kind, z.toJSONSchema(schema)]));
}
