import { CRDS } from '@plumb/api';
import { fieldAt, isJsonObject, type Json, type JsonObject } from '@plumb/core';

import { cell, madeFrom, table } from './generated-page.ts';

/** What the schema cannot say about a kind: the smallest useful object and one with everything that is often needed. */
interface Introduction {
  readonly source: string;
  readonly smallest: string;
  readonly larger: string;
}

const INTRODUCTIONS: Readonly<Record<'Application' | 'Approval' | 'Hold' | 'Repository', Introduction>> = {
  Repository: {
    source: 'packages/api/src/repository.ts',
    smallest: `apiVersion: plumb.dev/v1alpha1
kind: Repository
metadata:
  name: shop
  namespace: default
spec:
  url: https://git.example.com/shop/deploy.git`,
    larger: `apiVersion: plumb.dev/v1alpha1
kind: Repository
metadata:
  name: platform
  namespace: team-pay
spec:
  url: ssh://git@git.example.com/platform/deploy.git
  ref: main
  interval: 1m
  secretRef:
    name: platform-git
  webhook:
    secretRef:
      name: platform-webhook`,
  },
  Approval: {
    source: 'packages/api/src/approval.ts',
    smallest: `apiVersion: plumb.dev/v1alpha1
kind: Approval
metadata:
  name: shop-1c9e4b000000-dana
  namespace: default
spec:
  application: shop
  digest: 1c9e4b000000
  by: dana@example.com`,
    larger: `apiVersion: plumb.dev/v1alpha1
kind: Approval
metadata:
  name: checkout-1c9e4b000000-dana
  namespace: team-pay
spec:
  application: checkout
  environment: prod
  digest: 1c9e4b000000
  by: dana@example.com
  groups:
    - pay-leads
  reason: Seen with the team.`,
  },
  Hold: {
    source: 'packages/api/src/drift.ts',
    smallest: `apiVersion: plumb.dev/v1alpha1
kind: Hold
metadata:
  name: shop-inc-9
  namespace: default
spec:
  application: shop
  allowEdits: true
  until: '2026-01-31T18:00:00Z'
  by: dana@example.com
  reason: INC-9, by hand until the fix is released.`,
    larger: `apiVersion: plumb.dev/v1alpha1
kind: Hold
metadata:
  name: checkout-billing
  namespace: team-pay
spec:
  application: checkout
  environment: prod
  allowEdits: true
  object:
    group: apps
    kind: Deployment
    name: api
  fields:
    - spec.replicas
  until: '2026-01-31T18:00:00Z'
  by: dana@example.com
  reason: Billing run.
  atEnd: report`,
  },
  Application: {
    source: 'packages/api/src/application.ts',
    smallest: `apiVersion: plumb.dev/v1alpha1
kind: Application
metadata:
  name: shop
  namespace: default
spec:
  source:
    repository: shop
    path: deploy`,
    larger: `apiVersion: plumb.dev/v1alpha1
kind: Application
metadata:
  name: checkout
  namespace: team-pay
spec:
  source:
    repository: platform
    path: apps/checkout
  render:
    values:
      region: eu
    manifests:
      exclude: 'drafts/**'
  serviceAccount: deployer
  environments:
    - name: dev
      namespace: checkout-dev
    - name: staging
      namespace: checkout-staging
      values:
        replicas: 2
    - name: prod
      namespace: checkout
      revision: 9f3c1ab6d2e4f8a0b1c2d3e4f5a6b7c8d9e0f1a2
  deletion:
    maxObjects: 10
    protect: [Secret]`,
  },
};

/** The page of one kind: its fields with types, defaults, descriptions and rules, all read from the CRD. */
export function kindPage(kind: keyof typeof INTRODUCTIONS): string {
  const crd = CRDS.find((candidate) => fieldAt(candidate, 'spec', 'names', 'kind') === kind);
  const versions = fieldAt(crd, 'spec', 'versions');
  const version = Array.isArray(versions) ? (versions[0] as Json) : undefined;
  const schema = fieldAt(version, 'schema', 'openAPIV3Schema');
  const { source, smallest, larger } = INTRODUCTIONS[kind];
  const columns = fieldAt(version, 'additionalPrinterColumns');
  const shortNames = fieldAt(crd, 'spec', 'names', 'shortNames');
  return [
    `# ${kind}`,
    '',
    madeFrom(source),
    '',
    textAt(schema, 'description'),
    'The API server checks the rules below when the object is written, and `plumb` checks them in a working copy.',
    'The smallest useful one, and a larger one:',
    '',
    '```yaml',
    smallest,
    '---',
    larger,
    '```',
    '',
    '## spec',
    '',
    ...table(['Field', 'Type', 'Default', 'Meaning and rules'], specRows(fieldAt(schema, 'properties', 'spec'))),
    '',
    '`?` marks a field that may be left out. A field without it is needed wherever the mapping that holds it is there.',
    '',
    '## status',
    '',
    textAt(fieldAt(schema, 'properties', 'status'), 'description'),
    '',
    ...table(
      ['Field', 'Type', 'Meaning'],
      fieldsOf(fieldAt(schema, 'properties', 'status')).map(({ path, schema: field }) => [
        `\`${path}\``,
        typeOf(field),
        cell(textAt(field, 'description')),
      ]),
    ),
    '',
    `\`kubectl get ${list(shortNames)}\` shows: ${columnNames(columns)}. Columns in brackets need \`-o wide\`.`,
    '',
  ].join('\n');
}

interface Field {
  /** `environments[].name`. */
  readonly path: string;
  readonly schema: Json | undefined;
  readonly isRequired: boolean;
}

/** All fields below a mapping, each before the ones inside it. */
function fieldsOf(schema: Json | undefined, prefix = ''): readonly Field[] {
  const properties = fieldAt(schema, 'properties');
  const required = fieldAt(schema, 'required');
  const isRequired = (name: string): boolean => Array.isArray(required) && required.includes(name);
  return Object.entries(isJsonObject(properties) ? properties : {})
    .toSorted(([a], [b]) => Number(isRequired(b)) - Number(isRequired(a)) || (a < b ? -1 : 1))
    .flatMap(([name, field]) => {
      const path = `${prefix}${name}`;
      return [
        { path, schema: field, isRequired: isRequired(name) },
        ...fieldsOf(field, `${path}.`),
        ...fieldsOf(fieldAt(field, 'items'), `${path}[].`),
      ];
    });
}

function specRows(spec: Json | undefined): readonly (readonly string[])[] {
  return fieldsOf(spec).map(({ path, schema, isRequired }) => {
    const fallback = fieldAt(schema, 'default');
    const meaning = [textAt(schema, 'description'), ...rulesOf(schema), ...rulesOf(fieldAt(schema, 'items'))];
    return [
      `\`${path}\`${isRequired ? '' : '?'}`,
      typeOf(schema),
      fallback === undefined || isJsonObject(fallback) ? '' : `\`${JSON.stringify(fallback)}\``,
      cell(meaning.join(' ')),
    ];
  });
}

function typeOf(schema: Json | undefined): string {
  const type = fieldAt(schema, 'type');
  const values = fieldAt(schema, 'enum');
  if (Array.isArray(values)) return values.map((value) => `\`${String(value)}\``).join(' or ');
  if (type === undefined) return 'text, or list of texts';
  if (type === 'array') return `list of ${PLURALS[textAt(fieldAt(schema, 'items'), 'type')] ?? 'mappings'}`;
  if (textAt(schema, 'format') === 'date-time') return 'time';
  if (fieldAt(schema, 'x-kubernetes-preserve-unknown-fields') === true) return 'any mapping';
  return TYPE_NAMES[String(type)] ?? String(type);
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  boolean: 'true or false',
  object: 'mapping',
};

const PLURALS: Readonly<Record<string, string>> = { string: 'texts', integer: 'whole numbers', object: 'mappings' };

/** The rules of a field as sentences: `Must be a DNS label …. At most 63 characters.` */
function rulesOf(schema: Json | undefined): readonly string[] {
  const validations = fieldAt(schema, 'x-kubernetes-validations');
  const messages = Array.isArray(validations) ? validations.map((rule) => textAt(rule as Json, 'message')) : [];
  const bound = (field: string, unit: string): readonly string[] => {
    const value = fieldAt(schema, field);
    return typeof value === 'number' ? [`At most ${value}${unit}.`] : [];
  };
  return [
    ...[...new Set(messages)].map((message) => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`),
    ...bound('maxLength', ' characters'),
    ...bound('maxItems', ' entries'),
    ...bound('maximum', ''),
  ];
}

function columnNames(columns: Json | undefined): string {
  const names = Array.isArray(columns) ? columns : [];
  return names
    .map((column: JsonObject) => {
      const name = textAt(column, 'name');
      return fieldAt(column, 'priority') === 1 ? `[${name}]` : name;
    })
    .join(', ');
}

function list(value: Json | undefined): string {
  return Array.isArray(value) ? value.map(String).join(', ') : '';
}

function textAt(value: unknown, field: string): string {
  const text = fieldAt(value, field);
  return typeof text === 'string' ? text : '';
}
