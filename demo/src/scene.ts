import { API_VERSION, APPLICATION, decodeApplication, type Application, type TargetStatus } from '@plumb/api';
import { groupOf, type Clock } from '@plumb/core';
import { inTime } from './deadline.ts';
import { Live, type LiveRef } from './live.ts';
import { Mismatch, type Narrator } from './narrator.ts';
import type { Stage } from './stage.ts';

export interface SceneOptions {
  readonly stage: Stage;
  readonly narrator: Narrator;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface SeenApplication {
  readonly application: Application;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** What every step does: somebody commits and pushes, and the applications on the cluster are waited for. */
export class Scene {
  readonly live: Live;
  readonly #options: SceneOptions;

  constructor(options: SceneOptions) {
    this.#options = options;
    this.live = new Live(options.stage.client, options);
  }

  inTime<T>(claim: string, promise: Promise<T>): Promise<T> {
    return inTime(claim, promise, () => undefined, this.#options);
  }

  /** Commits, and says so. */
  async commit(message: string): Promise<string> {
    const { stage, narrator } = this.#options;
    const commit = await stage.copy.commit(message);
    narrator.say(await stage.copy.git('log', '-1', '--format=commit %h by %an: %s'));
    return commit;
  }

  /** Pushes, and returns the monotonic time at which the push began. */
  async push(): Promise<number> {
    const { stage, clock } = this.#options;
    const begun = clock.monotonic();
    await stage.copy.push();
    return begun;
  }

  /** Replaces a text that the file holds once; returns its line. */
  async edit(path: string, before: string, after: string): Promise<number> {
    const { copy } = this.#options.stage;
    const content = await copy.read(path);
    const at = content.indexOf(before);
    if (at < 0) throw new Mismatch(`${path} can be edited`, before, content);
    await copy.write(path, content.replace(before, after));
    return content.slice(0, at + before.length).split('\n').length;
  }

  /** The names in a folder of the last commit. */
  async files(folder: string): Promise<readonly string[]> {
    const listed = await this.#options.stage.copy.git('ls-tree', '--name-only', `HEAD:${folder}`);
    return listed.split('\n');
  }

  async application(name: string): Promise<Application> {
    return decoded(await this.live.get(refOf(name)));
  }

  async untilApplication(
    name: string,
    claim: string,
    satisfies: (application: Application) => boolean,
  ): Promise<SeenApplication> {
    const { object, at } = await this.live.until(claim, refOf(name), (candidate) => {
      const application = decodeApplication(candidate);
      return application.ok && satisfies(application.value);
    });
    return { application: decoded(object), at };
  }

  /** Until every environment has this commit and is Healthy. */
  untilHealthy(name: string, claim: string, commit: string): Promise<SeenApplication> {
    return this.untilApplication(
      name,
      claim,
      ({ status }) =>
        status?.state === 'Healthy' && (status.environments?.every(({ revision }) => revision === commit) ?? false),
    );
  }
}

export function statusIn(application: Application, environment: string): TargetStatus {
  const found = application.status?.environments?.find(({ name }) => name === environment);
  if (found === undefined) throw new Mismatch('the status lists every environment', environment, 'none');
  return found;
}

function refOf(name: string): LiveRef {
  return { group: groupOf(API_VERSION), kind: APPLICATION.kind, namespace: 'default', name };
}

function decoded(object: unknown): Application {
  const application = decodeApplication(object);
  if (!application.ok) throw application.error;
  return application.value;
}
