import { driftItem, heldItem } from './drift.ts';
import { z } from 'zod';
import { STATES } from '../names.ts';
import { count, error, objectName, time } from './parts.ts';

const state = z.enum([...STATES, 'Stale']);

/** `plumb status -o json`. */
export const status = {
  engine: z.strictObject({ running: z.boolean(), seenAt: time.exactOptional() }),
  items: z.array(
    z.strictObject({
      namespace: z.string(),
      app: z.string(),
      env: z.string().exactOptional(),
      state: state.meta({ description: 'Stale: no engine vouches for it.' }),
      lastState: state.exactOptional(),
      release: z.string().exactOptional(),
      commit: z.string().exactOptional(),
      objects: count.exactOptional(),
      since: time.exactOptional(),
      why: z.strictObject({ reason: z.string().exactOptional(), message: z.string() }).exactOptional(),
      failures: z.array(z.looseObject({ code: z.string(), message: z.string() })).exactOptional(),
      pendingDeletions: z.looseObject({ digest: z.string() }).exactOptional(),
    }),
  ),
};

/** `plumb history -o json`. */
export const history = {
  items: z.array(
    z.strictObject({
      namespace: z.string(),
      app: z.string(),
      env: z.string().exactOptional(),
      release: z.string().meta({ description: 'r184' }),
      repository: z.string().exactOptional(),
      commit: z.string(),
      chart: z.string().exactOptional(),
      outcome: z.enum(['running', 'healthy', 'failed', 'superseded']),
      message: z.string().exactOptional(),
      startedAt: time,
      concludedAt: time.exactOptional(),
      author: z.string(),
      subject: z.string(),
      objects: count,
      digest: z.string(),
    }),
  ),
  drifts: z.array(driftItem).exactOptional().meta({ description: 'With --include drift.' }),
  holds: z.array(heldItem).exactOptional().meta({ description: 'With --include hold.' }),
};

/** `plumb why -o json`. */
export const why = {
  items: z.array(
    z.strictObject({
      app: z.string(),
      env: z.string(),
      state,
      what: z.string(),
      object: z.string().exactOptional(),
      change: z.looseObject({ release: z.string() }).exactOptional(),
      because: z.array(z.string()),
      unknown: z.array(z.string()).meta({ description: 'What could not be found out, and why.' }),
      tryNext: z.array(z.string()),
    }),
  ),
};

const health = z.enum(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']);

const node = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  namespace: z.string().exactOptional(),
  name: z.string(),
  status: health,
  message: z.string(),
  get children() {
    return z.array(node);
  },
});

/** `plumb tree -o json`. */
export const tree = { items: z.array(z.strictObject({ app: z.string(), env: z.string(), objects: z.array(node) })) };

/** `plumb events -o json`. */
export const events = {
  items: z.array(
    z.strictObject({
      at: time,
      type: z.string(),
      reason: z.string(),
      object: z.string(),
      message: z.string(),
      count,
    }),
  ),
};

/** `plumb decommission --dry-run -o json`, or why it was refused. */
export const decommissionPlan = {
  digest: z.string(),
  items: z.array(
    z.strictObject({
      app: z.string(),
      env: z.string().exactOptional(),
      steps: z
        .array(z.array(z.strictObject({ ...objectName, uid: z.string(), takes: count.exactOptional() })))
        .meta({ description: 'One after another; what is in one step goes together.' }),
      hooks: z.array(z.string()),
      kept: z.array(error),
    }),
  ),
  refused: error.exactOptional(),
};
