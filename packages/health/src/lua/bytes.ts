// Strings of a script are bytes: `#` and `string.sub` count them. Text goes in and out as UTF-8, one byte a character.

const ASCII = /^[\0-\x7f]*$/;

export function toBytes(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

export function toText(bytes: string): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}
