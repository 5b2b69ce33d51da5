import { samplesOf } from './exposition.ts';

/** How many requests, by verb and resource: `APPLY applications/status`. */
export type RequestCounts = ReadonlyMap<string, number>;

/**
 * What the engine asks for and the control plane itself does not. Its controllers write with PUT, PATCH and POST, never
 * with an apply, and read through watches that are open before anything is measured; the bench itself writes with POST
 * before it measures, and reads through one watch. So by verb and resource the API server's own counter tells them apart.
 */
const OBJECTS = ['applications', 'repositories', 'serviceaccounts', 'services', 'deployments', 'ingresses'];
/** The API server's own repair of node ports lists all Services every three minutes, with or without an engine. */
const LISTED = [...OBJECTS.filter((resource) => resource !== 'services'), 'secrets'];
const ATTRIBUTED: Readonly<Record<string, readonly string[] | 'all'>> = {
  APPLY: 'all',
  GET: [...OBJECTS, 'secrets'],
  LIST: LISTED,
  DELETE: OBJECTS,
  DELETECOLLECTION: OBJECTS,
};

/** Reads `apiserver_request_total`. */
export function countRequests(metrics: string): RequestCounts {
  const counts = new Map<string, number>();
  for (const { labels, value } of samplesOf(metrics, 'apiserver_request_total')) {
    const { verb = '', resource = '', subresource = '' } = labels;
    const attributed = ATTRIBUTED[verb] ?? [];
    if (attributed !== 'all' && !attributed.includes(resource)) continue;
    const name = `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`;
    counts.set(name, (counts.get(name) ?? 0) + value);
  }
  return counts;
}

/** What came to pass between two countings. */
export function requestsBetween(before: RequestCounts, after: RequestCounts): RequestCounts {
  const differences = [...after].map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)]);
  return new Map(differences.filter(([, count]) => count > 0).sort(([a], [b]) => a.localeCompare(b)));
}

/** All that counts against a goal: the sign of life that the lease is does not. */
export function totalOf(counts: RequestCounts, counted: (name: string) => boolean = () => true): number {
  let total = 0;
  for (const [name, count] of counts) if (!name.endsWith(' leases') && counted(name)) total += count;
  return total;
}

/** What an engine asks once when it starts, however many applications there are. */
export function isOfStart(name: string): boolean {
  return / (?:customresourcedefinitions|validatingadmissionpolic(?:ies|ybindings)|namespaces|repositories(?:\/status)?|leases|secrets)$/.test(
    name,
  );
}
