import { basename } from 'node:path';

/** A folder's name as far as it can be the name of an application or a release. */
export function nameFromFolder(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, 53)
    .replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'local' : name;
}
