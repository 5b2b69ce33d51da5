import type { Hold } from '@plumb/api';
import { minuteText, oneLine } from '@plumb/core';
import { holdCovers } from '@plumb/engine';
import { formatAge } from './engine-lease.ts';

/** What may be edited meanwhile: `Deployment/web spec.replicas`, `all objects`. */
export function coverText(spec: Hold['spec']): string {
  return oneLine(holdCovers(spec));
}

/** `in 40m`, `ended 3m ago`. */
export function restText({ until }: Hold['spec'], now: number): string {
  const end = Date.parse(until);
  return end > now ? `in ${formatAge(end - now)}` : `ended ${formatAge(now - end)} ago`;
}

export function hasEnded({ until }: Hold['spec'], now: number): boolean {
  return !(Date.parse(until) > now);
}

/** `2026-01-31 18:00 UTC (19:00 CET here)`; of a zone that is UTC, or is not known, only the first. */
export function timeText(time: number, zone: string | undefined): string {
  const utc = minuteText(time);
  const local = localParts(time, zone);
  if (local === undefined || `${local.date} ${local.clock}` === utc) return `${utc} UTC`;
  const day = utc.startsWith(local.date) ? '' : `${local.date} `;
  return `${utc} UTC (${day}${local.clock} ${local.zone} here)`;
}

interface LocalTime {
  readonly date: string;
  readonly clock: string;
  readonly zone: string;
}

/** Undefined names the zone of the machine. */
function localParts(time: number, zone: string | undefined): LocalTime | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-GB', {
      ...(zone === undefined || zone === '' ? {} : { timeZone: zone }),
      ...({ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const),
      timeZoneName: 'short',
    });
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
    return {
      date: `${part('year')}-${part('month')}-${part('day')}`,
      clock: `${part('hour')}:${part('minute')}`,
      zone: part('timeZoneName'),
    };
  } catch (thrown) {
    // TZ may say more than names of zones.
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}
