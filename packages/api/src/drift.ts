import * as z from 'zod';
import { HOLD_ENDS, parseFieldPattern } from '@plumb/core';
import { DEFAULTS } from './names.ts';
import { DNS_SUBDOMAIN, text, TIME, type TextRule } from './rules.ts';

/** What the API server cannot check is checked when the object is read. */
const FIELD_PATTERN: TextRule = {
  cel: 'size(self) > 0',
  message:
    'must be a field (spec.template.spec.containers[name="api"].image), a JSON pointer (/spec/replicas) or a path of jq (.spec.replicas)',
  holds: (field) => parseFieldPattern(field) !== undefined,
};

const JSON_POINTER: TextRule = {
  cel: 'self.startsWith("/")',
  message: 'must be a JSON pointer such as /spec/replicas',
  holds: (field) => field.startsWith('/') && parseFieldPattern(field) !== undefined,
};

const JQ_PATH: TextRule = {
  cel: 'self.startsWith(".")',
  message: 'must be a path of jq, with select(.field == "value") at most: .spec.containers[] | select(.name == "api")',
  holds: (field) => field.startsWith('.') && parseFieldPattern(field) !== undefined,
};

const fieldPatternsSchema = z
  .array(text(1024, [FIELD_PATTERN], 'A field: spec.replicas, /spec/replicas or .spec.replicas.'))
  .min(1)
  .max(64)
  .meta({
    description: 'The fields, and all that is in them. Default: the whole object.',
    'x-kubernetes-list-type': 'atomic',
  });

/** Which objects; what is left out means all of them. */
const objectsSchema = {
  group: text(253, [], 'The group of their kind. Default: any.', 0).exactOptional(),
  kind: text(63, [], 'Their kind; * stands for anything.').exactOptional(),
  namespace: text(63, [], 'Their namespace; * stands for anything.').exactOptional(),
  name: text(253, [], 'Their name; * stands for anything.').exactOptional(),
};

const managersSchema = z
  .array(text(128, [], 'A field manager.'))
  .min(1)
  .max(64)
  .meta({ description: 'Only what these field managers own.', 'x-kubernetes-list-type': 'set' });

const ruleSchema = z
  .strictObject({
    ...objectsSchema,
    fields: fieldPatternsSchema.exactOptional(),
    managers: managersSchema.exactOptional(),
    when: text(
      2048,
      [],
      'A condition in CEL besides, over object.kind, object.namespace, object.name, field (empty for the object as a whole) and manager.',
    ).exactOptional(),
    policy: z
      .enum(['revert', 'report', 'allow', 'ignore'])
      .meta({ description: 'Put it back; leave it and say so; leave it as fine; or do not even look at it.' }),
    until: text(64, [TIME], 'Until when the rule counts, RFC 3339. Default: always.').exactOptional(),
    reason: text(1024, [], 'Why, for the record.').exactOptional(),
  })
  .refine(({ policy, until, reason }) => policy !== 'allow' || (until !== undefined && reason !== undefined), {
    message: 'must say until when and for which reason it allows',
  })
  .meta({
    description: 'What happens to some deviations. The first rule that fits counts.',
    'x-kubernetes-validations': [
      {
        rule: 'self.policy != "allow" || (has(self.until) && has(self.reason))',
        message: 'must say until when and for which reason it allows',
      },
    ],
  });

const ignoreDifferenceSchema = z
  .strictObject({
    ...objectsSchema,
    jsonPointers: z
      .array(text(1024, [JSON_POINTER], 'A JSON pointer.'))
      .max(64)
      .exactOptional()
      .meta({ description: 'Fields by JSON pointers.', 'x-kubernetes-list-type': 'atomic' }),
    jqPathExpressions: z
      .array(text(1024, [JQ_PATH], 'A path of jq.'))
      .max(64)
      .exactOptional()
      .meta({ description: 'Fields by paths of jq. Nothing is computed.', 'x-kubernetes-list-type': 'atomic' }),
    managedFieldsManagers: managersSchema.exactOptional(),
  })
  .meta({ description: 'What Argo CD would ignore, in its own words.' });

export const driftSchema = z
  .strictObject({
    policy: z
      .enum(['revert', 'report', 'allow'])
      .default(DEFAULTS.drift)
      .meta({ description: 'What happens to a deviation that no rule is about.' }),
    rules: z
      .array(ruleSchema)
      .max(100)
      .exactOptional()
      .meta({ description: 'Exceptions. The first that fits counts.', 'x-kubernetes-list-type': 'atomic' }),
    ignoreDifferences: z.array(ignoreDifferenceSchema).max(100).exactOptional().meta({
      description: 'As in an Application of Argo CD: ignored, after the rules.',
      'x-kubernetes-list-type': 'atomic',
    }),
  })
  .meta({ description: 'What happens when somebody changes what Plumb has applied.' });

/** Written once, and never changed: a guard sees to that, as for Approvals. */
export const holdSpecSchema = z
  .strictObject({
    application: text(253, [DNS_SUBDOMAIN], 'Name of the Application, in the same namespace.'),
    environment: text(
      63,
      [DNS_SUBDOMAIN],
      'The environment; left out where the application names none.',
    ).exactOptional(),
    allowEdits: z
      .literal(true)
      .meta({ description: 'Edits on the cluster are recorded and not healed while the hold lasts.', type: 'boolean' }),
    object: z
      .strictObject({
        group: text(253, [], 'The group of its kind; empty for the core group.', 0).default(''),
        kind: text(63, [], 'Its kind.'),
        namespace: text(63, [], 'Its namespace. Default: any.').exactOptional(),
        name: text(253, [], 'Its name.'),
      })
      .exactOptional()
      .meta({ description: 'Only edits of this object. Default: of all objects of the target.' }),
    fields: fieldPatternsSchema.exactOptional(),
    until: text(64, [TIME], 'When it ends, RFC 3339.'),
    by: text(253, [], 'The user who holds. The API server refuses any other name than that of who writes this.'),
    reason: text(1024, [], 'Why, for the record.'),
    atEnd: z.enum(HOLD_ENDS).default('heal').meta({
      description:
        'What happens to the edits at the end: put back; left and reported; or left and turned into a pull request.',
    }),
  })
  .meta({ description: 'That edits on the cluster stand for a while, by whose wish and why.' });

/** What came of the edits under a hold. */
export const HOLD_OUTCOMES = ['Proposed', 'Pushed', 'Nothing', 'NotKept', 'Failed'] as const;

export const holdStatusSchema = z
  .object({
    state: z.enum(HOLD_OUTCOMES).meta({
      description:
        'A pull request is open; a branch was pushed and the host is not known; nothing differed; Git cannot say it; or it failed, and is tried again.',
    }),
    message: z.string().meta({ description: 'The same for people.' }),
    branch: z.string().exactOptional().meta({ description: 'The branch that has the edits.' }),
    pullRequest: z.string().exactOptional().meta({ description: 'Where the pull request is.' }),
  })
  .partial()
  .meta({ description: 'What came of the edits at the end, where they were to become a pull request.' });
