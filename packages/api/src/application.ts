import * as z from 'zod';
import { conditionsSchema, observedGenerationSchema, shortRevisionSchema } from './condition.ts';
import { DEFAULTS, MAX_FAILURES, MAX_LISTED_DELETIONS, MAX_LISTED_HOOKS, STATES } from './names.ts';
import { driftSchema } from './drift.ts';
import { renderSchema, valuesFilesSchema } from './render.ts';
import {
  APPROVER,
  CHART_NAME,
  CHART_URL,
  DNS_LABEL,
  DNS_SUBDOMAIN,
  freeForm,
  GIT_REF,
  GROUP_KIND,
  INTERVAL,
  REPOSITORY_PATH,
  text,
} from './rules.ts';

const MAX_ENVIRONMENTS = 64;

const namespaceSchema = text(63, [DNS_LABEL], 'The namespace that the objects go to.');

const gatesSchema = z
  .strictObject({
    approvals: z
      .strictObject({
        required: z
          .int()
          .min(0)
          .max(10)
          .default(1)
          .meta({ description: 'How many people have to approve the plan of a release.', format: 'int32' }),
        from: z
          .array(text(253, [APPROVER], 'Who counts: user:NAME, group:NAME or review:HOST/LOGIN.'))
          .max(64)
          .exactOptional()
          .meta({
            description: 'Who counts. Default: whoever may create an Approval, or review and write.',
            'x-kubernetes-list-type': 'set',
          }),
        notAuthor: z
          .boolean()
          .default(true)
          .meta({ description: 'Whether the author of the commit, by name or mail address, counts as nobody.' }),
        fromReviews: z.boolean().default(false).meta({
          description:
            'Whether the reviews of a pull request approve the plans that stand on it, once it is merged. It takes spec.pullRequests of the Repository.',
        }),
      })
      .exactOptional()
      .meta({ description: 'Approvals of exactly what a release would do, by the digest of its plan.' }),
  })
  .meta({ description: 'What has to be so before a release begins. What runs is healed all the same.' });

const policiesSchema = z
  .strictObject({
    files: z
      .array(text(1024, REPOSITORY_PATH, 'A file of policies, or a folder of such files.'))
      .max(32)
      .exactOptional()
      .meta({
        description:
          'Files, and folders with .yaml and .json files, from the root of the repository; later ones win. They are read from the commit that is planned.',
        'x-kubernetes-list-type': 'atomic',
      }),
    starter: z.boolean().default(true).meta({ description: 'Whether the starter set comes first.' }),
  })
  .meta({ description: 'Policies that each plan is held against: what one denies is not released.' });

const environmentSchema = z
  .strictObject({
    name: text(63, [DNS_LABEL], 'dev, staging, prod: also picks values-NAME.yaml of manifests with values.'),
    namespace: namespaceSchema.exactOptional(),
    values: freeForm("Values of this environment; they win over the application's.").exactOptional(),
    valuesFiles: valuesFilesSchema.exactOptional(),
    revision: text(255, GIT_REF, "A branch, tag or commit to stay at. Default: the repository's ref.").exactOptional(),
    gates: gatesSchema.exactOptional(),
    drift: driftSchema.exactOptional(),
    suspend: z
      .boolean()
      .exactOptional()
      .meta({ description: 'Keep this environment as it is, unwatched and unhealed.' }),
  })
  .meta({ description: 'One place that the application goes to.' });

const chartSchema = z
  .strictObject({
    url: text(2048, CHART_URL, 'A Helm repository (https://…) or a registry (oci://…), without credentials.'),
    name: text(253, [CHART_NAME], 'The name of the chart.'),
    version: text(
      128,
      [],
      'A version, or a range of versions such as ^1.2 or >=1.2 <2. Empty is the newest.',
      0,
    ).default(''),
    secretRef: z
      .strictObject({ name: text(253, [DNS_SUBDOMAIN], 'Name of a Secret in the same namespace.') })
      .exactOptional()
      .meta({ description: 'Credentials: username and password (or token), and ca.crt.' }),
  })
  .meta({ description: 'A chart that is fetched; the folder in the repository then holds its values files.' });

export const applicationSpecSchema = z
  .strictObject({
    source: z
      .strictObject({
        repository: text(253, [DNS_SUBDOMAIN], 'Name of a Repository in the same namespace.'),
        path: text(1024, REPOSITORY_PATH, 'The folder in the repository; empty is its root.', 0).default(''),
        chart: chartSchema.exactOptional(),
      })
      .meta({ description: 'Where the manifests are.' }),
    render: renderSchema.exactOptional(),
    environments: z
      .array(environmentSchema)
      .max(MAX_ENVIRONMENTS)
      .refine(
        (list) => new Set(list.map(({ name }) => name)).size === list.length,
        'must not name an environment twice',
      )
      .exactOptional()
      .meta({
        description: 'The places that the application goes to. Without any, it goes to one place.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
    dependsOn: z
      .array(
        z.strictObject({
          name: text(253, [DNS_SUBDOMAIN], 'The name of an Application.'),
          namespace: text(63, [DNS_LABEL], 'Its namespace. Default: the same.').exactOptional(),
        }),
      )
      .max(64)
      .exactOptional()
      .meta({
        description:
          'Applications that have to be healthy, with what Git says now, before a release of this one begins. An environment waits for the one of the same name.',
        'x-kubernetes-list-type': 'atomic',
      }),
    timeout: text(
      20,
      INTERVAL,
      'How long a release waits for one thing (an object to become healthy, a hook to end) before it counts as failed.',
    ).default(DEFAULTS.timeout),
    namespace: namespaceSchema
      .exactOptional()
      .meta({ description: "The namespace that the objects go to. Default: the application's own." }),
    createNamespace: z
      .boolean()
      .exactOptional()
      .meta({ description: 'Make that namespace where it is missing. It belongs to nobody, and is never deleted.' }),
    serviceAccount: text(
      253,
      [DNS_SUBDOMAIN],
      "The service account that is impersonated for every write. Default: the engine's own identity; status.identity says which.",
    ).exactOptional(),
    conflicts: z
      .enum(['report', 'force'])
      .default(DEFAULTS.conflicts)
      .meta({ description: 'A field that another manager owns: report it and leave the object, or take it over.' }),
    deletion: z
      .strictObject({
        maxObjects: z
          .int()
          .min(0)
          .max(100_000)
          .default(DEFAULTS.deletion.maxObjects)
          .meta({ description: 'Delete no more than this many objects without being told to.', format: 'int32' }),
        maxPercent: z
          .int()
          .min(0)
          .max(100)
          .default(DEFAULTS.deletion.maxPercent)
          .meta({ description: 'Nor more than this share of all objects, in percent.', format: 'int32' }),
        protect: z
          .array(text(317, [GROUP_KIND], 'A kind with its group: StatefulSet.apps.'))
          .max(64)
          .exactOptional()
          .meta({
            description: 'Kinds that are never deleted without being told to, besides the ones that hold data.',
            'x-kubernetes-list-type': 'set',
          }),
      })
      .prefault({})
      .meta({ description: 'The budget of deletions. What exceeds it waits for an approval of that exact set.' }),
    gates: gatesSchema.exactOptional(),
    drift: driftSchema.exactOptional(),
    policies: policiesSchema.exactOptional(),
    suspend: z.boolean().exactOptional().meta({ description: 'Keep everything as it is, unwatched and unhealed.' }),
  })
  .meta({ description: 'What is to run, and where.' });

const stateSchema = z.enum(STATES);

const failureSchema = z.object({
  code: z.string().meta({ description: 'A stable code.' }),
  message: z.string().meta({ description: 'The cause in one sentence.' }),
  fix: z.string().exactOptional().meta({ description: 'What to do next.' }),
  file: z.string().exactOptional().meta({ description: 'The file in the repository.' }),
  line: z.int().min(0).exactOptional().meta({ description: 'The line in the file, from 1.', format: 'int64' }),
  object: z.string().exactOptional().meta({ description: 'The object that it is about.' }),
});

const targetStatusSchema = z
  .object({
    name: z.string().meta({ description: 'The environment; empty where the application names none.' }),
    namespace: z.string().exactOptional().meta({ description: 'The namespace that the objects go to.' }),
    state: stateSchema.meta({ description: 'The headline, worst first.' }),
    revision: z.string().exactOptional().meta({ description: 'The commit that is applied.' }),
    release: z.string().exactOptional().meta({ description: 'The release that is applied: r184.' }),
    objects: z.int().min(0).exactOptional().meta({ description: 'How many objects it has.', format: 'int64' }),
    reason: z.string().exactOptional().meta({ description: 'The cause of the state as one CamelCase word.' }),
    message: z.string().exactOptional().meta({ description: 'The cause of the state in one sentence.' }),
    since: z
      .string()
      .exactOptional()
      .meta({ description: 'When it came into this state, RFC 3339.', format: 'date-time' }),
    pendingPlan: z
      .object({
        digest: z.string().meta({ description: 'The digest that an approval has to name.' }),
        revision: z.string().meta({ description: 'The commit that it is a plan of.' }),
        summary: z.string().meta({ description: 'What it would do, in one line.' }),
        approvals: z.int().min(0).meta({ description: 'How many approvals it has.', format: 'int64' }),
        required: z.int().min(0).meta({ description: 'How many it needs.', format: 'int64' }),
      })
      .exactOptional()
      .meta({ description: 'A release that waits for approvals.' }),
    pendingDeletions: z
      .object({
        digest: z.string().meta({ description: 'The digest that an approval has to name.' }),
        count: z.int().min(0).meta({ description: 'How many objects would go.', format: 'int64' }),
        reason: z.string().exactOptional().meta({ description: 'Why they wait, in one sentence.' }),
        objects: z
          .array(
            z.object({
              object: z.string().meta({ description: 'Kind and name, with the namespace where there is one.' }),
              removedBy: z
                .string()
                .exactOptional()
                .meta({ description: 'The commit that removed it, and its author.' }),
              takes: z
                .int()
                .min(0)
                .exactOptional()
                .meta({ description: 'How many objects would go with it.', format: 'int64' }),
            }),
          )
          .max(MAX_LISTED_DELETIONS)
          .exactOptional()
          .meta({ description: 'The first of them; plumb plan shows all.', 'x-kubernetes-list-type': 'atomic' }),
      })
      .exactOptional()
      .meta({ description: 'Deletions that wait for an approval.' }),
    deletionHooks: z.array(z.string()).max(MAX_LISTED_HOOKS).exactOptional().meta({
      description: 'What plumb decommission runs, in order: PreDelete Job/backup.',
      'x-kubernetes-list-type': 'atomic',
    }),
    failures: z
      .array(failureSchema)
      .max(MAX_FAILURES)
      .exactOptional()
      .meta({ description: 'The first things that went wrong.', 'x-kubernetes-list-type': 'atomic' }),
  })
  .meta({ description: 'One target.' });

export const applicationStatusSchema = z
  .object({
    observedGeneration: observedGenerationSchema.exactOptional(),
    conditions: conditionsSchema.exactOptional(),
    state: stateSchema.exactOptional().meta({ description: 'The worst state of all environments.' }),
    revision: z
      .string()

      .exactOptional()
      .meta({ description: 'The full id of the commit that is applied everywhere, else of the newest.' }),
    shortRevision: shortRevisionSchema.exactOptional(),
    release: z.string().exactOptional().meta({ description: 'The release that is applied: r184.' }),
    message: z.string().exactOptional().meta({ description: 'The cause of the state in one sentence.' }),
    comparedAt: z
      .string()
      .exactOptional()
      .meta({ description: 'When the cluster was last compared with Git, RFC 3339.', format: 'date-time' }),
    identity: z.string().exactOptional().meta({ description: 'Who the objects are written as.' }),
    handledRequest: z
      .string()
      .exactOptional()
      .meta({ description: 'The last plumb.dev/reconcile-requested-at that was carried out.' }),
    environments: z
      .array(targetStatusSchema)
      .max(MAX_ENVIRONMENTS)
      .exactOptional()
      .meta({
        description: 'One entry for each target.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
  })
  .meta({ description: 'What was last seen and done. Written on transitions only.' });
