import { PlumbError } from '@plumb/core';
import { compareBuild, Range, SemVer } from 'semver';

/** Versions as a chart is asked for them. Only {@link parseVersionRange} makes one. */
export interface VersionRange {
  /** As it was written. */
  readonly text: string;
  /** The version, where exactly one is named. */
  readonly exact: string | undefined;
  matches(version: string): boolean;
}

const MAX_LENGTH = 256;
const EXACT = /^v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
/** As Helm reads the versions of charts: minor and patch may be left out. */
const VERSION = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;
const BUILD = /\+[0-9A-Za-z.-]+/g;
const NAMES_PRERELEASE = /[\dxX*]-[0-9A-Za-z]/;
const EXCLUDED = /!=\s*([^\s,]+)/g;
/** `>=1.19-0` and its like, which charts use to let prereleases in: npm wants all three numbers before the hyphen. */
const SHORT_PRERELEASE = /(?<=^|\s)(>|[<>]=|=|~>?|\^|<)?\s*v?(\d+)(?:\.(\d+))?(-[0-9A-Za-z.-]+)/g;

/**
 * Reads a version or a range as Helm does, whose library (Masterminds) differs from npm's: a comma means "and", `!=`
 * excludes, `=>` and `=<` are known, and a prerelease matches only where its alternative (between `||`) names one, but
 * then any prerelease within the bounds does. One difference to Helm is on purpose: an exact version with build metadata
 * is that build and no other.
 *
 * @throws {PlumbError} `SpecInvalid`
 */
export function parseVersionRange(written: string): VersionRange {
  const text = written.trim();
  if (EXACT.test(text) && parse(text) !== undefined) {
    return { text, exact: text, matches: (version) => isSame(text, version) };
  }
  if (text.length > MAX_LENGTH) throw invalid('it is too long');
  const alternatives = (text === '' ? '*' : text).split('||').map((alternative) => parseAlternative(alternative, text));
  return {
    text,
    exact: undefined,
    matches(version) {
      const parsed = parse(version);
      return parsed !== undefined && alternatives.some((matches) => matches(parsed));
    },
  };
}

/**
 * The newest of the versions that match; undefined where none does. Prereleases come before their release, builds of one
 * version in the order of their names.
 */
export function pickVersion(range: VersionRange, versions: readonly string[]): string | undefined {
  // One that is written the same is meant, even beside its equals (`v1.2.3`).
  if (range.exact !== undefined && versions.includes(range.exact)) return range.exact;
  return newestFirst(versions.filter((version) => range.matches(version)))[0];
}

/** Without what is no version. */
export function newestFirst(versions: readonly string[]): readonly string[] {
  return versions
    .flatMap((version) => {
      const parsed = parse(version);
      return parsed === undefined ? [] : [{ version, parsed }];
    })
    .toSorted((left, right) => compareBuild(right.parsed, left.parsed))
    .map(({ version }) => version);
}

export function isVersion(text: string): boolean {
  return parse(text) !== undefined;
}

function parse(version: string): SemVer | undefined {
  const match = VERSION.exec(version);
  if (match === null || version.length > MAX_LENGTH) return undefined;
  const [, major = '', minor = '0', patch = '0', prerelease = '', build = ''] = match;
  try {
    return new SemVer(`${major}.${minor}.${patch}${prerelease}${build}`);
  } catch {
    // A leading zero, or a number that is no safe integer.
    return undefined;
  }
}

function isSame(exact: string, version: string): boolean {
  const [left, right] = [parse(exact), parse(version)];
  if (left === undefined || right === undefined) return false;
  return left.build.length === 0 ? left.compare(right) === 0 : left.compareBuild(right) === 0;
}

function parseAlternative(alternative: string, text: string): (version: SemVer) => boolean {
  const plain = alternative.replaceAll(BUILD, '').replaceAll('=>', '>=').replaceAll('=<', '<=');
  if (plain.split(',').some((part) => part.trim() === '')) throw invalid(`"${text}" lacks a part`);
  const namesPrerelease = NAMES_PRERELEASE.test(plain);
  const bounds = plain.replaceAll(EXCLUDED, ' ').replaceAll(',', ' ');
  const included = parseRange(bounds, text);
  const excluded = Array.from(plain.matchAll(EXCLUDED), ([, version = '']) => parseRange(version, text));
  return (version) =>
    (namesPrerelease || version.prerelease.length === 0) &&
    included.test(version) &&
    !excluded.some((range) => range.test(version));
}

function parseRange(part: string, text: string): Range {
  const full = part.replaceAll(/(?<=^|\s)\*-0(?=$|\s)/g, '>=0.0.0-0').replaceAll(SHORT_PRERELEASE, fillShortPrerelease);
  try {
    return new Range(full.trim(), { includePrerelease: true });
  } catch {
    throw invalid(`"${text}" is not one`);
  }
}

function fillShortPrerelease(
  _match: string,
  operator: string | undefined,
  major: string,
  minor: string | undefined,
  prerelease: string,
): string {
  // More than all of 1.19: there the prerelease says no more than that prereleases count.
  if (operator === '>') return `>${major}${minor === undefined ? '' : `.${minor}`}`;
  return `${operator ?? '~'}${major}.${minor ?? '0'}.0${prerelease}`;
}

function invalid(fault: string): PlumbError {
  return new PlumbError('SpecInvalid', `the version of the chart is neither a version nor a range of them: ${fault}`, {
    field: 'version',
    fix: 'Write a version such as 1.2.3, or a range such as ^1.2 or ">=1.2, <2".',
  });
}
