import type { TestEvent } from 'node:test/reporters';

/** A reporter for machines, beside the one for people: the closing lines of TAP, `# tests N`, `# pass N` and so on. */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter from there
export default async function* testTotals(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue;
    const { tests, passed, cancelled, skipped, todo } = event.data.counts;
    const failed = tests - passed - cancelled - skipped - todo;
    yield `# tests ${tests}\n# pass ${passed}\n# fail ${failed}\n# cancelled ${cancelled}\n`;
    yield `# skipped ${skipped}\n# todo ${todo}\n# duration_ms ${event.data.duration_ms}\n`;
  }
}
