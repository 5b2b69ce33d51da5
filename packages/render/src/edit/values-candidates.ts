import { isJsonArray, isJsonObject, type FieldPath, type Json, type SourceTree } from '@plumb/core';
import { withValueAt } from './json-edit.ts';
import {
  CandidateList,
  documentsIn,
  editedBy,
  readTextFile,
  type EditCandidate,
  type TextFile,
  type WishedChange,
} from './edit-candidate.ts';
import {
  imageParts,
  isSameWritten,
  likeness,
  nameOfField,
  replacementFor,
  typedLike,
  writtenValues,
  type WrittenValue,
} from './written-value.ts';

interface Call {
  readonly signal: AbortSignal;
}

/** Values of one file that could be changed, and how likely it is that the field comes of it. */
interface Guess {
  readonly edits: readonly { readonly path: FieldPath; readonly value: Json | undefined }[];
  readonly score: number;
}

/** No more renders than this for one field. */
const MAX_GUESSES = 16;

/**
 * The values of values files that the field may come of: what is the same value, a part of it, or a map of the field's
 * name. The likeliest first, of equal ones that of the file that wins.
 *
 * @param files lowest first
 */
export async function tryValues(
  tree: SourceTree,
  files: readonly string[],
  change: WishedChange,
  into: CandidateList,
  call: Call,
): Promise<void> {
  const guesses: (Guess & { readonly source: TextFile })[] = [];
  for (const file of files.toReversed()) {
    const source = await readTextFile(tree, file, call);
    const root = source === undefined ? undefined : documentsIn(source)[0]?.value;
    if (source === undefined || root === undefined) continue;
    guesses.push(...guessesIn(root, change).map((guess) => ({ ...guess, source })));
  }
  const best = guesses.toSorted((a, b) => b.score - a.score).slice(0, MAX_GUESSES);
  for (const { source, edits } of best) {
    const [only, ...more] = edits;
    const value = only?.value;
    const isOne = more.length === 0 && only !== undefined && value !== undefined;
    into.tryEdit(source, edits, isOne ? { path: only.path, value } : undefined);
  }
}

function guessesIn(root: Json, change: WishedChange): readonly Guess[] {
  const { path, before, after } = change;
  const field = nameOfField(path);
  const values = writtenValues(root);
  const guesses: Guess[] = [];
  for (const written of values) {
    const score = likeness(written.name, field);
    if (after === undefined) {
      if (isSameWritten(written.value, before))
        guesses.push({ edits: [{ path: written.path, value: undefined }], score });
      continue;
    }
    if (before === undefined) continue;
    const value = replacementFor(written.value, before, after);
    if (value === undefined) continue;
    const isWhole = isSameWritten(written.value, before);
    const isTag = field === 'image' && /tag|version|digest|image|repository/i.test(written.name);
    guesses.push({ edits: [{ path: written.path, value }], score: score + (isWhole ? 1 : isTag ? 2 : 0) });
  }
  return [...guesses, ...withinMaps(values, change), ...variablesIn(values, change), ...imagesIn(values, change)];
}

/** A map of names and values that a template makes a list of: a variable that comes or goes is an entry of it. */
function variablesIn(values: readonly WrittenValue[], { path, before, after }: WishedChange): readonly Guess[] {
  const last = path.at(-1);
  const name = last !== undefined && 'key' in last ? last.key['name'] : undefined;
  const list = nameOfField(path.slice(0, -1));
  if (typeof name !== 'string' || (before !== undefined && after !== undefined)) return [];
  const value = isJsonObject(after) ? after['value'] : undefined;
  if (after !== undefined && value === undefined) return [];
  return values.flatMap((written): readonly Guess[] => {
    const isThere = isJsonObject(written.value) && Object.hasOwn(written.value, name);
    if (!isJsonObject(written.value) || isThere !== (after === undefined)) return [];
    const score = likeness(written.name, list);
    return score === 0 ? [] : [{ edits: [{ path: [...written.path, { field: name }], value }], score }];
  });
}

/** A map or list that is called like a part of the path takes up what is below. */
function withinMaps(values: readonly WrittenValue[], { path, after }: WishedChange): readonly Guess[] {
  return path.flatMap((_element, depth) => {
    const below = path.slice(depth + 1);
    const [next] = below;
    if (next === undefined) return [];
    const name = nameOfField(path.slice(0, depth + 1));
    return values.flatMap(({ path: at, name: written, value }): readonly Guess[] => {
      const score = likeness(written, name);
      const fits = 'field' in next ? isJsonObject(value) : isJsonArray(value);
      if (!fits || score === 0 || withValueAt(value, below, after) === undefined) return [];
      return [{ edits: [{ path: [...at, ...below], value: after }], score: score - 1 }];
    });
  });
}

/** Name and tag that stand beside each other and change together. */
function imagesIn(values: readonly WrittenValue[], { before, after }: WishedChange): readonly Guess[] {
  if (typeof before !== 'string' || typeof after !== 'string') return [];
  const [old, now] = [imageParts(before), imageParts(after)];
  if (old.name === now.name || old.tag === '' || old.tag === now.tag) return [];
  return values.flatMap((tag) => {
    if (!isSameWritten(tag.value, old.tag)) return [];
    return values.flatMap((name): readonly Guess[] => {
      const value = isSibling(name, tag) ? replacementFor(name.value, old.name, now.name) : undefined;
      if (value === undefined) return [];
      return [
        {
          edits: [
            { path: name.path, value },
            { path: tag.path, value: typedLike(tag.value, now.tag) },
          ],
          score: 4,
        },
      ];
    });
  });
}

function isSibling(a: WrittenValue, b: WrittenValue): boolean {
  return a !== b && JSON.stringify(a.path.slice(0, -1)) === JSON.stringify(b.path.slice(0, -1));
}

/**
 * The same value, set in a file that lies over the one where it was found.
 *
 * @param files lowest first
 * @param own the values file of the environment alone; made where it is not there
 */
export async function overValues(
  tree: SourceTree,
  found: EditCandidate,
  { files, own }: { readonly files: readonly string[]; readonly own: string | undefined },
  call: Call,
): Promise<readonly EditCandidate[]> {
  const { value } = found;
  if (value === undefined) return [];
  const list = new CandidateList();
  const over = files.slice(files.indexOf(found.file) + 1);
  for (const file of [...over].toReversed()) {
    const source = await readTextFile(tree, file, call);
    if (source === undefined) continue;
    list.tryEdit(source, [value], value);
  }
  const isNew = own !== undefined && !files.includes(own) && (await tree.find(own, call)) === undefined;
  const text = isNew ? newFile(own, value.path, value.value) : undefined;
  return text === undefined ? list.edits : [...list.edits, { file: own ?? '', line: 1, text }];
}

/** A file that sets this value and nothing else; undefined where the path leads through lists. */
function newFile(file: string, path: FieldPath, value: Json): string | undefined {
  if (!path.every((element) => 'field' in element)) return undefined;
  // Written below a key that then goes, so that it is in block style.
  const edited = editedBy({ file, text: 'x: 1\n' }, [{ path, value }]);
  return typeof edited === 'string' && edited.startsWith('x: 1\n') ? edited.slice('x: 1\n'.length) : undefined;
}
