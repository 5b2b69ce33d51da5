import { isJsonObject, PlumbError, type ErrorCode, type FieldConflict, type Json, type JsonObject } from '@plumb/core';
import type { Reply, ReplyHeaders } from './exchange.ts';
import { decodeJson, textOf } from './decode.ts';

/** What was asked, for the words of an error. */
export interface Attempt {
  /** `apply`, `get`, `list`, … */
  readonly verb: string;
  /** `Deployment/api in shop`, `deployments in shop`. */
  readonly subject: string;
  /** The object is a Secret: what the server says may quote its values, so its words are not passed on. */
  readonly secret?: boolean | undefined;
}

interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

interface Verdict {
  readonly code: ErrorCode;
  readonly text?: string | undefined;
  readonly field?: string | undefined;
  /** The server's words hold no value of the object: names, rights and field paths only. */
  readonly harmless?: boolean | undefined;
  readonly conflicts?: readonly FieldConflict[] | undefined;
}

/**
 * The API server's refusal as a `PlumbError`. All that must be guessed from the wording of a message is guessed here and
 * nowhere else; the tests hold the words of real servers.
 *
 * Source: apimachinery `api/errors` (reasons and causes), structured-merge-diff (`typed patch object`), the admission
 * plug-ins (`exceeded quota`, `denied the request`).
 */
export function statusError(reply: Reply, attempt: Attempt): PlumbError {
  const status = readStatus(reply, attempt);
  if (status === undefined) return plainError(reply, attempt);
  return errorOf(status, reply.status, reply.headers, attempt);
}

/** The error of a `Status` object that came inside a watch. */
export function statusObjectError(status: JsonObject, attempt: Attempt): PlumbError {
  const code = typeof status['code'] === 'number' ? status['code'] : 500;
  return errorOf(status, code, {}, attempt);
}

/** Milliseconds of a Retry-After header, which the API server sends in whole seconds. */
export function retryAfterMs(headers: ReplyHeaders): number | undefined {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function errorOf(status: JsonObject, httpStatus: number, headers: ReplyHeaders, attempt: Attempt): PlumbError {
  const message = textOf(status, 'message');
  const causes = readCauses(status);
  const verdict = judge(httpStatus, textOf(status, 'reason'), message, causes, textOf(status['details'], 'kind'));
  const place = verdict.field === undefined ? '' : ` at ${verdict.field}`;
  const words =
    attempt.secret === true && verdict.harmless !== true
      ? (policyOf(message) ?? `the server answered ${httpStatus} ${verdict.code}${place}; ${WITHHELD}`)
      : (verdict.text ?? message);
  return new PlumbError(verdict.code, `${attempt.verb} ${attempt.subject}: ${words}`, {
    subject: attempt.subject,
    field: verdict.field,
    conflicts: verdict.conflicts,
    retryAfterMs: retryAfterMs(headers),
  });
}

const WITHHELD = 'its words are withheld because they may quote the Secret';

/** Which policy denied it, and nothing of what that says; the names stand before it. */
function policyOf(message: string): string | undefined {
  const named = /ValidatingAdmissionPolicy '[-.a-z0-9]+' with binding '[-.a-z0-9]+' denied request: /.exec(
    message,
  )?.[0];
  return named === undefined ? undefined : named + WITHHELD;
}

function judge(
  httpStatus: number,
  reason: string,
  message: string,
  causes: readonly Cause[],
  detailsKind: string,
): Verdict {
  const typed = typedPatchVerdict(message);
  if (typed !== undefined) return typed;
  if (/admission webhook .* denied the request|ValidatingAdmissionPolicy .* denied request/s.test(message)) {
    return { code: 'AdmissionDenied' };
  }
  switch (httpStatus) {
    case 400:
      return badRequest(message);
    case 401:
      return { code: 'ClusterUnauthorized', text: 'the server does not accept the credentials', harmless: true };
    case 403:
      return forbidden(message, causes);
    case 404:
      return notFound(message, detailsKind);
    case 409:
      return conflict(causes);
    case 410:
      return { code: 'Expired', harmless: true };
    case 413:
      return { code: 'TooLarge', harmless: true };
    case 422:
      return invalid(message, causes);
    case 429:
      return { code: 'TooManyRequests', harmless: true };
    case 500:
      // etcd's own limit, and gRPC's in front of it.
      if (/request is too large|message larger than max/.test(message)) return { code: 'TooLarge', harmless: true };
      // What the schema takes but the Go type does not, for instance base64 or a quantity that is none.
      if (/^failed to convert new object .*(error decoding|unable to convert unstructured object)/s.test(message)) {
        return { code: 'FieldInvalid' };
      }
      return { code: 'ServerError' };
  }
  if (reason === 'Expired') return { code: 'Expired', harmless: true };
  return { code: httpStatus >= 500 ? 'ServerError' : 'FieldInvalid' };
}

const TYPED_PATCH = /^failed to create typed (?:patch|live) object \([^)]*\): /;
const STRICT_FIELD = /(unknown|duplicate) field "([^"]+)"/g;

/** Server-side apply checks the patch against the schema first and answers 500 for what is wrong in it. */
function typedPatchVerdict(message: string): Verdict | undefined {
  if (!TYPED_PATCH.test(message)) return undefined;
  const found = [...message.replace(TYPED_PATCH, '').matchAll(/(?:^|\n)\s*(\.[^\n]*?): ([^\n]*)/g)].map(
    ([, path = '', words = '']) => ({ field: fieldPath(path), words }),
  );
  const [first] = found;
  if (first === undefined) return { code: 'FieldInvalid' };
  const text = found.map(({ field, words }) => `${field}: ${readable(words)}`).join('; ');
  if (/duplicate entries for key/.test(first.words)) return { code: 'DuplicateListKey', text, field: first.field };
  if (/field not declared in schema/.test(first.words)) {
    return { code: 'FieldUnknown', text, field: first.field, harmless: onlyUnknown(found) };
  }
  return { code: 'FieldInvalid', text, field: first.field };
}

function onlyUnknown(found: readonly { readonly words: string }[]): boolean {
  return found.every(({ words }) => words === 'field not declared in schema');
}

/** `expected string, got &value.valueUnstructured{Value:1}` says what Go prints; people read `expected string, got 1`. */
function readable(words: string): string {
  return words
    .replace('field not declared in schema', 'the schema has no such field')
    .replace(/&?value\.valueUnstructured\{Value:(.*)\}$/s, (_whole, value: string) => goValue(value));
}

function goValue(value: string): string {
  if (value.startsWith('map[')) return 'a mapping';
  if (value.startsWith('[]')) return 'a list';
  if (value === 'interface {}(nil)' || value === '<nil>') return 'null';
  return value;
}

/** `.spec.containers[name="app"].image` as the core writes it: without the dot in front. */
function fieldPath(path: string): string {
  return path.startsWith('.') ? path.slice(1) : path;
}

function badRequest(message: string): Verdict {
  if (/^admission webhook ".*" does not support dry run$/.test(message)) {
    return { code: 'DryRunUnsupported', harmless: true };
  }
  const strict = [...message.matchAll(STRICT_FIELD)];
  const [first] = strict;
  if (first !== undefined) {
    const text = strict.map(([, what = '', field = '']) => `${what} field ${field}`).join(', ');
    return { code: 'FieldUnknown', text, field: first[2], harmless: true };
  }
  if (/continue/.test(message) && /invalid|expired/.test(message)) return { code: 'Expired' };
  return { code: 'FieldInvalid' };
}

function forbidden(message: string, causes: readonly Cause[]): Verdict {
  if (
    causes.some(({ reason }) => reason === 'NamespaceTerminating') ||
    /because it is being terminated/.test(message)
  ) {
    return { code: 'NamespaceTerminating', harmless: true };
  }
  if (/exceeded quota|failed quota|insufficient quota/.test(message)) return { code: 'QuotaExceeded', harmless: true };
  // The authoriser's sentence, and RBAC's guard against giving away what one does not have.
  if (/ cannot \S+ |attempting to grant|user not authorized/i.test(message))
    return { code: 'Forbidden', harmless: true };
  // What is left with an object's name in it was refused for what is in the object: PodSecurity, LimitRanger, ….
  return / is forbidden: /.test(message) ? { code: 'AdmissionDenied' } : { code: 'Forbidden' };
}

function notFound(message: string, detailsKind: string): Verdict {
  if (/could not find the requested resource/.test(message)) return { code: 'KindMissing', harmless: true };
  return { code: detailsKind === 'namespaces' ? 'NamespaceMissing' : 'NotFound', harmless: true };
}

function conflict(causes: readonly Cause[]): Verdict {
  const owned = causes.filter(({ reason }) => reason === 'FieldManagerConflict');
  const [first] = owned;
  if (first === undefined) return { code: 'Conflict', harmless: true };
  const byManager = new Map<string, string[]>();
  for (const { message, field } of owned) {
    const manager = message.replace(/^conflict with /, '');
    const fields = byManager.get(manager);
    if (fields === undefined) byManager.set(manager, [fieldPath(field)]);
    else fields.push(fieldPath(field));
  }
  const text = [...byManager].map(([manager, fields]) => `${manager} owns ${fields.join(', ')}`).join('; ');
  const conflicts = owned.flatMap(({ message, field }): FieldConflict[] => {
    const [, manager, subresource] = OWNER.exec(message) ?? [];
    return manager === undefined ? [] : [{ manager, subresource, field: fieldPath(field) }];
  });
  // Who cannot be read is nobody to give way to, and nobody to take from.
  const isWhole = conflicts.length === owned.length;
  return {
    code: 'FieldConflict',
    text,
    field: fieldPath(first.field),
    harmless: true,
    conflicts: isWhole ? conflicts : [],
  };
}

/** The one place where the API server names the other manager: a cause has a reason, a field, and this text. */
const OWNER = /^conflict with "([^"]+)"(?: with subresource "([^"]+)")?/;

const IMMUTABLE = /immutable|may not change|cannot change|may not be changed|updates to .* are forbidden/i;

const TOO_LONG = /^Too long: may not be more than \d+ bytes/;

function invalid(message: string, causes: readonly Cause[]): Verdict {
  const immutable = causes.find((cause) => IMMUTABLE.test(cause.message));
  const [first] = causes;
  if (first !== undefined && TOO_LONG.test(first.message)) return { code: 'TooLarge', text: withoutName(message) };
  const field = (immutable ?? first)?.field;
  return {
    code:
      immutable !== undefined || (first === undefined && IMMUTABLE.test(message)) ? 'FieldImmutable' : 'FieldInvalid',
    text: withoutName(message),
    field: field === undefined || field === '' || field === '<nil>' ? undefined : fieldPath(field),
  };
}

/** `Deployment.apps "api" is invalid: spec…` without its beginning, which the error says already. */
function withoutName(message: string): string {
  return message.replace(/^\S+ "[^"]*" is invalid: /, '');
}

/** The `Status` in the body, or undefined where the answer is some other text. */
function readStatus(reply: Reply, attempt: Attempt): JsonObject | undefined {
  if (!String(reply.headers['content-type'] ?? '').includes('json')) return undefined;
  try {
    const value = decodeJson(reply.body, attempt.subject);
    return isJsonObject(value) && value['kind'] === 'Status' ? value : undefined;
  } catch {
    return undefined;
  }
}

function readCauses(status: JsonObject): readonly Cause[] {
  const details: Json | undefined = status['details'];
  const causes = isJsonObject(details) ? details['causes'] : undefined;
  return Array.isArray(causes)
    ? causes.map((cause) => ({
        reason: textOf(cause, 'reason'),
        message: textOf(cause, 'message'),
        field: textOf(cause, 'field'),
      }))
    : [];
}

/** Answers without a `Status`: the API server's own in plain text, and those of whatever stands in front of it. */
function plainError(reply: Reply, attempt: Attempt): PlumbError {
  const text = reply.body.subarray(0, 200).toString('utf8').trim();
  const html = text.startsWith('<');
  return new PlumbError(plainCode(reply.status, html, text), `${attempt.verb} ${attempt.subject}: ${words()}`, {
    subject: attempt.subject,
    retryAfterMs: retryAfterMs(reply.headers),
  });

  function words(): string {
    if (html) return `the server answered ${reply.status} with an HTML page`;
    return text === '' || attempt.secret === true
      ? `the server answered ${reply.status}`
      : `the server answered ${reply.status}: ${text}`;
  }
}

function plainCode(status: number, html: boolean, text: string): ErrorCode {
  if (status === 401) return 'ClusterUnauthorized';
  if (status === 429) return 'TooManyRequests';
  if (status === 413) return 'TooLarge';
  if (status >= 500) return 'ServerError';
  if (html) return 'ResponseInvalid';
  if (status === 403) return 'Forbidden';
  if (status === 404 && text === '404 page not found') return 'KindMissing';
  return 'ResponseInvalid';
}
