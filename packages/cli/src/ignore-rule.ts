import { decodeApplication, type Application } from '@plumb/api';
import {
  equalJson,
  isJsonArray,
  isJsonObject,
  PlumbError,
  type FieldPath,
  type Json,
  type JsonObject,
} from '@plumb/core';
import { decodeYaml, editYaml, type TextFile, type WrittenObject } from '@plumb/render';

/** A rule of `spec.drift.rules` by which some fields of one object are nobody's drift. */
export interface IgnoreRule {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly fields: readonly string[];
  readonly managers?: readonly string[];
  readonly policy: 'ignore';
  readonly reason: string;
}

export interface RuleEdit {
  /** Where in the Application, and what stands there then. Undefined where it says so already. */
  readonly change: { readonly path: FieldPath; readonly value: Json } | undefined;
  /** Environments that the rule would be expected in and that have rules of their own instead. */
  readonly besides: readonly string[];
}

/**
 * How an Application, as it is written, comes to have a rule: for one environment, or for all that have no rules of their own.
 * An environment without rules of its own gets those of the application besides, since its own replace them. Error:
 * `EnvironmentMissing`.
 */
export function ruleEdit(application: Json, rule: IgnoreRule, environment: string | undefined): RuleEdit {
  const spec = mapAt(application, 'spec');
  const environments = isJsonArray(spec?.['environments']) ? spec['environments'] : [];
  const shared = mapAt(spec, 'drift');
  if (environment === undefined) {
    const besides = environments.flatMap((each) => (mapAt(each, 'drift') === undefined ? [] : nameOf(each)));
    return { change: changeOf([{ field: 'spec' }, { field: 'drift' }], shared, undefined, rule), besides };
  }
  const index = environments.findIndex((each) => nameOf(each) === environment);
  if (index < 0) {
    throw new PlumbError('EnvironmentMissing', `the Application in Git has no environment ${environment}`, {
      fix: 'Leave out -e for a rule of all environments, or add the environment in Git first.',
    });
  }
  const path = [{ field: 'spec' }, { field: 'environments' }, { index }, { field: 'drift' }];
  return { change: changeOf(path, mapAt(environments[index], 'drift'), shared, rule), besides: [] };
}

function changeOf(
  path: FieldPath,
  own: JsonObject | undefined,
  inherited: JsonObject | undefined,
  rule: IgnoreRule,
): RuleEdit['change'] {
  const before = own ?? inherited ?? {};
  const rules = isJsonArray(before['rules']) ? before['rules'] : [];
  if (rules.some((each) => isSameRule(each, rule))) return undefined;
  const after = withRule(rules, rule);
  if (own !== undefined) return { path: [...path, { field: 'rules' }], value: after };
  return { path, value: { ...before, rules: after } };
}

/** The first rule that fits counts: where one of them might, the new one goes in front. */
function withRule(rules: readonly Json[], rule: IgnoreRule): readonly Json[] {
  const written = { ...rule } as unknown as Json;
  return rules.some((each) => mayFit(each, rule)) ? [written, ...rules] : [...rules, written];
}

function mayFit(other: Json, rule: IgnoreRule): boolean {
  const fits = (wanted: Json | undefined, actual: string | undefined): boolean =>
    typeof wanted !== 'string' || wanted.includes('*') || actual === undefined || wanted === actual;
  if (!isJsonObject(other)) return true;
  return fits(other['kind'], rule.kind) && fits(other['name'], rule.name) && fits(other['namespace'], rule.namespace);
}

/** Whatever the reason is: it says the same. */
function isSameRule(other: Json, rule: IgnoreRule): boolean {
  const { reason: _reason, ...wanted } = rule;
  if (!isJsonObject(other)) return false;
  const { reason: _other, ...had } = other;
  return equalJson(had, wanted);
}

export interface EditedManifest {
  /** The file as it is to be; as it was where it says so already. */
  readonly text: string;
  readonly besides: readonly string[];
}

/**
 * The file with the rule in the Application that it spells out, and every other byte as it was. What comes out is decoded, and
 * says of every environment what it said before, with the rule where it is to be. Throws `EditRefused`, `SpecInvalid`,
 * `EnvironmentMissing`.
 */
export function withIgnoreRule(
  source: TextFile,
  place: WrittenObject,
  { rule, environment }: { readonly rule: IgnoreRule; readonly environment: string | undefined },
): EditedManifest {
  const { change, besides } = ruleEdit(place.value, rule, environment);
  const before = decoded(place.value);
  if (change === undefined) return { text: source.text, besides };
  const { document, path: root } = place;
  const path = [...root, ...change.path];
  const edited = editYaml(source.text, { file: source.file, document, path, value: change.value });
  if (!edited.ok) throw edited.error;
  const [written] = documentsOf(edited.value, source.file, document);
  const after = decoded(root.length === 0 ? written : itemAt(written, root));
  if (isOnlyRule(before, after, { rule, environment })) return { text: edited.value, besides };
  throw new PlumbError('EditRefused', 'the edited Application would say something else besides the rule', {
    where: { file: source.file, line: place.line },
  });
}

function documentsOf(text: string, file: string, document: number): readonly Json[] {
  return decodeYaml(text.replace(/^\uFEFF/, ''), file).flatMap(({ value }, index) =>
    index === document ? [value] : [],
  );
}

/** An item of a list: `items[2]`. */
function itemAt(value: Json | undefined, root: FieldPath): Json | undefined {
  const [, element] = root;
  const items = isJsonObject(value) ? value['items'] : undefined;
  return isJsonArray(items) && element !== undefined && 'index' in element ? items[element.index] : undefined;
}

function decoded(value: Json | undefined): Application {
  const result = decodeApplication(value);
  if (!result.ok) throw result.error;
  return result.value;
}

function isOnlyRule(
  before: Application,
  after: Application,
  { rule, environment }: { readonly rule: IgnoreRule; readonly environment: string | undefined },
): boolean {
  const names = [undefined, ...(before.spec.environments ?? []).map(({ name }) => name)];
  const old = new Map(names.map((name) => [name, rulesIn(before, name)]));
  const areAsMeant = names.every((name) => {
    const hasOwn = before.spec.environments?.find((one) => one.name === name)?.drift !== undefined;
    const isMeant = environment === undefined ? !hasOwn : name === environment;
    const was = old.get(name);
    const now = rulesIn(after, name);
    if (!isMeant) return equalJson(was, now);
    const rules = (was?.rules ?? []) as unknown as readonly Json[];
    const wanted = { policy: 'revert', ...was, rules: withRule(rules, rule) };
    return equalJson(wanted, now);
  });
  return areAsMeant && equalJson(withoutDrift(before), withoutDrift(after));
}

function rulesIn({ spec }: Application, environment: string | undefined): Application['spec']['drift'] | null {
  return spec.environments?.find(({ name }) => name === environment)?.drift ?? spec.drift ?? null;
}

function withoutDrift({ metadata, spec }: Application): Json {
  const { drift: _drift, environments = [], ...rest } = spec;
  const bare = environments.map(({ drift: _own, ...environment }) => environment);
  return { metadata, spec: rest, environments: bare } as unknown as Json;
}

function mapAt(value: Json | undefined, field: string): JsonObject | undefined {
  const inner = isJsonObject(value) ? value[field] : undefined;
  return isJsonObject(inner) ? inner : undefined;
}

function nameOf(environment: Json | undefined): string {
  const name = isJsonObject(environment) ? environment['name'] : undefined;
  return typeof name === 'string' ? name : '';
}
