export { realClock } from './clock.ts';
export { openTestCluster, sharedCluster, type ApiAnswer, type ApiRequestOptions, type TestCluster } from './cluster.ts';
export { startApiFaultServer, type ApiExchange, type ApiFaultServer, type ApiStream } from './api-fault-server.ts';
export {
  drawFault,
  startFaultyProxy,
  type FaultyProxy,
  type ProxiedEvent,
  type ProxiedExchange,
  type ProxiedRequest,
} from './faulty-proxy.ts';
export { ManualClock } from './manual-clock.ts';
export { memoryTree, type MemoryContent, type MemoryFiles } from './memory-tree.ts';
export { CLIENT_CERT, CLIENT_KEY, OTHER_CA, SERVER_CERT, SERVER_KEY, TEST_CA } from './tls-fixture.ts';
