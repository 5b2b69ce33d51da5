/** The exposition format of Prometheus (text, version 0.0.4), as far as the engine needs it: counters and gauges. */

import { DRIFT_KINDS } from '@plumb/core';
import { HEADLINE_STATES } from './status.ts';

type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly values: Map<string, number>;
}

/** All metrics exist at zero from the start, so that alerts on rates work from the first minute. */
export class Metrics {
  readonly #families = new Map<string, Family>();
  readonly #collectors: (() => void)[] = [];

  constructor() {
    this.#declare('plumb_sync_total', 'counter', 'Releases by outcome.', [{ result: 'healthy' }, { result: 'failed' }]);
    this.#declare('plumb_write_total', 'counter', 'Objects written, by action and result.', [
      ...['create', 'update', 'adopt', 'delete'].flatMap((action) => [
        { action, result: 'ok' },
        { action, result: 'failed' },
      ]),
    ]);
    this.#declare(
      'plumb_drift_total',
      'counter',
      'Objects that somebody else had changed, by what was done.',
      DRIFT_KINDS.map((kind) => ({ kind })),
    );
    this.#declare('plumb_heal_total', 'counter', 'Objects written because somebody else had changed them.', [{}]);
    this.#declare('plumb_reconcile_total', 'counter', 'Looks at targets.', [{}]);
    this.#declare('plumb_reconcile_duration_seconds_sum', 'counter', 'Time spent on looks at targets.', [{}]);
    this.#declare('plumb_git_look_total', 'counter', 'Looks at repositories, by result.', [
      { result: 'ok' },
      { result: 'failed' },
    ]);
    this.#declare('plumb_webhook_total', 'counter', 'Webhook deliveries, by result.', [
      { result: 'accepted' },
      { result: 'refused' },
    ]);
    this.#declare('plumb_audit_total', 'counter', 'Deliveries of audit events, by result.', [
      { result: 'accepted' },
      { result: 'refused' },
      { result: 'invalid' },
    ]);
    this.#declare('plumb_audit_event_total', 'counter', 'Audit events that are kept: writes on managed objects.', [{}]);
    this.#declare('plumb_render_total', 'counter', 'Renders of targets: done anew, answered from the cache, failed.', [
      { result: 'rendered' },
      { result: 'kept' },
      { result: 'failed' },
    ]);
    this.#declare('plumb_watch_lost_total', 'counter', 'Objects of which a watch lost an event, found by a list.', [
      {},
    ]);
    this.#declare('plumb_queue_depth', 'gauge', 'Targets that wait or are worked on.', [{}]);
    this.#declare('plumb_live_objects', 'gauge', 'Managed objects in the watches.', [{}]);
    this.#declare(
      'plumb_app_state',
      'gauge',
      'Targets by headline state.',
      HEADLINE_STATES.map((state) => ({ state })),
    );
  }

  /** Runs before each exposition, to set gauges. */
  collect(collector: () => void): void {
    this.#collectors.push(collector);
  }

  add(name: string, amount = 1, labels: Labels = {}): void {
    const values = this.#valuesOf(name);
    const key = format(labels);
    values.set(key, (values.get(key) ?? 0) + amount);
  }

  set(name: string, value: number, labels: Labels = {}): void {
    this.#valuesOf(name).set(format(labels), value);
  }

  expose(): string {
    for (const collector of this.#collectors) collector();
    const lines: string[] = [];
    for (const [name, { help, type, values }] of this.#families) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [labels, value] of values) lines.push(`${name}${labels} ${value}`);
    }
    return `${lines.join('\n')}\n`;
  }

  #declare(name: string, type: Family['type'], help: string, labels: readonly Labels[]): void {
    this.#families.set(name, { help, type, values: new Map(labels.map((set) => [format(set), 0])) });
  }

  #valuesOf(name: string): Map<string, number> {
    const family = this.#families.get(name);
    if (family === undefined) throw new Error(`metric ${name} is not declared`);
    return family.values;
  }
}

function format(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, '\\$&')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
