import * as z from 'zod';
import { isJsonObject, RENDERERS } from '@plumb/core';
import { DNS_LABEL, DNS_SUBDOMAIN, freeForm, REPOSITORY_FILE, text, VARIABLE_NAME } from './rules.ts';

export const valuesFilesSchema = z
  .array(
    text(
      1024,
      REPOSITORY_FILE,
      'A file, relative to the path; "{{ environment }}" in it stands for the name of the environment.',
    ),
  )
  .max(32)
  .meta({
    description: 'Values files, relative to the path; later ones win over earlier ones.',
    'x-kubernetes-list-type': 'atomic',
  });

/** One glob or several. A structural schema has no word for "text or list", so the decoder alone checks the shape. */
function globs(description: string) {
  return z
    .union(
      [z.string().min(1).max(1024), z.array(z.string().min(1).max(1024)).max(64)],
      'must be a text or a list of texts',
    )
    .meta({ description, 'x-plumb-any': true });
}

/** A list of what Kustomize calls by its own words; each item is kept as it is written. */
function itemsOf(description: string, item: string) {
  return z.array(freeForm(item)).max(256).meta({ description, 'x-kubernetes-list-type': 'atomic' });
}

const parameterSchema = z
  .strictObject({
    name: z.string().min(1).max(1024).meta({ description: 'The path of the value, as in helm --set.' }),
    value: z.string().max(65_536).meta({ description: 'The value, read as in helm --set.' }),
    forceString: z.boolean().exactOptional().meta({ description: 'Keep it a text, as helm --set-string does.' }),
  })
  .meta({ description: 'One value.' });

const helmSchema = z
  .strictObject({
    skipCRDs: z.boolean().exactOptional().meta({ description: 'Leave out what lies in crds/.' }),
    skipSchemaValidation: z
      .boolean()
      .exactOptional()
      .meta({ description: 'Do not hold the values against values.schema.json.' }),
    kubeVersion: text(
      64,
      [],
      "What the chart takes for the version of Kubernetes. Default: the cluster's.",
    ).exactOptional(),
    apiVersions: z.array(z.string().min(1).max(512)).max(4096).exactOptional().meta({
      description: "What the chart takes for the served API versions. Default: the cluster's.",
      'x-kubernetes-list-type': 'atomic',
    }),
  })
  .meta({ description: 'For Helm charts.' });

const kustomizeSchema = z
  .strictObject({
    images: itemsOf(
      'Images to replace, in the words of Kustomize.',
      'name, and newName, newTag or digest.',
    ).exactOptional(),
    patches: itemsOf(
      'Patches over the result, in the words of Kustomize; a path is relative to the folder.',
      'patch or path, and target.',
    ).exactOptional(),
    components: z
      .array(z.string().min(1).max(1024))
      .max(64)
      .exactOptional()
      .meta({ description: 'Components, relative to the folder.', 'x-kubernetes-list-type': 'atomic' }),
  })
  .meta({ description: 'A kustomization over that of the folder, without editing the repository.' });

const variablesSchema = z
  .custom<Readonly<Record<string, string>>>(isVariables, 'must map names of variables to texts')
  .meta({
    description: 'Variables by name; they win over those of `from`.',
    type: 'object',
    additionalProperties: { type: 'string', maxLength: 65_536 },
    maxProperties: 1024,
  });

function isVariables(value: unknown): boolean {
  return isJsonObject(value) && Object.entries(value).every(isVariable);
}

function isVariable([name, value]: readonly [string, unknown]): boolean {
  return VARIABLE_NAME.test(name) && typeof value === 'string';
}

const substituteSchema = z
  .strictObject({
    variables: variablesSchema.exactOptional(),
    from: z
      .array(
        z
          .strictObject({
            kind: z.enum(['ConfigMap', 'Secret']).meta({ description: 'ConfigMap or Secret.' }),
            name: text(253, [DNS_SUBDOMAIN], "Its name, in the application's namespace."),
            optional: z.boolean().exactOptional().meta({ description: 'It may be missing.' }),
          })
          .meta({ description: 'An object whose data are variables.' }),
      )
      .max(32)
      .exactOptional()
      .meta({
        description: 'Objects of the cluster whose data are variables; later ones win over earlier ones.',
        'x-kubernetes-list-type': 'atomic',
      }),
    strict: z
      .boolean()
      .exactOptional()
      .meta({ description: 'A variable that is not set and has no default is an error. Default: it is empty.' }),
  })
  .meta({ description: 'Variables to put into the objects after the build: a dollar sign and a name in braces.' });

export const renderSchema = z
  .strictObject({
    renderer: z
      .enum(RENDERERS)
      .exactOptional()
      .meta({ description: 'helm, kustomize, values or plain. Default: found from the contents of the folder.' }),
    values: freeForm('Values for the templates; they win over all files.').exactOptional(),
    valuesFiles: valuesFilesSchema.exactOptional(),
    parameters: z
      .array(parameterSchema)
      .max(256)
      .exactOptional()
      .meta({ description: 'Single values; they win over everything.', 'x-kubernetes-list-type': 'atomic' }),
    manifests: z
      .strictObject({
        include: globs('Only files that match one of these globs. Default: all YAML and JSON files.').exactOptional(),
        exclude: globs('No files that match one of these globs.').exactOptional(),
      })
      .exactOptional()
      .meta({ description: 'Which files of the folder are manifests.' }),
    helm: helmSchema.exactOptional(),
    kustomize: kustomizeSchema.exactOptional(),
    substitute: substituteSchema.exactOptional(),
    release: text(
      53,
      [DNS_LABEL],
      'The release name that templates see. Default: the name of the application.',
    ).exactOptional(),
    random: z.enum(['stable', 'upstream']).exactOptional().meta({
      description:
        'What random functions of templates draw from. stable (default): a secret of the application, so that a password stays what it is. upstream: chance, anew with every render.',
    }),
  })
  .meta({ description: 'How files become objects. Default: found from the contents of the folder.' });
