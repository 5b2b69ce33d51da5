import * as z from 'zod';
import { isJsonObject, type Json, type JsonObject, type KubeObject } from '@plumb/core';
import { applicationSpecSchema, applicationStatusSchema } from './application.ts';
import { approvalSpecSchema, approvalStatusSchema } from './approval.ts';
import { holdSpecSchema, holdStatusSchema } from './drift.ts';
import { APPLICATION, APPROVAL, GROUP, HOLD, REPOSITORY, VERSION } from './names.ts';
import { repositorySpecSchema, repositoryStatusSchema } from './repository.ts';

/** The CustomResourceDefinitions of all kinds, generated from their schemas. */
export function generateCrds(): readonly KubeObject[] {
  return [
    crd({
      names: { ...REPOSITORY, singular: 'repository', listKind: 'RepositoryList', shortNames: ['prepo'] },
      description: 'A Git repository that applications are deployed from.',
      spec: repositorySpecSchema,
      status: repositoryStatusSchema,
      columns: [
        { name: 'URL', type: 'string', jsonPath: '.spec.url' },
        { name: 'Ref', type: 'string', jsonPath: '.status.ref' },
        REVISION_COLUMN,
        READY_COLUMN,
        { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', priority: 1 },
        AGE_COLUMN,
      ],
    }),
    crd({
      names: { ...APPLICATION, singular: 'application', listKind: 'ApplicationList', shortNames: ['papp'] },
      description: 'A folder in a repository that is kept true in one or more environments.',
      spec: applicationSpecSchema,
      status: applicationStatusSchema,
      columns: [
        READY_COLUMN,
        { name: 'State', type: 'string', jsonPath: '.status.state' },
        REVISION_COLUMN,
        { name: 'Release', type: 'string', jsonPath: '.status.release' },
        { name: 'Envs', type: 'string', jsonPath: '.status.environments[*].name', priority: 1 },
        { name: 'Status', type: 'string', jsonPath: '.status.message', priority: 1 },
        AGE_COLUMN,
      ],
    }),
    crd({
      names: { ...APPROVAL, singular: 'approval', listKind: 'ApprovalList', shortNames: ['papproval'] },
      description: 'That a person has approved exactly what a release would do.',
      spec: approvalSpecSchema,
      status: approvalStatusSchema,
      columns: [
        { name: 'Application', type: 'string', jsonPath: '.spec.application' },
        { name: 'Environment', type: 'string', jsonPath: '.spec.environment' },
        { name: 'Plan', type: 'string', jsonPath: '.spec.digest' },
        { name: 'By', type: 'string', jsonPath: '.spec.by' },
        AGE_COLUMN,
      ],
    }),
    crd({
      names: { ...HOLD, singular: 'hold', listKind: 'HoldList', shortNames: ['phold'] },
      description: 'That edits on the cluster stand for a while.',
      spec: holdSpecSchema,
      status: holdStatusSchema,
      columns: [
        { name: 'Application', type: 'string', jsonPath: '.spec.application' },
        { name: 'Environment', type: 'string', jsonPath: '.spec.environment' },
        { name: 'Until', type: 'string', jsonPath: '.spec.until' },
        { name: 'By', type: 'string', jsonPath: '.spec.by' },
        AGE_COLUMN,
      ],
    }),
  ];
}

const READY_COLUMN = { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' };
const REVISION_COLUMN = { name: 'Revision', type: 'string', jsonPath: '.status.shortRevision' };
const AGE_COLUMN = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

interface Kind {
  readonly names: { readonly kind: string; readonly plural: string } & JsonObject;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly JsonObject[];
}

function crd(kind: Kind): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.names.plural}.${GROUP}`, labels: { 'app.kubernetes.io/part-of': 'plumb' } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { ...kind.names, categories: ['gitops', 'plumb'] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: kind.description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: structural(kind.spec),
                status: structural(kind.status),
              },
            },
          },
        },
      ],
    },
  };
}

/** The schema as Kubernetes wants it: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema */
function structural(schema: z.ZodType): Json {
  const generated = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // The API server prunes unknown fields by itself, and refuses the word beside `properties`.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // The bounds of an exact number, which every JSON number in a manifest keeps anyway.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema['x-plumb-any'] === true) {
        delete jsonSchema['x-plumb-any'];
        delete jsonSchema.anyOf;
        jsonSchema['x-kubernetes-preserve-unknown-fields'] = true;
      }
    },
  });
  return sorted(generated);
}

/** Keys in a stable order with the description first, so that a change of a library never reorders the file. */
function sorted(value: unknown): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value as Json;
  const rank = (key: string): string => (key === 'description' ? '' : key);
  const keys = Object.keys(value).sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
}
