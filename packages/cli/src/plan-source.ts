import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  API_VERSION,
  APPLICATION,
  decodeApplication,
  decodeRepository,
  type Application,
  type Repository,
} from '@plumb/api';
import { isJsonObject, PlumbError, type Clock, type SourceTree } from '@plumb/core';
import { credentialsFromSecret, openMirror, parseGitUrl, type GitCredentials, type Mirror } from '@plumb/git';
import { followedBranch, readDataOnce } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { decodeText, decodeYaml } from '@plumb/render';
import { nameFromFolder } from './folder-name.ts';
import { folderTree } from './folder-tree.ts';

/** The files that a plan is made from. */
export interface PlanSource {
  readonly tree: SourceTree;
  /** Undefined for what no commit has: a working copy, a merge. */
  readonly commit: string | undefined;
  /** How people call it: `9f3c1ab`, `working copy`, `pull request 7 at 9f3c1ab`. */
  readonly label: string;
  /** The commit that removes what is not in it, in short. */
  readonly removedBy?: string;
  readonly pullRequest?: { readonly number: number; readonly head: string; readonly isWhole: boolean };
  /** Epoch milliseconds of the commit; of a working copy, now. */
  readonly committedMs: number;
}

export interface WorkingCopy extends PlanSource {
  /** The folder that was named, relative to the root of the repository. */
  readonly path: string;
  /** What an application in it is called where nobody says. */
  readonly name: string;
}

/** The repository around a folder, as its files are now. */
export async function openWorkingCopy(folder: string, cwd: string, clock: Clock): Promise<WorkingCopy> {
  const directory = resolve(cwd, folder);
  const { tree, path } = await folderTree(directory);
  return {
    tree,
    commit: undefined,
    label: 'working copy',
    committedMs: clock.now(),
    path,
    name: nameFromFolder(directory),
  };
}

/**
 * The Applications that a working copy declares itself: for a cluster that has never seen Plumb. Files that cannot be read
 * as YAML are left out: templates are none.
 */
export async function applicationsIn(
  tree: SourceTree,
  options: { readonly signal: AbortSignal },
): Promise<readonly Application[]> {
  const entries = await tree.entries('', options);
  const files = entries.filter(({ path, mode }) => mode === 'file' && /\.(?:ya?ml|json)$/.test(path));
  const applications: Application[] = [];
  for (const file of files) {
    const [bytes] = await tree.read([file], options);
    if (bytes === undefined || !Buffer.from(bytes).includes(API_VERSION)) continue;
    for (const value of documentsOf(bytes, file.path)) {
      if (!isJsonObject(value) || value['apiVersion'] !== API_VERSION || value['kind'] !== APPLICATION.kind) continue;
      const decoded = decodeApplication(value);
      if (!decoded.ok) throw decoded.error;
      applications.push(decoded.value);
    }
  }
  return applications;
}

function documentsOf(bytes: Uint8Array, file: string): readonly unknown[] {
  try {
    return decodeYaml(decodeText(bytes, file), file).map(({ value }) => value);
  } catch (thrown) {
    if (thrown instanceof PlumbError) return [];
    throw thrown;
  }
}

export interface Remote extends AsyncDisposable {
  readonly repository: Repository;
  readonly mirror: Mirror;
  /** The files at a ref; undefined is the one that the Repository follows. */
  at(ref: string | undefined, options: { readonly signal: AbortSignal }): Promise<PlanSource>;
  /** Fetches the files below these paths at once, for many readers. */
  readonly prefetch: Mirror['prefetch'];
  /** Who wrote a line, at or before a commit that was asked for: see `Mirror.lineBy`. */
  readonly lineBy: Mirror['lineBy'];
  /**
   * The full name of the branch that a ref is; undefined is the one that the Repository follows. Undefined where it is a tag
   * or a commit, which nothing is pushed to.
   */
  branchOf(ref: string | undefined, options: { readonly signal: AbortSignal }): Promise<string | undefined>;
  readonly store: Mirror['store'];
  readonly push: Mirror['push'];
}

/** The remote of a Repository, fetched into a folder of its own that is removed again: the engine's mirror has one owner. */
export async function openRemote(client: KubeClient, repository: Repository, signal: AbortSignal): Promise<Remote> {
  await using opening = new AsyncDisposableStack();
  const folder = opening.adopt(await mkdtemp(join(tmpdir(), 'plumb-plan-')), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const url = parseGitUrl(repository.spec.url);
  const mirror = opening.use(
    await openMirror({
      url,
      folder: join(folder, 'mirror'),
      credentials: () => readCredentials(client, repository, signal),
      signal,
    }),
  );
  const open = opening.move();
  return {
    repository,
    mirror,
    async at(ref = repository.spec.ref ?? 'HEAD', call) {
      const commit = (await mirror.fetch([ref], call)).get(ref);
      if (commit === undefined)
        throw new PlumbError('RefMissing', `The repository has no ref ${ref}`, { subject: ref });
      const { committer } = await mirror.commit(commit, call);
      const short = commit.slice(0, 7);
      return { tree: mirror.at(commit), commit, label: short, removedBy: short, committedMs: committer.time };
    },
    prefetch: (commit, paths, call) => mirror.prefetch(commit, paths, call),
    lineBy: (commit, place, call) => mirror.lineBy(commit, place, call),
    branchOf: (ref = repository.spec.ref ?? 'HEAD', call) => followedBranch(mirror, ref, call),
    store: (commit, call) => mirror.store(commit, call),
    push: (commit, branch, call) => mirror.push(commit, branch, call),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function readCredentials(
  client: KubeClient,
  { metadata, spec }: Repository,
  signal: AbortSignal,
): Promise<GitCredentials> {
  if (spec.secretRef === undefined) return { kind: 'none' };
  return credentialsFromSecret(
    parseGitUrl(spec.url),
    await readSecret(client, metadata.namespace, spec.secretRef.name, signal),
  );
}

/** @throws {PlumbError} `SecretMissing`, `Forbidden` */
async function readSecret(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const data = await readDataOnce(client, 'Secret', namespace, name, { signal });
  if (data === undefined) throw new PlumbError('SecretMissing', `Secret ${name} in ${namespace} does not exist`);
  return data;
}

/** The Repository that an application reads from. */
export async function repositoryOf(
  client: KubeClient,
  application: Application,
  signal: AbortSignal,
): Promise<Repository> {
  const { namespace } = application.metadata;
  const name = application.spec.source.repository;
  const resource = await client.resource({ group: API_VERSION.split('/')[0] ?? '', kind: 'Repository' }, { signal });
  const object = await client.get(resource, { namespace, name }, { signal });
  if (object === undefined) throw new PlumbError('RepositoryMissing', `There is no Repository ${name} in ${namespace}`);
  const decoded = decodeRepository(object);
  if (!decoded.ok) throw decoded.error;
  return decoded.value;
}
