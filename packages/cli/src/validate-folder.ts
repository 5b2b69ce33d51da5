import { resolve } from 'node:path';
import {
  checkSchema,
  crdSchemas,
  formatFieldPath,
  groupOf,
  isJsonObject,
  isNamespaced,
  kindName,
  refOf,
  shortName,
  type DocumentAt,
  type FieldFault,
  type KubeObject,
  type ObjectRef,
  type Origin,
  type PlumbError,
  type Rendered,
} from '@plumb/core';
import { judgePolicies, type Policy } from '@plumb/policy';
import { FindingPlaces, type Renderer, type RenderOutcome } from '@plumb/render';
import { isRefusal, type Finding, type RuleFacts, type ValidationReport } from './finding.ts';
import { folderTree, pathBelow } from './folder-tree.ts';
import { DEFAULT_NAMESPACE, inputsOf, renderFolder, type RenderInputFlags } from './render-folder.ts';
import { inWordsOfFlags } from './render-refusals.ts';
import { throwAll } from './report-error.ts';

interface ValidateOptions {
  readonly policies: readonly Policy[];
  readonly renderer: Renderer;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

interface CheckedObject {
  readonly object: KubeObject;
  readonly origin: Origin;
  readonly ref: ObjectRef;
}

/**
 * Renders a folder and holds what comes of it against schemas and policies. What is wrong with the files themselves is a
 * finding where it has a place; otherwise it is thrown, as `plumb render` throws it.
 */
export async function validateFolder(
  folder: string,
  flags: RenderInputFlags,
  { policies, renderer, cwd, signal }: ValidateOptions,
): Promise<ValidationReport & { readonly outcome: RenderOutcome }> {
  const outcome = await renderFolder(folder, flags, { renderer, cwd, signal });
  const broken = outcome.ok ? [] : outcome.error.map(inWordsOfFlags);
  if (broken.some(({ where, facts }) => where === undefined || facts.culprit !== 'user')) throwAll(broken);

  const directory = resolve(cwd, folder);
  const { tree, path } = await folderTree(directory);
  const rendered = withFlagValues(renderedOf(outcome), flags, { directory, path, cwd });
  const namespace = flags.namespace ?? DEFAULT_NAMESPACE;
  const objects = objectsOf(outcome, namespace);
  const places = new FindingPlaces(tree, rendered);
  const findings: Finding[] = broken.map((error) => ofError(error, objects));
  const rules = new Map<string, RuleFacts>();
  const known = await schemaFindings(objects, places, findings, { signal });

  const judgement = judgePolicies(policies, {
    objects: objects.map(({ object, ref }) => ({ object, namespace: ref.namespace })),
    environment: flags.env,
    namespace,
    application: inputsOf(flags, directory).release,
  });
  const misshapen = new Set(findings.map(({ index }) => index));
  for (const { policy, severity, index, path: field, message, fix, fault } of judgement.results) {
    // A wrong type is told already; that an expression stumbles over it as well is no news.
    if (fault !== undefined && index !== undefined && misshapen.has(index)) continue;
    const subject = index === undefined ? undefined : objects[index];
    findings.push({
      rule: `policy/${policy}`,
      severity: severity === 'deny' ? 'deny' : 'warning',
      message,
      fix,
      where:
        subject === undefined ? { file: path } : await places.placeOf(subject, field, { isFieldName: false, signal }),
      index,
      field: formatFieldPath(field),
    });
  }
  for (const { rule } of findings) rules.set(rule, factsOf(rule, policies));
  return {
    outcome,
    path,
    environment: flags.env,
    objects: objects.map(({ ref, origin }) => ({ ref, origin })),
    findings: sorted(findings, objects),
    rules: [...rules.values()].sort((a, b) => compare(a.id, b.id)),
    policies: judgement.counts,
    unknownKinds: countKinds(objects.filter((_, index) => known[index] === false)),
  };
}

/** What was rendered; where that is not complete, what of it looks like objects, so that all is told at once. */
function objectsOf(outcome: RenderOutcome, namespace: string): readonly CheckedObject[] {
  const found = outcome.ok ? outcome.value.objects : outcome.documents.flatMap(asObject);
  return found.map(({ object, origin }) => {
    const ref = refOf(object);
    return { object, origin, ref: { ...ref, namespace: isNamespaced(object) ? ref.namespace || namespace : '' } };
  });
}

function asObject({ value, origin }: DocumentAt): readonly { readonly object: KubeObject; readonly origin: Origin }[] {
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isJsonObject(metadata)) return [];
  const { name, namespace } = metadata;
  if (typeof name !== 'string' || (namespace !== undefined && typeof namespace !== 'string')) return [];
  return [{ object: value as unknown as KubeObject, origin }];
}

function renderedOf(outcome: RenderOutcome): Rendered {
  if (outcome.ok) return outcome.value;
  return { renderer: outcome.choice?.renderer ?? 'plain', objects: [], files: [], warnings: [] };
}

/** Values files of flags are above those of the folder; a place can be told where they lie in the same tree. */
function withFlagValues(
  rendered: Rendered,
  { values = [] }: RenderInputFlags,
  { directory, path, cwd }: { readonly directory: string; readonly path: string; readonly cwd: string },
): Rendered {
  const root = path === '' ? directory : resolve(directory, ...path.split('/').map(() => '..'));
  const files = values.map((file) => pathBelow(root, resolve(cwd, file))).filter((file) => !/^\.\.(?:\/|$)/.test(file));
  return { ...rendered, valuesFiles: [...(rendered.valuesFiles ?? []), ...files] };
}

/** Whether each object was held against anything. */
async function schemaFindings(
  objects: readonly CheckedObject[],
  places: FindingPlaces,
  findings: Finding[],
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly boolean[]> {
  const definitions = crdSchemas(objects.map(({ object }) => object));
  const known: boolean[] = [];
  for (const [index, checked] of objects.entries()) {
    const { faults, isKnown } = checkSchema(checked.object, definitions);
    known.push(isKnown);
    for (const { rule, path, message, fix } of faults) {
      findings.push({
        rule: `schema/${rule}`,
        severity: 'error',
        message,
        fix,
        where: await places.placeOf(checked, path, { isFieldName: NAMES.has(rule), signal }),
        index,
        field: formatFieldPath(path),
      });
    }
  }
  return known;
}

/** Faults of a name, not of a value. */
const NAMES: ReadonlySet<FieldFault['rule']> = new Set([
  'unknown-field',
  'missing-field',
  'unknown-kind',
  'removed-version',
]);

function ofError(error: PlumbError, objects: readonly CheckedObject[]): Finding {
  const { code, message, fix, where, field, subject } = error;
  const isSame = ({ ref, origin }: CheckedObject): boolean =>
    origin.file === where?.file && (shortName(ref) === subject || origin.line === where.line);
  const index = objects.findIndex(isSame);
  return {
    rule: `render/${code}`,
    severity: 'error',
    message,
    fix,
    where,
    index: index < 0 ? undefined : index,
    field: field ?? '',
  };
}

const SCHEMA_RULES: Readonly<Record<FieldFault['rule'], string>> = {
  'unknown-field': 'Every field is one that the kind has.',
  'wrong-type': 'Every field holds what its type says.',
  'invalid-value': 'Every value is one that its field takes.',
  'missing-field': 'What a definition requires is there.',
  'unknown-kind': 'Every kind is one that its version has.',
  'removed-version': 'Every version is one that API servers still take.',
};

function factsOf(rule: string, policies: readonly Policy[]): RuleFacts {
  const name = rule.slice(rule.indexOf('/') + 1);
  const policy = rule.startsWith('policy/') ? policies.find((one) => one.name === name) : undefined;
  if (policy !== undefined) return { id: rule, description: policy.description, help: policy.fix };
  if (rule.startsWith('schema/')) {
    const description = SCHEMA_RULES[name as FieldFault['rule']];
    return { id: rule, description, help: 'Write what the API server takes: it refuses everything else.' };
  }
  return { id: rule, description: 'The files can be read and rendered.', help: `See docs/errors.md, ${name}.` };
}

function sorted(findings: readonly Finding[], objects: readonly CheckedObject[]): readonly Finding[] {
  const keyOf = ({ where, rule, index, field, message }: Finding): readonly (string | number)[] => {
    const ref = index === undefined ? undefined : objects[index]?.ref;
    const name = ref === undefined ? '' : `${kindName(ref)} ${ref.namespace} ${ref.name}`;
    return [where?.file ?? '', where?.line ?? 0, where?.column ?? 0, rule, name, field, message];
  };
  const seen = new Set<string>();
  return findings
    .map((finding) => ({ finding, key: keyOf(finding) }))
    .filter(({ key }) => {
      const text = JSON.stringify(key);
      return !seen.has(text) && seen.add(text) !== undefined;
    })
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(({ finding }) => finding);
}

function compareKeys(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [index, one] of a.entries()) {
    const order = compare(one, b[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : Number(a > b);
}

function countKinds(objects: readonly CheckedObject[]): ValidationReport['unknownKinds'] {
  const counts = new Map<string, number>();
  for (const { object } of objects) {
    const kind = kindName({ group: groupOf(object.apiVersion), kind: object.kind });
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => ({ kind, count })).sort((a, b) => compare(a.kind, b.kind));
}

/** Whether the answer is no. */
export function hasRefusals({ findings }: ValidationReport): boolean {
  return findings.some(isRefusal);
}
