import { isJsonObject, PlumbError, type SourceTree, type TreeEntry } from '@plumb/core';
import { resolveFrom } from './repository-path.ts';
import type { RenderRequest, ValuesLayer } from './request.ts';
import { findSourceFile } from './source-files.ts';
import { decodeYaml } from './yaml/decode.ts';
import { decodeText } from './yaml/text.ts';

interface File {
  readonly path: string;
  readonly entry: TreeEntry;
}

/** The files of `valuesFiles`, lowest first. Throws `PathEscape` and `PathMissing`. */
export async function findValuesFiles(request: RenderRequest, folder: string): Promise<readonly File[]> {
  const { tree, signal } = request;
  const layers: File[] = [];
  for (const name of request.valuesFiles ?? []) {
    const path = resolveFrom(folder, name);
    if (path === undefined || /[\\\0]/.test(name)) {
      throw new PlumbError('PathEscape', `the values file ${JSON.stringify(name)} is not inside the repository`);
    }
    const entry = await findSourceFile(tree, path, { signal });
    if (entry === undefined) {
      throw new PlumbError('PathMissing', `there is no values file ${path}`, {
        where: { file: path },
        fix: 'Correct the name of the values file, or restore it.',
      });
    }
    layers.push({ path: entry.path, entry });
  }
  return layers;
}

/** The texts of files, in their order. What is no text goes to `errors`. */
export async function readTexts(
  tree: SourceTree,
  files: readonly File[],
  errors: PlumbError[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const contents = await tree.read(
    files.map((file) => file.entry),
    { signal },
  );
  return contents.map((bytes, index) => {
    try {
      return decodeText(bytes, files[index]?.path ?? '');
    } catch (thrown) {
      if (!(thrown instanceof PlumbError)) throw thrown;
      errors.push(thrown);
      return '';
    }
  });
}

/** What is wrong with a values file that Helm refused: it reads values more leniently than our own reader does. */
export function valuesFileError(message: string, { path, text }: ValuesLayer): PlumbError {
  try {
    const [first] = decodeYaml(text, path);
    const what = Array.isArray(first?.value) ? 'a list' : 'a single value';
    if (!isJsonObject(first?.value)) {
      return new PlumbError('ValuesInvalid', `the values are ${what}, not a map`, {
        where: { file: path, ...(first === undefined ? {} : { line: first.line }) },
      });
    }
  } catch (thrown) {
    if (!(thrown instanceof PlumbError)) throw thrown;
    return new PlumbError('ValuesInvalid', thrown.message, { where: thrown.where, cause: thrown });
  }
  return new PlumbError('ValuesInvalid', message, { where: { file: path } });
}
