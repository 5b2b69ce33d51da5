import { PlumbError, type FieldPath, type Json, type RenderedObject, type SourceTree } from '@plumb/core';
import { decodeYaml } from '../yaml/decode.ts';
import { decodeText, lineAt } from '../yaml/text.ts';
import { findSourceFile } from '../source-files.ts';
import { editYaml, type YamlEdit } from './edit-yaml.ts';

/** A field of an object as Git has it now, and as it is to be. */
export interface WishedChange {
  readonly object: RenderedObject;
  readonly path: FieldPath;
  /** What the repository renders to; undefined where the field is not there. */
  readonly before: Json | undefined;
  /** What is live; undefined where the field is not there. */
  readonly after: Json | undefined;
}

/** One file that could be changed. Only a render of it tells whether that has the wished effect. */
export interface EditCandidate {
  /** Where the content lies in the repository, links followed. */
  readonly file: string;
  /** The first line that differs, counted in the new text. */
  readonly line: number;
  /** The whole file as it would be. */
  readonly text: string;
  /** Of a values file: which value it sets. */
  readonly value?: { readonly path: FieldPath; readonly value: Json };
}

export interface Candidates {
  /** What is written there now, the likeliest first. */
  readonly edits: readonly EditCandidate[];
  /** What would be laid over it, for this folder alone. */
  readonly overrides: readonly EditCandidate[];
  /** Why a place that was found cannot be edited. */
  readonly refusals: readonly PlumbError[];
}

export interface TextFile {
  readonly file: string;
  readonly text: string;
}

/** The file that a path leads to; undefined where there is none that can be read as a text. */
export async function readTextFile(
  tree: SourceTree,
  path: string,
  call: { readonly signal: AbortSignal },
): Promise<TextFile | undefined> {
  try {
    const entry = await findSourceFile(tree, path, call);
    if (entry === undefined) return undefined;
    const [bytes = new Uint8Array()] = await tree.read([entry], call);
    decodeText(bytes, entry.path);
    // A UTF-16 text would come back in another encoding.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { file: entry.path, text };
  } catch (thrown) {
    if (thrown instanceof PlumbError || thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}

/** The values of a text's documents; none where it is no YAML. */
export function documentsIn({ file, text }: TextFile): readonly { readonly value: Json; readonly line: number }[] {
  try {
    return decodeYaml(text.replace(/^\uFEFF/, ''), file);
  } catch (thrown) {
    if (thrown instanceof PlumbError) return [];
    throw thrown;
  }
}

/** Gathers what could be changed, and why what was found cannot. */
export class CandidateList {
  readonly edits: EditCandidate[] = [];
  readonly refusals: PlumbError[] = [];

  /** One value of a file, or several of them at once. */
  tryEdit(source: TextFile, edits: readonly Omit<YamlEdit, 'file'>[], value?: EditCandidate['value']): void {
    const edited = editedBy(source, edits);
    if (edited instanceof PlumbError) this.refusals.push(edited);
    else this.tryText(source, edited, value);
  }

  tryText({ file, text: before }: TextFile, text: string, value?: EditCandidate['value']): void {
    const isKnown = this.edits.some((other) => other.file === file && other.text === text);
    if (text === before || isKnown) return;
    this.edits.push({ file, text, line: firstChangedLine(before, text), ...(value === undefined ? {} : { value }) });
  }
}

/** The text with all of the edits made, or why one of them cannot be made. */
export function editedBy({ file, text }: TextFile, edits: readonly Omit<YamlEdit, 'file'>[]): string | PlumbError {
  let edited = text;
  for (const edit of edits) {
    const result = editYaml(edited, { ...edit, file });
    if (!result.ok) return result.error;
    edited = result.value;
  }
  return edited;
}

function firstChangedLine(before: string, after: string): number {
  let at = 0;
  while (at < after.length && before[at] === after[at]) at++;
  // A line that is added begins behind the end of the one before.
  const isAdded = after[at] === '\n' && before[at] !== undefined;
  return lineAt(after, isAdded || at === before.length ? at + 1 : at);
}
