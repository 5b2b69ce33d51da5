/** A V8 CPU profile, as far as it is read: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples?: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas?: readonly number[];
}

export interface SelfTime {
  /** `name file:line` */
  readonly place: string;
  readonly seconds: number;
}

/** Where the time went, without what was called from there, the most first. Waiting is left out. */
export function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profile): readonly SelfTime[] {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const microseconds = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    // A sample stands for the time until the next one.
    const place = places.get(id) ?? '';
    microseconds.set(place, (microseconds.get(place) ?? 0) + (timeDeltas[index + 1] ?? 0));
  }
  microseconds.delete('(idle)');
  return [...microseconds]
    .map(([place, sum]) => ({ place, seconds: sum / 1_000_000 }))
    .sort((a, b) => b.seconds - a.seconds);
}

function placeOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.replace(/^.*\/((?:packages|node_modules)\/)/, '$1');
  return `${name} ${file}:${lineNumber + 1}`;
}
