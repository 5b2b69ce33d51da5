import {
  computeHealth,
  groupOf,
  needsStatus,
  type GroupKind,
  type Health,
  type Json,
  type KubeObject,
  type Look,
} from '@plumb/core';
import { CelRules, type LineOf } from './cel-rules.ts';
import { LuaScripts } from './lua-scripts.ts';

export interface HealthRuleSources {
  /** Folder of `GROUP/KIND/health.lua`. */
  readonly luaFolder?: string | undefined;
  /** The decoded file of rules in CEL, with its name and lines for errors. */
  readonly rules?: { readonly value: Json | undefined; readonly file: string; readonly lineOf?: LineOf } | undefined;
  /** Milliseconds that only ever grow. */
  readonly monotonic: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Tells health: by the rules of the user where the kind has one, otherwise as everybody's. */
export interface HealthAssessor {
  /**
   * Never throws: a rule that cannot answer is Unknown, with the code of the error. The look counts for kinds without a
   * rule of the user; default that of whoever waits.
   */
  assess(object: KubeObject, look?: Look): Health;
  /** Whether health of this kind reads more than metadata. */
  needsStatus(kind: GroupKind): boolean;
}

/** What a script may use. */
const LUA_LIMITS = { timeMs: 1_000, memoryBytes: 64 * 1024 * 1024 };

/** Reads the rules. Throws the first that is none, with its place. */
export async function openHealthAssessor(sources: HealthRuleSources): Promise<HealthAssessor> {
  const { luaFolder, rules, monotonic, now } = sources;
  const cel =
    rules === undefined ? undefined : CelRules.read(rules.value, rules.file, { lineOf: rules.lineOf, monotonic });
  const lua =
    luaFolder === undefined ? undefined : await LuaScripts.read(luaFolder, { limits: LUA_LIMITS, monotonic, now });
  return {
    assess: (object, look) => {
      const kind = { group: groupOf(object.apiVersion), kind: object.kind };
      return cel?.assess(object, kind) ?? lua?.assess(object, kind) ?? computeHealth(object, look);
    },
    needsStatus: (kind) => cel?.handles(kind) === true || lua?.handles(kind) === true || needsStatus(kind),
  };
}
