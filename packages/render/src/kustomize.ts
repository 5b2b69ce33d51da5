import { isJsonObject, PlumbError, type DocumentAt, type JsonObject, type Origin, type SourceTree } from '@plumb/core';
import { explainExhaustion, kustomizeError } from './kustomize-error.ts';
import { DocumentLines } from './document-lines.ts';
import type { Trace } from './read-set.ts';
import { resolveFrom } from './repository-path.ts';
import { RepositoryPart } from './repository-part.ts';
import type { KustomizeOptions, RenderRequest } from './request.ts';
import { FrameWriter, parseGuestJson } from './sandbox/frame.ts';
import type { Sandbox } from './sandbox/pool.ts';
import { readReply, type Reply } from './sandbox/reply.ts';
import { findSourceFile } from './source-files.ts';
import { decodeYaml } from './yaml/decode.ts';
import { decodeText } from './yaml/text.ts';

export interface Built {
  readonly documents: readonly DocumentAt[];
  /** Paths of all files that had a part in it. */
  readonly files: readonly string[];
  readonly warnings: readonly string[];
}

/** A build asks for more files at most this often; each time for all that the last one missed. */
const MAX_ROUNDS = 50;

/** More digits than JavaScript's numbers hold exactly: our own reader then says which one. */
const LONG_NUMBER = /\d{16}/;

/**
 * `kustomize build` of a folder. The build sees a part of the repository only; as long as it misses something that is
 * there, it gets that too and starts over, so that the result is that of the whole repository.
 */
export async function buildKustomization(
  sandbox: Sandbox,
  request: RenderRequest,
  folder: string,
  trace: Trace,
  errors: PlumbError[],
): Promise<Built> {
  const { tree, signal } = request;
  const over = await overlayOf({ ...request, tree: trace.tree }, folder);
  const asked = new Set<string>();
  const part = new RepositoryPart(rememberAsked(tree, asked));
  let isDone = false;
  try {
    const built = await buildWith(part, over, folder, { sandbox, request, trace, errors });
    isDone = errors.length === 0;
    return built;
  } catch (thrown) {
    throw explainExhaustion(thrown, part.files);
  } finally {
    // What a build that failed would have read is not known: all that was looked at for it counts.
    if (!isDone && !signal.aborted) for (const path of asked) trace.note(path, await tree.find(path, { signal }));
  }
}

function rememberAsked(tree: SourceTree, asked: Set<string>): SourceTree {
  return {
    find: (path, call) => {
      asked.add(path);
      return tree.find(path, call);
    },
    treeId: (path, call) => tree.treeId(path, call),
    entries: (path, call) => tree.entries(path, call),
    read: (entries, call) => tree.read(entries, call),
  };
}

interface BuildContext {
  readonly sandbox: Sandbox;
  readonly request: RenderRequest;
  readonly trace: Trace;
  readonly errors: PlumbError[];
}

async function buildWith(
  part: RepositoryPart,
  over: KustomizeOptions | undefined,
  folder: string,
  { sandbox, request, trace, errors }: BuildContext,
): Promise<Built> {
  const { tree, signal } = request;
  const call = { signal };
  await part.add([folder, ...componentsOf(over, folder)], call);
  let reply = await build(sandbox, part, folder, over, request);
  for (let round = 1; round < MAX_ROUNDS; round++) {
    const missed = reply.texts('misses').filter((path) => part.foundAt(path) === undefined && !part.folders.has(path));
    if ((await part.add(missed, call)) === 0) break;
    reply = await build(sandbox, part, folder, over, request);
  }
  const reads = reply.texts('reads');
  for (const path of reads) trace.note(path, part.foundAt(path));
  for (const path of [...reply.texts('misses'), ...part.links.keys()]) trace.note(path, await tree.find(path, call));
  if (reply.error !== undefined) {
    const hasOverlay = Object.keys(over ?? {}).length > 0;
    errors.push(kustomizeError(reply.error, { reads, files: part.files, folder: hasOverlay ? undefined : folder }));
    return { documents: [], files: reads, warnings: [] };
  }
  const lines = new DocumentLines(part.files);
  return {
    documents: reply.list('manifests').map((item) => toDocument(item, reply, lines, part)),
    files: reads,
    warnings: [],
  };
}

async function build(
  sandbox: Sandbox,
  part: RepositoryPart,
  path: string,
  over: KustomizeOptions | undefined,
  { owner, signal }: RenderRequest,
): Promise<Reply> {
  const writer = new FrameWriter();
  const none = { o: 0, n: 0 };
  const frame = writer.frame({
    op: 'kustomizeBuild',
    path,
    over,
    files: [
      ...[...part.folders].map((folder) => ({ p: folder, d: true, ...none })),
      ...[...part.files].map(([file, bytes]) => ({ p: file, ...writer.put(bytes) })),
      ...[...part.links].map(([link, target]) => ({ p: link, l: target, ...none })),
    ],
  });
  return readReply(await sandbox.call(frame, { world: { nowMs: 0, seed: '' }, isFresh: false, owner, signal }));
}

function componentsOf(over: KustomizeOptions | undefined, folder: string): readonly string[] {
  return (over?.components ?? []).map((name) => {
    const path = resolveFrom(folder, name);
    if (path !== undefined) return path;
    throw new PlumbError('PathEscape', `the component ${JSON.stringify(name)} is not inside the repository`);
  });
}

/** What `spec.render.kustomize` says, patch files put in: the build may read no file above its own folder. */
async function overlayOf(request: RenderRequest, folder: string): Promise<KustomizeOptions | undefined> {
  const { kustomize, tree, signal } = request;
  if (kustomize === undefined) return undefined;
  const patches: JsonObject[] = [];
  for (const { path: name, ...patch } of kustomize.patches ?? []) {
    if (name === undefined) {
      patches.push(patch);
      continue;
    }
    const path = typeof name === 'string' ? resolveFrom(folder, name) : undefined;
    const entry = path === undefined ? undefined : await findSourceFile(tree, path, { signal });
    if (entry === undefined) {
      throw new PlumbError('PathMissing', `there is no patch ${String(name)} in the repository`, {
        fix: 'Correct the path in spec.render.kustomize.patches, or restore the file.',
      });
    }
    const [bytes] = await tree.read([entry], { signal });
    patches.push({ ...patch, patch: decodeText(bytes ?? new Uint8Array(), entry.path) });
  }
  return { ...kustomize, ...(kustomize.patches === undefined ? {} : { patches }) };
}

function toDocument(item: JsonObject, reply: Reply, lines: DocumentLines, part: RepositoryPart): DocumentAt {
  const origin = originOf(item, lines, part);
  const text = reply.text(item['json']);
  const value = LONG_NUMBER.test(text) ? decodeYaml(text, origin.file)[0]?.value : parseGuestJson(text);
  if (!isJsonObject(value)) throw new PlumbError('RenderCrash', 'the sandbox answered an object that is none');
  return { value, origin };
}

function originOf({ file, index, patches }: JsonObject, lines: DocumentLines, part: RepositoryPart): Origin {
  const source = typeof file === 'string' ? part.realPath(file) : '';
  const line = typeof index === 'number' && index >= 0 ? lines.lineOf(source, index) : undefined;
  const patchFiles = (Array.isArray(patches) ? (patches as readonly unknown[]) : [])
    .filter((patch) => typeof patch === 'string')
    .map((patch) => lines.kustomizationIn(patch) ?? part.realPath(patch));
  return {
    file: source,
    ...(line === undefined ? {} : { line }),
    ...(patchFiles.length === 0 ? {} : { patches: patchFiles }),
  };
}
