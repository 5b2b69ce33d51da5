/**
 * A thin Kubernetes client on undici. One request goes through
 *
 *     client ─► discovery ─► api-resource   which path a kind has
 *            ─► apply | delete | pages      what is asked and what an answer means
 *            ─► transport                   credentials, limit of calls in flight, what is tried again
 *            ─► exchange ─► dispatcher      one request on one of the two sets of connections
 *
 * and `reflector` keeps a copy of a kind up to date through `pages` and `watch`, which `comparison` does not believe. `status-error` alone reads the words of
 * refusals; `decode` alone turns bytes into values; writes are server-side applies, deletions, and the one patch by which
 * an object is taken over from a former tool.
 */
export type { ApiResource, ResourceRef } from './api-resource.ts';
export type { Applied, ApplyOptions } from './apply.ts';
export { connect, type GetOptions, type KubeClient, type ListOptions, type ObjectList } from './client.ts';
export type { CompareOptions } from './comparison.ts';
export type { DeleteOptions, Deletion } from './delete.ts';
export {
  loadKubeconfig,
  type ClientCertificate,
  type ClusterAuth,
  type ClusterConfig,
  type KubeconfigOptions,
} from './kubeconfig.ts';
export type { ReflectEvent, ReflectOptions, Reflector } from './reflector.ts';
export { abortable } from './single-flight.ts';
