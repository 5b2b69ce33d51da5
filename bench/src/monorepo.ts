import type { BenchOptions } from './result.ts';
import { startPart } from './ipc.ts';
import { BASE, baseFiles, filesOf, membersOf, repositoryFiles, type Member } from './monorepo-files.ts';
import type { LookFigures, MonorepoApplication, MonorepoStart } from './monorepo-process.ts';
import { usageOf } from './process-usage.ts';
import { quantile } from './quantile.ts';

/** What the commits of one sort took. Times are from the start of the fetch. */
export interface CommitFigures {
  readonly commit: string;
  readonly commits: number;
  /** Applications that a commit of this sort is news to. */
  readonly affected: number;
  readonly fetchP50Ms: number;
  readonly lookP50Ms: number;
  readonly lookP95Ms: number;
  readonly doneP50Ms: number;
  readonly doneP95Ms: number;
  readonly builds: number;
  /** Of targets, whether built or not, from the end of the look on; 0 where there was nothing to render. */
  readonly rendersASecond: number;
}

export interface MonorepoFigures {
  readonly applications: number;
  readonly commits: readonly CommitFigures[];
  /** Applications that were taken for affected and are not, or the other way round: of all commits together. */
  readonly wronglyAffected: number;
  /** Beside git: what a look costs for each application that nothing changed for. */
  readonly unchangedP50Ms: number;
  readonly unchangedP95Ms: number;
  /** From the start of the fetch until the one application is rendered. */
  readonly changeOneP95Ms: number;
  /** Of a thousand applications that stand on one folder. */
  readonly sameFolderBuilds: number;
  /** The most that the process held, both renderers with two threads each. */
  readonly peakRssMiB: number;
}

const REPOSITORY = 'monorepo';
const SAME_COUNT = 1_000;
const ROUNDS = 30;
const SHORT_ROUNDS = 9;

interface MonorepoOptions extends Pick<BenchOptions, 'short' | 'say'> {
  readonly overlays: number;
  /** A folder for what is written. */
  readonly folder: string;
  logFile(name: string): string;
}

/** Commits to one repository with thousands of applications. */
export async function measureMonorepo(options: MonorepoOptions): Promise<MonorepoFigures> {
  const { overlays, folder, short, say, logFile } = options;
  const members = membersOf(overlays);
  await using git = await startPart('./git-process.ts', { logFile: logFile('git') });
  await using engine = await startPart('./monorepo-process.ts', { logFile: logFile('monorepo') });
  const url = String(await git.ask('create', REPOSITORY));
  const commit = (files: Readonly<Record<string, string>>, message: string): Promise<unknown> =>
    git.ask('commit', { name: REPOSITORY, files, message });

  let wronglyAffected = 0;
  const look = async (request: string, argument: unknown, expected: readonly string[]): Promise<LookFigures> => {
    const figures = (await engine.ask(request, argument)) as LookFigures;
    const affected = figures.affected.map((application) => application.replace(/^.*\//, ''));
    wronglyAffected += new Set(affected).symmetricDifference(new Set(expected)).size;
    return figures;
  };
  const commits: CommitFigures[] = [];
  const conclude = (name: string, looks: readonly LookFigures[]): void => {
    const figures = commitFiguresOf(name, looks);
    say(`  ${name}: ${figures.affected} affected, rendered after ${figures.doneP50Ms.toFixed(0)} ms`);
    commits.push(figures);
  };

  await commit(repositoryFiles(members), 'Add all of it');
  const start: MonorepoStart = { url, folder, applications: members.map(applicationOf) };
  conclude('first', [await look('open', start, members.map(nameOf))]);

  const rounds = Array.from({ length: short ? SHORT_ROUNDS : ROUNDS }, (_, round) => round);
  const none: LookFigures[] = [];
  for (const round of rounds) {
    await commit({ 'README.md': `What we run, as of ${round}.\n` }, 'Say what this is');
    none.push(await look('look', undefined, []));
  }
  conclude('changes none', none);

  const one: LookFigures[] = [];
  for (const round of rounds) {
    const member = memberOf(members, round, rounds.length);
    await commit(filesOf(member, String(round + 2)), `Change ${member.name}`);
    one.push(await look('look', undefined, [member.name]));
  }
  conclude('changes one', one);

  await commit(baseFiles('2'), 'Change the base');
  const users = members.filter(({ kind }) => kind === 'overlay').map(nameOf);
  conclude('changes the base', [await look('look', undefined, users)]);

  const same = Array.from({ length: SAME_COUNT }, (_, index): MonorepoApplication => {
    const name = `same-${String(index).padStart(4, '0')}`;
    return { name, path: BASE, namespace: name };
  });
  const sameLook = await look('add', same, same.map(nameOf));
  conclude(`${SAME_COUNT} more of one folder`, [sameLook]);

  const unchanged = none.map(({ lookMs, fetchMs }) => (lookMs - fetchMs) / members.length);
  return {
    applications: members.length,
    commits,
    wronglyAffected,
    unchangedP50Ms: quantile(unchanged, 0.5),
    unchangedP95Ms: quantile(unchanged, 0.95),
    changeOneP95Ms: quantile(
      one.map(({ doneMs }) => doneMs),
      0.95,
    ),
    sameFolderBuilds: sameLook.builds,
    peakRssMiB: usageOf(engine.pid).peakRssMiB,
  };
}

/** Overlays, charts and plain folders in turn, spread over all there are. */
function memberOf(members: readonly Member[], round: number, rounds: number): Member {
  const kind = (['overlay', 'chart', 'plain'] as const)[round % 3];
  const candidates = members.filter((member) => member.kind === kind);
  const member = candidates[Math.floor((round * candidates.length) / rounds)];
  if (member === undefined) throw new Error('there is nothing to change');
  return member;
}

function commitFiguresOf(commit: string, looks: readonly LookFigures[]): CommitFigures {
  const of = (field: 'fetchMs' | 'lookMs' | 'doneMs', share: number): number =>
    quantile(
      looks.map((figures) => figures[field]),
      share,
    );
  const sum = (of: (figures: LookFigures) => number): number => looks.reduce((total, each) => total + of(each), 0);
  const renders = sum(({ affected }) => affected.length);
  return {
    commit,
    commits: looks.length,
    affected: looks[0]?.affected.length ?? 0,
    fetchP50Ms: of('fetchMs', 0.5),
    lookP50Ms: of('lookMs', 0.5),
    lookP95Ms: of('lookMs', 0.95),
    doneP50Ms: of('doneMs', 0.5),
    doneP95Ms: of('doneMs', 0.95),
    builds: sum(({ builds }) => builds),
    rendersASecond: renders === 0 ? 0 : renders / (sum(({ doneMs, lookMs }) => doneMs - lookMs) / 1_000),
  };
}

function applicationOf({ name, path }: Member): MonorepoApplication {
  return { name, path, namespace: name };
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}
