/** What somebody asks of Plumb in a comment. */
export type Command =
  | { readonly type: 'plan'; readonly app?: string; readonly env?: string }
  /** `digest` is that of the plan, in lower case. */
  | { readonly type: 'approve'; readonly digest: string }
  /** It begins as a command, and is none: `why` is for the answer. */
  | { readonly type: 'unclear'; readonly why: string };

const DNS_NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const DIGEST = /^[0-9a-f]{6,64}$/;
const MAX_LINE = 1_000;

/**
 * The first command of a comment; undefined where there is none. A command stands at the beginning of a line, and neither
 * in a block of code nor in a quotation nor in an HTML comment: who quotes a command does not give it.
 *
 * - `/plumb plan [APP] [-e ENV]`
 * - `/plumb approve DIGEST`
 */
export function parseCommand(text: string): Command | undefined {
  const line = ownLines(text).find((candidate) => /^\/plumb(?:\s|$)/.test(candidate));
  return line === undefined ? undefined : parseLine(line);
}

function parseLine(line: string): Command {
  if (line.length > MAX_LINE) return unclear('it is too long');
  const [, verb, ...words] = line.trim().split(/\s+/);
  switch (verb) {
    case 'plan':
      return parsePlan(words);
    case 'approve':
      return parseApprove(words);
    default:
      return unclear('the commands are "plan" and "approve"');
  }
}

function parsePlan(words: readonly string[]): Command {
  let app: string | undefined;
  let env: string | undefined;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const [, inline] = /^(?:-e|--env)(?:=(.*))?$/.exec(word) ?? [];
    if (word === '-e' || word === '--env' || inline !== undefined) {
      if (env !== undefined) return unclear('it names two environments');
      env = inline ?? words[++index] ?? '';
      if (!DNS_NAME.test(env)) return unclear('-e is followed by the name of an environment');
    } else if (app !== undefined || !DNS_NAME.test(word)) {
      return unclear('"plan" is followed by at most one application and -e with an environment');
    } else {
      app = word;
    }
  }
  return { type: 'plan', ...(app === undefined ? {} : { app }), ...(env === undefined ? {} : { env }) };
}

function parseApprove(words: readonly string[]): Command {
  const [digest = '', ...others] = words;
  const lower = digest.toLowerCase();
  if (others.length > 0 || !DIGEST.test(lower)) return unclear('"approve" is followed by the digest of a plan');
  return { type: 'approve', digest: lower };
}

function unclear(why: string): Command {
  return { type: 'unclear', why };
}

/** The lines that the author says, as far as Markdown tells. What is opened and never closed reaches to the end. */
function ownLines(text: string): readonly string[] {
  const own: string[] = [];
  let fence: string | undefined;
  let isQuoted = false;
  let isHidden = false;
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, mark = '', info = ''] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (fence !== undefined) {
      const closes = mark.startsWith(fence) && info.trim() === '';
      if (closes) fence = undefined;
      continue;
    }
    if (isHidden) {
      isHidden = !line.includes('-->');
      continue;
    }
    // What stands in the line of a fence made of backticks has none itself: that would be code within a line.
    if (mark !== '' && !(mark.startsWith('`') && info.includes('`'))) {
      fence = mark;
      continue;
    }
    // A quotation goes on until an empty line, whether or not its other lines are marked.
    isQuoted = /^ {0,3}>/.test(line) || (isQuoted && line.trim() !== '');
    if (isQuoted) continue;
    const opened = line.lastIndexOf('<!--');
    isHidden = opened >= 0 && !line.includes('-->', opened);
    own.push(line);
  }
  return own;
}
