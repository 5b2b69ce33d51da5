import { isAbsolute, join } from 'node:path';
import type { Environment } from './style.ts';

/** `~/.local/state/plumb/…`: what must not be lost (https://specifications.freedesktop.org/basedir-spec). */
export function stateFolder(env: Environment, home: string, ...parts: readonly string[]): string {
  return join(base(env['XDG_STATE_HOME'], home, '.local', 'state'), 'plumb', ...parts);
}

/** `~/.cache/plumb/…`: what can be fetched or made again. */
export function cacheFolder(env: Environment, home: string, ...parts: readonly string[]): string {
  return join(base(env['XDG_CACHE_HOME'], home, '.cache'), 'plumb', ...parts);
}

/** The specification ignores relative paths. */
function base(given: string | undefined, home: string, ...parts: readonly string[]): string {
  return given !== undefined && isAbsolute(given) ? given : join(home, ...parts);
}
