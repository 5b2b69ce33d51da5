import { parseObjectKey, type ObjectKey } from '../key.ts';
import type { DriftField } from './drift.ts';

/** A rule of `spec.drift.rules` that would end a back and forth, ready to be pasted. */
interface SuggestedRule {
  readonly group?: string;
  readonly kind: string;
  /** Left out where several objects of the kind are changed alike. */
  readonly name?: string;
  readonly fields: readonly string[];
  readonly managers: readonly string[];
  readonly policy: 'ignore';
  readonly reason: string;
}

export interface Suggestion {
  readonly rule: SuggestedRule;
  /** How often it was changed back. */
  readonly count: number;
}

export interface ObservedDrift {
  readonly object: ObjectKey;
  readonly fields: readonly Pick<DriftField, 'path' | 'owners'>[];
}

/** Who changes the same field so often does not do it by hand. */
const FLAPS = 3;
/** Tools of people: what they do again and again is no reason to look away. */
const BY_HAND = /^kubectl/;

/**
 * Rules for what keeps being changed by the same manager, the most often changed first. What a rule ignores is left to that
 * manager: whether that is right only people know.
 */
export function suggestRules(observed: readonly ObservedDrift[]): readonly Suggestion[] {
  const flaps = observed.flatMap(({ object, fields }) =>
    fields.flatMap(({ path, owners }) => {
      const manager = owners[0]?.manager ?? '';
      return manager === '' || BY_HAND.test(manager) ? [] : [{ object, path, manager }];
    }),
  );
  const byObject = Map.groupBy(flaps, ({ object, path, manager }) => JSON.stringify([object, path, manager]));
  const often = [...byObject.values()].filter((same) => same.length >= FLAPS);
  const alike = Map.groupBy(often, ([first]) => {
    const ref = first === undefined ? undefined : parseObjectKey(first.object);
    return JSON.stringify([ref?.group, ref?.kind, first?.path, first?.manager]);
  });
  return [...alike.values()]
    .flatMap((group) => suggestionOf(group.flat(), group.length))
    .sort((a, b) => b.count - a.count || (JSON.stringify(a.rule) < JSON.stringify(b.rule) ? -1 : 1));
}

function suggestionOf(
  flaps: readonly { readonly object: ObjectKey; readonly path: string; readonly manager: string }[],
  objects: number,
): readonly Suggestion[] {
  const [first] = flaps;
  const ref = first === undefined ? undefined : parseObjectKey(first.object);
  if (first === undefined || ref === undefined) return [];
  const rule: SuggestedRule = {
    ...(ref.group === '' ? {} : { group: ref.group }),
    kind: ref.kind,
    ...(objects === 1 ? { name: ref.name } : {}),
    fields: [first.path],
    managers: [first.manager],
    policy: 'ignore',
    reason: `Left to ${first.manager}, which keeps changing it.`,
  };
  return [{ rule, count: flaps.length }];
}
