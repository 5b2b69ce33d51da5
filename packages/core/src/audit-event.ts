import { parseJson } from './canonical.ts';
import { fieldAt, isJsonObject } from './object.ts';

/** One write that the API server reports as done (`audit.k8s.io/v1`, level Metadata is enough). */
export interface AuditEvent {
  /** The same id as the header `Audit-Id` of the answer. */
  readonly auditId: string;
  readonly verb: 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
  /** Whose rights were used: the impersonated user, where there is one. */
  readonly user: string;
  /** Who really asked, where somebody was impersonated. */
  readonly impersonator?: string;
  /** The first source address: that of the client, as far as proxies tell the truth. */
  readonly address?: string;
  readonly agent?: string;
  /** The field manager of the write, as the API server names it: the parameter, else the head of the user agent. */
  readonly manager: string;
  readonly group: string;
  /** In lower case and plural, as in the path: `deployments`. */
  readonly resource: string;
  readonly subresource?: string;
  /** Empty of what is of the whole cluster. */
  readonly namespace: string;
  /** Empty of a collection. */
  readonly name: string;
  /** Of a collection: only what a selector chose. */
  readonly isSelective?: boolean;
  /** Milliseconds since 1970, by the clock of the API server. */
  readonly receivedMs: number;
  readonly completedMs: number;
}

const VERBS: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Longer names are none that Kubernetes knows; what else is longer is cut. */
const MAX_NAME_LENGTH = 512;
const MAX_AGENT_LENGTH = 256;
/** A field manager is cut by the API server here. */
const MAX_MANAGER_LENGTH = 128;

/**
 * The events in what an API server sends to its webhook (an `EventList`) or appends to its log (one event a line), as far
 * as they are writes that were done. Undefined where the text is neither. A line that is cut short is passed over.
 */
export function readAuditEvents(text: string): readonly AuditEvent[] | undefined {
  const whole = parseJson(text);
  if (isJsonObject(whole)) {
    if (!isOfAudit(whole)) return undefined;
    const items = whole['kind'] === 'EventList' ? whole['items'] : [whole];
    return (Array.isArray(items) ? items : []).flatMap((item: unknown) => readAuditEvent(item) ?? []);
  }
  if (whole !== undefined) return undefined;
  const lines = text.split('\n').flatMap((line) => {
    const value = parseJson(line);
    return isJsonObject(value) && isOfAudit(value) ? [value] : [];
  });
  return lines.length === 0 ? undefined : lines.flatMap((value) => readAuditEvent(value) ?? []);
}

function isOfAudit(value: object): boolean {
  return textAt(value, 'apiVersion') === 'audit.k8s.io/v1';
}

/** Undefined for what is no event, no write, not done, only tried (dry run) or refused. */
export function readAuditEvent(value: unknown): AuditEvent | undefined {
  const verb = textAt(value, 'verb');
  if (textAt(value, 'stage') !== 'ResponseComplete' || !isWrite(verb)) return undefined;
  const code = fieldAt(value, 'responseStatus', 'code');
  if (typeof code !== 'number' || code < 200 || code > 299) return undefined;
  const [, query = ''] = textAt(value, 'requestURI').split('?', 2);
  const parameters = new URLSearchParams(query);
  if ((parameters.get('dryRun') ?? '') !== '') return undefined;

  const asker = textAt(value, 'user', 'username');
  const impersonated = textAt(value, 'impersonatedUser', 'username');
  const group = textAt(value, 'objectRef', 'apiGroup');
  const resource = textAt(value, 'objectRef', 'resource');
  const subresource = textAt(value, 'objectRef', 'subresource');
  const namespace = textAt(value, 'objectRef', 'namespace');
  const name = textAt(value, 'objectRef', 'name');
  const names = [asker, impersonated, group, resource, subresource, namespace, name];
  if (asker === '' || resource === '' || names.some((text) => text.length > MAX_NAME_LENGTH)) return undefined;
  // Where the server makes the name up it is not known; all others have one.
  if (name === '' && verb !== 'deletecollection') return undefined;
  const receivedMs = Date.parse(textAt(value, 'requestReceivedTimestamp'));
  const completedMs = Date.parse(textAt(value, 'stageTimestamp'));
  if (!(receivedMs <= completedMs)) return undefined;

  const address = firstOf(fieldAt(value, 'sourceIPs'));
  const agent = textAt(value, 'userAgent').slice(0, MAX_AGENT_LENGTH);
  const manager = (parameters.get('fieldManager') ?? '') || (agent.split('/', 1)[0] ?? '');
  const isSelective = ['labelSelector', 'fieldSelector'].some((key) => (parameters.get(key) ?? '') !== '');
  return {
    auditId: textAt(value, 'auditID').slice(0, MAX_MANAGER_LENGTH),
    verb,
    user: impersonated === '' ? asker : impersonated,
    ...(impersonated === '' ? {} : { impersonator: asker }),
    ...(typeof address === 'string' && address !== '' ? { address: address.slice(0, MAX_MANAGER_LENGTH) } : {}),
    ...(agent === '' ? {} : { agent }),
    manager: manager.slice(0, MAX_MANAGER_LENGTH),
    group,
    resource,
    ...(subresource === '' ? {} : { subresource }),
    namespace,
    name,
    ...(verb === 'deletecollection' && isSelective ? { isSelective } : {}),
    receivedMs,
    completedMs,
  };
}

function isWrite(verb: string): verb is AuditEvent['verb'] {
  return VERBS.has(verb);
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function textAt(value: unknown, ...path: readonly string[]): string {
  const text = fieldAt(value, ...path);
  return typeof text === 'string' ? text : '';
}
