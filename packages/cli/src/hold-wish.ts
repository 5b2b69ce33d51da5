import { createHash } from 'node:crypto';
import { API_VERSION, decodeHold, HOLD, type Hold } from '@plumb/api';
import { canonicalJson, parseFieldPattern, PlumbError, type HoldEnd, type ObjectRef } from '@plumb/core';
import type { TargetSpec } from '@plumb/engine';

/** What a person says of a hold on the command line. */
export interface HoldFlags {
  /** Milliseconds. */
  readonly for?: number | undefined;
  readonly until?: string | undefined;
  readonly reason?: string | undefined;
  readonly field?: readonly string[] | undefined;
  readonly atEnd: HoldEnd;
}

/** What is to stand longer than that belongs into Git. */
const MAX_HOLD_MS = 7 * 24 * 60 * 60_000;

/** What the flags say, before anything is asked of a cluster. Errors: `Usage` with the flag that is missing or wrong. */
export function checkedHold(
  flags: Omit<HoldFlags, 'atEnd'>,
  now: number,
): { readonly until: number; readonly reason: string } {
  const reason = checkedReason(flags.reason);
  checkFields(flags.field ?? []);
  return { until: endOf(flags, now), reason };
}

/** Errors: `Usage`. */
export function checkedReason(reason: string | undefined): string {
  const text = (reason ?? '').trim();
  if (text !== '') return text;
  throw new PlumbError('Usage', 'the reason is missing', { fix: 'Say why with --reason TEXT.' });
}

/** Errors: `Usage`. */
export function checkFields(fields: readonly string[]): void {
  const wrong = fields.find((field) => parseFieldPattern(field) === undefined);
  if (wrong === undefined) return;
  throw new PlumbError('Usage', `--field ${wrong} is not a field`, {
    fix: 'Write it as a plan does (spec.template.spec.containers[name="app"].image), or as /spec/replicas or .spec.replicas.',
  });
}

function endOf({ for: forMs, until }: Pick<HoldFlags, 'for' | 'until'>, now: number): number {
  if (forMs !== undefined && until !== undefined) {
    throw new PlumbError('Usage', '--for and --until exclude each other', { fix: 'Leave one of them out.' });
  }
  if (forMs === undefined && until === undefined) {
    throw new PlumbError('Usage', 'the end is missing', {
      fix: 'Say with --for DURATION or --until TIME when it ends: --for 2h.',
    });
  }
  const end = until === undefined ? now + (forMs ?? 0) : parsedTime(until);
  if (end <= now) throw new PlumbError('Usage', 'the end is not in the future', { fix: 'Say a later one.' });
  if (end - now <= MAX_HOLD_MS) return end;
  throw new PlumbError('Usage', 'a hold lasts for 7 days at most: what is to stand longer belongs into Git', {
    fix: 'Keep it with "plumb drift keep", or leave the fields alone with "plumb drift ignore"; or choose an earlier end.',
  });
}

function parsedTime(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(time)) return time;
  throw new PlumbError('Usage', `--until ${text} is not a time with a zone`, {
    fix: 'Write it as 2026-01-31T18:00:00Z or 2026-01-31T19:00:00+01:00.',
  });
}

export interface HoldWish {
  readonly spec: TargetSpec;
  readonly object: ObjectRef | undefined;
  readonly fields: readonly string[] | undefined;
  /** Epoch milliseconds; whole seconds are written. */
  readonly until: number;
  readonly by: string;
  readonly reason: string;
  readonly atEnd: HoldEnd;
}

/** The Hold that says so. The same wish has the same name, so that asking twice holds once. Error: `SpecInvalid`. */
export function holdOf(wish: HoldWish): Hold {
  const { spec: target, object, fields, by, reason, atEnd } = wish;
  const [namespace = '', application = ''] = target.application.split('/');
  const spec = {
    application,
    ...(target.environment === '' ? {} : { environment: target.environment }),
    allowEdits: true as const,
    ...(object === undefined ? {} : { object: objectSpec(object) }),
    ...(fields === undefined ? {} : { fields }),
    until: isoSeconds(Math.ceil(wish.until / 1000) * 1000),
    by,
    reason,
    atEnd,
  };
  const stem = [application, ...(target.environment === '' ? [] : [target.environment])].join('-').slice(0, 200);
  const tag = createHash('sha256').update(canonicalJson(spec)).digest('hex').slice(0, 6);
  const metadata = { namespace, name: `${stem}-${tag}` };
  const decoded = decodeHold({ apiVersion: API_VERSION, kind: HOLD.kind, metadata, spec });
  if (!decoded.ok) throw decoded.error;
  return decoded.value;
}

function objectSpec({ group, kind, namespace, name }: ObjectRef): NonNullable<Hold['spec']['object']> {
  return { group, kind, ...(namespace === '' ? {} : { namespace }), name };
}

function isoSeconds(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
