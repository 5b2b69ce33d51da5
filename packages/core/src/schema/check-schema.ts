import { isJsonArray } from '../canonical.ts';
import { fieldAt, groupOf, isJsonObject, versionOf, type Json, type JsonObject, type KubeObject } from '../object.ts';
import { checkBuiltIn, checkMetadata } from './check-built-in.ts';
import { checkStructural } from './check-structural.ts';
import { FaultList, type FieldFault } from './field-fault.ts';

/** What definitions among the objects say of their kinds: by group and kind, then by version. */
export type CrdSchemas = ReadonlyMap<string, ReadonlyMap<string, Json>>;

export interface SchemaCheck {
  readonly faults: readonly FieldFault[];
  /** Whether there was anything to hold the fields against. */
  readonly isKnown: boolean;
}

/** The schemas of the served versions of each CustomResourceDefinition among the objects. */
export function crdSchemas(objects: Iterable<KubeObject>): CrdSchemas {
  const found = new Map<string, ReadonlyMap<string, Json>>();
  for (const object of objects) {
    if (object.apiVersion !== 'apiextensions.k8s.io/v1' || object.kind !== 'CustomResourceDefinition') continue;
    const group = fieldAt(object, 'spec', 'group');
    const kind = fieldAt(object, 'spec', 'names', 'kind');
    const versions = fieldAt(object, 'spec', 'versions');
    if (typeof group !== 'string' || typeof kind !== 'string' || !isJsonArray(versions)) continue;
    const byVersion = versions.filter(isJsonObject).flatMap((version): (readonly [string, Json])[] => {
      const { name, served } = version;
      if (typeof name !== 'string' || served === false) return [];
      return [[name, fieldAt(version, 'schema', 'openAPIV3Schema') ?? null]];
    });
    found.set(`${group} ${kind}`, new Map(byVersion));
  }
  return found;
}

/**
 * What an API server would certainly refuse about the fields of an object, told without one: of built-in kinds (their
 * stable versions, as of the Kubernetes version of the table of types) unknown fields, wrong types and quantities that are
 * none, of custom resources what the definition among the objects says. Everything else is left to the server.
 */
export function checkSchema(object: KubeObject, definitions: CrdSchemas): SchemaCheck {
  const list = new FaultList();
  const versions = definitions.get(`${groupOf(object.apiVersion)} ${object.kind}`);
  if (versions === undefined) return { isKnown: checkBuiltIn(object, list), faults: list.faults };
  checkMetadata(object, list);
  const schema = versions.get(versionOf(object.apiVersion));
  if (schema === undefined) {
    list.add({
      rule: 'unknown-kind',
      path: [{ field: 'apiVersion' }],
      message: `the definition of ${object.kind} serves no ${versionOf(object.apiVersion)}`,
      fix: `Write one of ${[...versions.keys()].join(', ')}.`,
    });
  } else checkStructural(object as unknown as JsonObject, schema, object.kind, list);
  return { faults: list.faults, isKnown: true };
}
