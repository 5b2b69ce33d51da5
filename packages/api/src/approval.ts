import * as z from 'zod';
import { DNS_LABEL, DNS_SUBDOMAIN, PLAN_DIGEST, text } from './rules.ts';

/** Written once, and never changed: see `OWN_NAME_GUARDS`. */
export const approvalSpecSchema = z
  .strictObject({
    application: text(253, [DNS_SUBDOMAIN], 'Name of the Application, in the same namespace.'),
    environment: text(63, [DNS_LABEL], 'The environment; left out where the application names none.').exactOptional(),
    digest: text(
      12,
      [PLAN_DIGEST],
      'The digest of the plan as it was seen. What would do anything else is not approved.',
    ),
    by: text(253, [], 'The user who approves. The API server refuses any other name than that of who writes this.'),
    groups: z
      .array(text(253, [], 'A group.'))
      .max(128)
      .default([])
      .meta({
        description: 'Groups in whose name the user approves: only such as the user is in.',
        'x-kubernetes-list-type': 'set',
      }),
    reason: text(1024, [], 'Why, for the record.').exactOptional(),
  })
  .meta({ description: 'What was approved, and by whom.' });

export const approvalStatusSchema = z.object({}).meta({ description: 'Nothing yet.' });
