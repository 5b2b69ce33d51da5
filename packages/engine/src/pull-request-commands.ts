import { isAbort, parseTargetKey, PlumbError, toPlumbError } from '@plumb/core';
import { includesPermission, parseCommand, type GitHost, type PullComment, type PullRequest } from '@plumb/hosts';
import {
  knownOf,
  warn,
  type Asked,
  type CommentsRead,
  type Followed,
  type Known,
  type Look,
  type PullRequestsOptions,
} from './followed-pulls.ts';
import { approvalAnswer } from './pull-request-plan.ts';
import type { TargetSpec } from './targets.ts';

/** The host may answer the same question later. */
const PASSING: readonly string[] = ['HostUnreachable', 'HostRateLimited'];
const MAX_ASKED = 100;
/** Longer than the step of any host's clock. */
const SETTLE_MS = 2_000;

/** What the commands of a look are about. */
interface AnswerContext {
  /** The open ones. */
  readonly pulls: readonly PullRequest[];
  /** All targets of the repository. */
  readonly targets: readonly TargetSpec[];
}

/** Takes a command for the next look. Returns false where so many wait that it is not. */
export function ask({ asked, answered }: Pick<Followed, 'asked' | 'answered'>, command: Asked): boolean {
  const isSame = (other: Asked): boolean => other.number === command.number && other.commentId === command.commentId;
  if (answered.has(command.number, command.commentId) || asked.some(isSame)) return true;
  if (asked.length >= MAX_ASKED) return false;
  asked.push(command);
  return true;
}

/** What of a look reading takes. */
interface Reading {
  readonly followed: Pick<Followed, 'pulls' | 'answered' | 'asked'>;
  readonly host: Pick<GitHost, 'comments'>;
  readonly signal: AbortSignal;
}

/**
 * Reads commands from the comments on open pull requests, for hosts that deliver none. A pull request costs a request where
 * something happened on it since the last reading, and one more a while later.
 */
export async function readCommands(
  { followed, host, signal }: Reading,
  pulls: readonly Pick<PullRequest, 'number' | 'activity'>[],
  nowMs: number,
): Promise<void> {
  for (const { number, activity } of pulls) {
    const known = knownOf(followed, number);
    const read = nextReading(known.read, activity, nowMs);
    if (read === undefined) continue;
    const comments = await host.comments(number, { signal });
    const asked = comments.flatMap((comment) => commandIn(comment, number, known) ?? []);
    if (asked.map((command) => ask(followed, command)).every(Boolean)) known.read = read;
  }
}

/** Undefined where nothing can have come since the last reading. */
function nextReading(before: CommentsRead | undefined, activity: string, nowMs: number): CommentsRead | undefined {
  if (before?.activity !== activity) return { activity, firstMs: nowMs, isSettled: false };
  if (before.isSettled || nowMs - before.firstMs < SETTLE_MS) return undefined;
  return { ...before, isSettled: true };
}

/** A comment that was edited gives none: others than its author may have done that. */
function commandIn(
  { id, user, body, writtenAtMs, isEdited }: PullComment,
  number: number,
  { statusHead, statusHeadAtMs }: Known,
): Asked | undefined {
  const command = isEdited ? undefined : parseCommand(body);
  if (command === undefined) return undefined;
  const seenHead = writtenAtMs > statusHeadAtMs ? statusHead : undefined;
  return { number, user, seenHead, commentId: id, command };
}

/** Commands are kept for the next look while the host does not answer; else each is answered once, and that is kept. */
export async function answerAll(
  look: Look,
  context: AnswerContext,
  { answered: store, log }: Pick<PullRequestsOptions, 'answered' | 'log'>,
): Promise<void> {
  const { followed, name, signal } = look;
  for (let asked = followed.asked[0]; asked !== undefined; asked = followed.asked[0]) {
    try {
      await answer(look, asked, context, log);
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      const error = toPlumbError(thrown);
      if (PASSING.includes(error.code)) throw thrown;
      warn(log, 'A command on a pull request cannot be answered', name, error, { pull: asked.number });
    }
    const { number, commentId } = asked;
    followed.asked.shift();
    if (!context.pulls.some((pull) => pull.number === number)) continue;
    followed.answered.add(number, commentId, knownOf(followed, number).allowedHead);
    await store.write(followed.repository.metadata.uid ?? '', followed.answered.toText());
  }
}

async function answer(
  { name, followed, host, signal }: Look,
  { number, user, seenHead, commentId, command }: Asked,
  { pulls, targets }: AnswerContext,
  log: PullRequestsOptions['log'],
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
      const error = new PlumbError(
        app === undefined ? 'EnvironmentMissing' : 'ApplicationMissing',
        'No application of this repository has that name or environment',
      );
      await host.reply(number, `${error.message} (${error.code}).`, { signal });
      throw error;
    }
    if (app !== undefined || env !== undefined) for (const { target } of wanted) known.wanted.add(target);
    known.isAsked = true;
    // Not what was pushed since: that was seen by nobody who asked.
    known.allowedHead = seenHead;
  }
  log({ level: 'info', message: 'Answered a command', ...facts, command: command.type });
}
