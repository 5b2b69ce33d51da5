import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GroupKind, isJsonObject, type Health, type KubeObject, PlumbError } from '@plumb/core';
import { checkLua, LuaSyntaxError, runLua, type LuaRun } from './lua/script.ts';
import { LuaError, LuaLimit } from './lua/value.ts';
import { unknown } from './unknown.ts';

interface LuaScript {
  /** `GROUP/KIND`, or `KIND` of the core group, with `_` for any text. */
  readonly folder: string;
  readonly file: string;
  readonly source: string;
  /** How often it ran into a limit. */
  breaches: number;
}

/** A script that ran into its limit this often is not run any more: each time, everything else waited for it. */
const MAX_BREACHES = 3;

const STATUSES = new Set(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']);

/** Health scripts in the layout of Argo CD: `GROUP/KIND/health.lua`. */
export class LuaScripts {
  readonly #exact: ReadonlyMap<string, LuaScript>;
  readonly #wild: readonly { readonly pattern: RegExp; readonly script: LuaScript }[];
  readonly #run: LuaRun;

  private constructor(scripts: readonly LuaScript[], run: LuaRun) {
    this.#exact = new Map(scripts.map((script) => [script.folder, script]));
    this.#wild = scripts
      .filter(({ folder }) => folder.includes('_'))
      .toSorted((left, right) => (left.folder < right.folder ? -1 : 1))
      .map((script) => ({ pattern: patternOf(script.folder), script }));
    this.#run = run;
  }

  /** Reads a folder. Throws where it holds no script, or one that is no Lua. */
  static async read(folder: string, run: LuaRun): Promise<LuaScripts> {
    const paths = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
      throw new PlumbError('HealthRulesInvalid', `the folder ${folder} cannot be read`, {
        where: { file: folder },
        cause,
      });
    });
    const scripts: LuaScript[] = [];
    for (const path of paths.toSorted()) {
      const found = /^((?:[^/]+\/)?[^/]+)\/health\.lua$/.exec(path.replaceAll('\\', '/'))?.[1];
      if (found === undefined) continue;
      const file = join(folder, path);
      const source = await readFile(file, 'utf8');
      checkSource(source, file);
      scripts.push({ folder: found, file, source, breaches: 0 });
    }
    if (scripts.length > 0) return new LuaScripts(scripts, run);
    throw new PlumbError('HealthRulesInvalid', `the folder ${folder} holds no GROUP/KIND/health.lua`, {
      where: { file: folder },
    });
  }

  handles(kind: GroupKind): boolean {
    return this.#scriptOf(kind) !== undefined;
  }

  /** Undefined for a kind without a script. */
  assess(object: KubeObject, kind: GroupKind): Health | undefined {
    const script = this.#scriptOf(kind);
    if (script === undefined) return undefined;
    const name = `${script.folder}/health.lua`;
    if (script.breaches >= MAX_BREACHES) {
      return unknown('LuaLimit', `${name} is not run any more: it ran into its limit ${MAX_BREACHES} times`);
    }
    try {
      return healthOf(runLua(script.source, name, object, this.#run), name);
    } catch (thrown) {
      if (thrown instanceof LuaLimit) {
        script.breaches++;
        return unknown('LuaLimit', `${name}: ${thrown.message}`);
      }
      if (thrown instanceof LuaError) return unknown('LuaError', thrown.message);
      throw thrown;
    }
  }

  #scriptOf({ group, kind }: GroupKind): LuaScript | undefined {
    const folder = group === '' ? kind : `${group}/${kind}`;
    return this.#exact.get(folder) ?? this.#wild.find(({ pattern }) => pattern.test(folder))?.script;
  }
}

function patternOf(folder: string): RegExp {
  return new RegExp(`^${folder.split('_').map(RegExp.escape).join('.*')}$`);
}

function checkSource(source: string, file: string): void {
  try {
    checkLua(source);
  } catch (thrown) {
    if (!(thrown instanceof LuaSyntaxError)) throw thrown;
    throw new PlumbError('LuaSyntax', `the script is no Lua: ${thrown.message}`, {
      where: { file, line: thrown.line },
    });
  }
}

/** What a script answers: `{status, message}`. */
function healthOf(answer: unknown, name: string): Health {
  if (!isJsonObject(answer)) return unknown('LuaError', `${name} returned no table with status and message`);
  const { status, message } = answer;
  if (typeof status !== 'string' || !STATUSES.has(status)) {
    return unknown('LuaError', `${name} returned an invalid health status`);
  }
  return { status: status as Health['status'], message: typeof message === 'string' ? message : '' };
}
