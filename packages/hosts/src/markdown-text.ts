/**
 * Characters that move, hide or turn round what stands beside them, and halves of characters that no host takes. None of
 * them may make a plan look other than it is.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Variation_Selector}]/gu;

/** Text from outside on one line. */
export function plainLine(text: string): string {
  return text.toWellFormed().replaceAll(/\s+/g, ' ').replaceAll(UNPRINTABLE, '').trim();
}

/**
 * A name to stand outside of a block of code, where Markdown, HTML and mentions would mean something: names of Kubernetes,
 * digests and versions pass unchanged, and of everything else nothing is left that could.
 */
export function plainName(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._/+-]+/g, '-').slice(0, 253);
}

/** A fence that none of these lines can close. */
export function fenceFor(lines: readonly string[]): string {
  const runs = lines.flatMap((line) => line.match(/`+/g) ?? []);
  return '`'.repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
}

/** A link that Markdown keeps as it is; undefined for what is no plain https address. */
export function plainLink(text: string | undefined): string | undefined {
  const url = text === undefined ? null : URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '') return undefined;
  return /^[A-Za-z0-9:/?#&=%._~+-]{1,500}$/.test(url.href) ? url.href : undefined;
}
