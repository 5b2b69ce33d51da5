import { PlumbError } from '@plumb/core';
import type { HostKind } from './host.ts';

/** Where the API of a repository's host is, and what the repository is called there. */
export interface HostAddress {
  readonly kind: HostKind;
  /** The root of the API, without a slash at the end: `https://api.github.com`, `https://git.example.com/api/v4`. */
  readonly api: string;
  /** `acme/shop`; on GitLab with all groups: `acme/platform/shop`. */
  readonly project: string;
}

/** Hosts that are known by name. All others are told apart by nothing but what the user says. */
const KNOWN_HOSTS: Readonly<Record<string, HostKind>> = {
  'github.com': 'github',
  'gitlab.com': 'gitlab',
  'bitbucket.org': 'bitbucket',
  'codeberg.org': 'gitea',
  'gitea.com': 'gitea',
};

/** Where the same hosts listen for SSH on the port of https. */
const SSH_ALIASES: Readonly<Record<string, string>> = {
  'ssh.github.com': 'github.com',
  'altssh.gitlab.com': 'gitlab.com',
  'altssh.bitbucket.org': 'bitbucket.org',
};

/** Where the API lies at a host that somebody runs themselves. */
const API_PATHS: Readonly<Record<HostKind, string>> = {
  github: '/api/v3',
  gitlab: '/api/v4',
  gitea: '/api/v1',
  bitbucket: '/2.0',
};

const HOSTED_APIS: Readonly<Record<string, string>> = {
  'github.com': 'https://api.github.com',
  'bitbucket.org': 'https://api.bitbucket.org/2.0',
};

const SEGMENT = /^[A-Za-z0-9_.~+-]+$/;

/**
 * Which host the address of a clone belongs to: `https://host/owner/name.git`, `ssh://git@host:port/owner/name` or
 * `git@host:owner/name`.
 *
 * @param options.kind for hosts that are not known by name
 * @param options.api where the API is, if it is not where the host puts it: another name, another port, below a path
 * @throws {PlumbError} `UrlScheme` for an address that is none of a repository; `HostUnknown` for a host of unknown kind.
 */
export function hostOf(
  repositoryUrl: string,
  options: { readonly kind?: HostKind; readonly api?: string } = {},
): HostAddress {
  const { scheme, authority, path } = splitUrl(repositoryUrl);
  const givenHost = authority.replace(/:\d+$/, '');
  const host = SSH_ALIASES[givenHost] ?? givenHost;
  const kind = options.kind ?? KNOWN_HOSTS[host];
  if (kind === undefined) {
    throw new PlumbError('HostUnknown', `${host} is no host that is known by name, so its kind has to be given`);
  }
  if (kind === 'bitbucket' && host !== 'bitbucket.org' && options.api === undefined) {
    throw new PlumbError(
      'HostUnknown',
      `${host} is not Bitbucket Cloud, and the API of Bitbucket Data Center is another one`,
      {
        fix: 'Use a repository on bitbucket.org.',
      },
    );
  }
  // The port of SSH says nothing about that of the API.
  const web = scheme === 'ssh' ? `https://${host}` : `${scheme}://${authority}`;
  const api = checkedApi(options.api ?? HOSTED_APIS[host] ?? `${web}${API_PATHS[kind]}`);
  return { kind, api, project: projectOf(path, kind, new URL(api).pathname) };
}

interface SplitUrl {
  readonly scheme: 'https' | 'http' | 'ssh';
  /** Lower case, with the port. */
  readonly authority: string;
  /** Without a slash at either end, and without `.git`. */
  readonly path: string;
}

function splitUrl(text: string): SplitUrl {
  const long = /^(https?|ssh):\/\/(?:[^/@?#]*@)?([^/@?#\s]+)\/([^?#\s]+)$/i.exec(text);
  const short = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)([^?#\s]+)$/.exec(text);
  const [scheme = '', authority = '', path = ''] = long?.slice(1) ?? ['ssh', ...(short?.slice(1) ?? [])];
  const lower = scheme.toLowerCase();
  if (authority === '' || (lower !== 'https' && lower !== 'http' && lower !== 'ssh')) {
    // The text is not repeated: it may hold a password.
    throw new PlumbError('UrlScheme', 'the URL is not that of a repository at a Git host');
  }
  return {
    scheme: lower,
    authority: authority.toLowerCase(),
    path: path.replaceAll(/^\/+|\/+$/g, '').replace(/\.git$/, ''),
  };
}

/** A host may lie below a path: what of the clone's path belongs to it is not part of the project's name. */
function projectOf(path: string, kind: HostKind, apiPath: string): string {
  const root = apiPath.endsWith(API_PATHS[kind]) ? apiPath.slice(1, -API_PATHS[kind].length) : '';
  const below = root !== '' && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
  const segments = below.split('/');
  const isPlain = segments.every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..');
  const hasLength = kind === 'gitlab' ? segments.length >= 2 : segments.length === 2;
  if (!isPlain || !hasLength) {
    throw new PlumbError('UrlScheme', `the path of the URL is not that of a repository on ${kind}`, {
      fix: 'Use the URL that the host shows for cloning.',
    });
  }
  return segments.join('/');
}

/** Plain http is for loopback only: a token would be read by whoever is in between. */
function checkedApi(text: string): string {
  const url = URL.parse(text);
  const isPlain = url?.protocol === 'http:' && isLoopback(url.hostname);
  if (url === null || (url.protocol !== 'https:' && !isPlain)) {
    throw new PlumbError('UrlScheme', 'the address of the API is none that begins with https://', { field: 'api' });
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new PlumbError('UrlCredentials', 'the address of the API holds a user, a password or a query', {
      field: 'api',
    });
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
