import { PlumbError } from '@plumb/core';
import { FAILSAFE_SCHEMA, load, YAMLException } from 'js-yaml';

/** One version of a chart in a repository's `index.yaml`. */
export interface IndexEntry {
  readonly version: string;
  /** Relative to the repository, or anywhere. */
  readonly url: string;
  /** Of the archive, as it was written; undefined where the index promises nothing. */
  readonly digest: string | undefined;
}

export type ChartIndex = ReadonlyMap<string, readonly IndexEntry[]>;

/** The largest repositories that are known have some 20,000. */
const MAX_ENTRIES = 200_000;
const MAX_ALIASES = 100;
const MAX_DEPTH = 64;

/**
 * Reads an `index.yaml`. Every scalar is text, as the schema without types says: a version `1.10` is not the number 1.1.
 * An entry without a version or an address is passed over, as Helm does, since one broken chart must not take the
 * others with it.
 *
 * @throws {PlumbError} `ChartRepositoryInvalid`
 */
export function readIndex(text: string, where: string): ChartIndex {
  if (text.trimStart().startsWith('<')) throw invalid(where, 'the host answered with an HTML page');
  const entries = mapping(parse(text, where))?.['entries'];
  // Nothing was published yet.
  if (entries === '' || entries === 'null') return new Map();
  const charts = mapping(entries);
  if (charts === undefined) throw invalid(where, 'it has no "entries"');

  const index = new Map<string, readonly IndexEntry[]>();
  let count = 0;
  for (const [name, versions] of Object.entries(charts)) {
    if (!Array.isArray(versions)) continue;
    count += versions.length;
    if (count > MAX_ENTRIES) throw invalid(where, `it has more than ${MAX_ENTRIES} entries`);
    index.set(name, versions.flatMap(readEntry));
  }
  return index;
}

function readEntry(value: unknown): readonly IndexEntry[] {
  const entry = mapping(value);
  const urls: readonly unknown[] = Array.isArray(entry?.['urls']) ? entry['urls'] : [];
  const version = text(entry?.['version']);
  const url = text(urls[0]);
  if (version === undefined || url === undefined) return [];
  return [{ version, url, digest: text(entry?.['digest']) }];
}

function parse(source: string, where: string): unknown {
  try {
    return load(source, { schema: FAILSAFE_SCHEMA, maxAliases: MAX_ALIASES, maxDepth: MAX_DEPTH });
  } catch (thrown) {
    if (!(thrown instanceof YAMLException)) throw thrown;
    const line = thrown.mark === undefined ? '' : ` at line ${thrown.mark.line + 1}`;
    throw invalid(where, `it is no YAML${line}: ${thrown.reason.slice(0, 200)}`);
  }
}

function mapping(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function invalid(where: string, fault: string): PlumbError {
  return new PlumbError('ChartRepositoryInvalid', `${where} cannot be read: ${fault}`);
}
