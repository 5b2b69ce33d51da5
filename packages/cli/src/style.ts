import type { State } from '@plumb/api/light';

/** How a stream wants to be written to. */
export interface Style {
  readonly isColored: boolean;
  /** Whether it shows more than ASCII. */
  readonly isUnicode: boolean;
}

/** What is kept, or read by others than who asked: no colours, and whole Unicode. */
export const PLAIN: Style = { isColored: false, isUnicode: true };

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Colour: off by `--no-color`, `NO_COLOR` (https://no-color.org), `TERM=dumb` and where nobody looks; forced by
 * `FORCE_COLOR`. Glyphs: only where the locale says UTF-8.
 */
export function styleOf(env: Environment, options: { readonly isTerminal: boolean; readonly noColor: boolean }): Style {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return { isColored: isColored(env, options), isUnicode: /utf-?8/i.test(locale) };
}

function isColored(
  env: Environment,
  { isTerminal, noColor }: { readonly isTerminal: boolean; readonly noColor: boolean },
): boolean {
  if (noColor || env['NO_COLOR']) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return isTerminal && env['TERM'] !== 'dumb';
}

const COLORS = { red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, gray: 90, bold: 1 } as const;
type Color = keyof typeof COLORS;

export function paint(style: Style, color: Color, text: string): string {
  return style.isColored && text !== '' ? `\u001b[${COLORS[color]}m${text}\u001b[0m` : text;
}

/** A sign with its word for those who see no glyphs. */
interface Sign {
  readonly glyph: string;
  readonly ascii: string;
  readonly color: Color;
}

/** Each state is a glyph and a word; colour only repeats it. */
export const STATE_SIGNS: Readonly<Record<State, Sign>> = {
  Failed: { glyph: '✕', ascii: 'FAIL', color: 'red' },
  Degraded: { glyph: '!', ascii: '!', color: 'red' },
  Drifted: { glyph: '≠', ascii: 'DRIFT', color: 'yellow' },
  Held: { glyph: '‖', ascii: 'HOLD', color: 'magenta' },
  Syncing: { glyph: '◐', ascii: '..', color: 'blue' },
  Pending: { glyph: '○', ascii: '-', color: 'gray' },
  Healthy: { glyph: '✓', ascii: 'ok', color: 'green' },
  Suspended: { glyph: '‖', ascii: 'HOLD', color: 'magenta' },
  Stale: { glyph: '?', ascii: '?', color: 'gray' },
};

/** What a plan does to an object. */
export const ACTION_SIGNS = {
  delete: { glyph: '−', ascii: '-', color: 'red' },
  replace: { glyph: '±', ascii: '-/+', color: 'red' },
  change: { glyph: '~', ascii: '~', color: 'yellow' },
  adopt: { glyph: '◇', ascii: '<>', color: 'blue' },
  create: { glyph: '+', ascii: '+', color: 'green' },
  blocked: { glyph: '✕', ascii: 'FAIL', color: 'red' },
} as const satisfies Readonly<Record<string, Sign>>;

export function showSign(style: Style, sign: Sign): string {
  return paint(style, sign.color, style.isUnicode ? sign.glyph : sign.ascii);
}

/** The few other characters beyond ASCII that our own sentences use. */
export function degrade(style: Style, text: string): string {
  if (style.isUnicode) return text;
  return text.replaceAll('→', '->').replaceAll('…', '...').replaceAll('−', '-').replaceAll('·', '|');
}
