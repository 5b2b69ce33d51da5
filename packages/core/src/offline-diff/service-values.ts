import { equalJson, isJsonArray } from '../canonical.ts';
import { fieldAt, isJsonObject, type Json, type JsonObject } from '../object.ts';

/**
 * What the server does with the values that it allocates for a Service, when that changes: it puts back those that are
 * still needed and not said otherwise, and takes away those that the new type has no use for.
 */
export function withServiceValues(before: JsonObject, after: JsonObject): JsonObject {
  const was = before['spec'];
  if (!isJsonObject(was)) return after;
  const spec: Record<string, Json> = { ...(isJsonObject(after['spec']) ? after['spec'] : {}) };
  const same = (field: string): boolean => equalJson(was[field], spec[field]);
  const keep = (field: string): void => {
    const value = was[field];
    if (spec[field] === undefined && value !== undefined) spec[field] = value;
  };

  if (typeOf(was) !== 'ExternalName') {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) {
      if (typeOf(spec) !== 'ExternalName') keep(field);
      else if (same(field)) delete spec[field];
    }
  }
  if (needsNodePorts(was)) settleNodePorts(was, spec);
  if (needsHealthCheckPort(was)) {
    if (needsHealthCheckPort(spec)) keep('healthCheckNodePort');
    else if (same('healthCheckNodePort')) delete spec['healthCheckNodePort'];
  }
  if (typeOf(was) === 'LoadBalancer' && typeOf(spec) !== 'LoadBalancer') {
    for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass']) if (same(field)) delete spec[field];
  }
  if (isReachable(was) && !isReachable(spec) && same('externalTrafficPolicy')) delete spec['externalTrafficPolicy'];
  return { ...after, spec };
}

function settleNodePorts(was: JsonObject, spec: Record<string, Json>): void {
  const ports = portsOf(spec);
  const numbers = new Map(portsOf(was).map((port) => [fieldAt(port, 'name') ?? '', fieldAt(port, 'nodePort') ?? 0]));
  const used = new Set(ports.map((port) => fieldAt(port, 'nodePort')));
  if (needsNodePorts(spec)) {
    spec['ports'] = ports.map((port) => {
      const number = numbers.get(fieldAt(port, 'name') ?? '') ?? 0;
      const isFree = (fieldAt(port, 'nodePort') ?? 0) === 0 && number !== 0 && !used.has(number);
      return isFree && isJsonObject(port) ? { ...port, nodePort: number } : port;
    });
    return;
  }
  const isSame = ports.every((port) => {
    const number = fieldAt(port, 'nodePort') ?? 0;
    return number === 0 || [...numbers.values()].includes(number);
  });
  if (isSame && ports.length > 0) spec['ports'] = ports.map(withoutNodePort);
}

function withoutNodePort(port: Json): Json {
  if (!isJsonObject(port)) return port;
  const { nodePort: _nodePort, ...rest } = port;
  return rest;
}

function typeOf(spec: JsonObject): Json {
  return spec['type'] ?? 'ClusterIP';
}

function portsOf(spec: JsonObject): readonly Json[] {
  const ports = spec['ports'];
  return isJsonArray(ports) ? ports : [];
}

function needsNodePorts(spec: JsonObject): boolean {
  return (
    typeOf(spec) === 'NodePort' || (typeOf(spec) === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false)
  );
}

function needsHealthCheckPort(spec: JsonObject): boolean {
  return typeOf(spec) === 'LoadBalancer' && spec['externalTrafficPolicy'] === 'Local';
}

function isReachable(spec: JsonObject): boolean {
  const addresses = spec['externalIPs'];
  return (
    ['NodePort', 'LoadBalancer'].includes(String(typeOf(spec))) || (isJsonArray(addresses) && addresses.length > 0)
  );
}
