import { createHash } from 'node:crypto';
import { answer, startLoopbackServer, type LoopbackServer } from './loopback-server.ts';

export interface Published {
  readonly name: string;
  readonly version: string;
  readonly bytes: Buffer;
  /** As the index has it; else relative to the index. */
  readonly url?: string;
  /** As the index has it: null for none at all, else the real one. */
  readonly digest?: string | null;
}

/** A Helm repository at `/stable`: an index with an ETag, and the archives beside it. */
export interface HelmRepositoryServer extends LoopbackServer {
  readonly url: string;
  publish(chart: Published): void;
}

export async function startHelmRepository(
  options: { readonly authorization?: string; readonly tls?: boolean } = {},
): Promise<HelmRepositoryServer> {
  const published: Published[] = [];
  const server = await startLoopbackServer((request, response) => {
    if (options.authorization !== undefined && request.headers.authorization !== options.authorization) {
      answer(401, 'who are you?')(request, response);
      return;
    }
    const index = indexOf(published);
    const etag = `"${sha256(Buffer.from(index)).slice(0, 8)}"`;
    const chart = published.find((candidate) => request.url === `/stable/${fileOf(candidate)}`);
    if (request.url === '/stable/index.yaml') {
      const isSame = request.headers['if-none-match'] === etag;
      answer(isSame ? 304 : 200, isSame ? '' : index, { etag })(request, response);
    } else {
      answer(chart === undefined ? 404 : 200, chart?.bytes ?? 'no such file')(request, response);
    }
  }, options);
  return { ...server, url: `${server.origin}/stable`, publish: (chart) => void published.push(chart) };
}

/** As `helm repo index` writes it. */
function indexOf(published: readonly Published[]): string {
  const charts = Object.entries(Object.groupBy(published, ({ name }) => name));
  const entries = charts.map(([name, versions = []]) => `  ${name}:\n${versions.map(entryOf).join('')}`);
  return `apiVersion: v1\nentries:${entries.length === 0 ? ' {}' : ''}\n${entries.join('')}generated: "2026-01-01T00:00:00Z"\n`;
}

function entryOf(chart: Published): string {
  const { name, version, bytes, url = fileOf(chart), digest = sha256(bytes) } = chart;
  const promised = digest === null ? '' : `    digest: ${digest}\n`;
  return `  - apiVersion: v2\n    name: ${name}\n${promised}    urls:\n    - ${url}\n    version: ${version}\n`;
}

function fileOf({ name, version }: Published): string {
  return `${name}-${version}.tgz`;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
