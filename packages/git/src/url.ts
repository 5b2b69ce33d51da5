import { PlumbError } from '@plumb/core';

/** A repository's address that was checked once. Only {@link parseGitUrl} makes one. */
export interface GitUrl {
  readonly scheme: 'https' | 'ssh' | 'http';
  /** Lower case; an IPv6 address in brackets. */
  readonly host: string;
  /** Undefined for the scheme's own port. */
  readonly port: number | undefined;
  /** Begins with a slash, except for `user@host:path`, where it is relative to the home folder. Percent-encoded as given. */
  readonly path: string;
  /** The user name of an SSH address. */
  readonly user: string | undefined;
  /** What git is given: it keeps the SSH user. It never holds a password: such an address is refused. */
  readonly remote: string;
  /** `host[:port]/path` without `.git`: equal for every address of one repository, whatever the scheme. For comparing with what a webhook says. */
  readonly canonical: string;
  /** For people and records: no user, no query. */
  toString(): string;
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const PATH = /^\/?[A-Za-z0-9_.~+@%][A-Za-z0-9_.~+@%/-]*$/;
const PORTS = { https: 443, http: 80, ssh: 22 } as const;

/**
 * Reads `https://host/path`, `ssh://user@host/path` or `user@host:path`; `http://` only on loopback. Everything else,
 * above all what git would take as an option or as a helper to run (`-o…`, `ext::…`), is refused here, before any process.
 *
 * @throws {PlumbError} `UrlScheme`, or `UrlCredentials` where the address holds a password, a token or a query.
 */
export function parseGitUrl(text: string): GitUrl {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (text.length > 2048 || /[\u0000-\u0020\u007f\\]/.test(text))
    throw refused('it holds a space or a control character');
  const split = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(.*)$/.exec(text);
  if (!split) return parseScpLike(text);
  const [, scheme = '', authority = '', path = '', query = ''] = split;
  const at = authority.lastIndexOf('@');
  const userInfo = at < 0 ? undefined : authority.slice(0, at);
  const kind = scheme.toLowerCase();
  if (kind !== 'https' && kind !== 'ssh' && kind !== 'http') throw refused(`the scheme is "${kind}"`);
  if (query !== '') throw credentials('a query');
  if (userInfo !== undefined && (kind !== 'ssh' || userInfo.includes(':'))) throw credentials('a user or a password');
  const { host, port } = parseAuthority(kind, authority.slice(at + 1));
  if (kind === 'http' && !isLoopback(host)) throw refused('plain http is for loopback only');
  return gitUrl(kind, host, port, userInfo, path);
}

/** Whether both name the same repository, whatever the scheme or the user. */
export function isSameRepository(left: GitUrl, right: GitUrl): boolean {
  return left.canonical === right.canonical;
}

/** https://git-scm.com/docs/git-clone#_git_urls: `[user@]host:path`, with no slash before the first colon. */
function parseScpLike(text: string): GitUrl {
  const [, userInfo, host = '', path = ''] = /^(?:([^@/:]+)@)?([^@/:]+|\[[^\]@/]+\]):(.*)$/.exec(text) ?? [];
  if (/^[^/@]*:[^@/]*@/.test(text)) throw credentials('a user or a password');
  // A helper (`ext::…`) or a scheme without slashes (`file:x`) looks alike: only with a user is it surely SSH.
  if (host === '' || userInfo === undefined || path.startsWith(':')) throw refused('it has no scheme');
  return gitUrl('ssh', parseAuthority('ssh', host).host, undefined, userInfo, path);
}

function parseAuthority(scheme: keyof typeof PORTS, authority: string): { host: string; port: number | undefined } {
  // The scheme is swapped for one whose hosts the URL standard parses in full: `127.1` and `0x7f000001` become `127.0.0.1`.
  const url = URL.parse(`https://${authority}/`);
  const declared = /:(\d+)$/.exec(authority)?.[1];
  if (!url || url.username !== '' || url.pathname !== '/' || !HOST.test(url.hostname) || url.hostname.includes('..')) {
    throw refused('the host is not a host name');
  }
  const port = declared === undefined ? undefined : Number(declared);
  if (port === 0) throw refused('the port is 0');
  return { host: url.hostname, port: port === PORTS[scheme] ? undefined : port };
}

function gitUrl(
  scheme: GitUrl['scheme'],
  host: string,
  port: number | undefined,
  user: string | undefined,
  givenPath: string,
): GitUrl {
  const path = givenPath.replace(/\/+$/, '');
  if (user !== undefined && !USER.test(user)) throw refused('the user is not a plain name');
  if (!PATH.test(path) || path.split('/').some((part) => part === '.' || part === '..' || part.startsWith('-'))) {
    throw refused('the path is empty or holds a character that no repository path needs');
  }
  const where = `${host}${port === undefined ? '' : `:${port}`}`;
  const rooted = path.startsWith('/') ? path : `/${path}`;
  const shown = `${scheme}://${where}${rooted}`;
  const login = user === undefined ? '' : `${user}@`;
  const canonical = `${where}${rooted.replace(/\.git$/, '')}`;
  return {
    scheme,
    host,
    port,
    path,
    user,
    remote: path.startsWith('/') ? `${scheme}://${login}${where}${path}` : `${login}${where}:${path}`,
    canonical,
    toString: () => shown,
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** The text itself is not repeated: it may hold a password in a place where none is looked for. */
function refused(reason: string): PlumbError {
  return new PlumbError('UrlScheme', `the repository URL was refused: ${reason}`);
}

function credentials(what: string): PlumbError {
  return new PlumbError('UrlCredentials', `the repository URL was refused: it holds ${what}`);
}
