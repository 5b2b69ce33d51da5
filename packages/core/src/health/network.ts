import { type KubeObject } from '../object.ts';
import { healthy, listAt, progressing, textAt, type Health, type HealthRule } from './health.ts';

export const service: HealthRule = {
  assess: assessService,
  reads: { spec: ['type', 'externalIPs'], status: ['loadBalancer'] },
};

function assessService(object: KubeObject): Health {
  if (textAt(object, 'spec', 'type') !== 'LoadBalancer') return healthy('exists');
  const ingress = listAt(object, 'status', 'loadBalancer', 'ingress');
  if (ingress.length === 0 && listAt(object, 'spec', 'externalIPs').length === 0) {
    return progressing('waiting for the load balancer to get an address');
  }
  const address = textAt(ingress[0], 'ip') ?? textAt(ingress[0], 'hostname');
  return healthy(address === undefined ? 'has an external address' : `is reachable at ${address}`);
}
