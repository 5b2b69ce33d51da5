import {
  equalJson,
  fail,
  formatFieldPath,
  isJsonArray,
  isJsonObject,
  ok,
  PlumbError,
  type FieldPath,
  type Json,
  type Result,
} from '@plumb/core';
import { decodeYaml, type YamlDocument } from '../yaml/decode.ts';
import { layoutOf } from '../yaml/layout.ts';
import { lineAt } from '../yaml/text.ts';
import { indexOf, madeItem, nestedValue, withValueAt } from './json-edit.ts';
import { NodeEditor, Unwritable, type Slot, type TextEdit } from './node-editor.ts';

export interface YamlEdit {
  /** For messages, and `.json` is written as JSON. */
  readonly file: string;
  /** Which document, counted from 0. Default 0. */
  readonly document?: number;
  readonly path: FieldPath;
  /** What is to stand at the path; undefined removes it. */
  readonly value: Json | undefined;
}

const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The text with one value changed, added or removed, and every other byte as it was: comments, quotes, indentation, line
 * ends, anchors. A text keeps its style where that can hold it. What comes out is decoded and compared: where it is not the old
 * value with exactly that change, nothing comes out. Errors: `EditRefused` with file and line, and those of `decodeYaml`
 * for a text that cannot be read.
 */
export function editYaml(given: string, edit: YamlEdit): Result<string, PlumbError> {
  const mark = given.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const text = given.slice(mark.length);
  try {
    return ok(mark + editedText(text, edit));
  } catch (thrown) {
    if (thrown instanceof PlumbError) return fail(thrown);
    if (!(thrown instanceof Unwritable)) throw thrown;
    const { file, path } = edit;
    const message = `${formatFieldPath(path)} is not edited: ${thrown.message}`;
    return fail(new PlumbError('EditRefused', message, { where: { file, line: lineAt(text, thrown.offset) } }));
  }
}

function editedText(text: string, { file, document = 0, path, value }: YamlEdit): string {
  const documents = decodeYaml(text, file);
  const root = layoutOf(text, file)[document];
  const old = documents[document]?.value;
  if (root === undefined || old === undefined) throw new Unwritable('there is no such document', text.length);
  const wanted = path.length === 0 ? value : withValueAt(old, path, value);
  if (wanted === undefined) throw new Unwritable('the path does not lead into what stands there', root.start);
  if (equalJson(old, wanted)) return text;
  let refusal: Unwritable | undefined;
  // The closest to what stands there first; what does not read back as it should is written more plainly.
  for (const style of ['kept', 'literal', 'quoted'] as const) {
    try {
      const editor = new NodeEditor(text, { style, isJson: file.endsWith('.json') }, root);
      const edited = applied(text, editsFor(editor, { node: root, role: 'root' }, old, path, value));
      if (isExactly(edited, file, { text, documents }, document, wanted)) return edited;
    } catch (thrown) {
      if (!(thrown instanceof Unwritable)) throw thrown;
      refusal ??= thrown;
    }
  }
  throw refusal ?? new Unwritable('no way to write it reads back as it should', root.start);
}

/** Follows the path as far as it leads, and edits there. */
function editsFor(
  editor: NodeEditor,
  slot: Slot,
  old: Json,
  path: FieldPath,
  value: Json | undefined,
): readonly TextEdit[] {
  const [first, ...rest] = path;
  const { node } = slot;
  if (first === undefined) {
    if (value === undefined) throw new Unwritable('a document is not removed', node.start);
    return editor.set(slot, old, value);
  }
  editor.checkAlone(node);
  if (old === null && value !== undefined) {
    const made = nestedValue(path, value);
    if (made === undefined) throw new Unwritable('nothing stands there', node.start);
    return editor.set(slot, old, made);
  }
  if ('field' in first) {
    if (node.kind !== 'map' || !isJsonObject(old)) throw new Unwritable('no map stands there', node.start);
    const index = node.pairs.findIndex(({ name }) => name === first.field);
    const pair = node.pairs[index];
    if (pair === undefined) {
      if (Object.hasOwn(old, first.field)) {
        throw new Unwritable(`${first.field} comes from another place by "<<"`, node.start);
      }
      const made = value === undefined ? undefined : nestedValue(rest, value);
      return made === undefined ? [] : editor.addPairs(node, [[first.field, made]]);
    }
    if (rest.length === 0 && value === undefined) return editor.removePairs(slot, node, [index]);
    return editsFor(
      editor,
      { node: pair.value, role: 'pair', pair, parent: node },
      old[first.field] ?? null,
      rest,
      value,
    );
  }
  if (node.kind !== 'list' || !isJsonArray(old)) throw new Unwritable('no list stands there', node.start);
  const index = indexOf(old, first);
  if (index === undefined) {
    const made = madeItem(first, rest, value);
    if (made === undefined) return [];
    return editor.insertItems(node, node.items.length, [made]);
  }
  if (rest.length === 0 && value === undefined) return editor.removeItems(slot, node, index, index + 1);
  const item = node.items[index];
  if (item === undefined) throw new Unwritable('no such item stands there', node.start);
  return editsFor(editor, { node: item.value, role: 'item', item, parent: node }, old[index] ?? null, rest, value);
}

function applied(text: string, edits: readonly TextEdit[]): string {
  let edited = text;
  let after = Infinity;
  // From the end, so that offsets stay true; of two at one place the later one was meant to stand behind the other, and
  // what is taken out there goes first.
  for (const { start, end, text: written } of edits
    .toReversed()
    .toSorted((a, b) => b.start - a.start || b.end - a.end)) {
    if (end > after) throw new Unwritable('two changes touch the same place', start);
    edited = edited.slice(0, start) + written + edited.slice(end);
    after = start;
  }
  return edited;
}

/** Whether the edited text says what it should, and nothing else. */
function isExactly(
  edited: string,
  file: string,
  { text: before, documents }: { readonly text: string; readonly documents: readonly YamlDocument[] },
  document: number,
  wanted: Json,
): boolean {
  try {
    const after = decodeYaml(edited, file);
    return (
      // Readers do not agree on a `|` text whose last line has no end.
      (endsInBlock(before, file) || !endsInBlock(edited, file)) &&
      after.length === documents.length &&
      after.every(({ value }, index) => equalJson(value, index === document ? wanted : documents[index]?.value))
    );
  } catch (thrown) {
    if (thrown instanceof PlumbError) return false;
    throw thrown;
  }
}

function endsInBlock(text: string, file: string): boolean {
  if (text.endsWith('\n')) return false;
  let node = layoutOf(text, file).at(-1);
  while (node?.kind === 'map' || node?.kind === 'list') {
    node = node.kind === 'map' ? node.pairs.at(-1)?.value : node.items.at(-1)?.value;
  }
  return node?.kind === 'scalar' && node.body?.end === text.length;
}
