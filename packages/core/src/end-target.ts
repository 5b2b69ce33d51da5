import { pruneNext, restUntilApproved, EXAMINE_AGAIN_MS } from './due-deletions.ts';
import { commandName } from './phrases.ts';
import { restWaiting } from './release-outcome.ts';
import { retire, type Retirement, type UnfinishedHooks } from './retire.ts';
import { progressOf } from './rollout.ts';
import { earliest, rest, sentence } from './rest.ts';
import type { Step } from './step.ts';
import { DISOWNING, isDue, type TargetFacts } from './target-facts.ts';

/** Ends the target, as a person asked for it. */
export function retireTarget(facts: TargetFacts, retirement: Retirement): Step {
  const isRecalled = facts.desired !== undefined || facts.openRelease !== undefined;
  const { ending } = facts;
  const step = retire({
    ...facts,
    retirement,
    isRecalled,
    hooks: ending?.hooks ?? [],
    progressOf: (phase) => (ending === undefined ? { state: 'done' } : progressOf(facts, ending, phase)),
  });
  const isForgotten = retirement.how === 'forget';
  switch (step.next) {
    case 'watch':
      return { do: 'watch', kinds: step.kinds };
    case 'read':
      return rest('Syncing', 'Reading what is in the cluster.');
    case 'unreadable':
      return rest('Failed', step.error.message, { failures: [step.error] });
    case 'examine':
      return { do: 'examine', objects: step.objects, confirm: false };
    case 'blocked': {
      const command = `plumb decommission ${commandName(facts.target)} --approve-deletion ${step.deletion.digest}`;
      return restUntilApproved(facts, step.deletion, `Approve exactly this set: ${command}`);
    }
    case 'allow':
      return { do: 'allow', set: step.objects };
    case 'hooks':
      return endingHooks(facts, step.progress);
    case 'delete':
      return pruneNext(facts, { ...step, reason: 'decommissioned' });
    case 'disown': {
      const due = step.objects.filter(({ key }) => isDue(facts.failures.get(key), DISOWNING, facts.now));
      if (due.length > 0) return { do: 'disown', objects: due };
      const failed = step.objects.flatMap(({ key }) => facts.failures.get(key) ?? []);
      const errors = failed.map(({ error }) => error);
      const wakeAt = earliest(failed.map(({ retryAt }) => retryAt));
      return rest('Failed', sentence(errors), { failures: errors, wakeAt });
    }
    case 'narrow':
      return { do: 'membership', kinds: step.kinds };
    case 'forget':
      return { do: 'retired' };
    case 'done':
      if (step.kept.length > 0) {
        return rest('Failed', sentence(step.kept), { failures: step.kept, wakeAt: facts.now + EXAMINE_AGAIN_MS });
      }
      return rest(
        'Suspended',
        isForgotten
          ? 'Forgotten: its objects stay as they are, and are no longer managed.'
          : 'Decommissioned: its objects are deleted.',
        { reason: isForgotten ? 'Forgotten' : 'Decommissioned' },
      );
  }
}

function endingHooks(facts: TargetFacts, progress: UnfinishedHooks): Step {
  if (progress.state === 'step') return progress.step;
  if (progress.state === 'waiting') return restWaiting(facts, progress);
  return rest('Failed', sentence(progress.errors), { failures: progress.errors });
}
