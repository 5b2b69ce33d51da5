import { PlumbError } from '@plumb/core';
import type { Cluster, ClusterOptions } from './cluster.ts';

export async function startKubebuilderCluster(_assets: string, _options: ClusterOptions): Promise<Cluster> {
  throw new PlumbError('ControlPlaneFailed', 'KUBEBUILDER_ASSETS is not yet supported');
}
