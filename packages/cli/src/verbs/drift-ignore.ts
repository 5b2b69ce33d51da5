import { APPLICATION, type Application } from '@plumb/api';
import { PlumbError, type FieldPath, type Json, type ObjectRef, oneLine } from '@plumb/core';
import { nameOf, targetsOf } from '@plumb/engine';
import { gitIdentity } from '@plumb/git';
import type { KubeClient } from '@plumb/kube';
import { readTextFile } from '@plumb/render';
import { findManifest, manifestsOf, type ManifestPlace } from '../application-manifest.ts';
import { checkEnvironment, decodedApplication, selectOne } from '../applications.ts';
import { listObjects } from '../list-objects.ts';
import { chooseCluster, openClient, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { checkedReason, checkFields } from '../hold-wish.ts';
import { ignoreMessage } from '../ignore-message.ts';
import { ruleEdit, withIgnoreRule, type IgnoreRule } from '../ignore-rule.ts';
import { jsonText } from '../json-text.ts';
import { pushEdits, type PushedEdits } from '../push-edits.ts';
import { commitText, hunksText } from '../pushed-text.ts';
import { openRendererHere } from '../renderer-here.ts';
import { showSign, STATE_SIGNS } from '../style.ts';
import { objectOfTarget } from '../target-object.ts';
import { JSON_VERSION } from '../version.ts';

export interface DriftIgnoreFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly field?: readonly string[] | undefined;
  readonly manager?: readonly string[] | undefined;
  readonly reason?: string | undefined;
  readonly branch?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly output: 'text' | 'json';
}

/**
 * `plumb drift ignore`: commits a rule to the Application in Git, by which some fields of an object are nobody's drift from now
 * on. Where Git does not spell the Application out it says so, with the rule and a command that writes it.
 */
export async function driftIgnore(
  this: CliContext,
  flags: DriftIgnoreFlags,
  name: string,
  object: string,
): Promise<void> {
  const { cwd, home, env, clock, signal } = this.surroundings;
  const reason = checkedReason(flags.reason);
  const fields = flags.field ?? [];
  if (fields.length === 0) {
    throw new PlumbError('Usage', 'the fields are missing', {
      fix: 'Name each with --field PATH: what is ignored as a whole is better not kept by Plumb at all.',
    });
  }
  checkFields(fields);
  const author = flags.dryRun === true ? undefined : await gitIdentity({ cwd, home, env }, { signal });
  await using stack = new AsyncDisposableStack();
  const cluster = await chooseCluster(this, flags);
  const client = stack.use(openClient(this.surroundings, cluster.config));
  const known = await listObjects(client, APPLICATION.kind, cluster, { signal });
  const live = selectOne(known, name, cluster);
  const application = decodedApplication(live);
  checkEnvironment(application, flags.env);
  const ref = await objectOf(client, application, { text: object, environment: flags.env, signal });
  const rule: IgnoreRule = {
    kind: ref.kind,
    // A person who names the namespace means this one alone.
    ...(object.split('/').length === 3 && ref.namespace !== '' ? { namespace: ref.namespace } : {}),
    name: ref.name,
    fields,
    ...(flags.manager === undefined ? {} : { managers: flags.manager }),
    policy: 'ignore',
    reason,
  };
  const openRenderer = () => openRendererHere(this.surroundings, client, cluster);
  const note = (line: string): void => this.note(line);
  const search = { client, cluster, openRenderer, live, application, known, note, stack, signal };
  const place = await findManifest(search).catch((thrown: unknown) => {
    throw withWayOut(thrown, application, { live: live as unknown as Json, rule, environment: flags.env });
  });
  const pushed = await pushRule(place, { application, rule, flags, author, timeMs: clock.now(), signal });
  report(this, pushed, { application, rule, place, flags });
}

/** Where it is live, or could be: in the named environment, else in any. */
async function objectOf(
  client: KubeClient,
  application: Application,
  {
    text,
    environment,
    signal,
  }: { readonly text: string; readonly environment: string | undefined; readonly signal: AbortSignal },
): Promise<ObjectRef> {
  const specs = targetsOf(application).filter((spec) => environment === undefined || spec.environment === environment);
  let guess: ObjectRef | undefined;
  for (const spec of specs) {
    const { ref, isMember } = await objectOfTarget(client, { application, spec }, text, { signal });
    if (isMember === true) return ref;
    guess ??= ref;
  }
  if (guess === undefined)
    throw new PlumbError('EnvironmentMissing', `${application.metadata.name} has no environment`);
  return guess;
}

interface RulePush {
  readonly application: Application;
  readonly rule: IgnoreRule;
  readonly flags: DriftIgnoreFlags;
  readonly author: Parameters<typeof pushEdits>[0]['author'];
  readonly timeMs: number;
  readonly signal: AbortSignal;
}

function pushRule(
  { remote, followed, file }: ManifestPlace,
  { application, rule, flags, author, timeMs, signal }: RulePush,
): Promise<PushedEdits<readonly string[]>> {
  const push = { remote, followed, branch: flags.branch, author, timeMs, signal };
  const environment = flags.env;
  const message = ignoreMessage(rule, { application: nameOf(application), environment });
  return pushEdits(push, async ({ tree }) => {
    const source = await readTextFile(tree, file, { signal });
    const places = source === undefined ? [] : manifestsOf(source, application);
    const [written] = places;
    if (source === undefined || written === undefined || places.length > 1) {
      const what = places.length > 1 ? 'more than once' : 'no more';
      throw new PlumbError('ManifestMissing', `${file} spells ${application.metadata.name} out ${what}`, {
        where: { file },
      });
    }
    const { text, besides } = withIgnoreRule(source, written, { rule, environment });
    const files = text === source.text ? new Map<string, string>() : new Map([[file, text]]);
    return { files, message, about: besides };
  });
}

/** Where Git is not the place: the rule, and without Git the command that writes it on the cluster. */
function withWayOut(
  thrown: unknown,
  { metadata }: Application,
  {
    live,
    rule,
    environment,
  }: { readonly live: Json; readonly rule: IgnoreRule; readonly environment: string | undefined },
): unknown {
  if (!(thrown instanceof PlumbError) || !thrown.code.startsWith('Manifest')) return thrown;
  const { change } = ruleEdit(live, rule, environment);
  const list = environment === undefined ? 'spec.drift.rules' : `drift.rules of the environment ${environment}`;
  const toPaste = `- ${jsonText(rule)}`;
  const paste = `Put the rule into ${list} where the Application is written: ${toPaste}`;
  const { code, message, where } = thrown;
  if (code !== 'ManifestMissing' || change === undefined) {
    return new PlumbError(code, message, { where, fix: paste, cause: thrown });
  }
  const patch = jsonText([{ op: 'add', path: pointerOf(change.path), value: change.value }]).replaceAll(
    "'",
    String.raw`'\''`,
  );
  const { name, namespace } = metadata;
  const command = `kubectl -n ${namespace} patch applications.plumb.dev ${name} --type=json -p '${patch}'`;
  return new PlumbError(code, message, {
    where,
    fix: `${paste}; or write it on the cluster: ${command}`,
    cause: thrown,
  });
}

/** As JSON Patch has it (RFC 6901). */
function pointerOf(path: FieldPath): string {
  return path.map((step) => `/${'index' in step ? step.index : 'field' in step ? step.field : ''}`).join('');
}

interface Report {
  readonly application: Application;
  readonly rule: IgnoreRule;
  readonly place: ManifestPlace;
  readonly flags: DriftIgnoreFlags;
}

function report(
  cli: CliContext,
  { files, about: besides, branch, commit }: PushedEdits<readonly string[]>,
  { application, rule, place, flags }: Report,
): void {
  const app = application.metadata.name;
  if (besides.length > 0) {
    cli.note(`Not for ${oneLine(besides.join(', '))}, with rules of its own that replace these: name it with -e.`);
  }
  if (flags.output === 'json') {
    const repository = nameOf(place.remote.repository);
    const data = { app, env: flags.env ?? null, rule, files, repository, branch, commit: commit ?? null };
    cli.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'Ignored', ...data }, 2)}\n`);
    return;
  }
  const object = `${rule.kind}/${rule.name}`;
  if (files.length === 0) return cli.show(`${oneLine(object)}: Git says so already\n`);
  const target = flags.env === undefined ? app : `${app} → ${flags.env}`;
  const what = `${target}: ${object} ${rule.fields.join(', ')} is ignored`;
  cli.show(`${showSign(cli.style, STATE_SIGNS.Healthy)} ${oneLine(what)}\n`);
  cli.show(hunksText(files));
  cli.show(`${commitText({ commit, branch }, place.followed)}\n`);
}
