/** One value of the Prometheus text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of one metric; all others are skipped unread, because an API server has tens of thousands. */
export function samplesOf(text: string, metric: string): readonly Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith(metric)) continue;
    const next = line[metric.length];
    if (next !== '{' && next !== ' ') continue;
    // A label's value may hold a brace: the one that ends the labels is the last one.
    const end = next === '{' ? line.lastIndexOf('}') + 1 : metric.length;
    const [value = ''] = line.slice(end).trim().split(' ');
    samples.push({ name: metric, labels: labelsOf(line.slice(metric.length, end)), value: Number(value) });
  }
  return samples;
}

/** The sum of a metric over all samples that have these labels. */
export function sumOf(text: string, metric: string, labels: Readonly<Record<string, string>> = {}): number {
  return samplesOf(text, metric)
    .filter((sample) => Object.entries(labels).every(([name, value]) => sample.labels[name] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g);
  return Object.fromEntries(
    Array.from(pairs, ([, name = '', value = '']) => [
      name,
      value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)),
    ]),
  );
}
