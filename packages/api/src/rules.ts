import * as z from 'zod';
import { isJsonObject, type JsonObject } from '@plumb/core';
import { parseDuration } from './duration.ts';

/**
 * One rule on a text, said twice with one message: as a CEL expression, which the API server checks when somebody writes
 * the object, and as a predicate, which the decoder checks for objects that never saw an API server (a working copy) or
 * were stored before the rule existed.
 */
export interface TextRule {
  readonly cel: string;
  readonly message: string;
  readonly holds: (text: string) => boolean;
}

/** A text of 1 to `max` characters that keeps the rules. CEL needs the bound to estimate its cost. */
export function text(max: number, rules: readonly TextRule[], description: string, min = 1): z.ZodString {
  let schema = z.string().min(min).max(max);
  for (const rule of rules) schema = schema.refine(rule.holds, { message: rule.message, abort: true });
  const validations = rules.map((rule) => ({ rule: rule.cel, message: rule.message }));
  return schema.meta({
    description,
    ...(validations.length === 0 ? {} : { 'x-kubernetes-validations': validations }),
  });
}

/** Any mapping; kept exactly as it is written. */
export function freeForm(description: string): z.ZodCustom<JsonObject> {
  return z
    .custom<JsonObject>(isJsonObject, 'must be a mapping')
    .meta({ description, type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
}

/** A rule that is a regular expression of the syntax that JavaScript and RE2 share. */
function matching(pattern: string, message: string): TextRule {
  const expression = new RegExp(pattern, 'u');
  return { cel: `self.matches(${JSON.stringify(pattern)})`, message, holds: (text) => expression.test(text) };
}

function notMatching(pattern: string, message: string): TextRule {
  const rule = matching(pattern, message);
  return { cel: `!${rule.cel}`, message, holds: (text) => !rule.holds(text) };
}

/** RFC 1123 label, as Kubernetes names namespaces. */
export const DNS_LABEL = matching(
  '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  'must be a DNS label: lower case letters, digits and "-", and start and end with a letter or digit',
);

/** RFC 1123 subdomain, as Kubernetes names most objects. */
export const DNS_SUBDOMAIN = matching(
  '^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
  'must be a DNS subdomain: lower case letters, digits, "-" and ".", and start and end with a letter or digit',
);

/** RFC 3339, with a zone. */
export const TIME: TextRule = {
  cel: 'timestamp(self) != null',
  message: 'must be a time such as 2026-01-31T18:00:00Z',
  holds: (text) =>
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(Date.parse(text)),
};

/** Of a plan: see `planDigest`. */
export const PLAN_DIGEST = matching('^[0-9a-f]{12}$', 'must be the digest of a plan: twelve hexadecimal digits');

/** Who may approve. */
export const APPROVER = matching(
  '^((user|group):.+|review:[^/]+/[^/]+)$',
  'must be user:NAME, group:NAME or review:HOST/LOGIN',
);

/** The keys of a Secret's data. */
export const DATA_KEY = matching('^[-._a-zA-Z0-9]+$', 'must be the key of a Secret: letters, digits, "-", "_" and "."');

/** Plain http is for a server on this machine only: elsewhere whoever is in between could choose what is deployed. */
export const REPOSITORY_URL: readonly TextRule[] = [
  matching(
    '^(https://|ssh://|http://(localhost|127[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}|\\[::1\\])(:[0-9]{1,5})?/)',
    'must start with https:// or ssh:// (http:// only for a loopback address)',
  ),
  matching('^[a-z]+://[^-/]', 'must name a host that does not start with "-"'),
  notMatching('[\\x00-\\x20\\x7f\\\\]', 'must not contain spaces, control characters or backslashes'),
  notMatching(
    '^(https?://[^/]*@|ssh://[^/@]*:[^/]*@)',
    'must not contain credentials: put them into a Secret and name it in spec.secretRef',
  ),
];

/** Plain http is for a server on this machine only: a token would be read by whoever is in between. */
export const API_URL: readonly TextRule[] = [
  matching(
    '^(https://|http://(localhost|127[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}|\\[::1\\])(:[0-9]{1,5})?(/|$))',
    'must start with https:// (http:// only for a loopback address)',
  ),
  notMatching('[\\x00-\\x20\\x7f\\\\@?#]', 'must not contain spaces, credentials, a query or a fragment'),
];

/** Plain http is for a server on this machine only, as for repositories. */
export const CHART_URL: readonly TextRule[] = [
  matching(
    '^(https://|oci://|http://(localhost|127[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}|\\[::1\\])(:[0-9]{1,5})?/)',
    'must start with https:// or oci:// (http:// only for a loopback address)',
  ),
  notMatching('[\\x00-\\x20\\x7f\\\\]', 'must not contain spaces, control characters or backslashes'),
  notMatching(
    '^[a-z]+://[^/]*@',
    'must not contain credentials: put them into a Secret and name it in chart.secretRef',
  ),
];

export const CHART_NAME = matching('^[a-zA-Z0-9][-._a-zA-Z0-9]*$', 'must be the name of a chart');

/** The name of a variable that is put into rendered objects. */
export const VARIABLE_NAME = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

/** What git-check-ref-format(1) allows, and never something that git could take for an option. */
export const GIT_REF: readonly TextRule[] = [
  notMatching('^[-/.]|[/.]$|[.][.]|//|@[{]|[.]lock$', 'must be a branch, a tag or a commit id'),
  notMatching('[\\x00-\\x20\\x7f~^:?*\\[\\\\]', 'must be a branch, a tag or a commit id'),
];

/** A path inside a repository. The CEL side spells the last rule without a loop, to stay cheap. */
export const REPOSITORY_PATH: readonly TextRule[] = [
  notMatching('^/', 'must be relative to the root of the repository: remove the leading "/"'),
  notMatching('(^|/)[.][.](/|$)', 'must stay inside the repository: remove ".."'),
  notMatching('[\\x00-\\x1f\\x7f\\\\]', 'must not contain control characters or backslashes'),
];

/** A file, relative to a folder, that may lie anywhere in the repository: the renderer knows where its edge is. */
export const REPOSITORY_FILE: readonly TextRule[] = [
  notMatching('^/', 'must be relative to the path of the application: remove the leading "/"'),
  notMatching('[\\x00-\\x1f\\x7f\\\\]', 'must not contain control characters or backslashes'),
];

export const INTERVAL: readonly TextRule[] = [
  matching('^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$', 'must be a duration such as 15s, 5m or 1h30m'),
  {
    cel: 'duration(self) >= duration("1s") && duration(self) <= duration("24h")',
    message: 'must be at least 1s and at most 24h',
    holds: (text) => {
      const milliseconds = parseDuration(text);
      return milliseconds !== undefined && milliseconds >= 1000 && milliseconds <= 86_400_000;
    },
  },
];

/** `PersistentVolumeClaim`, `Cluster.postgresql.cnpg.io`: the form of the ApplySet annotation. */
export const GROUP_KIND = matching(
  '^[A-Z][A-Za-z0-9]*([.][a-z0-9][-.a-z0-9]*)?$',
  'must be a kind with its group, such as StatefulSet.apps or PersistentVolumeClaim',
);
