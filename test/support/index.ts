export { realClock } from './clock.ts';
export { sharedCluster, type ApiAnswer, type ApiRequestOptions, type TestCluster } from './cluster.ts';
