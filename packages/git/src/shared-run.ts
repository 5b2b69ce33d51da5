/** The run for `key` that is under way, or a new one. */
export function sharedRun<T>(running: Map<string, Promise<T>>, key: string, start: () => Promise<T>): Promise<T> {
  const known = running.get(key);
  if (known) return known;
  const run = start().finally(() => running.delete(key));
  running.set(key, run);
  return run;
}
