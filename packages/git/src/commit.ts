import { PlumbError } from '@plumb/core';

export interface Person {
  readonly name: string;
  readonly email: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export interface Commit {
  readonly sha: string;
  /** The id of the root folder. */
  readonly tree: string;
  /** As written in the commit: a parent need not be stored. */
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  /** The first line. */
  readonly subject: string;
  readonly message: string;
}

/** Parses a raw commit object: header lines, an empty line, the message. */
export function parseCommit(sha: string, bytes: Uint8Array): Commit {
  const text = new TextDecoder().decode(bytes);
  const end = text.indexOf('\n\n');
  const headers = (end < 0 ? text : text.slice(0, end)).split('\n');
  const message = end < 0 ? '' : text.slice(end + 2);
  const values = (name: string): string[] =>
    headers.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const [tree] = values('tree');
  if (tree === undefined) throw new PlumbError('GitFailed', `the commit ${sha} has no tree`);
  return {
    sha,
    tree,
    parents: values('parent'),
    author: parsePerson(values('author')[0] ?? ''),
    committer: parsePerson(values('committer')[0] ?? ''),
    subject: message.trimStart().split('\n', 1)[0]?.trim() ?? '',
    message,
  };
}

/** `Name <email> 1700000000 +0100` */
function parsePerson(text: string): Person {
  const [, name = '', email = '', seconds = '0'] = /^(.*?)\s*<([^>]*)>\s*(\d*)/.exec(text) ?? [];
  return { name, email, time: Number(seconds) * 1000 };
}
