import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isJsonObject, mergeValues, PlumbError, type JsonObject } from '@plumb/core';
import { decodeText, decodeYaml } from '@plumb/render';

/**
 * The files of `--values`, later ones over earlier ones, maps merged key by key, as `helm --values` does. They are the
 * person's own choice, so they may lie anywhere; only what a repository names itself has to stay inside of it.
 */
export async function readValuesFiles(files: readonly string[], cwd: string): Promise<JsonObject | undefined> {
  let values: JsonObject | undefined;
  for (const file of files) values = mergeValues(values, await readValues(file, cwd));
  return values;
}

async function readValues(file: string, cwd: string): Promise<JsonObject> {
  const where = { file };
  const bytes = await readFile(resolve(cwd, file)).catch((cause: unknown) => {
    throw new PlumbError('PathMissing', `the values file ${file} cannot be read`, {
      where,
      fix: 'Correct the name of the values file.',
      cause,
    });
  });
  const [first] = decodeYaml(decodeText(bytes, file), file);
  if (first === undefined || first.value === null) return {};
  if (isJsonObject(first.value)) return first.value;
  throw new PlumbError('ValuesInvalid', `the values in ${file} are not a map`, { where: { file, line: first.line } });
}
