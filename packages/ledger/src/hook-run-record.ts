import type { HookRun, ObjectKey } from '@plumb/core';

/** One run of a hook, as it is kept: which attempt of which release it is of, and how it went. */
export interface HookRunRecord extends HookRun {
  readonly release: number;
  readonly attempt: number;
  readonly mark: string;
  readonly object: ObjectKey;
}
