import { shortRevision, type Application } from '@plumb/api';
import { diffObjects, fieldAt, formatChanges, shortName, refOf, type KubeObject } from '@plumb/core';
import { askPlumb } from './ask-plumb.ts';
import { variable } from './env-variable.ts';
import type { LiveRef } from './live.ts';
import { Mismatch, duration } from './narrator.ts';
import { NeighbourStory } from './neighbour-story.ts';
import { Scene, statusIn, type SceneOptions, type SeenApplication } from './scene.ts';
import { ENVIRONMENTS, shopObjects, type ShopEnvironment } from './shop.ts';

const KINDS = [
  { group: '', kind: 'ConfigMap' },
  { group: 'apps', kind: 'Deployment' },
  { group: '', kind: 'Service' },
  { group: 'networking.k8s.io', kind: 'Ingress' },
];

/**
 * Tells the life of an application and of its neighbours, step by step. What a step says is read from the API server
 * first; a `Mismatch` is thrown where the server has something else.
 */
export async function tellStory(options: SceneOptions): Promise<void> {
  const scene = new Scene(options);
  const story = new Story(scene, options);
  await story.firstSync();
  await story.changeAVariable();
  await story.healAnEdit();
  await story.pruneAFile();
  await story.refuseBrokenYaml();
  await story.blockTheDeletionOfEverything();
  const neighbours = new NeighbourStory(scene, options);
  await neighbours.join();
  await neighbours.changeTheSharedBase();
  await neighbours.keepThePassword();
  await story.explainABrokenImage();
}

/** Who edits the cluster by hand. The API server stamps the edit with the name: see docs/guides/who-changed-it.md. */
const PERSON = 'dana';

class Story {
  readonly #scene: Scene;
  readonly #stage: SceneOptions['stage'];
  readonly #narrator: SceneOptions['narrator'];
  readonly #clock: SceneOptions['clock'];
  readonly #signal: AbortSignal;

  constructor(scene: Scene, { stage, narrator, clock, signal }: SceneOptions) {
    this.#scene = scene;
    this.#stage = stage;
    this.#narrator = narrator;
    this.#clock = clock;
    this.#signal = signal;
  }

  async firstSync(): Promise<void> {
    const { client, firstCommit, repositoryUrl, webhook } = this.#stage;
    const narrator = this.#narrator;
    narrator.step('A folder in Git becomes a healthy application in three environments.');
    narrator.say(`deploy/ at ${shortRevision(firstCommit)}: ${(await this.#scene.files('deploy')).join(' ')}`);

    const begun = this.#clock.monotonic();
    for (const object of shopObjects(repositoryUrl, webhook.secret)) {
      await client.apply(object, { manager: 'plumb-cli', force: true, signal: this.#signal });
    }
    const { application, at } = await this.#untilHealthy('the application becomes Healthy', firstCommit);

    for (const environment of ENVIRONMENTS) {
      const deployment = await this.#deployment(environment);
      const { release, objects } = statusIn(application, environment.name);
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
    await this.#scene.edit('deploy/values.yaml', 'LOG_LEVEL: info', 'LOG_LEVEL: debug');
    const commit = await this.#scene.commit('Log more while we look into the checkout');

    const begun = await this.#scene.push();
    const seen = await Promise.all(
      ENVIRONMENTS.map((environment) =>
        this.#scene.live.until(
          `LOG_LEVEL becomes debug in ${environment.namespace}`,
          deploymentIn(environment),
          (deployment) => variable(deployment, 'LOG_LEVEL') === 'debug',
        ),
      ),
    );

    narrator.verify(
      'The push woke Plumb by its webhook',
      await this.#scene.inTime('the webhook is answered', this.#stage.webhook.answerTo(commit)),
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
      as: PERSON,
      contentType: 'application/merge-patch+json',
      body: { spec: { replicas: 9 } },
    });
    narrator.verify(
      `${PERSON} sets the replicas of Deployment/shop in prod to 9, with kubectl edit`,
      [answer.status, fieldAt(answer.body, 'spec', 'replicas')],
      [200, 9],
      'the API server took it',
    );
    const edited = Number(fieldAt(answer.body, 'metadata', 'generation'));

    const { at } = await this.#scene.live.until(
      'the replicas are healed',
      deploymentIn(prod),
      (deployment) =>
        Number(deployment?.metadata.generation) > edited && fieldAt(deployment, 'spec', 'replicas') === prod.replicas,
    );
    const healed = await this.#scene.inTime(
      'Plumb says what it healed',
      log.next(heard, ({ message }) => message === 'Healed'),
    );
    narrator.proven(`Back to ${prod.replicas} replicas ${duration(at - begun)} after the edit was sent`);
    narrator.verify(
      'Plumb says what it healed and who did it',
      [healed['object'], healed['by']],
      ['Deployment/shop', `${PERSON} (kubectl-edit)`],
      `${String(healed['object'])}, ${String(healed['what'])} by ${String(healed['by'])}`,
    );
  }

  async pruneAFile(): Promise<void> {
    const { copy } = this.#stage;
    const narrator = this.#narrator;
    narrator.step('A file is removed in Git.');
    await copy.remove('deploy/banner.yaml');
    const commit = await this.#scene.commit('Take the banner down');

    const begun = await this.#scene.push();
    const gone = await Promise.all(
      ENVIRONMENTS.map(({ namespace }) =>
        this.#scene.live.until(
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
    const line = await this.#scene.edit('deploy/service.yaml', '\n  ports:', '\n   ports:');
    await this.#scene.commit('Select the pods');

    const begun = await this.#scene.push();
    const { application, at } = await this.#untilApplication(
      'the commit is refused',
      ({ status }) => status?.environments?.every(({ state }) => state === 'Failed') ?? false,
    );

    narrator.proven(`Refused in all three environments after ${duration(at - begun)}`);
    const failure = statusIn(application, 'dev').failures?.[0];
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
    const reverted = await this.#scene.push();
    const healthy = await this.#untilApplication('the revert is Healthy', ({ status }) => status?.state === 'Healthy');
    narrator.proven(`Reverted, and Healthy again after ${duration(healthy.at - reverted)}`);
  }

  async blockTheDeletionOfEverything(): Promise<void> {
    const { copy } = this.#stage;
    const narrator = this.#narrator;
    narrator.step('A commit would delete everything.');
    const before = await this.#fingerprints(uid);
    const files = (await this.#scene.files('deploy')).filter((file) => !file.startsWith('values'));
    for (const file of files) await copy.remove(`deploy/${file}`);
    await this.#scene.commit('Clean up');
    narrator.say(`it removes ${files.join(' ')}; the folder and its values stay`);

    const begun = await this.#scene.push();
    const { application, at } = await this.#untilApplication(
      'the deletions are blocked',
      ({ status }) => status?.environments?.every(({ pendingDeletions }) => pendingDeletions !== undefined) ?? false,
    );

    narrator.proven(`Blocked in all three environments after ${duration(at - begun)}`);
    for (const environment of ENVIRONMENTS) {
      const { failures, pendingDeletions } = statusIn(application, environment.name);
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
    const restored = await this.#scene.push();
    const healthy = await this.#untilApplication('the restore is Healthy', ({ status }) => status?.state === 'Healthy');
    narrator.verify(
      `Restored in Git, and Healthy again after ${duration(healthy.at - restored)}`,
      await this.#fingerprints(uid),
      before,
    );
  }

  async explainABrokenImage(): Promise<void> {
    const { copy } = this.#stage;
    const narrator = this.#narrator;
    narrator.step('A commit names an image that is not there.');
    await this.#scene.edit('deploy/values.yaml', 'tag: 1.4.2', 'tag: broken');
    const commit = await this.#scene.commit('Ship the new checkout');

    const begun = await this.#scene.push();
    const { application, at } = await this.#untilApplication('the cause is known', ({ status }) => {
      const prod = status?.environments?.find(({ name }) => name === 'prod');
      return prod?.state === 'Degraded' && /ImagePullBackOff|ErrImagePull/.test(prod.message ?? '');
    });
    narrator.proven(`The cause is known ${duration(at - begun)} after the push began`, 'long before any deadline');
    narrator.say(`  ${statusIn(application, 'prod').message}`);

    const { code, stdout } = await askPlumb(this.#stage, 'why', 'shop', '-e', 'prod');
    narrator.command('npx plumb why shop -e prod');
    for (const line of stdout.trimEnd().split('\n')) narrator.say(`  ${line}`);
    const author = await copy.git('log', '-1', '--format=%an');
    narrator.verify(
      'It leads from the pod to the commit',
      [
        code,
        /because {2}image .*1\.4\.2 → .*broken/.test(stdout),
        stdout.includes(`commit ${shortRevision(commit)}, ${author}`),
      ],
      [1, true, true],
      `${shortRevision(commit)} by ${author}`,
    );

    await copy.revert();
    const reverted = await this.#scene.push();
    const healthy = await this.#untilApplication('the revert is Healthy', ({ status }) => status?.state === 'Healthy');
    narrator.proven(`Reverted, and Healthy again after ${duration(healthy.at - reverted)}`);
  }

  #untilApplication(claim: string, satisfies: (application: Application) => boolean): Promise<SeenApplication> {
    return this.#scene.untilApplication('shop', claim, satisfies);
  }

  #untilHealthy(claim: string, commit: string): Promise<SeenApplication> {
    return this.#scene.untilHealthy('shop', claim, commit);
  }

  #deployments(): Promise<readonly KubeObject[]> {
    return Promise.all(ENVIRONMENTS.map((environment) => this.#deployment(environment)));
  }

  async #deployment(environment: ShopEnvironment): Promise<KubeObject> {
    const deployment = await this.#scene.live.get(deploymentIn(environment));
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
        const namespace = await this.#scene.live.get({ group: '', kind: 'Namespace', name: environment.namespace });
        return [...(namespace === undefined ? [] : [namespace]), ...(await this.#members(environment))];
      }),
    );
    return found.flat().map((object) => `${object.metadata.namespace ?? ''} ${nameOf(object)} ${of(object)}`);
  }
}

function deploymentIn({ namespace }: ShopEnvironment): LiveRef {
  return { group: 'apps', kind: 'Deployment', namespace, name: 'shop' };
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
