import type { KubeObject, Origin, TargetKey } from '@plumb/core';

export interface ReleaseObject {
  readonly object: KubeObject;
  readonly origin?: Origin;
}

export interface NewRelease {
  readonly target: TargetKey;
  /** The full id. */
  readonly commit: string;
  readonly treeId: string;
  /** Identifies everything that went into the rendering: tree, values, renderer. */
  readonly inputsKey: string;
  /** Identifies the rendered objects. */
  readonly digest: string;
  readonly objects: readonly ReleaseObject[];
  /** The first line of the commit message. */
  readonly subject: string;
  readonly author: string;
  /** The URL of the Git repository, without credentials. */
  readonly repository?: string;
  /** The chart that was fetched for it: `redis 18.1.2 sha256:…`. */
  readonly chart?: string;
}

export type ReleaseOutcome = 'running' | 'healthy' | 'failed' | 'superseded';

/** What was applied to one target: `r184`. Its objects are read apart, by `releaseObjects`. */
export interface Release {
  readonly target: TargetKey;
  /** 1, 2, 3 … for each target. */
  readonly number: number;
  readonly commit: string;
  readonly treeId: string;
  readonly inputsKey: string;
  readonly digest: string;
  readonly subject: string;
  readonly author: string;
  readonly repository?: string;
  readonly chart?: string;
  readonly objectCount: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly concludedAt?: number;
  readonly outcome: ReleaseOutcome;
  /** Why it failed, in one sentence. */
  readonly message?: string;
}

export interface ReleaseConclusion {
  readonly number: number;
  readonly outcome: Exclude<ReleaseOutcome, 'running'>;
  readonly message?: string;
}

/** How a release is written everywhere: `r184`. */
export function releaseName(number: number): string {
  return `r${number}`;
}
