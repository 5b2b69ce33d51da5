import { PlumbError, oneLine } from '@plumb/core';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { readHealthRules, type HealthRuleFlags } from '../health-rules.ts';
import { objectsIn, readInput } from '../objects-file.ts';
import { jsonText } from '../json-text.ts';
import { formatTable } from '../table.ts';

export interface HealthFlags extends EveryVerb, HealthRuleFlags {
  readonly filename?: string | undefined;
  readonly output: 'table' | 'json';
}

/** `plumb health -f FILE`: the health that objects tell about themselves, without a cluster. */
export async function health(this: CliContext, flags: HealthFlags): Promise<void> {
  const { cwd, clock } = this.surroundings;
  if (flags.filename === undefined) {
    throw new PlumbError('Usage', 'the file is missing', {
      fix: 'Name it: plumb health -f FILE, or -f - for standard input.',
    });
  }
  const assessor = await readHealthRules(flags, cwd, clock);
  const look = { awaitsEnd: false, now: clock.now() };
  const { text, name } = await readInput(flags.filename, cwd);
  const items = objectsIn(text, name).map((object) => {
    const { apiVersion, kind, metadata } = object;
    const told = assessor.assess(object, look);
    return { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name, ...told };
  });
  if (flags.output === 'json') {
    this.print(`${jsonText({ items })}\n`);
    return;
  }
  const rows = items.map(({ kind, namespace, name, status, message }) => [
    status,
    namespace,
    `${kind}/${name}`,
    oneLine(message),
  ]);
  this.show(formatTable([['HEALTH', 'NAMESPACE', 'OBJECT', 'MESSAGE'], ...rows]));
}
