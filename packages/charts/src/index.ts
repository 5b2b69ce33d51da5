export { openCharts, type Charts, type ResolvedChart } from './charts.ts';
export { chartCredentialsFromSecret, type ChartCredentials } from './credentials.ts';
export { type ChartSource } from './source.ts';
