import type { KubeObject } from '@plumb/core';
import { startFakeHost, type FakeHost } from '../../packages/hosts/test/fake-host.ts';
import { addPull, ALICE, type FakePull } from '../../packages/hosts/test/fake-state.ts';
import { applicationOf, deploymentFileOf, filesOf, NAMESPACE } from './fleet.ts';
import { quantile } from './quantile.ts';
import { goal, readable, rounded, type Bench, type BenchOptions, type Goal, type Measured } from './result.ts';
import { openRun, type Run } from './run.ts';

const GOAL_COUNT = 30;
const APPLICATIONS = 20;
const GOAL_SECONDS = 30;

export const pulls: Bench = {
  name: 'pulls',
  summary: `Pull requests on one repository with ${APPLICATIONS} applications, --count N of them, default ${GOAL_COUNT}: from the webhook to comment and statuses`,
  run: runPulls,
};

/** Of pull requests that change one application each. Seconds are from the delivery. */
export interface PullRow {
  readonly deliveries: string;
  readonly commentP50: number;
  readonly commentP95: number;
  readonly commentMax: number;
  readonly statusP50: number;
  readonly statusP95: number;
  readonly statusMax: number;
  /** For each pull request. */
  readonly hostRequests: number;
  readonly apiRequests: number;
}

export interface PullFigures {
  readonly count: number;
  readonly pulls: readonly PullRow[];
}

async function runPulls(options: BenchOptions): Promise<Measured> {
  const count = options.count ?? GOAL_COUNT;
  await using fake = await startFakeHost('gitea');
  await using run = await openFleet(fake, options);
  options.say(`${count} pull requests on ${APPLICATIONS} applications`);
  await run.create();
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const one = await measureAll('one after another', run, fake, numbers, async (open) => {
    const seconds: Seconds[] = [];
    for (const number of numbers) seconds.push(await open(number));
    return seconds;
  });
  options.say(`  ${line(one)}`);
  const all = await measureAll('all at once', run, fake, numbers, (open) => Promise.all(numbers.map(open)));
  options.say(`  ${line(all)}`);
  const figures: PullFigures = { count, pulls: [one, all] };
  return {
    name: count === GOAL_COUNT ? 'pulls' : `pulls-${count}`,
    figures: readable(figures),
    goals: goalsOf(figures),
  };
}

/** The promises for this bench, as `figures` keep them. */
export function goalsOf({ pulls: rows }: PullFigures): readonly Goal[] {
  return rows.flatMap(({ deliveries, commentP95, statusP95 }) => [
    goal(`${deliveries}: p95 to the comment`, GOAL_SECONDS, commentP95, 's'),
    goal(`${deliveries}: p95 to the statuses`, GOAL_SECONDS, statusP95, 's'),
  ]);
}

async function openFleet(fake: FakeHost, options: BenchOptions): Promise<Run> {
  const indices = Array.from({ length: APPLICATIONS }, (_, index) => index);
  return await openRun(
    {
      applications: indices.map((index) => applicationOf(index) as KubeObject),
      files: Object.assign({}, ...indices.map((index) => filesOf(index, '1'))) as Record<string, string>,
      label: 'pulls',
      repositoryPath: fake.state.project,
      // Asked by delivery alone, so that what is measured is what a delivery brings about.
      repositorySpec: {
        pullRequests: { secretRef: { name: 'host' }, host: fake.kind, api: fake.address.api, interval: '1h' },
      },
      prepare: async (api) => {
        await api.json('POST', `/api/v1/namespaces/${NAMESPACE}/secrets`, {
          metadata: { name: 'host' },
          stringData: { token: fake.state.token },
        });
      },
    },
    options,
  );
}

interface Seconds {
  readonly comment: number;
  readonly status: number;
}

/** Every pull request gets a new commit first; `work` delivers them, one after another or all at once. */
async function measureAll(
  deliveries: string,
  run: Run,
  fake: FakeHost,
  numbers: readonly number[],
  work: (open: (number: number) => Promise<Seconds>) => Promise<readonly Seconds[]>,
): Promise<PullRow> {
  const opened = new Map<number, FakePull>();
  const push = async (number: number): Promise<void> => {
    const files = deploymentFileOf(number % APPLICATIONS, `${deliveries} ${number}`);
    const head = String(await run.git.ask('pull', { name: fake.state.project, number, files }));
    const pull = fake.state.pulls.get(number) ?? addPull(fake.state, number, { head, state: 'closed' });
    if (pull.files.length === 0) pull.files.push(...Object.keys(files).map((path) => ({ path })));
    pull.head = head;
    opened.set(number, pull);
  };
  const isAtOnce = deliveries === 'all at once';
  if (isAtOnce) for (const number of numbers) await push(number);
  const asked = fake.server.seen.length;
  let seconds: readonly Seconds[] = [];
  const { requests } = await run.measure(deliveries.replaceAll(' ', '-'), async () => {
    const startedAt = performance.now();
    seconds = await work(async (number) => {
      if (!isAtOnce) await push(number);
      const pull = opened.get(number);
      if (pull === undefined) throw new Error(`pull request ${number} was not opened`);
      pull.state = 'open';
      return await timed(run, fake, pull);
    });
    return (performance.now() - startedAt) / 1_000;
  });
  const each = (total: number): number => total / numbers.length;
  const comments = seconds.map(({ comment }) => comment);
  const statuses = seconds.map(({ status }) => status);
  return {
    deliveries,
    commentP50: quantile(comments, 0.5),
    commentP95: quantile(comments, 0.95),
    commentMax: Math.max(...comments),
    statusP50: quantile(statuses, 0.5),
    statusP95: quantile(statuses, 0.95),
    statusMax: Math.max(...statuses),
    hostRequests: each(fake.server.seen.length - asked),
    apiRequests: each(requests),
  };
}

async function timed(run: Run, fake: FakeHost, pull: FakePull): Promise<Seconds> {
  const startedAt = performance.now();
  const since = async (isDone: () => boolean): Promise<number> => {
    await fake.server.until(isDone);
    return (performance.now() - startedAt) / 1_000;
  };
  const short = pull.head.slice(0, 7);
  const comment = since(() => pull.comments.some(({ body }) => body.includes(short)));
  const status = since(() => {
    const ours = fake.state.statuses.filter(({ commit }) => commit === pull.head);
    return ours.length > 0 && ours.every(({ state }) => state === 'success');
  });
  await run.deliver(
    JSON.stringify({
      action: 'synchronized',
      repository: { full_name: fake.state.project },
      sender: { id: ALICE.id, login: ALICE.login },
      pull_request: { number: pull.number, head: { sha: pull.head }, base: { ref: pull.base } },
    }),
    { 'x-gitea-event': 'pull_request' },
  );
  return { comment: await comment, status: await status };
}

function line({ deliveries, commentP95, statusP95, hostRequests, apiRequests }: PullRow): string {
  return `${deliveries}: p95 ${rounded(commentP95)} s to the comment, ${rounded(statusP95)} s to the statuses, ${rounded(hostRequests)} requests to the host, ${rounded(apiRequests)} to the API server`;
}
