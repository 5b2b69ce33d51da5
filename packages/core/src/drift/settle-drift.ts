import type { Decision } from '../decide.ts';
import { PlumbError } from '../error.ts';
import { shortNameOf, type ObjectKey } from '../key.ts';
import { isWrite, type Write } from '../rehearsal.ts';
import { earliest } from '../rest.ts';
import type { TargetFacts } from '../target-facts.ts';
import { driftText, type Drift } from './drift.ts';
import { judgeDrift, type JudgedDrift } from './drift-policy.ts';
import { driftState } from './find-drift.ts';

/** What is known and wanted of the objects of a target that others change. */
export interface DriftFacts extends DriftWishesOfTarget {
  /** What was found out about an object that is not as it was applied. */
  findingOf(key: ObjectKey): Drift | undefined;
}

type DriftWishesOfTarget = { readonly wishes: Parameters<typeof judgeDrift>[2] };

export interface SettledDrift {
  /** What stands is kept; what is put back is written as it was found. */
  readonly decisions: readonly Decision[];
  /** What has to be looked into first. */
  readonly inspect: readonly Write[];
  readonly standing: readonly JudgedDrift[];
  /** Objects that others keep changing back, and that are healed later. */
  readonly fights: readonly PlumbError[];
  /** Monotonic milliseconds. */
  readonly wakeAt: number | undefined;
}

/**
 * What becomes of decisions to write once more what was written already: somebody undid it. Each is looked into, and then put
 * back whole, in part or not at all, as the wishes say. What is undone again and again is no race to win: it waits.
 */
export function settleDrift(facts: TargetFacts, decisions: readonly Decision[]): SettledDrift {
  const inspect: Write[] = [];
  const standing: JudgedDrift[] = [];
  const fights: PlumbError[] = [];
  const wakes: (number | undefined)[] = [];
  const settled = decisions.map((decision): Decision => {
    if (!isWrite(decision) || !isRepeat(facts, decision)) return decision;
    const { key, desired } = decision;
    const drift = facts.drift.findingOf(key);
    if (drift?.state !== driftState(facts.liveOf(key)) || drift.desiredHash !== desired.hash) {
      inspect.push(decision);
      return decision;
    }
    const judged = judgeDrift(drift, desired.object, facts.drift.wishes, facts.time);
    if (judged.until !== undefined) wakes.push(facts.now + judged.until - facts.time);
    const left = judged.stands.map(({ path }) => path);
    const isWhole = judged.stands.every(({ verdict }) => verdict.isTheirs === true);
    if (judged.standing !== undefined) standing.push(judged);
    if (!judged.isWhole && judged.revert.length === 0) return { action: 'keep', key };
    const paths = judged.isWhole ? [''] : judged.revert.map(({ path }) => path);
    const after = Math.max(...paths.map((path) => facts.healAfter(key, path)));
    if (after > facts.now) {
      fights.push(fightOf(judged, decision));
      wakes.push(after);
      return { action: 'keep', key };
    }
    return { ...decision, heal: { drift, left, paths, isWhole } };
  });
  return { decisions: settled, inspect, standing, fights, wakeAt: earliest(wakes) };
}

/** Whether the very same wish was written before. */
export function isRepeat({ applied }: Pick<TargetFacts, 'applied'>, { key, desired }: Write): boolean {
  return applied.get(key)?.desiredHash === desired.hash;
}

/** Both sides by name, and what each wants. */
function fightOf({ drift, revert }: JudgedDrift, { desired }: Write): PlumbError {
  const subject = shortNameOf(drift.key);
  const [field] = revert;
  const owner = field?.owners[0]?.manager ?? drift.by.manager ?? 'somebody else';
  const what = field === undefined ? driftText(drift) : driftText({ kind: drift.kind, fields: [field] });
  const message = `${subject} keeps being changed by ${owner}, and back by plumb: ${what}; it is healed again later.`;
  return new PlumbError('Fighting', message, { subject, where: desired.origin });
}
