/** Where in a tree of kustomizations a build failed, and upstream's words for it without the way there. */
export interface KustomizeFailure {
  /** The folder of the kustomization that it is about. */
  readonly folder: string;
  /** What that kustomization names (a resource, a base, a patch), where it is about that. */
  readonly entry: string | undefined;
  readonly cause: string;
}

/**
 * Takes Kustomize's chain of "accumulating resources: accumulation err='accumulating resources from '../base': …': …"
 * apart. Each base that it went into adds a link to the chain; a resource is tried as a file and then as a folder, and
 * what became of both is told, though only one of them was ever meant.
 */
export function unwrapFailure(message: string, folder: string): KustomizeFailure {
  let failure: KustomizeFailure = { folder, entry: undefined, cause: message };
  for (;;) {
    const inner = unwrapOnce(failure);
    if (inner === undefined) return failure;
    failure = inner;
  }
}

type Unwrap = (failure: KustomizeFailure, ...parts: readonly string[]) => KustomizeFailure;

/** Each pattern ends with the cause inside; what stands before it says where that is. */
const WRAPPERS: readonly (readonly [RegExp, Unwrap])[] = [
  [
    /^accumulation err='(?:accumulating|merging) resources from '(.*?)': (.*?)': (.*)$/s,
    (failure, entry, asFile = '', asFolder = '') => ({ ...failure, entry, cause: meant(asFile, asFolder) }),
  ],
  [
    /^(?:accumulating|merging) resources from '(.*?)': (.*)$/s,
    (failure, entry, cause = '') => ({ ...failure, entry, cause }),
  ],
  // A folder without a kustomization is the fault of who names it; anything else that of the kustomization in it.
  [
    /^(?:recursed accumulation of|couldn't make target for) path '([^']*)': (?!unable to find one of)(.*)$/s,
    (_failure, folder = '', cause = '') => ({ folder: folder === '.' ? '' : folder, entry: undefined, cause }),
  ],
  [
    /^(?:accumulateDirectory:|loader\.New) "(.*)"$/s,
    (failure, quoted = '') => ({ ...failure, cause: unquote(quoted) }),
  ],
  [
    /^failed to get the patch file from path\((.*?)\): (.*)$/s,
    (failure, entry, cause = '') => ({ ...failure, entry, cause }),
  ],
  // The configuration of a plugin is YAML in backticks; it may hold the text of a patch, and that anything.
  [/^trouble configuring builtin \w+ with config: `\n.*\n`: (.*)$/s, withCause],
  [/^merging from generator .*?\}: (.*)$/s, withCause],
  [
    /^loading KV pairs: (?:env source files|file sources): \[([^\s\]]*)\]: (.*)$/s,
    (failure, entry, cause = '') => ({ ...failure, entry, cause }),
  ],
  [/^loading KV pairs: (?:env source files|file sources): \[.*?\]: (.*)$/s, withCause],
  [/^loading CRDs \[([^\s\]]*)\]: (.*)$/s, (failure, entry, cause = '') => ({ ...failure, entry, cause })],
  [/^loading KV pairs: literal sources \[.*\]: (.*)$/s, withCause],
  [/^plugin \S+ fails configuration: (.*)$/s, withCause],
  [/^(?:recursed merging from|couldn't make target for) path '[^']*': (.*)$/s, withCause],
  [/^(?:accumulating (?:resources|components)|loading generator plugins|failed to load generator): (.*)$/s, withCause],
];

function withCause(failure: KustomizeFailure, cause = ''): KustomizeFailure {
  return { ...failure, cause };
}

function unwrapOnce(failure: KustomizeFailure): KustomizeFailure | undefined {
  for (const [pattern, unwrap] of WRAPPERS) {
    const match = pattern.exec(failure.cause);
    if (match !== null) return unwrap(failure, ...match.slice(1));
  }
  return undefined;
}

/** Of the two attempts the one that says what is wrong: the other failed because it is a folder, or is none. */
function meant(asFile: string, asFolder: string): string {
  if (asFolder.startsWith('must build at directory')) return asFile;
  if (asFolder.startsWith('new root') && asFile.startsWith('security;')) return asFile;
  return asFolder;
}

/** Go's quoting of a text, as far as it is JSON's too. */
function unquote(quoted: string): string {
  return quoted.replaceAll(/\\(.)/gs, (_whole, char: string) => ESCAPES[char] ?? char);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t' };
