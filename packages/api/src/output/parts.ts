import { z } from 'zod';

/** RFC 3339. */
export const time = z.string().meta({ description: 'RFC 3339, in UTC.' });
export const count = z.number().int().min(0);
/** A value as it stands in an object. Of a Secret, a tag. */
const value = z.json().meta({ description: 'As it stands in the object; of a Secret a tag that tells what is equal.' });

/** Names what an output speaks of. */
export const objectName = {
  group: z.string().meta({ description: 'Empty for the core group.' }),
  kind: z.string(),
  namespace: z.string().meta({ description: 'Empty for an object of the cluster.' }),
  name: z.string(),
};

export const place = {
  file: z.string().exactOptional().meta({ description: 'In the repository.' }),
  line: count.exactOptional(),
};

export const error = z.strictObject({
  code: z.string().meta({ description: 'Stable: see docs/errors.md.' }),
  message: z.string(),
  fix: z.string().meta({ description: 'What to do next.' }),
  ...place,
  column: count.exactOptional(),
  object: z.string().exactOptional(),
  field: z.string().exactOptional(),
});

const owner = z.strictObject({
  manager: z.string(),
  operation: z.enum(['Apply', 'Update']),
  time: time.exactOptional(),
});

/** A field that differs. A side is left out where the field is not there. */
export const fieldChange = {
  path: z.string().meta({ description: 'spec.template.spec.containers[name="api"].image' }),
  before: value.exactOptional(),
  after: value.exactOptional(),
  order: z.literal(true).exactOptional().meta({ description: 'Only the order of the items differs.' }),
};

export const placedChange = z.strictObject({
  ...fieldChange,
  place: z.strictObject(place).exactOptional(),
  owners: z.array(owner).exactOptional().meta({ description: 'Others who own the field now, and lose it.' }),
});

/** What differs between two states of an object and is no change. */
export const normalisedField = z.strictObject({
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  path: z.string(),
  reason: z.enum(['default', 'spelling', 'empty', 'order', 'owner', 'server', 'tracking', 'unowned']),
  managers: z.array(z.string()).exactOptional(),
});

export const reasonCounts = z
  .record(z.string(), count)
  .meta({ description: 'How many for each reason; reasons without any are left out.' });
