import { Metrics } from '../packages/engine/src/metrics.ts';
import { cell, madeFrom, table } from './generated-page.ts';

const INTRODUCTION = `# Metrics

${madeFrom('packages/engine/src/metrics.ts')}

\`GET /metrics\` on the engine's listener (\`plumb up\` prints its address) answers in the text format of Prometheus. Every
series is there at 0 from the start, so that an alert on a rate works from the first minute. No series carries the name of
an application: their number does not grow with the fleet. Which application it is, \`plumb status\` says.
`;

const CLOSING = `Worth an alert: \`plumb_app_state{state="Failed"} > 0\` for some minutes, the same for \`Degraded\`; a rate of
\`plumb_git_look_total{result="failed"}\`; a rate of \`plumb_heal_total\` that does not end, which is two writers at odds.
\`GET /healthz\` says that the process answers; \`GET /readyz\` answers 503 with the reason while nothing is written.
`;

/** The page `docs/reference/metrics.md`: every declared metric with its type, its labels and its help. */
export function metricsPage(): string {
  const rows = familiesOf(new Metrics().expose()).map(({ name, type, help, labels }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join('<br>'),
    cell(help),
  ]);
  return [INTRODUCTION, ...table(['Metric', 'Type', 'Labels', 'Meaning'], rows), '', CLOSING].join('\n');
}

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** `result`: `ok`, `failed`. */
  readonly labels: readonly string[];
}

/** Reads an exposition: `# HELP`, `# TYPE` and the series that exist from the start. */
function familiesOf(exposition: string): readonly Family[] {
  const lines = exposition.split('\n');
  return lines.flatMap((line) => {
    const [, name, help] = /^# HELP (\S+) (.*)$/.exec(line) ?? [];
    if (name === undefined || help === undefined) return [];
    const type = lines.find((other) => other.startsWith(`# TYPE ${name} `))?.split(' ')[3] ?? '';
    const values = new Map<string, Set<string>>();
    for (const series of lines.filter((other) => other.startsWith(`${name}{`))) {
      for (const [, label = '', value = ''] of series.matchAll(/(\w+)="([^"]*)"/g)) {
        values.set(label, (values.get(label) ?? new Set()).add(value));
      }
    }
    return [{ name, type, help, labels: [...values].map(([label, set]) => `${label}: ${[...set].join(', ')}`) }];
  });
}
