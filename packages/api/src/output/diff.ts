import { z } from 'zod';
import { count, fieldChange, normalisedField, objectName, place, reasonCounts } from './parts.ts';

/** `plumb diff --live FILE --desired FILE -o json`. */
export const objectDiff = {
  live: z.string(),
  desired: z.string(),
  items: z.array(
    z.strictObject({
      action: z.enum(['create', 'change']),
      apiVersion: z.string(),
      kind: z.string(),
      namespace: z.string(),
      name: z.string(),
      changes: z.array(
        z.strictObject({
          ...fieldChange,
          owners: z.array(z.string()).exactOptional().meta({ description: 'Other managers that own the field too.' }),
        }),
      ),
    }),
  ),
  counts: z.strictObject({
    change: count,
    create: count,
    unchanged: count,
    changes: count.meta({ description: 'Fields of objects that are there.' }),
    normalised: count,
    liveOnly: count,
  }),
  reasons: reasonCounts,
  normalised: z.array(normalisedField).exactOptional(),
};

const side = z.strictObject({ label: z.string(), commit: z.string().exactOptional() });

/** `plumb diff --render A..B -o json`. */
export const renderDiff = {
  path: z.string(),
  from: side,
  to: side,
  items: z.array(
    z.strictObject({
      action: z.enum(['delete', 'change', 'create']),
      ...objectName,
      ...place,
      changes: z.array(z.strictObject({ ...fieldChange, place: z.strictObject(place).exactOptional() })),
    }),
  ),
  counts: z.strictObject({ delete: count, change: count, create: count, unchanged: count }),
};

/** `plumb diff APP A..B -o json`. */
export const stateDiff = { ...renderDiff, app: z.string() };
