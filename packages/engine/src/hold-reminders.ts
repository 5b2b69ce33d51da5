import type { Application, Hold } from '@plumb/api';
import { commandName, HOLD_REMINDER_MS, minuteText, targetKey, toPlumbError, type Clock } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import type { Ledger } from '@plumb/ledger';
import type { Log } from './narrate.ts';
import { nameOf, type NamespacedName } from './targets.ts';
import { WorkQueue } from './work-queue.ts';

export interface HoldRemindersOptions {
  readonly writer: Pick<KubeClient, 'apply'>;
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, 'drifts'>;
  /** Who says so, in the Event. */
  readonly holder: string;
  application(name: NamespacedName): Application | undefined;
  /** Whether this engine is the one that acts. */
  mayAct(): boolean;
  readonly log: Log;
}

const MAX_DRIFTS = 10_000;
const AGAIN_MS = 1_000;
/** What does not arrive is tried again until the hold has ended. */
const RETRY_MS = 60_000;

const ENDINGS: Readonly<Record<Hold['spec']['atEnd'], string>> = {
  heal: 'put back then',
  report: 'left and reported then',
  'pull-request': 'proposed to Git in a pull request then',
};

/**
 * Says before a hold ends what becomes of the edits, as an Event about the Application: one for each hold that lasts longer than
 * the notice. An engine that comes too late says nothing: by then the status does.
 */
export class HoldReminders implements AsyncDisposable {
  readonly #options: HoldRemindersOptions;
  readonly #holds = new Map<NamespacedName, Hold>();
  readonly #queue: WorkQueue<NamespacedName>;

  constructor(options: HoldRemindersOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      clock: options.clock,
      concurrency: 1,
      work: (name, o) => this.#remind(name, o.signal),
      failed: (name, thrown) => this.#failed(name, thrown),
      retryMs: RETRY_MS,
    });
    this.#queue.pause();
  }

  start(): void {
    this.#queue.resume();
  }

  /** A hold is there, or its status is another one. */
  changed(hold: Hold): void {
    const name = nameOf(hold);
    const isKnown = this.#holds.get(name)?.metadata.uid === hold.metadata.uid;
    this.#holds.set(name, hold);
    const { clock } = this.#options;
    const now = clock.now();
    const until = Date.parse(hold.spec.until);
    if (!isKnown && until > now + HOLD_REMINDER_MS) {
      this.#queue.addAt(name, clock.monotonic() + until - HOLD_REMINDER_MS - now);
    }
  }

  removed(hold: Hold): void {
    this.#holds.delete(nameOf(hold));
    this.#queue.forget(nameOf(hold));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
  }

  async #remind(name: NamespacedName, signal: AbortSignal): Promise<void> {
    const { clock, ledger, writer, holder, mayAct } = this.#options;
    const hold = this.#holds.get(name);
    if (hold === undefined || Date.parse(hold.spec.until) <= clock.now()) return;
    if (!mayAct()) {
      // A machine that slept has lost its lease, and has it again in a moment.
      this.#queue.addAt(name, clock.monotonic() + AGAIN_MS);
      return;
    }
    const { namespace, uid = '' } = hold.metadata;
    const target = targetKey({ namespace, ...hold.spec });
    const application = this.#options.application(`${namespace}/${hold.spec.application}`);
    if (application === undefined) return;
    const open = await ledger.drifts({ isOpen: true, target, limit: MAX_DRIFTS });
    const edited = open.filter(({ standing }) => standing?.hold === hold.metadata.name).length;
    await writer.apply(
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        // One for each hold, however often it is said.
        metadata: { name: `${hold.metadata.name.slice(0, 200)}.${uid.slice(0, 8)}.ending`, namespace },
        eventTime: `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`,
        type: 'Normal',
        reason: 'HoldEnding',
        action: 'Remind',
        note: cutBytes(noteOf(hold, edited, commandName(target)), MAX_NOTE_BYTES),
        regarding: {
          apiVersion: application.apiVersion,
          kind: application.kind,
          name: application.metadata.name,
          namespace,
          ...(application.metadata.uid === undefined ? {} : { uid: application.metadata.uid }),
        },
        reportingController: 'plumb.dev/engine',
        reportingInstance: holder.slice(0, 128),
      },
      { manager: 'plumb-status', force: true, signal },
    );
  }

  #failed(hold: NamespacedName, thrown: unknown): void {
    const { code, message: error } = toPlumbError(thrown);
    this.#options.log({ level: 'warn', message: 'Nobody is reminded that a hold ends', hold, code, error });
  }
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/: a longer one is refused. */
const MAX_NOTE_BYTES = 1_024;

function cutBytes(text: string, max: number): string {
  if (Buffer.byteLength(text) <= max) return text;
  const whole = new TextDecoder().decode(Buffer.from(text).subarray(0, max - 3));
  // What was cut in two is no character.
  return `${whole.replace(/\ufffd+$/, '')}…`;
}

function noteOf({ metadata, spec }: Hold, edited: number, command: string): string {
  const until = minuteText(Date.parse(spec.until));
  const objects = edited === 1 ? '1 object was edited, and is' : `${edited} objects were edited, and are`;
  const what = edited === 0 ? 'Nothing was edited yet' : `${objects} ${ENDINGS[spec.atEnd]}`;
  return `The hold ${metadata.name} of ${spec.by} ends at ${until} UTC. ${what}: plumb drift ${command} (${spec.reason})`;
}
