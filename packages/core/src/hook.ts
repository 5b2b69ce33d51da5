import { PlumbError } from './error.ts';
import { parseObjectKey, refOf, shortName, type ObjectKey } from './key.ts';
import { isJsonObject, type Json, type KubeObject } from './object.ts';
import type { Origin } from './rendered.ts';

/**
 * When a hook runs. `PreSync` before the first write of a release, `Sync` with the objects of its wave, `PostSync` once
 * everything is healthy, `SyncFail` when a release has failed; `PreDelete` before the first and `PostDelete` after the last
 * deletion of a decommission.
 */
export const HOOK_PHASES = ['PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreDelete', 'PostDelete'] as const;
export type HookPhase = (typeof HOOK_PHASES)[number];

/** An object that is run at certain moments instead of being kept. */
export interface SyncHook {
  /** In the order of `HOOK_PHASES`; none means that it never runs here (a test of Helm, `Skip` of Argo CD). */
  readonly phases: readonly HookPhase[];
  /** What takes it away once its phase is over. Before it runs again, what is left of its last run always goes. */
  readonly deleteOn: readonly ('succeeded' | 'failed')[];
}

export const HOOK_ANNOTATION = 'plumb.dev/hook';
export const HOOK_DELETE_POLICY_ANNOTATION = 'plumb.dev/hook-delete-policy';

/**
 * On a hook in the cluster: which run it is, `r12.1 PreSync` (release, attempt, phase). A hook without it, or with
 * another one, is not the run that is asked for, however green it may be.
 */
export const HOOK_RUN_ANNOTATION = 'plumb.dev/hook-run';

/** The names that Argo CD gave them, and those of Helm, in the order in which they are asked. */
const PHASE_ANNOTATIONS = [HOOK_ANNOTATION, 'argocd.argoproj.io/hook'] as const;
const DELETE_ANNOTATIONS = [
  HOOK_DELETE_POLICY_ANNOTATION,
  'argocd.argoproj.io/hook-delete-policy',
  'helm.sh/hook-delete-policy',
] as const;
const HELM_ANNOTATION = 'helm.sh/hook';

/**
 * Helm's events as Argo CD maps them. A rollback here applies a release that was, without its hooks; `crd-install` is of
 * Helm 2 and an ordinary object since.
 */
const HELM_EVENTS: Readonly<Record<string, HookPhase | undefined>> = {
  'pre-install': 'PreSync',
  'pre-upgrade': 'PreSync',
  'post-install': 'PostSync',
  'post-upgrade': 'PostSync',
  'pre-delete': 'PreDelete',
  'post-delete': 'PostDelete',
  'pre-rollback': undefined,
  'post-rollback': undefined,
  test: undefined,
  'test-success': undefined,
  'test-failure': undefined,
};

const DELETE_POLICIES: Readonly<Record<string, 'succeeded' | 'failed' | 'before'>> = {
  HookSucceeded: 'succeeded',
  HookFailed: 'failed',
  BeforeHookCreation: 'before',
  'hook-succeeded': 'succeeded',
  'hook-failed': 'failed',
  'before-hook-creation': 'before',
};

/**
 * Whether an object is a hook, told by its annotations alone: those of Plumb, else of Argo CD, else of Helm. An unknown
 * phase or policy is an `ObjectInvalid` in `errors`: a hook that is quietly an ordinary object would be kept running.
 */
export function hookOf(object: KubeObject, origin: Origin, errors: PlumbError[]): SyncHook | undefined {
  const annotations = object.metadata.annotations ?? {};
  const name = PHASE_ANNOTATIONS.find((annotation) => annotations[annotation] !== undefined);
  const helm = annotations[HELM_ANNOTATION];
  if (name === undefined && (helm === undefined || words(helm).includes('crd-install'))) return undefined;

  const invalid = (annotation: string, word: string, known: readonly string[]): void => {
    const subject = shortName(refOf(object));
    errors.push(
      new PlumbError('ObjectInvalid', `${subject}: ${annotation} says "${word}"`, {
        where: origin,
        subject,
        field: `metadata.annotations[${annotation}]`,
        fix: `Write one of ${known.join(', ')}.`,
      }),
    );
  };
  const phases = new Set<HookPhase>();
  if (name !== undefined) {
    for (const word of words(annotations[name])) {
      const phase = HOOK_PHASES.find((known) => known === word);
      if (phase !== undefined) phases.add(phase);
      else if (word !== 'Skip') invalid(name, word, [...HOOK_PHASES, 'Skip']);
    }
  } else {
    for (const word of words(helm)) {
      if (!Object.hasOwn(HELM_EVENTS, word)) invalid(HELM_ANNOTATION, word, Object.keys(HELM_EVENTS));
      const phase = HELM_EVENTS[word];
      if (phase !== undefined) phases.add(phase);
    }
  }
  const deleteOn = new Set<'succeeded' | 'failed'>();
  const policies = DELETE_ANNOTATIONS.find((annotation) => annotations[annotation] !== undefined);
  for (const word of policies === undefined ? [] : words(annotations[policies])) {
    const policy = Object.hasOwn(DELETE_POLICIES, word) ? DELETE_POLICIES[word] : undefined;
    if (policy === undefined) invalid(policies ?? '', word, ['HookSucceeded', 'HookFailed', 'BeforeHookCreation']);
    else if (policy !== 'before') deleteOn.add(policy);
  }
  return { phases: HOOK_PHASES.filter((phase) => phases.has(phase)), deleteOn: [...deleteOn] };
}

/** Whether annotations say that their object is a hook, right or wrong. */
export function saysHook(annotations: Json | undefined): boolean {
  if (!isJsonObject(annotations)) return false;
  return [...PHASE_ANNOTATIONS, HELM_ANNOTATION].some((annotation) => annotations[annotation] !== undefined);
}

/** Kinds that run to an end: such an object cannot run twice, so the last run goes before the next one. */
export function runsOnce(key: ObjectKey): boolean {
  const ref = parseObjectKey(key);
  return (
    ref !== undefined && ((ref.group === 'batch' && ref.kind === 'Job') || (ref.group === '' && ref.kind === 'Pod'))
  );
}

/** The value of `HOOK_RUN_ANNOTATION`. */
export function hookRunMark(release: number, attempt: number, phase: HookPhase): string {
  return `r${release}.${attempt} ${phase}`;
}

/** The phase of a run, told by its mark; undefined where the mark is none of ours. */
export function phaseOfRun(mark: string | undefined): HookPhase | undefined {
  const word = mark?.split(' ')[1];
  return HOOK_PHASES.find((phase) => phase === word);
}

/** What was run to take its target down: no part of what is approved, and gone with the rest at the end. */
export function isDeletionRun(mark: string | undefined): boolean {
  const phase = phaseOfRun(mark);
  return phase === 'PreDelete' || phase === 'PostDelete';
}

/** The hook as it is sent: marked as this very run. */
export function withHookRun(object: KubeObject, mark: string): KubeObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [HOOK_RUN_ANNOTATION]: mark } },
  };
}

function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(/[\s,]+/).filter((word) => word !== '');
}
