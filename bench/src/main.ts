/**
 * `npm run bench` lists what there is; `npm run bench -- apps --count 1000 [-o json] [--short] [--profile FOLDER]` runs
 * one, `npm run bench -- all --short` all of them. Progress goes to standard error, results to `bench/results/NAME.json`
 * and, with `-o json`, to standard output. Exits 1 when a bench could not be run; a missed goal is a result.
 */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { apps } from './apps.ts';
import { drift } from './drift.ts';
import { plan } from './plan.ts';
import { pulls } from './pulls.ts';
import { render } from './render.ts';
import { scale } from './scale.ts';
import { watches } from './watches.ts';
import { machine, writeResult, type Bench, type BenchOptions } from './result.ts';
import { missedOf, rewriteTable } from './table.ts';

const BENCHES: readonly Bench[] = [apps, scale, watches, plan, pulls, drift, render];

async function main(args: readonly string[]): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      count: { type: 'string' },
      output: { type: 'string', short: 'o' },
      short: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  const count = values.count === undefined ? undefined : Number(values.count);
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0)) {
    return refuse(`--count ${values.count} is not a whole number above zero`);
  }
  if (values.output !== undefined && values.output !== 'json') return refuse(`-o ${values.output}: only json is known`);
  const [name, ...rest] = positionals;
  if (name === undefined) {
    for (const bench of BENCHES) console.log(`${bench.name.padEnd(8)}${bench.summary}`);
    console.log(`${'all'.padEnd(8)}Everything, one after the other: with --short in a quarter of an hour`);
    return true;
  }
  const chosen = BENCHES.filter((bench) => name === 'all' || bench.name === name);
  if (chosen.length === 0 || rest.length > 0) return refuse(`there is no bench ${positionals.join(' ')}`);

  const profile = values.profile === undefined ? undefined : resolve(values.profile);
  if (profile !== undefined) await mkdir(profile, { recursive: true });
  const options: BenchOptions = { count, short: values.short, profile, say };
  for (const bench of chosen) await run(bench, options, values.output === 'json');
  await rewriteTable();
  return true;
}

async function run(bench: Bench, options: BenchOptions, json: boolean): Promise<void> {
  const before = machine();
  const { name, figures, goals } = await bench.run(options);
  const result = { bench: bench.name, machine: before, figures, goals };
  const path = await writeResult(name, result);
  say(`${name}: ${goals.filter(({ met }) => met).length} of ${goals.length} goals met; ${path}`);
  for (const missed of missedOf(goals)) say(`  missed: ${missed}`);
  if (json) console.log(JSON.stringify(result));
}

function refuse(why: string): boolean {
  say(`error: ${why}`);
  say('  fix: npm run bench lists what there is');
  return false;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
