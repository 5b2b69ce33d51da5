import {
  diffObjects,
  equalJson,
  fail,
  formatFieldPath,
  formatWhere,
  groupOf,
  isAbort,
  ok,
  parseFieldPath,
  parseObjectKey,
  PlumbError,
  shortName,
  shortNameOf,
  refOf,
  toPlumbError,
  valueAt,
  type FieldPath,
  type Json,
  type KubeObject,
  type ObjectKey,
  type Rendered,
  type RenderedObject,
  type Result,
  type SourceTree,
  type Where,
} from '@plumb/core';
import {
  isUnchanged,
  keepCandidates,
  overrideCandidates,
  type EditCandidate,
  type RenderOutcome,
  type WishedChange,
  withValueAt,
} from '@plumb/render';
import { editedTree } from './edited-tree.ts';
import { isSameMeaning } from './is-same-meaning.ts';
import type { TargetRenderer } from './target-renderer.ts';
import { targetName, type TargetSpec } from './targets.ts';
import { holdsSecret } from './without-secrets.ts';

/** A field as it is live: what Git is to say from now on. */
export interface LiveField {
  /** As `formatFieldPath` writes it. */
  readonly path: string;
  /** Undefined where the field is not there. */
  readonly live: Json | undefined;
}

export interface KeepEditsRequest {
  readonly spec: TargetSpec;
  readonly tree: SourceTree;
  /** Epoch milliseconds of the commit: what `now` answers in templates. */
  readonly committedMs: number;
  readonly renderer: Pick<TargetRenderer, 'render' | 'externalsOf' | 'secretsOf'>;
  readonly key: ObjectKey;
  readonly fields: readonly LiveField[];
  /** The other targets that follow the same branch. */
  readonly others: readonly TargetSpec[];
  /** Whether others may change as well. */
  readonly allowsOthers: boolean;
  /** What others share is laid over for this target alone, where that can be, instead of refused. Default: no. */
  readonly isForThisAlone?: boolean | undefined;
  /** The one file that may be edited; undefined: whichever it takes. */
  readonly file?: string | undefined;
  readonly signal: AbortSignal;
}

export interface KeepEdits {
  /** The files as they are to be, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Where each field is written now. */
  readonly places: readonly { readonly path: string; readonly where: Where }[];
  /** Other targets that change as well, as people call them: `shop → dev`. */
  readonly others: readonly string[];
  /** Values of Secrets that Git's own values may hold: what is said of the edit must not. */
  readonly secrets: readonly string[];
}

/**
 * How the repository has to change so that it renders to the live values of an object: the smallest edit that is found, and
 * that a render has proven. After each one the object has the live value, and nothing else of the target is another than
 * before; other targets stay as they are, unless they may change. Writes nothing. Errors: `KeepImpossible`, `KeepShared`,
 * and those of a render.
 */
export async function keepEdits(request: KeepEditsRequest): Promise<Result<KeepEdits, readonly PlumbError[]>> {
  try {
    const search = await KeepSearch.start(request);
    for (const field of request.fields) await search.keep(field);
    return ok(search.found());
  } catch (thrown) {
    if (isAbort(thrown, request.signal)) throw thrown;
    if (thrown instanceof RenderFailure) return fail(thrown.errors);
    if (thrown instanceof PlumbError) return fail([thrown]);
    throw thrown;
  }
}

class RenderFailure extends Error {
  readonly errors: readonly PlumbError[];

  constructor(errors: readonly PlumbError[]) {
    super(errors[0]?.message);
    this.errors = errors;
  }
}

/** An edit that does what it should, and who else would notice. */
interface Proven {
  readonly candidate: EditCandidate;
  readonly tree: SourceTree;
  readonly rendered: Rendered;
  readonly others: readonly string[];
}

/** Places that were tried in vain are named up to this many. */
const MAX_REASONS = 4;

class KeepSearch {
  readonly #request: KeepEditsRequest;
  readonly #targets: TargetRenders;
  readonly #name: string;
  readonly #secrets: readonly string[];
  readonly #files = new Map<string, string>();
  readonly #places: { readonly path: string; readonly where: Where }[] = [];
  #others: readonly string[] = [];
  /** As far as the edits go that were found. */
  #tree: SourceTree;
  #rendered: Rendered;

  static async start(request: KeepEditsRequest): Promise<KeepSearch> {
    const targets = new TargetRenders(request);
    const outcome = await targets.render(request.spec, request.tree);
    if (!outcome.ok) throw new RenderFailure(outcome.error);
    return new KeepSearch(request, targets, outcome.value, await request.renderer.secretsOf(request.spec, request));
  }

  private constructor(
    request: KeepEditsRequest,
    targets: TargetRenders,
    rendered: Rendered,
    secrets: readonly string[],
  ) {
    this.#secrets = secrets;
    this.#request = request;
    this.#targets = targets;
    this.#name = shortNameOf(request.key);
    this.#tree = request.tree;
    this.#rendered = rendered;
  }

  found(): KeepEdits {
    return { files: this.#files, places: this.#places, others: this.#others, secrets: this.#secrets };
  }

  async keep({ path, live }: LiveField): Promise<void> {
    const { key, spec, signal } = this.#request;
    const fields = parseFieldPath(path);
    const object = objectOf(this.#rendered, key, spec.namespace);
    if (fields === undefined) throw this.#impossible(path, ['the path is none'], []);
    if (object === undefined) {
      throw new PlumbError('KeepImpossible', `${this.#name} is not in Git`, { subject: this.#name });
    }
    if (object.object.kind === 'Secret' && groupOf(object.object.apiVersion) === '') {
      throw new PlumbError('KeepImpossible', `${this.#name} is a Secret, and what is in one is not written to Git`, {
        subject: this.#name,
        fix: 'Keep it where your secrets are kept, or let it be healed.',
      });
    }
    if (holdsSecret(live, this.#secrets)) {
      const holds = 'its live value holds that of a Secret that variables come from';
      throw new PlumbError('KeepImpossible', `${path} of ${this.#name} is not kept: ${holds}`, {
        subject: this.#name,
        field: path,
        fix: 'Change it in Git by hand, with the variable in it, or let it be healed.',
      });
    }
    const before = valueAt(object.object, fields);
    if (isSameMeaning(fields, before, live)) return;
    const change: WishedChange = { object, path: fields, before, after: live };
    const source = {
      tree: this.#tree,
      rendered: this.#rendered,
      folder: spec.path,
      environment: spec.render.environment,
    };
    const { edits, refusals } = await keepCandidates(source, change, { signal });
    const tried: string[] = [];
    const shared: Proven[] = [];
    for (const candidate of edits) {
      const proven = await this.#prove(candidate, change, tried);
      if (proven === undefined) continue;
      if (this.#mayBe(proven)) return this.#take(proven, path);
      shared.push(proven);
    }
    // What is not written anywhere can be laid over; what is, only where a person says so.
    const found = shared.map(({ candidate }) => candidate);
    const overrides = await overrideCandidates(source, change, found, { signal });
    const alone: Proven[] = [];
    for (const candidate of overrides) {
      const proven = await this.#prove(candidate, change, []);
      if (proven === undefined || proven.others.length > 0) continue;
      const isWished = shared.length === 0 || this.#request.file !== undefined || this.#request.isForThisAlone === true;
      if (this.#mayBe(proven) && isWished) return this.#take(proven, path);
      alone.push(proven);
    }
    throw shared.length > 0 ? this.#shared(path, shared, alone) : this.#impossible(path, tried, refusals);
  }

  /** Renders the edited tree; undefined, with the reason in `tried`, where that is not exactly what is wished. */
  async #prove(candidate: EditCandidate, change: WishedChange, tried: string[]): Promise<Proven | undefined> {
    const { spec } = this.#request;
    const tree = editedTree(this.#tree, new Map([[candidate.file, candidate.text]]));
    const outcome = await this.#targets.render(spec, tree);
    const place = formatWhere(candidate);
    if (!outcome.ok) {
      tried.push(`${place}: ${outcome.error[0]?.message ?? 'it renders to an error'}`);
      return undefined;
    }
    const rest = differenceFrom(this.#rendered, outcome.value, change);
    if (rest !== undefined) {
      tried.push(`${place} ${rest}`);
      return undefined;
    }
    const all = new Map([...this.#files, [candidate.file, candidate.text]]);
    const others = await this.#targets.changedBy(editedTree(this.#request.tree, all));
    return { candidate, tree, rendered: outcome.value, others };
  }

  #mayBe({ candidate, others }: Proven): boolean {
    const { file, allowsOthers } = this.#request;
    return (file === undefined || candidate.file === file) && (others.length === 0 || allowsOthers);
  }

  #take({ candidate, tree, rendered, others }: Proven, path: string): void {
    const { file, line, text } = candidate;
    this.#tree = tree;
    this.#rendered = rendered;
    this.#files.set(file, text);
    this.#places.push({ path, where: { file, line } });
    this.#others = others;
  }

  #shared(path: string, [first]: readonly Proven[], alone: readonly Proven[]): PlumbError {
    const { candidate, others = [] } = first ?? {};
    const { file = '', line = 1 } = candidate ?? {};
    const files = [...new Set(alone.map((proven) => proven.candidate.file))];
    const only = files.length === 0 ? '' : `, or keep it for this one alone with --file ${files.join(' or --file ')}`;
    const isOther = this.#request.file !== undefined && this.#request.file !== file;
    const why = isOther
      ? `${this.#request.file} is not where it can be kept; ${file} is`
      : `${formatWhere({ file, line })} is read by ${others.join(', ')} too`;
    return new PlumbError('KeepShared', `${path} of ${this.#name} is not kept: ${why}`, {
      where: { file, line },
      subject: this.#name,
      field: path,
      fix: `Let the others change as well with --also${only}.`,
    });
  }

  #impossible(path: string, tried: readonly string[], refusals: readonly PlumbError[]): PlumbError {
    const { spec, file } = this.#request;
    const [refusal] = refusals;
    const reasons = [...(refusal === undefined ? [] : [refusal.message]), ...tried];
    const more = reasons.length > MAX_REASONS ? `; and ${reasons.length - MAX_REASONS} more` : '';
    const why = reasons.slice(0, MAX_REASONS).join('; ') + more;
    const inSpec =
      spec.render.values !== undefined || spec.render.set !== undefined || spec.render.setString !== undefined;
    const hint = inSpec ? ' What the Application itself sets (spec.render, environments) is changed there.' : '';
    const where = file === undefined ? 'no line of the repository is found' : `no line of ${file} is found`;
    const message = `${path} of ${this.#name} is not kept: ${where} that gives it the live value and changes nothing else`;
    return new PlumbError('KeepImpossible', why === '' ? message : `${message} (${why})`, {
      where: refusal?.where,
      subject: this.#name,
      field: path,
      fix: `Change it in Git by hand, or let it be healed.${hint}`,
    });
  }
}

/** Renders targets of one commit, each one's first outcome once. */
class TargetRenders {
  readonly #request: KeepEditsRequest;
  readonly #first = new Map<string, Promise<RenderOutcome>>();
  readonly #externals = new Map<string, ReturnType<KeepEditsRequest['renderer']['externalsOf']>>();

  constructor(request: KeepEditsRequest) {
    this.#request = request;
  }

  async render(spec: TargetSpec, tree: SourceTree): Promise<RenderOutcome> {
    const { renderer, committedMs, signal } = this.#request;
    // Chart and variables of one moment: what comes of an edit is held against what came without it.
    const reading = this.#externals.get(spec.target) ?? renderer.externalsOf(spec, { signal });
    this.#externals.set(spec.target, reading);
    const externals = await reading;
    return await renderer.render(spec, { tree, externals, committedMs }, { signal });
  }

  /** The other targets that would not render to what they render to now; of one that cannot be told it is said. */
  async changedBy(tree: SourceTree): Promise<readonly string[]> {
    const changed: string[] = [];
    for (const spec of this.#request.others) {
      const name = targetName(spec);
      try {
        if (await this.#isChanged(spec, tree)) changed.push(name);
      } catch (thrown) {
        if (isAbort(thrown, this.#request.signal)) throw thrown;
        changed.push(`${name} (${toPlumbError(thrown).message})`);
      }
    }
    return changed;
  }

  async #isChanged(spec: TargetSpec, tree: SourceTree): Promise<boolean> {
    const { tree: base, signal } = this.#request;
    const first = this.#first.get(spec.target) ?? this.render(spec, base);
    this.#first.set(spec.target, first);
    const before = await first;
    if (await isUnchanged(before.reads, { tree }, { signal })) return false;
    const after = await this.render(spec, tree);
    // What is broken now may be repaired by it: that is a change too.
    if (!before.ok || !after.ok) return true;
    return !areSame(before.value.objects, after.value.objects);
  }
}

/** The rendered object that a key means: what names no namespace goes to that of the target. */
function objectOf({ objects }: Rendered, key: ObjectKey, namespace: string): RenderedObject | undefined {
  const ref = parseObjectKey(key);
  return objects.find(({ object }) => {
    const own = refOf(object);
    const isThere = ref?.namespace === '' || (own.namespace === '' ? namespace : own.namespace) === ref?.namespace;
    return own.group === ref?.group && own.kind === ref.kind && own.name === ref.name && isThere;
  });
}

function areSame(before: readonly RenderedObject[], after: readonly RenderedObject[]): boolean {
  return before.length === after.length && before.every((one, index) => isSameObject(one, after[index]));
}

function isSameObject(before: RenderedObject, after: RenderedObject | undefined): boolean {
  if (after === undefined || JSON.stringify(before.hook) !== JSON.stringify(after.hook)) return false;
  return equalJson(before.object as unknown as Json, after.object as unknown as Json);
}

/** What an edit does besides or instead of what is wished; undefined where it does exactly that. */
function differenceFrom(
  before: Rendered,
  after: Rendered,
  { object, path, after: live }: WishedChange,
): string | undefined {
  if (before.objects.length !== after.objects.length) return 'brings or removes objects';
  for (const [index, old] of before.objects.entries()) {
    const now = after.objects[index];
    if (now === undefined) return 'removes an object';
    if (old !== object) {
      if (!isSameObject(old, now)) return `changes ${shortName(refOf(old.object))} too`;
      continue;
    }
    if (JSON.stringify(refOf(old.object)) !== JSON.stringify(refOf(now.object))) return 'gives it another name';
    const wanted = withValueAt(old.object as unknown as Json, path, live) as unknown as KubeObject | undefined;
    if (wanted === undefined) return 'has no such field';
    for (const rest of diffObjects(wanted, now.object)) {
      const place = parseFieldPath(rest.path) ?? [];
      if (!isOnWay(place, path)) return `changes ${rest.path} too`;
      if (!isSameMeaning(place, rest.before, rest.after)) return 'does not give it the live value';
    }
  }
  return undefined;
}

/** Whether one of two paths leads to the other. */
function isOnWay(a: FieldPath, b: FieldPath): boolean {
  const length = Math.min(a.length, b.length);
  return formatFieldPath(a.slice(0, length)) === formatFieldPath(b.slice(0, length));
}
