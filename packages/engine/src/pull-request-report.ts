import type { Repository } from '@plumb/api';
import { digest, isAbort, toPlumbError } from '@plumb/core';
import { planComment, stickyMarker, type CommitStatus } from '@plumb/hosts';
import { warn, type PullLook, type PullRequestsOptions } from './followed-pulls.ts';
import { contextOf } from './pull-request-plan.ts';
import type { PlannedTarget, Touched } from './pull-request-targets.ts';
import type { TargetSpec } from './targets.ts';

type Said = Pick<CommitStatus, 'state' | 'description'>;

/** What the host is told of one pull request: a status for each target, and one comment. */
export class PullRequestReport {
  readonly #options: Pick<PullRequestsOptions, 'targetsOf' | 'reviews' | 'log'>;
  readonly #look: PullLook;
  /** Whether statuses name the application. */
  readonly #isSeveral: boolean;

  constructor(options: Pick<PullRequestsOptions, 'targetsOf' | 'reviews' | 'log'>, look: PullLook) {
    this.#options = options;
    this.#look = look;
    const applications = [...options.targetsOf(look.name).values()].map(({ application }) => application);
    this.#isSeveral = new Set(applications).size > 1;
    const { known, pull } = look;
    if (known.statusHead === pull.head) return;
    known.statuses.clear();
    known.statusHead = pull.head;
    known.statusHeadAtMs = pull.updatedAtMs;
  }

  /** Whoever wrote it has no right here, and a plan shows what is in the cluster. */
  async waits(touched: readonly Touched[]): Promise<void> {
    const description = 'From a fork: somebody who may write says /plumb plan';
    for (const { spec } of touched) await this.#say(spec, { state: 'pending', description });
    this.#log('A pull request waits for somebody who may write', {});
  }

  async begins(touched: readonly Touched[]): Promise<void> {
    const { known } = this.#look;
    for (const { spec } of touched) {
      const isNew = known.isAsked || !known.statuses.has(contextOf(spec, this.#isSeveral));
      if (isNew) await this.#say(spec, { state: 'pending', description: 'is being planned' });
    }
  }

  async planned(planned: readonly PlannedTarget[]): Promise<void> {
    const { known } = this.#look;
    known.digests.clear();
    for (const { spec, outcome } of planned) if (outcome.ok) known.digests.set(spec.target, outcome.value.digest);
    const comment = await this.#comment(planned);
    for (const { spec, status } of planned) await this.#say(spec, status);
    this.#log('Planned a pull request', { targets: planned.map(({ spec }) => spec.target), comment });
  }

  /** Nothing is written on a pull request that touches nothing, unless somebody asked, or it did before. */
  async #comment(planned: readonly PlannedTarget[]): Promise<string> {
    const { name, known, pull, host, followed, signal } = this.#look;
    if (planned.length === 0 && !known.hasComment && !known.isAsked) return 'none';
    const marker = markerOf(followed.repository);
    const body = planComment(
      planned.map(({ commented }) => commented),
      { limits: host.limits, marker, label: pull.head.slice(0, 7) },
    );
    const { outcome } = await host.upsertSticky({ number: pull.number, marker, body }, { signal });
    known.hasComment = true;
    // A target for which there was no room has been seen by nobody.
    const seen = new Map([...known.digests].filter(([, shown]) => body.includes(shown)));
    this.#options.reviews.shown({ repository: name, number: pull.number }, pull.head, seen);
    return outcome;
  }

  async #say(spec: TargetSpec, status: Said): Promise<void> {
    const { known, pull, host, name, signal } = this.#look;
    const context = contextOf(spec, this.#isSeveral);
    const said = `${status.state} ${status.description}`;
    if (known.statuses.get(context) === said) return;
    const where = { url: pull.url, ...(pull.isFromFork ? {} : { branch: pull.branch }) };
    try {
      await host.setStatus({ commit: pull.head, context, ...status, ...where }, { signal });
    } catch (thrown) {
      // Some hosts keep the commit of a fork in the fork alone. The comment says the same.
      const error = toPlumbError(thrown);
      const isElsewhere = pull.isFromFork && (error.code === 'HostNotFound' || error.code === 'HostRefused');
      if (!isElsewhere || isAbort(thrown, signal)) throw thrown;
      const facts = { pull: pull.number };
      warn(this.#options.log, 'A status cannot be set on the commit of a fork', name, error, facts);
    }
    known.statuses.set(context, said);
  }

  #log(message: string, facts: object): void {
    const { name, pull } = this.#look;
    const commit = pull.head.slice(0, 7);
    this.#options.log({ level: 'info', message, repository: name, pull: pull.number, commit, ...facts });
  }
}

/** Engines of several clusters may follow one repository: the object is another one in each. */
function markerOf({ metadata }: Repository): string {
  return stickyMarker(`${metadata.namespace}/${metadata.name}/${digest([metadata.uid]).slice(0, 8)}`);
}
