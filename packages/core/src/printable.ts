/**
 * Text from outside (commit subjects, names, messages of servers) may hold characters that move the cursor, repaint the
 * screen or turn the direction of reading. None of them reaches a terminal.
 */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The text without control, bidirectional and zero-width characters; line ends and tabs stay. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(UNPRINTABLE, '');
}

/** As `printable`, on one line. */
export function oneLine(text: string): string {
  return printable(text.replaceAll(/\s+/g, ' ')).trim();
}

export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0;
}

/** With the same characters written as escapes of JSON. */
export function escapeUnprintable(json: string): string {
  return json.replaceAll(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
