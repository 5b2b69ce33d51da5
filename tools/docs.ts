/** `node tools/run.mjs tools/docs.ts` writes the pages that are made from tables in the sources. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { errorsPage } from './errors-page.ts';

await writeFile(join(import.meta.dirname, '../docs/errors.md'), errorsPage());
