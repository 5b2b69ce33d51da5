import { decodeApplication, shortRevision, type Application, type TargetStatus } from '@plumb/api';
import { diffObjects, fieldAt, formatChanges, shortName, refOf, type Clock, type KubeObject } from '@plumb/core';
import { inTime } from './deadline.ts';
import { Live, type LiveRef } from './live.ts';
import { Mismatch, duration, type Narrator } from './narrator.ts';
import { ENVIRONMENTS, shopObjects, type ShopEnvironment } from './shop.ts';
import type { Stage } from './stage.ts';

export interface StoryOptions {
  readonly stage: Stage;
  readonly narrator: Narrator;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface SeenApplication {
  readonly application: Application;
  /** Monotonic milliseconds. */
  readonly at: number;
}

const APPLICATION: LiveRef = { group: 'plumb.dev', kind: 'Application', namespace: 'default', name: 'shop' };
const KINDS = [
  { group: '', kind: 'ConfigMap' },
  { group: 'apps', kind: 'Deployment' },
  { group: '', kind: 'Service' },
  { group: 'networking.k8s.io', kind: 'Ingress' },
];

/**
 * Tells the life of an application, step by step. What a step says is read from the API server first; a `Mismatch` is
 * thrown where the server has something else.
 */
export async function tellStory(options: StoryOptions): Promise<void> {
  const story = new Story(options);
  await story.firstSync();
  await story.changeAVariable();
  await story.healAnEdit();
  await story.pruneAFile();
  await story.refuseBrokenYaml();
  await story.blockTheDeletionOfEverything();
}

class Story {
  readonly #stage: Stage;
  readonly #narrator: Narrator;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #live: Live;

  constructor({ stage, narrator, clock, signal }: StoryOptions) {
    this.#stage = stage;
    this.#narrator = narrator;
    this.#clock = clock;
    this.#signal = signal;
    this.#live = new Live(stage.client, { clock, signal });
  }

  async firstSync(): Promise<void> {
    const { client, firstCommit, repositoryUrl, webhook } = this.#stage;
    const narrator = this.#narrator;
    narrator.step('A folder in Git becomes a healthy application in three environments.');
    narrator.say(`deploy/ at ${shortRevision(firstCommit)}: ${(await this.#files()).join(' ')}`);

    const begun = this.#clock.monotonic();
    for (const object of shopObjects(repositoryUrl, webhook.secret)) {
      await client.apply(object, { manager: 'plumb-cli', force: true, signal: this.#signal });
    }
    const { application, at } = await this.#untilHealthy('the application becomes Healthy', firstCommit);

    for (const environment of ENVIRONMENTS) {
      const deployment = await this.#deployment(environment);
      const { release, objects } = statusIn(application, environment);
      narrator.verify(
        `${environment.name.padEnd(8)} Healthy`,
        fieldAt(deployment, 'status', 'availableReplicas'),
        environment.replicas,
        `${release} · ${objects} objects in ${environment.namespace} · ${environment.replicas} of ${environment.replicas} Pods available`,
      );
    }
    narrator.proven(`Healthy everywhere ${duration(at - begun)} after Plumb was told of the repository`);
  }

  async changeAVariable(): Promise<void> {
    const narrator = this.#narrator;
    narrator.step('A commit changes an environment variable.');
    const before = await this.#deployments();
    await this.#edit('deploy/values.yaml', 'LOG_LEVEL: info', 'LOG_LEVEL: debug');
    const commit = await this.#commit('Log more while we look into the checkout');

    const begun = await this.#push();
    const seen = await Promise.all(
      ENVIRONMENTS.map((environment) =>
        this.#live.until(
          `LOG_LEVEL becomes debug in ${environment.namespace}`,
          deploymentIn(environment),
          (deployment) => variable(deployment, 'LOG_LEVEL') === 'debug',
        ),
      ),
    );

    narrator.verify(
      'The push woke Plumb by its webhook',
      await this.#inTime('the webhook is answered', this.#stage.webhook.answerTo(commit)),
      202,
      'signed, answered 202',
    );
    for (const [index, environment] of ENVIRONMENTS.entries()) {
      const { object: after, at } = seen[index] ?? { object: undefined, at: begun };
      const changes = diffObjects(before[index], after).filter(({ path }) => path.startsWith('spec.'));
      narrator.verify(
        `${environment.name.padEnd(8)} env LOG_LEVEL info → debug`,
        formatChanges(changes),
        ['env LOG_LEVEL info → debug'],
        `in the live Deployment ${duration(at - begun)} after the push began`,
      );
    }
    const { at } = await this.#untilHealthy('the change becomes Healthy', commit);
    narrator.proven(`Rolled out and Healthy everywhere after ${duration(at - begun)}`);
  }

  async healAnEdit(): Promise<void> {
    const { api, log } = this.#stage;
    const narrator = this.#narrator;
    const prod = ENVIRONMENTS[2] as ShopEnvironment;
    narrator.step('Somebody edits the cluster by hand.');
    const heard = log.events.length;
    const path = `/apis/apps/v1/namespaces/${prod.namespace}/deployments/shop?fieldManager=kubectl-edit`;
    const begun = this.#clock.monotonic();
    const answer = await api.request('PATCH', path, {
      contentType: 'application/merge-patch+json',
      body: { spec: { replicas: 9 } },
    });
    narrator.verify(
      'kubectl-edit sets the replicas of Deployment/shop in prod to 9',
      [answer.status, fieldAt(answer.body, 'spec', 'replicas')],
      [200, 9],
      'the API server took it',
    );
    const edited = Number(fieldAt(answer.body, 'metadata', 'generation'));

    const { at } = await this.#live.until(
      'the replicas are healed',
      deploymentIn(prod),
      (deployment) =>
        Number(deployment?.metadata.generation) > edited && fieldAt(deployment, 'spec', 'replicas') === prod.replicas,
    );
    const healed = await this.#inTime(
      'Plumb says what it healed',
      log.next(heard, ({ message }) => message === 'Healed'),
    );
    narrator.proven(`Back to ${prod.replicas} replicas ${duration(at - begun)} after the edit was sent`);
    narrator.verify(
      'Plumb says what it healed and who did it',
      [healed['object'], healed['by']],
      ['Deployment/shop', 'kubectl-edit'],
      `${String(healed['object'])}, ${String(healed['reason'])} by ${String(healed['by'])}`,
    );
  }

  async pruneAFile(): Promise<void> {
    const { copy } = this.#stage;
    const narrator = this.#narrator;
    narrator.step('A file is removed in Git.');
    await copy.remove('deploy/banner.yaml');
    const commit = await this.#commit('Take the banner down');

    const begun = await this.#push();
    const gone = await Promise.all(
      ENVIRONMENTS.map(({ namespace }) =>
        this.#live.until(
          `ConfigMap/shop-banner is deleted in ${namespace}`,
          { group: '', kind: 'ConfigMap', namespace, name: 'shop-banner' },
          (object) => object === undefined,
        ),
      ),
    );
    await this.#untilHealthy('all else stays Healthy', commit);

    const last = Math.max(...gone.map(({ at }) => at));
    narrator.proven(`ConfigMap/shop-banner is gone from all three environments after ${duration(last - begun)}`);
    for (const environment of ENVIRONMENTS) {
      narrator.verify(
        `${environment.name.padEnd(8)} keeps the rest`,
        (await this.#members(environment)).map(nameOf),
        ['Deployment/shop', 'Service/shop', 'Ingress/shop'],
        'Deployment/shop Service/shop Ingress/shop',
      );
    }
  }

  async refuseBrokenYaml(): Promise<void> {
    const { copy } = this.#stage;
    const narrator = this.#narrator;
    narrator.step('Broken YAML is pushed.');
    const before = await this.#fingerprints(writtenVersion);
    const line = await this.#edit('deploy/service.yaml', '\n  ports:', '\n   ports:');
    await this.#commit('Select the pods');

    const begun = await this.#push();
    const { application, at } = await this.#untilApplication(
      'the commit is refused',
      ({ status }) => status?.environments?.every(({ state }) => state === 'Failed') ?? false,
    );

    narrator.proven(`Refused in all three environments after ${duration(at - begun)}`);
    const failure = statusIn(application, ENVIRONMENTS[0]).failures?.[0];
    narrator.verify(
      `It names the mistake: ${failure?.file}:${failure?.line}`,
      [failure?.file, failure?.line],
      ['deploy/service.yaml', line],
    );
    narrator.say(`  ${failure?.code}: ${failure?.message}. ${failure?.fix}`);
    narrator.verify(
      'The cluster keeps running what it had',
      await this.#fingerprints(writtenVersion),
      before,
      `${before.length} objects, not one written`,
    );

    await copy.revert();
    const reverted = await this.#push();
    const healthy = await this.#untilApplication('the revert is Healthy', ({ status }) => status?.state === 'Healthy');
    narrator.proven(`Reverted, and Healthy again after ${duration(healthy.at - reverted)}`);
  }

  async blockTheDeletionOfEverything(): Promise<void> {
    const { copy } = this.#stage;
    const narrator = this.#narrator;
    narrator.step('A commit would delete everything.');
    const before = await this.#fingerprints(uid);
    const files = (await this.#files()).filter((file) => !file.startsWith('values'));
    for (const file of files) await copy.remove(`deploy/${file}`);
    await this.#commit('Clean up');
    narrator.say(`it removes ${files.join(' ')}; the folder and its values stay`);

    const begun = await this.#push();
    const { application, at } = await this.#untilApplication(
      'the deletions are blocked',
      ({ status }) => status?.environments?.every(({ pendingDeletions }) => pendingDeletions !== undefined) ?? false,
    );

    narrator.proven(`Blocked in all three environments after ${duration(at - begun)}`);
    for (const environment of ENVIRONMENTS) {
      const { failures, pendingDeletions } = statusIn(application, environment);
      const approval = /plumb sync .*$/.exec(failures?.[0]?.fix ?? '')?.[0] ?? '';
      const threatened = [`Namespace/${environment.namespace}`, ...(await this.#members(environment)).map(nameOf)];
      narrator.verify(
        `${environment.name.padEnd(8)} ${pendingDeletions?.count} deletions wait for an approval`,
        [pendingDeletions?.count, approval.includes(String(pendingDeletions?.digest))],
        [threatened.length, true],
        threatened.join(' '),
      );
      narrator.say(`  to approve exactly these: npx ${approval}`);
    }
    narrator.verify(
      'Nothing was deleted',
      await this.#fingerprints(uid),
      before,
      `${before.length} objects with the uids they had`,
    );

    await copy.revert();
    const restored = await this.#push();
    const healthy = await this.#untilApplication('the restore is Healthy', ({ status }) => status?.state === 'Healthy');
    narrator.verify(
      `Restored in Git, and Healthy again after ${duration(healthy.at - restored)}`,
      await this.#fingerprints(uid),
      before,
    );
  }

  #inTime<T>(claim: string, promise: Promise<T>): Promise<T> {
    return inTime(claim, promise, () => undefined, { clock: this.#clock, signal: this.#signal });
  }

  /** Commits, and says so. */
  async #commit(message: string): Promise<string> {
    const { copy } = this.#stage;
    const commit = await copy.commit(message);
    this.#narrator.say(await copy.git('log', '-1', '--format=commit %h by %an: %s'));
    return commit;
  }

  /** Pushes, and returns the monotonic time at which the push began. */
  async #push(): Promise<number> {
    const begun = this.#clock.monotonic();
    await this.#stage.copy.push();
    return begun;
  }

  /** Replaces a text that the file holds once; returns its line. */
  async #edit(path: string, before: string, after: string): Promise<number> {
    const { copy } = this.#stage;
    const content = await copy.read(path);
    const at = content.indexOf(before);
    if (at < 0) throw new Mismatch(`${path} can be edited`, before, content);
    await copy.write(path, content.replace(before, after));
    return content.slice(0, at + before.length).split('\n').length;
  }

  async #files(): Promise<readonly string[]> {
    const listed = await this.#stage.copy.git('ls-tree', '--name-only', 'HEAD:deploy');
    return listed.split('\n');
  }

  async #untilApplication(claim: string, satisfies: (application: Application) => boolean): Promise<SeenApplication> {
    const { object, at } = await this.#live.until(claim, APPLICATION, (candidate) => {
      const decoded = decodeApplication(candidate);
      return decoded.ok && satisfies(decoded.value);
    });
    const application = decodeApplication(object);
    if (!application.ok) throw application.error;
    return { application: application.value, at };
  }

  /** Until every environment has this commit and is Healthy. */
  #untilHealthy(claim: string, commit: string): Promise<SeenApplication> {
    return this.#untilApplication(
      claim,
      ({ status }) =>
        status?.state === 'Healthy' && (status.environments?.every(({ revision }) => revision === commit) ?? false),
    );
  }

  #deployments(): Promise<readonly KubeObject[]> {
    return Promise.all(ENVIRONMENTS.map((environment) => this.#deployment(environment)));
  }

  async #deployment(environment: ShopEnvironment): Promise<KubeObject> {
    const deployment = await this.#live.get(deploymentIn(environment));
    if (deployment === undefined) throw new Mismatch(`${environment.namespace} has its Deployment`, 'shop', 'none');
    return deployment;
  }

  /** The live objects of the application in an environment, its Namespace aside. */
  async #members({ namespace }: ShopEnvironment): Promise<readonly KubeObject[]> {
    const { client } = this.#stage;
    const lists = await Promise.all(
      KINDS.map(async (kind) => {
        const resource = await client.resource(kind, { signal: this.#signal });
        const labelSelector = 'applyset.kubernetes.io/part-of';
        return client.list(resource, { namespace, labelSelector, signal: this.#signal });
      }),
    );
    return lists.flatMap(({ items }) => items);
  }

  async #fingerprints(of: (object: KubeObject) => string): Promise<readonly string[]> {
    const found = await Promise.all(
      ENVIRONMENTS.map(async (environment) => {
        const namespace = await this.#live.get({ group: '', kind: 'Namespace', name: environment.namespace });
        return [...(namespace === undefined ? [] : [namespace]), ...(await this.#members(environment))];
      }),
    );
    return found.flat().map((object) => `${object.metadata.namespace ?? ''} ${nameOf(object)} ${of(object)}`);
  }
}

function deploymentIn({ namespace }: ShopEnvironment): LiveRef {
  return { group: 'apps', kind: 'Deployment', namespace, name: 'shop' };
}

function statusIn(application: Application, environment: ShopEnvironment | undefined): TargetStatus {
  const found = application.status?.environments?.find(({ name }) => name === environment?.name);
  if (found === undefined) throw new Mismatch('the status lists every environment', environment?.name, 'none');
  return found;
}

function variable(deployment: KubeObject | undefined, name: string): unknown {
  const template = fieldAt(deployment, 'spec', 'template', 'spec', 'containers');
  const containers = Array.isArray(template) ? template : [];
  const variables = containers.flatMap((container) => fieldAt(container, 'env') ?? []);
  return fieldAt(
    variables.find((entry) => fieldAt(entry, 'name') === name),
    'value',
  );
}

function nameOf(object: KubeObject): string {
  return shortName(refOf(object));
}

function uid({ metadata }: KubeObject): string {
  return metadata.uid ?? '';
}

/** Moves with every write of the spec; other fields of the object, as its status, are the controllers' to write. */
function writtenVersion({ metadata }: KubeObject): string {
  return `${metadata.uid} ${metadata.generation ?? metadata.resourceVersion}`;
}
