import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { jsonText } from '../json-text.ts';
import { JSON_VERSION, VERSION } from '../version.ts';

export interface VersionFlags extends EveryVerb {
  readonly output: 'text' | 'json';
}

/** `plumb version`: what runs here. */
export async function version(this: CliContext, { output }: VersionFlags): Promise<void> {
  const facts = { version: VERSION, node: process.versions.node, platform: `${process.platform}/${process.arch}` };
  if (output === 'json') this.print(`${jsonText({ apiVersion: JSON_VERSION, ...facts })}\n`);
  else this.show(`plumb ${facts.version}  (Node ${facts.node}, ${facts.platform})\n`);
}
