import type { DesiredSet } from '../desired.ts';
import { shortNameOf } from '../key.ts';
import { attributionText } from '../attribution.ts';
import { minuteText } from '../minute-text.ts';
import { earliest } from '../rest.ts';
import type { Rest, Step } from '../step.ts';
import type { TargetFacts } from '../target-facts.ts';
import { driftText } from './drift.ts';
import { holdsTarget, type JudgedDrift } from './drift-policy.ts';
import type { SettledDrift } from './settle-drift.ts';

/** How long before its end a hold says that it ends. */
export const HOLD_REMINDER_MS = 15 * 60_000;

/** A target that is as it should be, but for what others changed and what stands: drifted, held, or fine with a word about it. */
export function restWithDrift(
  facts: TargetFacts,
  { standing }: SettledDrift,
  step: Step,
  wakeAt: number | undefined,
): Step {
  if (step.do !== 'rest') return step;
  const resting = { ...step, wakeAt: earliest([step.wakeAt, wakeAt]) };
  if (step.state !== 'Healthy' && step.state !== 'Syncing') return resting;
  const told = standing.filter((judged) => judged.standing?.policy !== 'ignore');
  const [reported] = told.filter((judged) => judged.standing?.policy === 'report');
  if (reported !== undefined) {
    return {
      ...resting,
      state: 'Drifted',
      reason: 'DriftReported',
      message: `${textOf(reported, told)}; ${becomesOf(reported)}.`,
    };
  }
  const held = heldRest(facts, told, resting);
  if (held !== undefined) return held;
  const [allowed] = told;
  if (allowed === undefined || step.state !== 'Healthy') return resting;
  return { ...resting, message: `${step.message} ${textOf(allowed, told)}; it is allowed${untilText(allowed)}.` };
}

/** The set without objects that are gone and may be so: nobody waits for them. */
export function withoutGone<Set extends Pick<DesiredSet, 'objects'>>(desired: Set, { standing }: SettledDrift): Set {
  const gone = new Set(
    standing.flatMap(({ drift: { key, kind } }) => (kind === 'deleted' || kind === 'namespace-deleted' ? key : [])),
  );
  return gone.size === 0 ? desired : { ...desired, objects: desired.objects.filter(({ key }) => !gone.has(key)) };
}

/** While a hold lasts for the whole target it is held, whatever was edited. */
function heldRest(facts: TargetFacts, told: readonly JudgedDrift[], resting: Rest): Rest | undefined {
  const hold = facts.drift.wishes.holds.find((each) => holdsTarget(each) && each.until > facts.time);
  if (hold === undefined) return undefined;
  const remindAt = hold.until - HOLD_REMINDER_MS;
  const isEnding = remindAt <= facts.time;
  const edits =
    told.length === 0
      ? 'Nothing was edited yet.'
      : `${told.length === 1 ? '1 object was' : `${told.length} objects were`} edited.`;
  const ends = isEnding ? `Ends soon: until ${minuteText(hold.until)} UTC` : `Until ${minuteText(hold.until)} UTC`;
  return {
    ...resting,
    state: 'Held',
    reason: isEnding ? 'HoldEnding' : 'EditsAllowed',
    message: `${ends} edits are allowed by ${hold.by}: ${hold.reason}. ${edits}`,
    wakeAt: earliest([resting.wakeAt, facts.now + (isEnding ? hold.until : remindAt) - facts.time]),
  };
}

function textOf({ drift }: JudgedDrift, all: readonly JudgedDrift[]): string {
  const more = all.length > 1 ? ` (and ${all.length - 1} more)` : '';
  return `${shortNameOf(drift.key)}: ${driftText(drift)} by ${attributionText(drift.by)}${more}`;
}

function becomesOf({ standing }: JudgedDrift): string {
  return standing?.proposal === undefined ? 'it is only reported' : `it is proposed to Git: ${standing.proposal}`;
}

function untilText({ standing }: JudgedDrift): string {
  return standing?.until === undefined ? '' : ` until ${minuteText(standing.until)} UTC`;
}
