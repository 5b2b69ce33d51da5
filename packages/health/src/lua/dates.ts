import { LuaError, type Value } from './value.ts';

// Times are UTC: a health must not depend on where the engine runs.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** `os.date`: a text, or the fields for `*t`. */
export function dateText(format: string, seconds: number): string | Readonly<Record<string, Value>> {
  const date = new Date(seconds * 1_000);
  if (Number.isNaN(date.getTime())) throw new LuaError('date result cannot be represented');
  const pattern = format.replace(/^!/, '');
  if (!pattern.startsWith('*t'))
    return pattern.replaceAll(/%(.)/g, (whole, letter: string) => partOf(date, letter) ?? whole);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    min: date.getUTCMinutes(),
    sec: date.getUTCSeconds(),
    wday: date.getUTCDay() + 1,
    yday: dayOfYear(date),
    isdst: false,
  };
}

function partOf(date: Date, letter: string): string | undefined {
  const hour = date.getUTCHours();
  const day = DAYS[date.getUTCDay()] ?? '';
  const month = MONTHS[date.getUTCMonth()] ?? '';
  const clock = [hour, date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  const numbers = [date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCFullYear() % 100].map(two).join('/');
  const parts: Readonly<Record<string, string>> = {
    a: day.slice(0, 3),
    A: day,
    b: month.slice(0, 3),
    B: month,
    c: `${day.slice(0, 3)} ${month.slice(0, 3)} ${String(date.getUTCDate()).padStart(2)} ${clock} ${date.getUTCFullYear()}`,
    d: two(date.getUTCDate()),
    D: numbers,
    F: date.toISOString().slice(0, 10),
    H: two(hour),
    I: two(hour % 12 === 0 ? 12 : hour % 12),
    j: String(dayOfYear(date)).padStart(3, '0'),
    m: two(date.getUTCMonth() + 1),
    M: two(date.getUTCMinutes()),
    p: hour < 12 ? 'AM' : 'PM',
    s: String(Math.floor(date.getTime() / 1_000)),
    S: two(date.getUTCSeconds()),
    T: clock,
    w: String(date.getUTCDay()),
    x: numbers,
    X: clock,
    y: two(date.getUTCFullYear() % 100),
    Y: String(date.getUTCFullYear()),
    z: '+0000',
    Z: 'UTC',
    '%': '%',
  };
  return parts[letter];
}

/** `os.time`: seconds since 1970 of fields, which may overflow into each other. */
export function timeOf(field: (name: string) => number | undefined): number {
  const needed = (name: string): number => {
    const value = field(name);
    if (value === undefined) throw new LuaError(`field '${name}' missing in date table`);
    return value;
  };
  const time = Date.UTC(
    needed('year'),
    needed('month') - 1,
    needed('day'),
    field('hour') ?? 12,
    field('min') ?? 0,
    field('sec') ?? 0,
  );
  return Math.floor(time / 1_000);
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
