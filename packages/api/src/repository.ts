import * as z from 'zod';
import { conditionsSchema, observedGenerationSchema, shortRevisionSchema } from './condition.ts';
import { DEFAULTS } from './names.ts';
import { API_URL, DATA_KEY, DNS_SUBDOMAIN, GIT_REF, INTERVAL, REPOSITORY_URL, text } from './rules.ts';

export const repositorySpecSchema = z
  .strictObject({
    url: text(2048, REPOSITORY_URL, 'Where the repository is: https://… or ssh://…, without credentials.'),
    ref: text(
      255,
      GIT_REF,
      "The branch, tag or commit to follow. Default: the remote's default branch.",
    ).exactOptional(),
    interval: text(
      32,
      INTERVAL,
      'How often the remote is asked for news; a webhook makes it faster. At least 1s.',
    ).default(DEFAULTS.interval),
    secretRef: z
      .strictObject({ name: text(253, [DNS_SUBDOMAIN], 'Name of a Secret in the same namespace.') })
      .exactOptional()
      .meta({
        description:
          'Credentials: username and password (or token) and ca.crt for https, identity (private key) and known_hosts for ssh.',
      }),
    webhook: z
      .strictObject({
        secretRef: z
          .strictObject({
            name: text(253, [DNS_SUBDOMAIN], 'Name of a Secret in the same namespace.'),
            key: text(253, [DATA_KEY], 'The key in it that holds the shared secret.').default(DEFAULTS.webhookKey),
          })
          .meta({ description: 'The secret that deliveries are signed with.' }),
      })
      .exactOptional()
      .meta({ description: 'Lets the Git host wake this repository: POST /hooks/NAMESPACE/NAME.' }),
    pullRequests: z
      .strictObject({
        secretRef: z
          .strictObject({ name: text(253, [DNS_SUBDOMAIN], 'Name of a Secret in the same namespace.') })
          .meta({ description: "The token for the host's API: token (or password), username, ca.crt." }),
        host: z
          .enum(['github', 'gitlab', 'gitea', 'bitbucket'])
          .exactOptional()
          .meta({ description: 'What the host is; gitea is Forgejo as well. Default: by the name in the URL.' }),
        api: text(
          2048,
          API_URL,
          "The root of the host's API. Default: where this kind of host has it.",
        ).exactOptional(),
        interval: text(
          32,
          INTERVAL,
          'How often the host is asked for pull requests; a webhook makes it faster. At least 1s.',
        ).default(DEFAULTS.pullRequestInterval),
      })
      .exactOptional()
      .meta({ description: 'Plans the pull requests into the followed branch, and says so at the host.' }),
    suspend: z
      .boolean()
      .exactOptional()
      .meta({ description: 'Stop looking for new commits. What is deployed stays as it is.' }),
  })
  .meta({ description: 'Where the files are, and how to reach them.' });

export const repositoryStatusSchema = z
  .object({
    observedGeneration: observedGenerationSchema.exactOptional(),
    conditions: conditionsSchema.exactOptional(),
    revision: z.string().exactOptional().meta({ description: 'The full id of the newest commit that was fetched.' }),
    shortRevision: shortRevisionSchema.exactOptional(),
    ref: z.string().exactOptional().meta({ description: 'The ref that is followed.' }),
    fetchedAt: z
      .string()
      .exactOptional()
      .meta({ description: 'When the newest commit was fetched, RFC 3339.', format: 'date-time' }),
  })
  .meta({ description: 'What was last seen. Written on transitions only.' });
