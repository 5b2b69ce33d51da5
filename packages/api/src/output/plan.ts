import { z } from 'zod';
import {
  count,
  error,
  fieldChange,
  normalisedField,
  objectName,
  place,
  placedChange,
  reasonCounts,
  time,
} from './parts.ts';

const action = z.enum(['delete', 'replace', 'change', 'adopt', 'create', 'blocked']);

const planItem = z.strictObject({
  action,
  ...objectName,
  reason: z.string().exactOptional().meta({ description: 'absent, changed, drifted, adopted, removed …' }),
  ...place,
  changes: z.array(placedChange).exactOptional(),
  predicted: z
    .literal(true)
    .exactOptional()
    .meta({ description: 'The API server could not be asked: the namespace or the kind comes with the same plan.' }),
  forcedBy: z.string().exactOptional().meta({ description: 'The field for which it is deleted and made anew.' }),
  needsApproval: z
    .string()
    .exactOptional()
    .meta({ description: 'It holds data, and is made anew with an approval of the plan only: what is lost then.' }),
  restarts: count.exactOptional().meta({ description: 'Pods that are made anew.' }),
  error: error.exactOptional(),
  deniedBy: z
    .strictObject({ policy: z.string(), binding: z.string(), message: z.string() })
    .exactOptional()
    .meta({ description: "The cluster's own ValidatingAdmissionPolicy that refuses it." }),
});

const wait = z.strictObject({
  until: z.enum(['established', 'succeeded', 'healthy', 'gone']),
  phase: z.string().exactOptional(),
  wave: z.number().int().exactOptional(),
  objects: z.array(z.string()),
});

const judgement = z.strictObject({
  counts: z.record(z.string(), count),
  results: z.array(
    z.strictObject({
      policy: z.string(),
      severity: z.enum(['warn', 'deny']),
      group: z.string().exactOptional(),
      kind: z.string().exactOptional(),
      namespace: z.string().exactOptional(),
      name: z.string().exactOptional(),
      ...place,
      field: z.string().exactOptional(),
      message: z.string(),
      fix: z.string(),
      fault: z.string().exactOptional(),
    }),
  ),
});

const radius = {
  objects: count,
  deletions: count,
  replacements: count,
  restarts: count.meta({ description: 'Workloads whose pods are made anew.' }),
  pods: count,
  namespaces: z.array(z.string()),
  stateful: z.array(z.string()).meta({ description: 'What holds data and is deleted or made anew.' }),
};

const targetPlan = z.strictObject({
  namespace: z.string(),
  app: z.string(),
  env: z.string().exactOptional(),
  source: z.strictObject({
    label: z.string(),
    commit: z.string().exactOptional().meta({ description: 'Left out of a working copy.' }),
  }),
  pullRequest: z.strictObject({ number: count, head: z.string() }).exactOptional(),
  targetNamespace: z.string(),
  digest: z.string().meta({ description: 'What is approved, or asked for with plumb sync --plan.' }),
  counts: z.strictObject({
    delete: count,
    replace: count,
    change: count,
    adopt: count,
    create: count,
    blocked: count,
    unchanged: count,
  }),
  blockedDeletions: z.strictObject({ digest: z.string(), reason: z.string() }).exactOptional(),
  radius: z.strictObject(radius),
  quotas: z
    .array(
      z.strictObject({
        namespace: z.string(),
        quota: z.string(),
        resource: z.string(),
        needed: z.string(),
        left: z.string(),
      }),
    )
    .meta({
      description: 'Quotas that would not suffice for all of it: how much more is needed, and how much is left.',
    }),
  waits: z.array(wait).meta({ description: 'What a release waits for, in this order.' }),
  notes: z.array(z.string()),
  normalised: z
    .strictObject({ count, reasons: reasonCounts, listed: z.array(normalisedField).exactOptional() })
    .exactOptional()
    .meta({ description: 'What differs and is no change; listed with --show-normalised.' }),
  items: z.array(planItem).meta({ description: 'Deletions first, then in the order of applying.' }),
  policies: judgement,
});

/** `plumb plan -o json`. */
export const plan = {
  total: z
    .strictObject({ applications: count, targets: count, changing: count, ...radius })
    .meta({ description: 'How far all of it reaches together.' }),
  items: z.array(targetPlan),
};

const storedFields = {
  id: z.string(),
  at: time,
  server: z.string(),
  app: z.string(),
  namespace: z.string(),
  env: z.string(),
  commit: z.string().exactOptional(),
  digest: z.string(),
  items: z.array(
    z.strictObject({
      key: z.string(),
      action,
      changes: z.array(z.strictObject({ ...placedChange.shape, isOrder: fieldChange.order })),
      touched: z.string().exactOptional(),
    }),
  ),
};

/** `plumb plan show -o json`. */
export const storedPlan = storedFields;
/** `plumb plan list -o json`. */
export const storedPlans = { items: z.array(z.strictObject(storedFields)) };
