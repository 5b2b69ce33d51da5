import { PlumbError, type DocumentAt, type SourceTree } from '@plumb/core';
import { markInside } from './choose-renderer.ts';
import { MAX_DOCUMENTS, readDocuments, tooManyDocuments } from './documents.ts';
import type { SourceFile } from './source-files.ts';
import { decodeText } from './yaml/text.ts';

/** Plain YAML and JSON files: read, decoded, nothing else. Problems of all files go to `errors`. */
export async function renderPlain(
  tree: SourceTree,
  files: readonly SourceFile[],
  errors: PlumbError[],
  options: { readonly signal: AbortSignal },
): Promise<{ readonly documents: readonly DocumentAt[]; readonly files: readonly string[] }> {
  const contents = await tree.read(
    files.map((file) => file.entry),
    options,
  );
  const documents: DocumentAt[] = [];
  for (const [index, file] of files.entries()) {
    const mark = markInside(file.name, file.path);
    if (mark !== undefined) {
      errors.push(mark);
      continue;
    }
    try {
      const text = decodeText(contents[index] ?? new Uint8Array(), file.path);
      documents.push(...readDocuments(text, file.path, errors));
    } catch (thrown) {
      if (!(thrown instanceof PlumbError)) throw thrown;
      errors.push(thrown);
    }
    if (documents.length > MAX_DOCUMENTS) throw tooManyDocuments(file.path);
  }
  return { documents, files: files.map((file) => file.path) };
}
