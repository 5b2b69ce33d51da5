import { API_VERSION, APPLICATION, type Application } from '@plumb/api';
import { PlumbError, type KubeObject } from '@plumb/core';
import { targetName } from '@plumb/engine';
import { checkEnvironment, decodedApplication, selectNamed, selectOne } from './applications.ts';
import { openCi, reportingErrors, type Ci } from './ci.ts';
import { findingsOfPlan } from './ci-finding.ts';
import type { ChosenCluster } from './cluster.ts';
import type { CliContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import type { ReadingAhead } from './known-applications.ts';
import { PlanSession, type Planned } from './plan-session.ts';
import { applicationsIn, openWorkingCopy, type WorkingCopy } from './plan-source.ts';
import { PlanStore, type StoredPlan } from './plan-store.ts';
import { judgementData, judgementText } from './judgement-text.ts';
import { planData, planText, totalOf, totalText } from './plan-text.ts';
import { openPolicyFiles } from './policy-files.ts';
import { jsonText } from './json-text.ts';
import { openRendererHere } from './renderer-here.ts';
import { PLAIN } from './style.ts';
import { labelled, storedPlanOf } from './stored-plan.ts';
import type { PlanFlags } from './verbs/plan.ts';
import { JSON_VERSION } from './version.ts';

const TITLE = 'plumb plan';

export interface PlansWanted {
  readonly name: string | undefined;
  /** Nothing takes a second name. */
  readonly id: string | undefined;
  readonly ahead: ReadingAhead;
}

/** Makes the plans that were asked for, keeps them on this machine, and shows them to people, programs and pipelines. */
export async function makePlans(cli: CliContext, flags: PlanFlags, wanted: PlansWanted): Promise<void> {
  const ci = openCi(cli, flags);
  await reportingErrors(cli, { ci, title: TITLE }, () => make(cli, flags, wanted, ci));
}

async function make(cli: CliContext, flags: PlanFlags, { name, id, ahead }: PlansWanted, ci: Ci): Promise<void> {
  const store = new PlanStore(cli.surroundings);
  const { cwd, clock, signal } = cli.surroundings;
  const policies = await openPolicyFiles(flags.policy ?? [], { cwd, clock });
  if (id !== undefined) {
    throw new PlumbError('Usage', `${id} is one argument too many`, {
      fix: 'Write plumb plan APP, or plumb plan show ID.',
    });
  }
  if (flags.local !== undefined && flags.ref !== undefined) {
    throw new PlumbError('Usage', '--local and --ref exclude each other', { fix: 'Leave one of them out.' });
  }
  if (flags.pr !== undefined && [flags.ref, flags.local, flags.release].some((flag) => flag !== undefined)) {
    throw new PlumbError('Usage', '--pr names what is planned, and --ref, --local or --release something else', {
      fix: 'Leave the others out.',
    });
  }
  const workingCopy = flags.local === undefined ? undefined : await openWorkingCopy(flags.local, cwd, clock);
  const { cluster, client } = await ahead.opened;
  await using rendering = await openRendererHere(cli.surroundings, client, cluster);
  const { renderer } = rendering;

  const known = await ahead.known;
  const chosen =
    workingCopy === undefined
      ? selectNamed(known, name, cluster).map((object) => decodedApplication(object))
      : await applicationsFor(cli, workingCopy, known, name, cluster, flags);
  if (chosen.length === 0) {
    throw new PlumbError('ApplicationMissing', 'there is no application on this cluster', {
      fix: 'Add one with "plumb app add", or plan a working copy with --local DIR.',
    });
  }
  const isWide = chosen.length > 1;
  const isListed = flags.showNormalised ?? false;
  // Of many applications it would cost more than the plans themselves.
  const isNormalisedTold = isListed || !isWide;
  if (flags.pr !== undefined) checkOneRepository(chosen);
  const given = { client, cluster, renderer, known, workingCopy, pullRequest: flags.pr, isWide, policies };
  await using session = new PlanSession({ ...given, isNormalisedTold, clock, signal });
  if (isWide) await session.prefetch(chosen, flags);
  for (const application of chosen) checkEnvironment(application, chosen.length === 1 ? flags.env : undefined);
  const planned: Planned[] = [];
  for (let start = 0; start < chosen.length; start += AT_ONCE) {
    const some = chosen.slice(start, start + AT_ONCE);
    const isNamed = name !== undefined;
    const plans = await Promise.all(some.map((application) => session.plan(application, { ...flags, isNamed })));
    planned.push(...plans.flat());
  }

  if (flags.pr !== undefined) sayOfPullRequest(cli, flags.pr, planned);
  const at = new Date(clock.now()).toISOString();
  // Where nothing would change there is nothing to come back to.
  const made = planned.map((one) => ({
    one,
    stored: one.plan.items.length > 0 ? storedPlanOf(one, client.server, at) : undefined,
  }));
  await store.save(made.flatMap(({ stored }) => stored ?? []));
  for (const { one, stored } of flags.output === 'table' ? made : []) {
    cli.show(planText(labelled(one), { style: cli.style, isFull: flags.full ?? false, isListed }));
    cli.show(judgementText(one.judgement, { style: cli.style }));
    if (stored === undefined) continue;
    cli.show(`${nextSteps(stored, cluster)}\n`);
    const whole = plainText(one, { isFull: true });
    if (whole !== plainText(one, { isFull: false })) ci.fold(`All fields: ${targetName(one.spec)}`, whole);
  }
  const total = totalOf(planned.map((one) => one.plan));
  if (flags.output === 'table' && planned.length > 1) cli.show(totalText(total));
  if (flags.output === 'json') {
    const items = planned.map((one) => ({
      ...planData(labelled(one), one.source.commit, { isListed }),
      ...(one.source.pullRequest === undefined
        ? {}
        : { pullRequest: { number: one.source.pullRequest.number, head: one.source.pullRequest.head } }),
      policies: judgementData(one.judgement),
    }));
    cli.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'Plan', total, items }, 2)}\n`);
  }
  const text = () => planned.map((one) => plainText(one, { isFull: true })).join('\n');
  await ci.report(planned.flatMap(findingsOfPlan), { title: TITLE, text });
  cli.answer(exitCodeFor(planned, flags));
}

/** What a pipeline keeps of a plan, with what all the policies say that it was held against. */
function plainText(one: Planned, { isFull }: { readonly isFull: boolean }): string {
  return planText(labelled(one), { style: PLAIN, isFull }) + judgementText(one.judgement, { style: PLAIN });
}

/** Applications that are planned together: what one waits for, the others compute. */
const AT_ONCE = 200;

/** A number names a pull request of one repository alone. */
function checkOneRepository(applications: readonly Application[]): void {
  const repositories = new Set(
    applications.map(({ metadata, spec }) => `${metadata.namespace}/${spec.source.repository}`),
  );
  if (repositories.size <= 1) return;
  throw new PlumbError('Usage', 'the applications here are of several repositories, which all have pull requests', {
    fix: `Name one of: ${applications.map(({ metadata }) => metadata.name).join(', ')}.`,
  });
}

function sayOfPullRequest(cli: CliContext, number: number, planned: readonly Planned[]): void {
  if (planned.length === 0) cli.note(`Pull request ${number} touches no application that is known here.`);
  if (planned.some(({ source }) => source.pullRequest?.isWhole === false)) {
    cli.note('note: not all changed files can be told: what the base has got since the branch began shows as undone');
  }
}

/** How to see all of a plan, and to ship exactly it. */
function nextSteps({ id, application, environment, commit }: StoredPlan, cluster: ChosenCluster): string {
  const details = `Details: plumb plan show ${id}`;
  if (commit === undefined) return details;
  const inNamespace = application.namespace === cluster.namespace ? '' : ` -n ${application.namespace}`;
  const inEnvironment = environment === '' ? '' : ` -e ${environment}`;
  return `${details}     Ship exactly this: plumb sync ${application.name}${inNamespace}${inEnvironment} --plan ${id}`;
}

/**
 * What a working copy is planned as: the applications of the cluster whose folder it has; else those that it declares
 * itself; else the named folder as one application.
 */
async function applicationsFor(
  cli: CliContext,
  workingCopy: WorkingCopy,
  known: readonly KubeObject[],
  name: string | undefined,
  cluster: ChosenCluster,
  flags: PlanFlags,
): Promise<readonly Application[]> {
  const { signal } = cli.surroundings;
  const { tree, path } = workingCopy;
  if (known.length > 0 && flags.release === undefined) {
    if (name !== undefined) return [decodedApplication(selectOne(known, name, cluster))];
    const matching: Application[] = [];
    for (const application of known.map(decodedApplication)) {
      const folder = application.spec.source.path;
      const isBelow = path === '' || folder === path || folder.startsWith(`${path}/`);
      if (isBelow && (await tree.find(folder, { signal })) !== undefined) matching.push(application);
    }
    const repositories = new Set(
      matching.map(({ metadata, spec }) => `${metadata.namespace}/${spec.source.repository}`),
    );
    if (repositories.size > 1) {
      throw new PlumbError('Usage', 'several repositories have applications with folders of these names', {
        fix: `Name one of: ${matching.map(({ metadata }) => metadata.name).join(', ')}.`,
      });
    }
    if (matching.length > 0) return matching;
  }
  if (flags.release === undefined) {
    const declared = await applicationsIn(tree, { signal });
    if (declared.length > 0) return selectNamed(declared, name, cluster).map((object) => decodedApplication(object));
  }
  const application = {
    apiVersion: API_VERSION,
    kind: APPLICATION.kind,
    metadata: {
      name: flags.release ?? name ?? workingCopy.name,
      namespace: cluster.namespace,
    },
    spec: { source: { repository: 'local', path } },
  };
  cli.note(`No application has this folder: planning it as ${application.metadata.name} in ${cluster.namespace}.`);
  return [decodedApplication(application)];
}

function exitCodeFor(planned: readonly Planned[], flags: PlanFlags): number {
  const items = planned.flatMap(({ plan: made }) => made.items);
  if (planned.some(({ judgement }) => judgement.counts.deny > 0)) return EXIT.policy;
  // What the API server refuses now it refuses at the sync too.
  if (items.some(({ action }) => action === 'blocked')) return EXIT.no;
  if (items.length === 0) return EXIT.yes;
  if (flags.detailedExitcode === true) return TERRAFORM_CHANGES;
  return flags.exitCode === true ? EXIT.no : EXIT.yes;
}

/** What `terraform plan -detailed-exitcode` answers where there are changes. */
const TERRAFORM_CHANGES = 2;
