import { isJsonObject, PlumbError } from '@plumb/core';
import { MAX_CHART_BYTES } from './archive.ts';

/** The one place of this package where JSON from outside becomes a value: the answers of registries. */
function decodeJson(bytes: Buffer, where: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's own message quotes the text, which may be that of a token.
    const start = bytes.subarray(0, 64).toString('latin1').trimStart();
    const kind = start.startsWith('<') ? 'an HTML page' : start === '' ? 'an empty body' : 'broken JSON';
    throw invalid(where, `the host answered with ${kind}`);
  }
}

/** The archive of a chart, as its manifest names it. */
export interface ChartLayer {
  /** `sha256:…` */
  readonly digest: string;
}

const CONFIG_TYPE = 'application/vnd.cncf.helm.config.v1+json';
const CHART_TYPE = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

/** The layer with the chart. There may be others, such as its provenance. */
export function decodeManifest(bytes: Buffer, where: string): ChartLayer {
  const manifest = decodeJson(bytes, where);
  const config = isJsonObject(manifest) ? manifest['config'] : undefined;
  const layers: readonly unknown[] =
    isJsonObject(manifest) && Array.isArray(manifest['layers']) ? manifest['layers'] : [];
  if (!isJsonObject(config) || config['mediaType'] !== CONFIG_TYPE) {
    throw invalid(where, 'what lies there is no Helm chart');
  }
  const layer = layers.find((candidate) => isJsonObject(candidate) && candidate['mediaType'] === CHART_TYPE);
  const { digest, size } = isJsonObject(layer) ? layer : {};
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw invalid(where, 'the manifest names no archive with a sha256 digest');
  }
  if (typeof size === 'number' && size > MAX_CHART_BYTES) {
    throw new PlumbError('ChartTooLarge', `${where}: the chart has ${size} bytes`);
  }
  return { digest };
}

export function decodeTags(bytes: Buffer, where: string): readonly string[] {
  const list = decodeJson(bytes, where);
  const tags = isJsonObject(list) ? list['tags'] : undefined;
  // A Go slice that is nil is written as null.
  if (tags === null) return [];
  if (!Array.isArray(tags)) throw invalid(where, 'the host answered with something that is no list of tags');
  return tags.filter((tag) => typeof tag === 'string');
}

export interface Token {
  readonly token: string;
  readonly lifetimeMs: number;
}

/** What the protocol says where the answer names no time: https://distribution.github.io/distribution/spec/auth/token/ */
const SHORTEST_LIFETIME_S = 60;
const LONGEST_LIFETIME_S = 3600;

export function decodeToken(bytes: Buffer, where: string): Token {
  const answer = decodeJson(bytes, where);
  const fields = isJsonObject(answer) ? answer : {};
  const token = fields['token'] ?? fields['access_token'];
  const seconds = fields['expires_in'];
  // It becomes part of a header.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw invalid(where, 'the answer holds no token');
  const lifetimeS = typeof seconds === 'number' ? Math.min(seconds, LONGEST_LIFETIME_S) : SHORTEST_LIFETIME_S;
  return { token, lifetimeMs: lifetimeS * 1000 };
}

function invalid(where: string, fault: string): PlumbError {
  return new PlumbError('ChartRepositoryInvalid', `${where}: ${fault}`);
}
