import { printable } from '@plumb/core';

/** A line that never ends must not fill the memory. */
const MAX_LINE_BYTES = 64 * 1024;

// eslint-disable-next-line no-control-regex -- sequences of terminals are what is looked for
const TERMINAL_SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/**
 * The lines of a log as a terminal may see them: without sequences that colour, move the cursor or set the title, and
 * without other control characters. What is not UTF-8 is shown as U+FFFD; a line beyond 64 KiB is cut into several.
 */
export async function* logLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield cleanLine(line);
    while (rest.length > MAX_LINE_BYTES) {
      yield cleanLine(rest.slice(0, MAX_LINE_BYTES));
      rest = rest.slice(MAX_LINE_BYTES);
    }
  }
  rest += decoder.decode();
  if (rest !== '') yield cleanLine(rest);
}

function cleanLine(line: string): string {
  return printable(line.replaceAll(TERMINAL_SEQUENCES, '').replaceAll('\r', '')).replaceAll('\n', ' ');
}
