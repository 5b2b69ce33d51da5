import type { Decision } from './decide.ts';
import type { ErrorCode } from './error-codes.ts';
import type { PlumbError } from './error.ts';
import { parseObjectKey, type ObjectKey } from './key.ts';
import type { LiveObject } from './live.ts';

/** Stands for the desired hash where the attempt was a deletion. */
export const DELETION = 'deletion';

export type Write = Extract<Decision, { readonly action: 'create' | 'update' | 'adopt' }>;

/** What a dry-run said of one write or deletion. */
export interface Rehearsed {
  /** Of the desired object, or `DELETION`. */
  readonly hash: string;
  /** Of the live object as it was then, as far as it concerns us: see `rehearsedState`. */
  readonly state: string;
  /** What it foresees; undefined where it would work, or where nobody can tell. */
  readonly error: PlumbError | undefined;
  /** Monotonic milliseconds: when to ask again after an error. */
  readonly retryAt: number | undefined;
}

export interface RehearsalInput {
  readonly decisions: readonly Decision[];
  /** What would be deleted with the change. */
  readonly deletions: readonly LiveObject[];
  readonly answers: ReadonlyMap<ObjectKey, Rehearsed>;
  readonly now: number;
  /** Whether the fields of others are taken at the first contact: what is new to us may be live all the same then. */
  readonly takesFields: boolean;
  liveOf(key: ObjectKey): LiveObject | undefined;
}

export interface Rehearsal {
  /** What has to be asked first. */
  readonly writes: readonly Write[];
  readonly deletions: readonly LiveObject[];
  /** What would fail, once everything has been asked. */
  readonly errors: readonly PlumbError[];
  readonly wakeAt: number | undefined;
}

const NOTHING: Rehearsal = { writes: [], deletions: [], errors: [], wakeAt: undefined };

/**
 * Whether a change can fail halfway, and what the API server foresees of it. Where two or more live objects change, or
 * something is deleted with a change, every write is tried without effect before the first one; an application that is
 * new, and a single object that changes, cannot be left half changed and cost nothing. No watch of ours shows an object
 * without our marks: so where fields of others are to be taken, each object that is new to us counts as one that changes.
 *
 * Not asked is what the change itself makes possible: objects in a namespace, or of a kind, that it brings or changes.
 */
export function rehearsalOf(input: RehearsalInput): Rehearsal {
  const { decisions, answers, now, liveOf } = input;
  const writes = decisions.filter(isWrite);
  const changing = writes.filter(
    ({ key, reason }) => liveOf(key) !== undefined || (input.takesFields && reason === 'absent'),
  );
  if (changing.length < 2 && (input.deletions.length === 0 || writes.length === 0)) return NOTHING;

  const written = new Set(writes.map(({ key }) => key));
  const due: Write[] = [];
  const deletions: LiveObject[] = [];
  const errors: PlumbError[] = [];
  const wakes: number[] = [];
  /** Whether it has been answered; an error counts. */
  const isAnswered = (key: ObjectKey, hash: string): boolean => {
    const answer = answers.get(key);
    if (answer === undefined || answer.hash !== hash || answer.state !== rehearsedState(liveOf(key))) return false;
    if (answer.error === undefined) return true;
    if (answer.retryAt !== undefined && answer.retryAt <= now) return false;
    errors.push(answer.error);
    if (answer.retryAt !== undefined) wakes.push(answer.retryAt);
    return true;
  };
  for (const write of writes) {
    const isMadePossible = write.desired.needs?.some(({ key, until }) => {
      return (until === 'established' || isNamespace(key)) && (written.has(key) || liveOf(key) === undefined);
    });
    if (isMadePossible !== true && !isAnswered(write.key, write.desired.hash)) due.push(write);
  }
  for (const live of input.deletions) if (!isAnswered(live.key, DELETION)) deletions.push(live);
  if (due.length > 0 || deletions.length > 0) return { ...NOTHING, writes: due, deletions };
  return { ...NOTHING, errors, wakeAt: wakes.length === 0 ? undefined : Math.min(...wakes) };
}

/** The same as long as an answer about the object holds: its status may change meanwhile. */
export function rehearsedState(live: LiveObject | undefined): string {
  return live === undefined ? '' : `${live.uid} ${live.fieldsHash ?? ''}${live.deleting ? ' deleting' : ''}`;
}

/** Refusals that are about what is wished for, or who wishes it: the real request would be answered alike. */
const FORESEEN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'AdmissionDenied',
  'DuplicateListKey',
  'FieldConflict',
  'FieldImmutable',
  'FieldInvalid',
  'FieldUnknown',
  'Forbidden',
  'KindMissing',
  'NamespaceMissing',
  'ObjectInvalid',
  'QuotaExceeded',
  'TooLarge',
]);

/** What decides over others: while it is changed, a refusal of this kind says nothing of what comes after. */
const DECIDES: Partial<Record<ErrorCode, readonly string[]>> = {
  Forbidden: ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'],
  QuotaExceeded: ['ResourceQuota'],
  AdmissionDenied: [
    'LimitRange',
    'Namespace',
    'MutatingAdmissionPolicy',
    'MutatingAdmissionPolicyBinding',
    'MutatingWebhookConfiguration',
    'PriorityClass',
    'ServiceAccount',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'ValidatingWebhookConfiguration',
  ],
};

/**
 * Whether the error of a dry-run foretells that of the real request. An API server that is busy, a webhook that is down or
 * that knows no dry-runs foretell nothing: then the objects are written one by one, and what fails is told.
 *
 * @param changing the keys of everything that the same change writes or deletes
 */
export function isForeseen(error: PlumbError, changing: Iterable<ObjectKey>): boolean {
  if (!FORESEEN.has(error.code)) return false;
  const deciders = DECIDES[error.code];
  if (deciders === undefined) return true;
  for (const key of changing) if (deciders.includes(parseObjectKey(key)?.kind ?? '')) return false;
  return true;
}

export function isWrite(decision: Decision): decision is Write {
  return decision.action === 'create' || decision.action === 'update' || decision.action === 'adopt';
}

function isNamespace(key: ObjectKey): boolean {
  const ref = parseObjectKey(key);
  return ref?.group === '' && ref.kind === 'Namespace';
}
