export { ensureControlplane, type BinaryOptions } from './binary.ts';
export { startCluster, type Cluster, type ClusterOptions } from './cluster.ts';
