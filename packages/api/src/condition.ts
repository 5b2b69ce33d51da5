import * as z from 'zod';

/** `metav1.Condition`. `Reconciling` and `Stalled` are there only while they are true (kstatus). */
export const conditionSchema = z
  .object({
    type: z.string().max(316).meta({ description: 'What is being said: Ready, Reconciling, Stalled, HostFailing.' }),
    status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Whether it is so.' }),
    observedGeneration: z
      .int()
      .min(0)
      .exactOptional()
      .meta({ description: 'The metadata.generation that this was said about.', format: 'int64' }),
    lastTransitionTime: z
      .string()
      .meta({ description: 'When the status last changed, RFC 3339.', format: 'date-time' }),
    reason: z.string().min(1).max(1024).meta({ description: 'The cause as one CamelCase word: a stable code.' }),
    message: z.string().max(32_768).meta({ description: 'The cause in one sentence.' }),
  })
  .meta({ description: 'One observation about the object.' });

export const conditionsSchema = z
  .array(conditionSchema)
  .max(16)
  .meta({
    description:
      'Ready, and while they are true Reconciling, Stalled and HostFailing (a Git host does not do what is asked for pull requests).',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  });

export const observedGenerationSchema = z
  .int()
  .min(0)
  .meta({ description: 'The metadata.generation that this status is about.', format: 'int64' });

export const shortRevisionSchema = z
  .string()
  .meta({ description: 'The first characters of revision: what "kubectl get" has room for.' });
