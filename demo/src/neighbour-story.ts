import { diffObjects, fieldAt, formatChanges, HOOK_RUN_ANNOTATION, type KubeObject } from '@plumb/core';
import { variable } from './env-variable.ts';
import type { LiveRef } from './live.ts';
import { Mismatch, duration } from './narrator.ts';
import { CART, neighbourObjects, REVIEWS, type Neighbour } from './neighbours.ts';
import { statusIn, type Scene, type SceneOptions } from './scene.ts';
import { ENVIRONMENTS } from './shop.ts';

/** A chart and two overlays of one base, in the shop's repository: who is touched by a commit, and who is not. */
export class NeighbourStory {
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

  async join(): Promise<void> {
    const { client } = this.#stage;
    const narrator = this.#narrator;
    const neighbours = [...CART, ...REVIEWS];
    narrator.step('A Helm chart and two Kustomize overlays of one base become healthy beside it.');
    for (const folder of ['charts/cart', 'base', 'overlays']) {
      narrator.say(`${folder}/: ${(await this.#scene.files(folder)).join(' ')}`);
    }

    const begun = this.#clock.monotonic();
    for (const object of neighbourObjects()) {
      await client.apply(object, { manager: 'plumb-cli', force: true, signal: this.#signal });
    }
    const seen = await Promise.all(
      [...new Set(neighbours.map(({ application }) => application))].map((name) =>
        this.#scene.untilApplication(name, `${name} becomes Healthy`, ({ status }) => status?.state === 'Healthy'),
      ),
    );

    for (const neighbour of neighbours) {
      const { replicas, namespace } = neighbour;
      const deployment = await this.#deployment(neighbour);
      const { release, objects } = await this.#status(neighbour);
      narrator.verify(
        `${neighbour.label.padEnd(12)} Healthy`,
        fieldAt(deployment, 'status', 'availableReplicas'),
        replicas,
        `${release} · ${objects} objects in ${namespace} · ${replicas} of ${replicas} Pods available`,
      );
    }
    const passwords = await Promise.all(CART.map((target) => this.#password(target)));
    narrator.verify(
      'The chart generated a password, another one for each environment',
      [passwords.map(({ length }) => length), new Set(passwords).size],
      [CART.map(() => 24), CART.length],
      'Secret/cart-store in cart-dev and cart-prod',
    );
    for (const target of CART) {
      const job = await this.#scene.live.get({
        group: 'batch',
        kind: 'Job',
        namespace: target.namespace,
        name: 'cart-migration',
      });
      const ended = String(fieldAt(job, 'status', 'completionTime') ?? '');
      const { creationTimestamp = '' } = (await this.#deployment(target)).metadata;
      narrator.verify(
        `${target.label.padEnd(12)} the chart's migration ran first`,
        [fieldAt(job, 'metadata', 'annotations', HOOK_RUN_ANNOTATION), ended !== '' && ended <= creationTimestamp],
        ['r1.1 PreSync', true],
        `Job/cart-migration, once, and ended before Deployment/${target.deployment} was made`,
      );
    }
    const last = Math.max(...seen.map(({ at }) => at));
    narrator.proven(`Healthy everywhere ${duration(last - begun)} after Plumb was told of them`);
  }

  async changeTheSharedBase(): Promise<void> {
    const narrator = this.#narrator;
    narrator.step('A commit changes the base that both overlays share.');
    const deployments = await Promise.all(REVIEWS.map((target) => this.#deployment(target)));
    const releases = await this.#releases();
    const renders = await this.#renders();
    await this.#scene.edit('base/deployment.yaml', 'value: "30"', 'value: "60"');
    const commit = await this.#scene.commit('Keep reviews for a minute');

    const begun = await this.#scene.push();
    const seen = await Promise.all(
      REVIEWS.map((target) =>
        this.#scene.live.until(
          `CACHE_SECONDS becomes 60 in ${target.namespace}`,
          deploymentIn(target),
          (deployment) => variable(deployment, 'CACHE_SECONDS') === '60',
        ),
      ),
    );

    for (const [index, { label }] of REVIEWS.entries()) {
      const { object: after, at } = seen[index] ?? { object: undefined, at: begun };
      const changes = diffObjects(deployments[index], after).filter(({ path }) => path.startsWith('spec.'));
      narrator.verify(
        `${label.padEnd(12)} env CACHE_SECONDS 30 → 60`,
        formatChanges(changes),
        ['env CACHE_SECONDS 30 → 60'],
        `in the live Deployment ${duration(at - begun)} after the push began`,
      );
    }
    await this.#untilHealthy(REVIEWS, commit);
    await this.#verifyTouched(REVIEWS, { releases, renders });
  }

  async keepThePassword(): Promise<void> {
    const narrator = this.#narrator;
    narrator.step('A commit changes a value of the chart.');
    const secrets = await Promise.all(CART.map((target) => this.#secret(target)));
    const releases = await this.#releases();
    const renders = await this.#renders();
    await this.#scene.edit('charts/cart/values.yaml', 'SESSION_MINUTES: 30', 'SESSION_MINUTES: 45');
    const commit = await this.#scene.commit('Give people time to think');

    const begun = await this.#scene.push();
    const seen = await Promise.all(
      CART.map(({ namespace }) =>
        this.#scene.live.until(
          `SESSION_MINUTES becomes 45 in ${namespace}`,
          { group: '', kind: 'ConfigMap', namespace, name: 'cart-settings' },
          (settings) => fieldAt(settings, 'data', 'SESSION_MINUTES') === '45',
        ),
      ),
    );
    await this.#untilHealthy(CART, commit);

    for (const [index, { label }] of CART.entries()) {
      narrator.proven(
        `${label.padEnd(12)} SESSION_MINUTES 30 → 45`,
        `in the live ConfigMap ${duration((seen[index]?.at ?? begun) - begun)} after the push began`,
      );
    }
    narrator.verify(
      'The generated passwords stay what they are',
      (await Promise.all(CART.map((target) => this.#secret(target)))).map(version),
      secrets.map(version),
      'Secret/cart-store was not written, in cart-dev nor in cart-prod',
    );
    await this.#verifyTouched(CART, { releases, renders });
  }

  /** That these targets, and no other one of the repository, were rendered anew and have a new release. */
  async #verifyTouched(
    targets: readonly Neighbour[],
    before: { readonly releases: ReadonlyMap<string, number>; readonly renders: number },
  ): Promise<void> {
    const expected = [...before.releases].map(([label, release]) =>
      targets.some((target) => target.label === label) ? [label, release + 1] : [label, release],
    );
    const others = [...before.releases.keys()].filter((label) => !targets.some((target) => target.label === label));
    this.#narrator.verify('Nobody else has a new release', [...(await this.#releases())], expected, others.join(', '));
    this.#narrator.verify(
      'Nothing else was rendered',
      (await this.#renders()) - before.renders,
      targets.length,
      `plumb_render_total + ${targets.length}`,
    );
  }

  async #untilHealthy(targets: readonly Neighbour[], commit: string): Promise<void> {
    const names = new Set(targets.map(({ application }) => application));
    await Promise.all([...names].map((name) => this.#scene.untilHealthy(name, `${name} becomes Healthy`, commit)));
  }

  /** The number of the last release, by target: of the shop too. */
  async #releases(): Promise<ReadonlyMap<string, number>> {
    const shop = ENVIRONMENTS.map(({ name }) => ({ application: 'shop', environment: name, label: `shop ${name}` }));
    const found = [...shop, ...CART, ...REVIEWS].map(async (target): Promise<readonly [string, number]> => {
      const { release = '' } = await this.#status(target);
      return [target.label, Number(release.slice(1))];
    });
    return new Map(await Promise.all(found));
  }

  async #status({ application, environment }: Pick<Neighbour, 'application' | 'environment'>) {
    return statusIn(await this.#scene.application(application), environment);
  }

  /** How often the engine has rendered a target so far, well or badly, or taken what it had kept. */
  async #renders(): Promise<number> {
    const answer = await fetch(`${this.#stage.engineUrl}/metrics`, { signal: this.#signal });
    const counts = Array.from((await answer.text()).matchAll(/^plumb_render_total\{.*\} (\d+)$/gm));
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async #deployment(target: Neighbour): Promise<KubeObject> {
    const deployment = await this.#scene.live.get(deploymentIn(target));
    if (deployment === undefined) throw new Mismatch(`${target.namespace} has its Deployment`, 'one', 'none');
    return deployment;
  }

  async #secret({ namespace }: Neighbour): Promise<KubeObject> {
    const secret = await this.#scene.live.get({ group: '', kind: 'Secret', namespace, name: 'cart-store' });
    if (secret === undefined) throw new Mismatch(`${namespace} has its Secret`, 'one', 'none');
    return secret;
  }

  async #password(target: Neighbour): Promise<string> {
    return Buffer.from(String(fieldAt(await this.#secret(target), 'data', 'password')), 'base64').toString();
  }
}

function deploymentIn({ namespace, deployment }: Neighbour): LiveRef {
  return { group: 'apps', kind: 'Deployment', namespace, name: deployment };
}

/** Another one after each write. */
function version({ metadata }: KubeObject): string {
  return `${metadata.uid} ${metadata.resourceVersion}`;
}
