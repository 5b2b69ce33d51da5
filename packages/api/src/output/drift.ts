import { z } from 'zod';
import { count } from './parts.ts';

const value = z.json().meta({ description: 'null where the field is not there.' });

/** `plumb drift keep -o json`. */
export const kept = {
  object: z.string(),
  fields: z.array(
    z.strictObject({
      path: z.string(),
      git: value,
      live: value,
      where: z.strictObject({ file: z.string(), line: count.exactOptional() }).nullable(),
    }),
  ),
  files: z.array(
    z.strictObject({
      file: z.string(),
      hunks: z.array(
        z.strictObject({ before: count, after: count, removed: z.array(z.string()), added: z.array(z.string()) }),
      ),
    }),
  ),
  others: z.array(z.string()).meta({ description: 'Other targets that change as well.' }),
  branch: z.string(),
  commit: z.string().nullable().meta({ description: 'null where nothing was pushed.' }),
};
