import { PlumbError, type ErrorCode } from '@plumb/core';

/**
 * What git and ssh say on stderr (in the C locale), as codes. There is no other way to tell the cases apart, so the texts
 * are kept in this one file. The first row that matches wins.
 */
const SIGNS: readonly (readonly [ErrorCode, RegExp])[] = [
  ['HostKeyUnknown', /Host key verification failed|host key is known for|HOST IDENTIFICATION HAS CHANGED/i],
  [
    'TlsUntrusted',
    /SSL certificate problem|certificate verif\w+ failed|server verification failed|self[- ]signed certificate|unable to get local issuer|no alternative certificate subject|certificate subject name|error setting certificate/i,
  ],
  ['RefMissing', /couldn't find remote ref|not our ref|unadvertised object|no such remote ref/i],
  [
    'RepositoryUnauthorized',
    /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|returned error: 40[137]|Permission denied \(|Access denied|invalid credentials/i,
  ],
  [
    'RepositoryNotFound',
    /repository '[^']*' not found|Repository not found|returned error: 4(?:04|10)|does not appear to be a git repository|could not be found|no such repository/i,
  ],
  [
    'RepositoryUnreachable',
    /Could not resolve|Failed to connect|Couldn't connect|Connection (?:refused|timed out|reset|closed)|timed out|Empty reply|No route to host|Network is unreachable|returned error: (?:429|5\d\d)|Operation too slow|transfer closed|early EOF|unexpected disconnect|hung up|RPC failed|unable to access/i,
  ],
];

/** The mirror on disk is damaged: nothing is wrong with the source, and a new mirror helps. */
const CORRUPTION =
  /is corrupt|corrupt loose object|data stream error|unable to unpack|index file .* (?:corrupt|too small)|non-monotonic index|bad object|bad ref|bad config|not a git repository|hash mismatch|sha1 mismatch|cannot be read|pack has bad|wrong index|is far too short|object file .* is empty|does not match index|broken (?:ref|object)|unable to (?:find|read) (?:tree|[0-9a-f]{40})|missing (?:blob|tree|commit|necessary objects)|did not send all necessary objects|remote did not send|shallow file|\.lock': File exists|is not a valid object|invalid (?:object|sha1 pointer)|mismatched algorithms/i;

/** One failed run of git as the domain's error; its message holds no secret. */
export function classifyGitFailure(
  attempted: string,
  stderr: string,
  options: { readonly secrets?: readonly string[] } = {},
): PlumbError {
  const said = gist(redact(stderr, options.secrets ?? []));
  const code = SIGNS.find(([, sign]) => sign.test(stderr))?.[0] ?? 'GitFailed';
  return new PlumbError(code, `${attempted}: ${said}`);
}

/** Whether the failure is the mirror's own and not the source's. */
export function isCorruption(stderr: string): boolean {
  return CORRUPTION.test(stderr) && !SIGNS.some(([, sign]) => sign.test(stderr));
}

/** Whether git says that the folder holds no repository at all. */
export function isNoRepository(stderr: string): boolean {
  return /not a git repository/i.test(stderr);
}

/** The ref or commit id that the server does not have. */
export function missingRef(stderr: string): string | undefined {
  return /(?:find remote ref|not our ref|unadvertised object) (\S+)/i.exec(stderr)?.[1];
}

/** Drops the user and the query of every URL, every Authorization header, and the given secrets. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/'"]*@)?([^\s'"?#]*)(?:[?#][^\s'"]*)?/gi, '$1$2')
    .replaceAll(/(authorization:?\s*)(?:\w+\s+)?\S+/gi, '$1***');
  // Longest first, so that a secret within another leaves no rest of it.
  for (const secret of secrets.toSorted((left, right) => right.length - left.length)) {
    if (secret.length > 0) clean = clean.replaceAll(secret, '***');
  }
  return clean;
}

/** The lines that say what went wrong, without git's own advice, as one line. */
function gist(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = lines.filter((line) => /^(?:fatal|error|remote|ssh|git@|.*denied|.*failed)/i.test(line));
  const text = (telling.length > 0 ? telling : lines).slice(0, 4).join('; ');
  if (text === '') return 'git gave no reason';
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
