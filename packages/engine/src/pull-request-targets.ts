import { fail, isAbort, PlumbError, toPlumbError, type SourceTree } from '@plumb/core';
import type { CommentedPlan, CommitStatus } from '@plumb/hosts';
import type { PullLook, PullRequestsOptions } from './followed-pulls.ts';
import { mergedTree } from './merged-tree.ts';
import { planTarget } from './plan.ts';
import { commentedPlan, isChangedBy, statusOf, type PlanOutcome } from './pull-request-plan.ts';
import { SourceLook } from './source-look.ts';
import { sameFact } from './source.ts';
import type { TargetSpec } from './targets.ts';
import { withoutSecrets } from './without-secrets.ts';

/** A target that would read something else after a merge. */
export interface Touched {
  readonly spec: TargetSpec;
  /** What a merge would leave. */
  readonly tree: SourceTree;
  readonly notes: readonly string[];
  /** Why there is nothing to plan: the folder is gone. */
  readonly error: PlumbError | undefined;
}

/** A plan, as the host is told of it. */
export interface PlannedTarget {
  readonly spec: TargetSpec;
  readonly outcome: PlanOutcome;
  readonly status: Pick<CommitStatus, 'state' | 'description'>;
  readonly commented: CommentedPlan;
}

/** Brings the newest commit of a pull request into the mirror. */
export async function fetchHead({ mirror, pull, signal }: Pick<PullLook, 'mirror' | 'pull' | 'signal'>): Promise<void> {
  const { number, head, headRef } = pull;
  if (await mirror.hasCommit(head, { signal })) return;
  if (headRef !== undefined) await mirror.fetch([headRef], { signal });
  if (await mirror.hasCommit(head, { signal })) return;
  const why = headRef === undefined ? 'only the fork has it' : `${headRef} is another commit`;
  throw new PlumbError(
    'RefMissing',
    `The commit ${head.slice(0, 7)} of pull request ${number} cannot be fetched: ${why}`,
  );
}

/** The targets that would read something else after a merge, and those that somebody asked for. */
export async function touchedBy(
  { sources, elsewhere }: Pick<PullRequestsOptions, 'sources' | 'elsewhere'>,
  { host, pull, known, into, mirror, signal }: PullLook,
): Promise<readonly Touched[]> {
  const changed = await host.changedFiles(pull.number, { signal });
  const head = mirror.at(pull.head);
  // Without all of them nobody can tell what is a change of the branch, and what its base has got since.
  const notes = changed.isComplete
    ? []
    : [`the host does not list all changed files: what ${pull.base} has got since shows as undone`];
  const touched: Touched[] = [];
  const looks = new Map<string | undefined, { readonly tree: SourceTree; readonly look: SourceLook }>();
  for (const spec of into) {
    const before = sources.lastLook(spec);
    const isWanted = known.wanted.has(spec.target);
    if (!isWanted && !isChangedBy(changed, spec.path, before?.reads ?? new Map())) continue;
    const base = typeof before?.commit === 'string' && changed.isComplete ? before.commit : undefined;
    let at = looks.get(base);
    if (at === undefined) {
      const tree = base === undefined ? head : mergedTree(mirror.at(base), head, changed.paths);
      const where = { at: () => tree, removedBy: mirror.removedBy.bind(mirror) };
      at = { tree, look: new SourceLook(where, elsewhere, signal) };
      looks.set(base, at);
    }
    const { fact } = await at.look.at(spec, pull.head, before);
    if (!isWanted && before !== undefined && sameFact(before.fact, fact)) continue;
    touched.push({ spec, tree: at.tree, notes, error: fact.state === 'failed' ? fact.error : undefined });
  }
  return touched;
}

/** Plans what is touched, one after another. */
export async function planTouched(
  options: PullRequestsOptions,
  look: PullLook,
  touched: readonly Touched[],
): Promise<readonly PlannedTarget[]> {
  const { pull, mirror, signal } = look;
  const paths = touched.map(({ spec }) => spec.path);
  if (paths.length > 0) await mirror.prefetch(pull.head, paths, { signal });
  const planned: PlannedTarget[] = [];
  for (const { spec, tree, error, notes } of touched) {
    const outcome = error === undefined ? await planAt(options, look, spec, tree) : fail([error]);
    const secrets = await options.renderer.secretsOf(spec, { signal });
    const commented = withoutSecrets(commentedPlan(spec, outcome, notes), secrets);
    planned.push({ spec, outcome, commented, status: withoutSecrets(statusOf(outcome), secrets) });
  }
  return planned;
}

async function planAt(
  { client, renderer, planContext }: PullRequestsOptions,
  { pull: { head }, mirror, signal }: PullLook,
  spec: TargetSpec,
  tree: SourceTree,
): Promise<PlanOutcome> {
  try {
    return await planTarget({
      client,
      renderer,
      spec,
      tree,
      committedMs: (await mirror.commit(head, { signal })).committer.time,
      removedBy: head.slice(0, 7),
      signal,
      ...planContext(spec.target),
    });
  } catch (thrown) {
    if (isAbort(thrown, signal)) throw thrown;
    return fail([toPlumbError(thrown)]);
  }
}
