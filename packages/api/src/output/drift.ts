import { z } from 'zod';
import { HOLD_ENDS } from '@plumb/core';
import { HOLD_OUTCOMES } from '../drift.ts';
import { STATES } from '../names.ts';
import { count, objectName, time } from './parts.ts';

const value = z.json().meta({ description: 'null where the field is not there.' });

const files = z.array(
  z.strictObject({
    file: z.string(),
    hunks: z.array(
      z.strictObject({ before: count, after: count, removed: z.array(z.string()), added: z.array(z.string()) }),
    ),
  }),
);

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
  files,
  others: z.array(z.string()).meta({ description: 'Other targets that change as well.' }),
  branch: z.string(),
  commit: z.string().nullable().meta({ description: 'null where nothing was pushed.' }),
  pullRequest: z
    .string()
    .nullable()
    .meta({ description: 'Where it is; null where none was asked for, or the host is not known.' }),
};

const author = z
  .strictObject({
    tier: z
      .enum(['audit', 'stamp', 'manager', 'none'])
      .meta({ description: 'How it is known; each tier says no more than it sees.' }),
    user: z.string().exactOptional(),
    impersonator: z.string().exactOptional(),
    manager: z.string().exactOptional(),
    operation: z.enum(['Apply', 'Update']).exactOptional(),
    time: time.exactOptional(),
    verb: z.string().exactOptional(),
    address: z.string().exactOptional(),
    agent: z.string().exactOptional(),
    auditId: z.string().exactOptional(),
  })
  .meta({ description: 'Who did it, as far as that is known.' });

/** One drift on record. */
export const driftItem = z.strictObject({
  id: count,
  namespace: z.string(),
  app: z.string(),
  env: z.string().exactOptional(),
  object: z.strictObject(objectName),
  what: z.enum(['edited', 'added', 'taken', 'deleted', 'recreated', 'unmarked', 'namespace-deleted']),
  fields: z.array(
    z.strictObject({
      path: z.string(),
      git: z.json().exactOptional(),
      live: z.json().exactOptional(),
      order: z.literal(true).exactOptional(),
      managers: z.array(z.string()).meta({ description: 'Who owns the field besides Plumb, latest first.' }),
      by: author,
    }),
  ),
  by: author,
  release: z.string().meta({ description: 'The release that it deviates from: r184.' }),
  foundAt: time,
  standing: z
    .strictObject({
      policy: z.enum(['report', 'allow']),
      until: time.exactOptional(),
      reason: z.string().exactOptional(),
      hold: z.string().exactOptional(),
      by: z.string().exactOptional(),
    })
    .exactOptional()
    .meta({ description: 'By what decision it stands.' }),
  outcome: z.enum(['healed', 'gone', 'released', 'superseded', 'ignored', 'forgotten']).exactOptional(),
  endedAt: time.exactOptional(),
});

/** One hold on record. */
export const heldItem = z.strictObject({
  namespace: z.string(),
  app: z.string(),
  env: z.string().exactOptional(),
  name: z.string(),
  covers: z.string().meta({ description: 'What might be edited, as people say it.' }),
  by: z.string(),
  reason: z.string(),
  since: time,
  until: time,
  atEnd: z.enum(HOLD_ENDS),
  liftedAt: time.exactOptional().meta({ description: 'Set where somebody ended it before its time.' }),
  outcome: z
    .string()
    .exactOptional()
    .meta({ description: 'What came of the edits, where they were to become a pull request.' }),
});

/** `plumb drift -o json`. */
export const drifts = {
  items: z.array(driftItem),
  trend: z
    .array(z.strictObject({ of: z.enum(['application', 'author']), name: z.string(), count, before: count }))
    .exactOptional()
    .meta({ description: 'With --since: how often in that time, and in the one before.' }),
  suggestions: z
    .array(
      z.strictObject({
        rule: z.strictObject({
          group: z.string().exactOptional(),
          kind: z.string(),
          name: z.string().exactOptional(),
          fields: z.array(z.string()),
          managers: z.array(z.string()),
          policy: z.literal('ignore'),
          reason: z.string(),
        }),
        count,
      }),
    )
    .meta({ description: 'Rules that would end what keeps being changed by the same manager.' }),
};

const env = z.string().nullable().meta({ description: 'null where the application names no environments.' });

const holdFields = {
  name: z.string(),
  namespace: z.string(),
  app: z.string(),
  env,
  object: z
    .strictObject({
      group: z.string().meta({ description: 'Empty for the core group.' }),
      kind: z.string(),
      namespace: z.string().nullable().meta({ description: 'null for any.' }),
      name: z.string(),
    })
    .nullable()
    .meta({ description: 'null for all objects.' }),
  fields: z.array(z.string()).meta({ description: 'Empty for all fields.' }),
  until: time,
  ended: z.boolean(),
  by: z.string(),
  reason: z.string(),
  atEnd: z.enum(HOLD_ENDS),
  proposal: z
    .strictObject({
      state: z.enum(HOLD_OUTCOMES),
      message: z.string(),
      branch: z.string().nullable(),
      pullRequest: z.string().nullable().meta({ description: 'Where it is.' }),
    })
    .nullable()
    .meta({ description: 'What came of the edits, where they were to become a pull request; null until then.' }),
};

/** `plumb hold -o json`, `plumb drift allow -o json`. */
export const hold = holdFields;

/** `plumb hold list -o json`: also those that have ended. */
export const holds = { items: z.array(z.strictObject(holdFields)) };

/** `plumb unhold -o json`: what was lifted. */
export const unheld = { items: z.array(z.strictObject(holdFields)) };

/** `plumb drift heal -o json`. */
export const healRequest = {
  app: z.string(),
  object: z.string().nullable().meta({ description: 'The one object that was asked for; null for all.' }),
  items: z.array(
    z.strictObject({
      env,
      asked: time.meta({ description: 'What had drifted by then is healed.' }),
      state: z.enum(STATES).nullable().meta({ description: 'What came of it; null where nobody waited.' }),
      message: z.string().nullable(),
    }),
  ),
};

/** `plumb drift ignore -o json`. */
export const ignored = {
  app: z.string(),
  env: env.meta({ description: 'null where the rule is one of all environments.' }),
  rule: z.strictObject({
    kind: z.string(),
    namespace: z.string().exactOptional(),
    name: z.string(),
    fields: z.array(z.string()),
    managers: z.array(z.string()).exactOptional(),
    policy: z.literal('ignore'),
    reason: z.string(),
  }),
  files: files.meta({ description: 'Empty where Git says so already.' }),
  repository: z.string().meta({ description: 'The Repository: NAMESPACE/NAME.' }),
  branch: z.string(),
  commit: z.string().nullable().meta({ description: 'null where nothing was pushed.' }),
};

/** `plumb blame -o json`. */
export const blame = {
  items: z.array(
    z.strictObject({
      app: z.string().exactOptional(),
      env: z.string().exactOptional(),
      object: z.strictObject({
        apiVersion: z.string(),
        kind: z.string(),
        namespace: z.string().exactOptional(),
        name: z.string(),
      }),
      release: z.strictObject({ name: z.string(), commit: z.string(), author: z.string() }).exactOptional(),
      fields: z.array(
        z.strictObject({
          path: z.string(),
          value: z
            .json()
            .exactOptional()
            .meta({ description: 'Left out where Git sets it and the object does not have it.' }),
          owners: z.array(
            z.strictObject({
              manager: z.string(),
              operation: z.enum(['Apply', 'Update']),
              time: time.exactOptional(),
              subresource: z.string().exactOptional(),
            }),
          ),
          isOurs: z.boolean(),
          git: z.json().exactOptional(),
          isDifferent: z.boolean(),
          attribution: author.exactOptional(),
          file: z.string().exactOptional(),
          line: count.exactOptional(),
          author: z
            .looseObject({})
            .exactOptional()
            .meta({ description: 'Who wrote the line, and with which commit; where there are few of them.' }),
        }),
      ),
      unknown: z.array(z.string()).meta({ description: 'What could not be found out, and why.' }),
    }),
  ),
};
