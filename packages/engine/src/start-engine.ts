import type { Engine, EngineOptions } from './engine.ts';

/** See `engine.ts`, which is loaded when it is needed: most of what uses this package only plans, and is to start fast. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  return (await import('./engine.ts')).startEngine(options);
}
