/** `2026-01-31 18:00` in UTC: how people read a time, epoch milliseconds. */
export function minuteText(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}
