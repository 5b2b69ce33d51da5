/** `node tools/run.mjs tools/docs.ts` writes the pages that are made from the sources. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { generatedPages } from './generated-pages.ts';

for (const { path, text } of await generatedPages()) {
  const file = join(import.meta.dirname, '..', path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
