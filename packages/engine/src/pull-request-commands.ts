import { isAbort, parseTargetKey, PlumbError, toPlumbError } from '@plumb/core';
import { includesPermission, type PullRequest } from '@plumb/hosts';
import { knownOf, warn, type Asked, type Look } from './followed-pulls.ts';
import type { Log } from './narrate.ts';
import { approvalAnswer } from './pull-request-plan.ts';
import type { TargetSpec } from './targets.ts';

/** The host may answer the same question later. */
const PASSING: readonly string[] = ['HostUnreachable', 'HostRateLimited'];
/** What somebody asked for is not there. */
const NOT_THERE: readonly string[] = ['ApplicationMissing', 'EnvironmentMissing'];

/** What the commands of a look are about. */
interface AnswerContext {
  /** The open ones. */
  readonly pulls: readonly PullRequest[];
  /** All targets of the repository. */
  readonly targets: readonly TargetSpec[];
  readonly log: Log;
}

/** Commands are kept for the next look while the host does not answer; else each is answered once. */
export async function answerAll(look: Look, context: AnswerContext): Promise<void> {
  const { followed, host, name, signal } = look;
  for (let asked = followed.asked[0]; asked !== undefined; asked = followed.asked[0]) {
    try {
      await answer(look, asked, context);
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      const error = toPlumbError(thrown);
      if (PASSING.includes(error.code)) throw thrown;
      if (NOT_THERE.includes(error.code)) {
        await host.reply(asked.number, `${error.message} (${error.code}).`, { signal });
      }
      warn(context.log, 'A command on a pull request cannot be answered', name, error, { pull: asked.number });
    }
    followed.asked.shift();
  }
}

async function answer(
  { name, followed, host, signal }: Look,
  { number, user, head, commentId, command }: Asked,
  { pulls, targets, log }: AnswerContext,
): Promise<void> {
  if (!pulls.some((pull) => pull.number === number)) return;
  const facts = { repository: name, pull: number, user: user.id };
  if (!includesPermission(await host.permissionOf(user, { signal }), 'write')) {
    log({ level: 'info', message: 'A command of somebody who may not write is not followed', ...facts });
    return;
  }
  await host.acknowledge(number, commentId, { signal });
  const known = knownOf(followed, number);
  if (command.type === 'unclear') {
    const usage = '`/plumb plan [APP] [-e ENV]` and `/plumb approve DIGEST`';
    await host.reply(number, `Not understood: ${command.why}. There are ${usage}.`, { signal });
  } else if (command.type === 'approve') {
    await host.reply(number, approvalAnswer(command.digest, known.digests), { signal });
  } else {
    const { app, env } = command;
    const wanted = targets.filter(({ target }) => {
      const { application, environment } = parseTargetKey(target) ?? {};
      return (app === undefined || app === application) && (env === undefined || env === environment);
    });
    if (wanted.length === 0) {
      throw new PlumbError(
        app === undefined ? 'EnvironmentMissing' : 'ApplicationMissing',
        'No application of this repository has that name or environment',
      );
    }
    if (app !== undefined || env !== undefined) for (const { target } of wanted) known.wanted.add(target);
    known.isAsked = true;
    // Not what was pushed since: that was seen by nobody who asked.
    known.allowedHead = head ?? known.statusHead;
  }
  log({ level: 'info', message: 'Answered a command', ...facts, command: command.type });
}
