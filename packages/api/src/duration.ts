/**
 * Milliseconds of a duration written as in Go with hours, minutes and seconds (`10s`, `5m`, `1h30m`), or undefined
 * where the text is not one. Signs, fractions, exponents, days and numbers of more than six digits are not accepted, so
 * every value is an exact, non-negative integer.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text);
  if (match === null || text === '') return undefined;
  const [hours, minutes, seconds] = match.slice(1).map((digits) => Number(digits ?? 0)) as [number, number, number];
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}
