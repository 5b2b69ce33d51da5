import {
  driftText,
  formatChanges,
  parseFieldPath,
  parseObjectKey,
  shortNameOf,
  valueAt,
  type DriftField,
  type FieldChange,
  type KubeObject,
  type ObjectKey,
  type PlumbError,
  type SourceTree,
  type Where,
} from '@plumb/core';
import type { DriftRecord } from '@plumb/ledger';
import { editedTree } from './edited-tree.ts';
import type { HeldDrift } from './held-drifts.ts';
import { keepEdits, type KeepEditsRequest } from './keep-edits.ts';
import type { KeptObject } from './keep-message.ts';
import { fieldsWithoutSecrets } from './without-secrets.ts';

export interface HeldEditsRequest extends Omit<KeepEditsRequest, 'key' | 'fields' | 'allowsOthers' | 'file'> {
  readonly held: readonly HeldDrift[];
}

/** What a hold has left on the cluster, as far as Git can say it. */
export interface HeldEdits {
  /** The files as they are to be, by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly kept: readonly (KeptObject & { readonly places: readonly Where[] })[];
  /** What Git cannot be made to say by an edit, and why. */
  readonly left: readonly { readonly object: string; readonly why: string }[];
}

/** What is about the one edit: with anything else the repository or the cluster cannot be read, and it is tried again. */
const ABOUT_ONE_EDIT: readonly string[] = ['KeepImpossible', 'KeepShared'];

/**
 * Finds for each edit that stands by a hold the line that makes Git say so, one edit after another, each proven by renders.
 * Writes nothing. Throws what keeps the repository or the cluster from being read.
 */
export async function heldEdits(request: HeldEditsRequest): Promise<HeldEdits> {
  const { tree, held, signal } = request;
  const secrets = await request.renderer.secretsOf(request.spec, { signal });
  const plain = (change: FieldChange): FieldChange => fieldsWithoutSecrets(change, secrets);
  const search = { request, base: tree, files: new Map<string, string>() };
  const kept: HeldEdits['kept'][number][] = [];
  const left: HeldEdits['left'][number][] = [];
  for (const { drift, live, fields } of held) {
    const object = shortNameOf(drift.object);
    if (isSecret(drift.object) && fields.length > 0) {
      const paths = fields.map(({ path }) => path).join(', ');
      left.push({ object, why: `${paths}: what is in a Secret is not written to Git` });
      continue;
    }
    if (live === undefined || fields.length === 0) {
      left.push({ object, why: `${driftText(drift)}, which no line of Git says` });
      continue;
    }
    const changes: FieldChange[] = [];
    const places: Where[] = [];
    for (const field of fields) {
      const change = changeOf(field, live);
      const found = await keepOne(search, drift.object, change);
      if (!found.ok) left.push({ object, why: `${formatChanges([plain(change)]).join('')}: ${whyOf(found.error)}` });
      else if (found.places.length > 0) {
        changes.push(plain(change));
        places.push(...found.places);
      }
    }
    if (changes.length > 0) kept.push({ key: drift.object, changes, changedBy: authorsOf(drift), places });
  }
  return { files: search.files, kept, left };
}

interface Search {
  readonly request: HeldEditsRequest;
  readonly base: SourceTree;
  /** As far as the edits go that were found. */
  readonly files: Map<string, string>;
}

type Found =
  | { readonly ok: true; readonly places: readonly Where[] }
  | { readonly ok: false; readonly error: PlumbError };

/** Takes what it finds into the files. No place: Git says so already. */
async function keepOne({ request, base, files }: Search, key: ObjectKey, change: FieldChange): Promise<Found> {
  const { path, after: live } = change;
  const tree = files.size === 0 ? base : editedTree(base, files);
  const result = await keepEdits({
    ...request,
    tree,
    key,
    fields: [{ path, live }],
    allowsOthers: false,
    isForThisAlone: true,
  });
  if (result.ok) {
    for (const [file, text] of result.value.files) files.set(file, text);
    return { ok: true, places: result.value.places.map(({ where }) => where) };
  }
  const [error] = result.error;
  if (error === undefined || !ABOUT_ONE_EDIT.includes(error.code)) throw error ?? new Error('an error without a word');
  return { ok: false, error };
}

/** The value that is live now: it may have been edited again since it was found. */
function changeOf({ path, git }: DriftField, live: KubeObject): FieldChange {
  const fields = parseFieldPath(path);
  const after = fields === undefined ? undefined : valueAt(live, fields);
  return { path, ...(git === undefined ? {} : { before: git }), ...(after === undefined ? {} : { after }) };
}

/** The first sentence would say the object and the field once more. */
function whyOf({ message }: PlumbError): string {
  return message.replace(/^.* is not kept: /, '');
}

function isSecret(key: ObjectKey): boolean {
  const ref = parseObjectKey(key);
  return ref?.group === '' && ref.kind === 'Secret';
}

function authorsOf({ by, fields }: DriftRecord): readonly string[] {
  const all = [...fields.map((field) => field.by), by].flatMap(({ user, manager }) => user ?? manager ?? []);
  return [...new Set(all)];
}
