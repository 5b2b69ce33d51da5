import { APPLICATION, decodeApplication, decodeRepository, REPOSITORY } from '@plumb/api';
import {
  formatChanges,
  formatFieldPath,
  ownedPaths,
  ownEntry,
  parseFieldPath,
  parseObjectKey,
  PlumbError,
  shortNameOf,
  type FieldChange,
  type KubeObject,
  type PlanItem,
  type PlannedChange,
  oneLine,
} from '@plumb/core';
import { liveObject, nameOf, othersOnBranch, targetsOf, type TargetSpec } from '@plumb/engine';
import { gitIdentity } from '@plumb/git';
import type { KubeClient } from '@plumb/kube';
import { decodedApplication, selectOne } from '../applications.ts';
import { listObjects } from '../list-objects.ts';
import { chooseCluster, openClient, type ChosenCluster, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { EveryVerb } from '../flags.ts';
import { openKeptPullRequest } from '../kept-pull-request.ts';
import { keepBranchName, keepLive, type KeptLive } from '../keep-live.ts';
import { PlanSession } from '../plan-session.ts';
import type { Remote } from '../plan-source.ts';
import { jsonText } from '../json-text.ts';
import { commitText, hunksText } from '../pushed-text.ts';
import { openRendererHere } from '../renderer-here.ts';
import { selectTarget } from '../selected-target.ts';
import { showSign, STATE_SIGNS } from '../style.ts';
import { JSON_VERSION } from '../version.ts';

export interface DriftKeepFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly field?: readonly string[] | undefined;
  readonly reason?: string | undefined;
  readonly file?: string | undefined;
  readonly also?: boolean | undefined;
  readonly branch?: string | undefined;
  readonly pullRequest?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly output: 'text' | 'json';
}

/**
 * `plumb drift keep`: makes what somebody changed on the cluster what Git says, with a commit of the person who asks. What
 * differs is what `plumb plan` tells; of that only what is not ours any more, unless a field is named.
 */
export async function driftKeep(this: CliContext, flags: DriftKeepFlags, name: string, object: string): Promise<void> {
  const { cwd, home, env, clock, signal } = this.surroundings;
  checkFlags(flags);
  const author = flags.dryRun === true ? undefined : await gitIdentity({ cwd, home, env }, { signal });
  const cluster = await chooseCluster(this, flags);
  await using client = openClient(this.surroundings, cluster.config);
  await using rendering = await openRendererHere(this.surroundings, client, cluster);
  const { renderer } = rendering;
  const known = await listObjects(client, APPLICATION.kind, cluster, { signal });
  const application = decodedApplication(selectOne(known, name, cluster));
  const spec = selectTarget(application, flags.env);
  // What is kept is mostly what stands by a rule or a hold.
  const none = { workingCopy: undefined, isWide: false, policies: undefined, isDriftShown: true };
  await using session = new PlanSession({ client, cluster, renderer, known, ...none, clock, signal });
  const [planned] = await session.plan(application, { env: spec.environment === '' ? undefined : spec.environment });
  const item = itemNamed(planned?.plan.items ?? [], object);
  const changes = await driftOf(client, item, flags, signal);

  const remote = await session.remoteOf(application);
  const followed = await remote.branchOf(spec.revision, { signal });
  if (followed === undefined) throw pinned(spec);
  const wish = {
    key: item.key,
    changes: changes.map(({ path, before, after }): FieldChange => {
      return {
        path,
        ...(after === undefined ? {} : { before: after }),
        ...(before === undefined ? {} : { after: before }),
      };
    }),
  };
  const changedBy = [...new Set(changes.flatMap(({ owners = [] }) => owners.map(({ manager }) => manager)))];
  const kept = await keepLive({
    ...wish,
    ...{ spec, renderer, remote, followed, author, signal },
    changedBy,
    reason: flags.reason,
    isNamedAfterChange: flags.pullRequest === true,
    branch: flags.branch ?? (flags.pullRequest === true ? keepBranchName({ ...wish, target: spec.target }) : undefined),
    others: await othersOn(client, { spec, known, followed, remote, cluster, signal }),
    allowsOthers: flags.also ?? false,
    file: flags.file,
    timeMs: clock.now(),
  });
  const pullRequest =
    flags.pullRequest === true && kept.commit !== undefined
      ? await openKeptPullRequest(client, {
          ...wish,
          spec,
          changedBy,
          kept,
          followed,
          reason: flags.reason,
          remote,
          clock,
          signal,
        })
      : undefined;
  report(this, kept, { object: shortNameOf(item.key), followed, pullRequest, flags });
}

function checkFlags({ branch, pullRequest, reason, dryRun }: DriftKeepFlags): void {
  if (branch !== undefined && pullRequest === true) {
    throw new PlumbError('Usage', '--branch and --pull-request exclude each other', { fix: 'Leave one of them out.' });
  }
  if (dryRun !== true && (reason ?? '').trim() === '') {
    throw new PlumbError('Usage', 'the reason is missing', {
      fix: 'Say with --reason why it stays, or look first with --dry-run.',
    });
  }
}

function pinned({ application, environment, revision }: TargetSpec): PlumbError {
  const where = environment === '' ? application : `${application} → ${environment}`;
  const what = revision === undefined ? 'follows a tag or a commit' : `stays at ${revision}`;
  return new PlumbError('KeepImpossible', `${where} ${what}, and nothing is committed to that`, {
    fix: 'Change it on a branch, and move spec.ref or the revision of the environment there.',
  });
}

/** `Deployment/shop`, in any case, among what a plan does not leave as it is. */
function itemNamed(items: readonly PlanItem[], text: string): PlanItem {
  const isMeant = (key: PlanItem['key']) => {
    const { namespace = '' } = parseObjectKey(key) ?? {};
    const short = shortNameOf(key).toLowerCase();
    return [short, `${namespace}/${short}`].includes(text.toLowerCase());
  };
  const found = items.filter(({ key }) => isMeant(key));
  const [item] = found;
  if (found.length > 1) {
    throw new PlumbError('Usage', `several objects are named ${text}`, {
      fix: `Name one as NAMESPACE/KIND/NAME: ${found.map(({ key }) => key).join(', ')}.`,
    });
  }
  if (item === undefined || item.changes.length === 0) {
    const others = items.filter(({ changes }) => changes.length > 0).map(({ key }) => shortNameOf(key));
    const what = item === undefined ? 'is as Git says, or is not in Git' : 'has no field that could be kept';
    throw new PlumbError('KeepImpossible', `${text} ${what}`, {
      fix: others.length === 0 ? 'Nothing to do.' : `What differs: ${others.slice(0, 10).join(', ')}.`,
    });
  }
  return item;
}

/** The fields that somebody else made what they are. What Git has changed since is not drift. */
async function driftOf(
  client: KubeClient,
  { key, changes }: PlanItem,
  { field }: DriftKeepFlags,
  signal: AbortSignal,
): Promise<readonly PlannedChange[]> {
  if (field !== undefined) {
    const named = field.map((path) => pathText(path));
    const found = changes.filter(({ path }) => named.some((outer) => isIn(path, outer)));
    const missing = named.find((outer) => !changes.some(({ path }) => isIn(path, outer)));
    if (missing === undefined) return found;
    throw new PlumbError('KeepImpossible', `${missing} of ${shortNameOf(key)} is as Git says`, {
      field: missing,
      fix: `What differs: ${changes.map(({ path }) => path).join(', ')}.`,
    });
  }
  const live = await liveObject(client, key, { signal });
  const entry = live === undefined ? undefined : ownEntry(live);
  const owned = entry === undefined ? [] : ownedPaths(entry).map((path) => formatFieldPath(path));
  const drift = changes.filter(({ path, before }) => {
    return before === undefined || !owned.some((own) => isIn(path, own) || isIn(own, path));
  });
  if (drift.length > 0) return drift;
  throw new PlumbError(
    'KeepImpossible',
    `nobody else has changed ${shortNameOf(key)}: Git is ahead of what was applied`,
    {
      fix: 'Apply it with "plumb sync"; or name the field with --field, and Git goes back to what runs.',
    },
  );
}

function pathText(text: string): string {
  const path = parseFieldPath(text);
  if (path !== undefined && path.length > 0) return formatFieldPath(path);
  throw new PlumbError('Usage', `${text} is not the path of a field`, {
    fix: 'Write it as a plan does: spec.template.spec.containers[name="app"].image',
  });
}

function isIn(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}

interface OthersQuestion {
  readonly spec: TargetSpec;
  readonly known: readonly KubeObject[];
  readonly followed: string;
  readonly remote: Pick<Remote, 'branchOf'>;
  readonly cluster: ChosenCluster;
  readonly signal: AbortSignal;
}

async function othersOn(
  client: KubeClient,
  { spec, known, followed, remote, cluster, signal }: OthersQuestion,
): Promise<readonly TargetSpec[]> {
  const listed = await listObjects(client, REPOSITORY.kind, cluster, { signal });
  const repositories = listed.flatMap((object) => {
    const decoded = decodeRepository(object);
    if (!decoded.ok) return [];
    const { url, ref } = decoded.value.spec;
    return [{ name: nameOf(decoded.value), url, ref }];
  });
  const specs = known.flatMap((object) => {
    const decoded = decodeApplication(object);
    return decoded.ok ? targetsOf(decoded.value) : [];
  });
  const branchOf = (ref: string) => remote.branchOf(ref, { signal });
  return await othersOnBranch(spec, followed, { specs, repositories, branchOf });
}

interface Report {
  readonly object: string;
  readonly followed: string;
  readonly pullRequest: string | undefined;
  readonly flags: DriftKeepFlags;
}

function report(cli: CliContext, kept: KeptLive, { object, followed, pullRequest, flags }: Report): void {
  if (flags.output === 'json') {
    const { files, places, others, branch, commit = null, changes } = kept;
    const fields = changes.map(({ path, before = null, after = null }) => {
      const where = places.find((place) => place.path === path)?.where ?? null;
      return { path, git: before, live: after, where };
    });
    const data = {
      apiVersion: JSON_VERSION,
      kind: 'Kept',
      object,
      fields,
      files,
      others,
      branch,
      commit,
      pullRequest: pullRequest ?? null,
    };
    cli.print(`${jsonText(data, 2)}\n`);
    return;
  }
  if (kept.files.length === 0) {
    cli.show(`${object}: Git says so already\n`);
    return cli.answer(EXIT.yes);
  }
  const sign = showSign(cli.style, STATE_SIGNS.Healthy);
  for (const line of formatChanges(kept.changes)) cli.show(`${sign} ${oneLine(`${object} ${line}`)}\n`);
  cli.show(hunksText(kept.files));
  if (kept.others.length > 0) cli.show(`Changes as well: ${oneLine(kept.others.join(', '))}\n`);
  cli.show(`${pullRequest === undefined ? commitText(kept, followed) : `Pull request ${oneLine(pullRequest)}`}\n`);
}
