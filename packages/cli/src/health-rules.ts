import { resolve } from 'node:path';
import { type Clock } from '@plumb/core';
import { openHealthAssessor, type HealthAssessor } from '@plumb/health';
import { decodeYamlWithLines } from '@plumb/render';
import { readInput } from './objects-file.ts';

export interface HealthRuleFlags {
  readonly lua?: string | undefined;
  readonly rules?: string | undefined;
}

/** The same rules where the verb has other things than health to name: `plumb up`, and who looks at what it did. */
export interface EngineRuleFlags {
  readonly healthLua?: string | undefined;
  readonly healthRules?: string | undefined;
}

export async function readEngineRules(flags: EngineRuleFlags, cwd: string, clock: Clock): Promise<HealthAssessor> {
  return await readHealthRules({ lua: flags.healthLua, rules: flags.healthRules }, cwd, clock);
}

/** The rules that flags name, read; throws the first that is none, with its place. */
export async function readHealthRules(flags: HealthRuleFlags, cwd: string, clock: Clock): Promise<HealthAssessor> {
  const { lua, rules } = flags;
  return await openHealthAssessor({
    luaFolder: lua === undefined ? undefined : resolve(cwd, lua),
    rules: rules === undefined ? undefined : await readRules(rules, cwd),
    monotonic: () => clock.monotonic(),
    now: () => clock.now(),
  });
}

async function readRules(file: string, cwd: string) {
  const { text, name } = await readInput(file, cwd);
  const { documents, lineOf } = decodeYamlWithLines(text, name);
  return { value: documents[0]?.value, file: name, lineOf };
}
