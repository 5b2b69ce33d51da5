import { PlumbError } from '@plumb/core';

/** A chart as people name it. */
export interface ChartSource {
  /** `https://host/path` of a Helm repository, or `oci://host/path` of a registry; plain http for loopback only. */
  readonly url: string;
  readonly name: string;
  /** A version or a range of them; empty or `*` is the newest release. */
  readonly version: string;
}

/** Where a chart is looked for, checked once: only {@link parseSource} and {@link parseOciReference} make one. */
export interface ChartPlace {
  readonly kind: 'repository' | 'registry';
  /** Scheme, host and port: what credentials are bound to. */
  readonly origin: string;
  /** Without a slash at either end; empty at the root of the host. */
  readonly path: string;
  readonly name: string;
  /** For people: `oci://host/path/name`. */
  readonly shown: string;
}

const NAME = /^[a-zA-Z0-9._-]+$/;
/** A percent sign is for GitLab, whose repositories lie at `projects/group%2Fproject`. */
const PATH = /^(?:[a-zA-Z0-9._~@+-]|%[0-9a-fA-F]{2})+(?:\/(?:[a-zA-Z0-9._~@+-]|%[0-9a-fA-F]{2})+)*$/;
/** An index or a redirect may name an address of any length. */
const MAX_SHOWN = 500;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** The name that people know, and the host that serves the registry's API. */
const HOST_ALIASES: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };

/**
 * Checks where a chart is to come from, before any request.
 *
 * @param options.overTls for a registry on loopback, which is asked over plain http otherwise
 * @throws {PlumbError} `UrlScheme`, `UrlCredentials`, or `SpecInvalid` naming the field.
 */
export function parseSource(source: ChartSource, options: { readonly overTls?: boolean } = {}): ChartPlace {
  const { url, name } = source;
  if (!isPlainName(name)) {
    throw new PlumbError('SpecInvalid', 'the name of the chart may hold letters, digits, ".", "_" and "-" only', {
      field: 'name',
      fix: 'Correct the name of the chart.',
    });
  }
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(url) ?? [];
  const kind = scheme.toLowerCase();
  if (kind !== 'https' && kind !== 'http' && kind !== 'oci') {
    throw refused('it begins with neither https:// nor oci://');
  }
  return place(kind, rest, name, options.overTls === true);
}

/** An index may lead to a registry: `oci://host/path/name:tag`. Undefined where the text is no such reference. */
export function parseOciReference(text: string): { readonly place: ChartPlace; readonly tag: string } | undefined {
  const [, rest = '', name = '', tag = ''] = /^oci:\/\/(.+)\/([^/:]+):([^/:]+)$/.exec(text) ?? [];
  if (!isPlainName(name) || !TAG.test(tag)) return undefined;
  try {
    return { place: place('oci', rest, name, false), tag };
  } catch {
    // What was refused is not the user's address but the index's.
    return undefined;
  }
}

/** Plain http is for these alone: what is sent to them does not leave the machine. */
export function isLoopback(url: URL): boolean {
  const { hostname } = url;
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** An address for messages: without a query, which is where signed addresses keep their signature. */
export function shown(url: URL): string {
  const address = `${url.origin}${url.pathname}`;
  return address.length > MAX_SHOWN ? `${address.slice(0, MAX_SHOWN)}…` : address;
}

function place(scheme: 'https' | 'http' | 'oci', rest: string, name: string, overTls: boolean): ChartPlace {
  const [, authority = '', givenPath = '', query = ''] = /^([^/?#]*)([^?#]*)(.*)$/s.exec(rest) ?? [];
  if (authority.includes('@')) throw credentials('a user or a password');
  if (query !== '') throw credentials('a query or a fragment');
  const url = URL.parse(`https://${authority}${givenPath}`);
  const path = trimSlashes(givenPath);
  // What the URL standard would rewrite (`..`, a backslash, a space) is what no chart host needs.
  if (url === null || rest.length > 2048 || trimSlashes(url.pathname) !== path || (path !== '' && !PATH.test(path))) {
    throw refused('it is no address of a host and a plain path');
  }
  if (scheme === 'http' && !isLoopback(url)) throw refused('plain http is for loopback only');

  const isPlain = scheme === 'http' || (scheme === 'oci' && isLoopback(url) && !overTls);
  const host = authority.toLowerCase();
  const served = scheme === 'oci' ? (HOST_ALIASES[host] ?? host) : host;
  return {
    kind: scheme === 'oci' ? 'registry' : 'repository',
    // Which port goes without saying is a matter of the scheme, which may be another one than above.
    origin: new URL(`${isPlain ? 'http' : 'https'}://${served}`).origin,
    path,
    name,
    shown: `${scheme}://${host}${path === '' ? '' : `/${path}`}/${name}`,
  };
}

function trimSlashes(path: string): string {
  return path.replaceAll(/^\/+|\/+$/g, '');
}

function isPlainName(name: string): boolean {
  return NAME.test(name) && name !== '.' && !name.includes('..') && name.length <= 250;
}

/** The text itself is not repeated: it may hold a password in a place where none is looked for. */
function refused(reason: string): PlumbError {
  return new PlumbError('UrlScheme', `the URL of the chart was refused: ${reason}`, {
    field: 'url',
    fix: 'Use an https:// or oci:// URL.',
  });
}

function credentials(what: string): PlumbError {
  return new PlumbError('UrlCredentials', `the URL of the chart was refused: it holds ${what}`, {
    field: 'url',
    fix: 'Move the credentials into a Secret.',
  });
}
