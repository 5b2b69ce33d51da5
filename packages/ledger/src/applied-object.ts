import type { ObjectKey } from '@plumb/core';

/** What is known of an object after it was applied, so that a restart need not apply everything again to find out. */
export interface AppliedObject {
  readonly key: ObjectKey;
  readonly uid: string;
  readonly apiVersion: string;
  /** The hash of what was applied. */
  readonly desiredHash: string;
  /** A fingerprint of our managedFields entry right after the apply. */
  readonly fieldsHash: string;
  /** The number of the release that it was last applied by. */
  readonly release: number;
}
