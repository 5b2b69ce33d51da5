import type { HostKind, HostLimits } from './host.ts';

/**
 * - GitHub stores 65,536 characters of at most four bytes.
 * - GitLab documents 1,000,000 characters for comments and descriptions.
 * - Gitea and Forgejo have no limit of their own; what GitHub takes is plenty for readers.
 * - Bitbucket Cloud documents none and has taken much more; this is what Bitbucket Data Center takes. It renders no HTML.
 */
export const HOST_LIMITS: Readonly<Record<HostKind, HostLimits>> = {
  github: { commentChars: 65_536, canFold: true },
  gitlab: { commentChars: 1_000_000, canFold: true },
  gitea: { commentChars: 65_536, canFold: true },
  bitbucket: { commentChars: 32_768, canFold: false },
};
