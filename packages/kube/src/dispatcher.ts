import { Pool, ProxyAgent, type Dispatcher } from 'undici';
import { MAX_IN_FLIGHT } from './concurrency-limit.ts';
import type { ClientCertificate, ClusterConfig } from './kubeconfig.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;
/** Longer than the API server's own limit for a call (60 s), so that it is the server that says what was slow. */
const HEADERS_TIMEOUT_MS = 65_000;
const BODY_TIMEOUT_MS = 60_000;

/**
 * The connections to one cluster, and the one place where TLS is set up: the certificate is always checked.
 *
 * Watches have connections of their own, as many as there are watches, so that they never keep a call waiting; their
 * silence is judged by the reflector. HTTP/1.1 on purpose: one slow stream must not hold up the others on a connection.
 */
export function openDispatcher(
  config: ClusterConfig,
  certificate: ClientCertificate | undefined,
  use: 'calls' | 'watches',
): Dispatcher {
  const tls = {
    minVersion: 'TLSv1.2' as const,
    timeout: CONNECT_TIMEOUT_MS,
    ...(config.ca === undefined ? {} : { ca: config.ca }),
    ...(config.tlsServerName === undefined ? {} : { servername: config.tlsServerName }),
    ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
  };
  const options = {
    connections: use === 'calls' ? MAX_IN_FLIGHT : null,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: use === 'calls' ? BODY_TIMEOUT_MS : 0,
  };
  if (config.proxyUrl !== undefined) return new ProxyAgent({ ...options, uri: config.proxyUrl, requestTls: tls });
  return new Pool(new URL(config.server).origin, { ...options, connect: tls });
}
