import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { placeHold, type PlaceHoldFlags } from '../holds.ts';

export interface DriftAllowFlags extends EveryVerb, PlaceHoldFlags {}

/** `plumb drift allow`: lets what was changed in one object stand for a while: a hold of that object alone. */
export async function driftAllow(this: CliContext, flags: DriftAllowFlags, app: string, object: string): Promise<void> {
  await placeHold(this, flags, { app, object });
}
