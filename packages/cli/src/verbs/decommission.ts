import { deletionDigest, parseObjectKey, PlumbError, shortName, type LiveObject, oneLine } from '@plumb/core';
import { planDecommission, type DecommissionPlan } from '@plumb/engine';
import { openApplication } from '../chosen-application.ts';
import type { ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { EveryVerb } from '../flags.ts';
import { jsonText } from '../json-text.ts';
import { placeOf, retiredOf, retireTargets } from '../retire.ts';
import { JSON_VERSION } from '../version.ts';

export interface DecommissionFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly approveDeletion?: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly output: 'table' | 'json';
}

/** `plumb decommission`: shows what taking an application down deletes, and does it once that exact set is approved. */
export async function decommission(this: CliContext, flags: DecommissionFlags, name?: string): Promise<void> {
  const { signal } = this.surroundings;
  await using chosen = await openApplication(this, flags, name);
  const { client, cluster, application } = chosen;
  const retired = retiredOf(application, flags.env);
  const { specs } = retired;
  const plans: DecommissionPlan[] = [];
  for (const spec of specs) plans.push(await planDecommission(client, application, spec, { signal }));
  const objects = plans.flatMap((plan) => plan.objects);
  const digest = deletionDigest(objects);
  const app = application.metadata.name;

  if (flags.approveDeletion !== digest) {
    const environment = flags.env === undefined ? '' : ` -e ${flags.env}`;
    const command = `plumb decommission ${app} -n ${application.metadata.namespace}${environment} --approve-deletion ${digest}`;
    const what =
      flags.approveDeletion === undefined
        ? `Taking ${app} down deletes ${countOf(objects)}, and waits for an approval`
        : `${flags.approveDeletion} is not the digest of what would be deleted now`;
    const refusal = new PlumbError('DeletionBlocked', what, { fix: `Approve exactly this set: ${command}` });
    if (flags.output === 'json') {
      this.print(`${jsonText({ ...planData(app, plans, digest), refused: refusal.toRecord() }, 2)}\n`);
      this.answer(exitCodeOf(refusal));
      return;
    }
    for (const plan of plans) this.show(planText(app, plan));
    throw refusal;
  }
  await retireTargets(this, {
    client,
    cluster,
    retired,
    wishes: new Map(plans.map((plan) => [placeOf(plan.spec), { how: 'decommission', approved: plan.digest }])),
    environment: flags.env,
    timeout: flags.timeout,
    done: `decommissioned: ${countOf(objects)} deleted`,
  });
}

function countOf(objects: readonly unknown[]): string {
  return objects.length === 1 ? '1 object' : `${objects.length} objects`;
}

/** Step by step, in the order of deleting. */
function planText(app: string, { spec, hooks, steps, findings, kept }: DecommissionPlan): string {
  const environment = spec.environment === '' ? '' : ` → ${spec.environment}`;
  const lines = steps.flatMap((step, index) =>
    step.map((live) => {
      const instances = findings.get(live.key)?.instances;
      const takes = instances === undefined ? '' : `  !! takes ${countText(instances)} of its kind with it`;
      return `  − delete  step ${index + 1}  ${nameOf(live, spec.namespace)}${takes}\n`;
    }),
  );
  const staying = kept.map(({ message }) => `  keep: ${oneLine(message)}\n`);
  const [before = [], after = []] = ['PreDelete', 'PostDelete'].map((phase) =>
    hooks.flatMap((hook) => (hook.startsWith(phase) ? `  ▸ run     ${oneLine(hook)}\n` : [])),
  );
  const head = `Decommission  ${app}${environment}   namespace ${spec.namespace}\n`;
  return [head, ...before, ...lines, ...after, ...staying].join('');
}

function countText(count: number): string {
  return count === 1 ? '1 object' : `${count} objects`;
}

/** `Deployment/api`, with the namespace where it is not the target's. */
function nameOf({ key }: LiveObject, namespace: string): string {
  const ref = parseObjectKey(key);
  if (ref === undefined) return key;
  return ref.namespace === '' || ref.namespace === namespace ? shortName(ref) : `${shortName(ref)} (${ref.namespace})`;
}

function planData(app: string, plans: readonly DecommissionPlan[], digest: string): object {
  return {
    apiVersion: JSON_VERSION,
    kind: 'DecommissionPlan',
    digest,
    items: plans.map(({ spec, hooks, steps, findings, kept }) => ({
      app,
      ...(spec.environment === '' ? {} : { env: spec.environment }),
      steps: steps.map((step) =>
        step.map(({ key, uid }) => ({ ...parseObjectKey(key), uid, takes: findings.get(key)?.instances })),
      ),
      hooks,
      kept: kept.map((error) => error.toRecord()),
    })),
  };
}
