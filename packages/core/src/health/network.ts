import { fieldAt, type KubeObject } from '../object.ts';
import { healthy, listAt, progressing, textAt, type Health, type HealthRule } from './health.ts';

export const service: HealthRule = {
  assess: assessService,
  reads: { spec: ['type', 'externalIPs', 'clusterIP'], status: ['loadBalancer'] },
};

function assessService(object: KubeObject): Health {
  if (textAt(object, 'spec', 'type') !== 'LoadBalancer') return healthy('exists');
  // The API server writes this field on every Service, empty at first. Without it no address is ever told, and kstatus's
  // rule is all there is: the Service has its place in the cluster.
  if (fieldAt(object, 'status', 'loadBalancer') === undefined && textAt(object, 'spec', 'clusterIP') !== undefined) {
    return healthy('has an address in the cluster');
  }
  const ingress = listAt(object, 'status', 'loadBalancer', 'ingress');
  if (ingress.length === 0 && listAt(object, 'spec', 'externalIPs').length === 0) {
    return progressing('waiting for the load balancer to get an address');
  }
  const address = textAt(ingress[0], 'ip') ?? textAt(ingress[0], 'hostname');
  return healthy(address === undefined ? 'has an external address' : `is reachable at ${address}`);
}
