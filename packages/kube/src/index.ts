export type { ApiResource, ResourceRef } from './api-resource.ts';
export type { Applied, ApplyOptions } from './apply.ts';
export { connect, type GetOptions, type KubeClient, type ListOptions, type ObjectList } from './client.ts';
export type { DeleteOptions, Deletion } from './delete.ts';
export {
  loadKubeconfig,
  type ClientCertificate,
  type ClusterAuth,
  type ClusterConfig,
  type KubeconfigOptions,
} from './kubeconfig.ts';
export type { ReflectEvent, ReflectOptions, Reflector } from './reflector.ts';
