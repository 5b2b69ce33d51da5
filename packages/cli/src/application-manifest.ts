import {
  API_VERSION,
  APPLICATION,
  decodeApplication,
  decodeRepository,
  GROUP,
  REPOSITORY,
  type Application,
  type Repository,
} from '@plumb/api';
import {
  formatWhere,
  groupOf,
  isJsonObject,
  PlumbError,
  toPlumbError,
  trackedTarget,
  type Json,
  type KubeObject,
  type SourceTree,
  oneLine,
} from '@plumb/core';
import { nameOf, targetName, targetsOf, type TargetSpec } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { KUSTOMIZATION_NAMES, readTextFile, writtenObjects, type TextFile, type WrittenObject } from '@plumb/render';
import { listObjects } from './list-objects.ts';
import type { ChosenCluster } from './cluster.ts';
import { openRemote, type Remote } from './plan-source.ts';
import type { openRendererHere } from './renderer-here.ts';
import { throwAll } from './report-error.ts';

/** Where Git spells an Application out. */
export interface ManifestPlace {
  readonly remote: Remote;
  /** The full name of the followed branch. */
  readonly followed: string;
  readonly file: string;
}

export interface ManifestSearch {
  readonly client: KubeClient;
  readonly cluster: ChosenCluster;
  /** Opened only where a target of Plumb keeps the Application. */
  readonly openRenderer: () => ReturnType<typeof openRendererHere>;
  /** As it is on the cluster. */
  readonly live: KubeObject;
  readonly application: Application;
  /** All that there are. */
  readonly known: readonly KubeObject[];
  /** What could not be looked at. */
  readonly note: (line: string) => void;
  /** Takes what has to be closed in the end. */
  readonly stack: AsyncDisposableStack;
  readonly signal: AbortSignal;
}

/**
 * Finds the manifest of an Application. Where a target keeps it, that target is rendered, and says where it is from; else the
 * repositories that are followed are looked through, its own first. Errors: `ManifestMissing`; `ManifestBuilt` where a chart, a
 * template or a kustomization makes it.
 */
export async function findManifest(search: ManifestSearch): Promise<ManifestPlace> {
  const keeper = keeperOf(search);
  return keeper === undefined ? await searched(search) : await keptBy(keeper, search);
}

function keeperOf({ live, known }: ManifestSearch): TargetSpec | undefined {
  const target = trackedTarget(live);
  if (target === undefined) return undefined;
  for (const object of known) {
    const decoded = decodeApplication(object);
    const found = decoded.ok ? targetsOf(decoded.value).find((spec) => spec.target === target) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

async function keptBy(keeper: TargetSpec, search: ManifestSearch): Promise<ManifestPlace> {
  const { application, stack, signal } = search;
  const { name, namespace } = application.metadata;
  const repositories = await readRepositories(search);
  const repository = repositories.find((one) => nameOf(one) === keeper.repository);
  if (repository === undefined) {
    throw new PlumbError(
      'RepositoryMissing',
      `There is no Repository ${keeper.repository}, which ${targetName(keeper)} is from`,
    );
  }
  const remote = stack.use(await openRemote(search.client, repository, signal));
  const followed = await remote.branchOf(keeper.revision, { signal });
  if (followed === undefined) {
    throw new PlumbError(
      'ManifestBuilt',
      `${name} is kept by ${targetName(keeper)}, which stays at a tag or a commit`,
      {
        fix: 'Change it on a branch, and move spec.ref or the revision of the environment there.',
      },
    );
  }
  const { tree, committedMs } = await remote.at(followed, { signal });
  const { renderer } = stack.use(await search.openRenderer());
  const externals = await renderer.externalsOf(keeper, { signal });
  const outcome = await renderer.render(keeper, { tree, externals, committedMs }, { signal });
  if (!outcome.ok) throwAll(outcome.error);
  const found = outcome.value.objects.find(({ object }) => {
    const isThere = (object.metadata.namespace ?? keeper.namespace) === namespace;
    return isApplication(object) && object.metadata.name === name && isThere;
  });
  if (found === undefined) {
    throw new PlumbError('ManifestMissing', `${targetName(keeper)} keeps ${name}, and Git has it no more`);
  }
  const { origin } = found;
  const { file } = origin;
  const source = await readTextFile(tree, file, { signal });
  const isSpelledOut = outcome.value.renderer === 'plain' || outcome.value.renderer === 'values';
  if (isSpelledOut && source !== undefined && !source.text.includes('{{')) {
    return { remote, followed, file: source.file };
  }
  const how = {
    plain: 'from',
    values: 'by the template',
    helm: 'by the chart with',
    kustomize: 'by a kustomization from',
  };
  throw new PlumbError(
    'ManifestBuilt',
    `The Application ${name} is built ${how[outcome.value.renderer]} ${formatWhere(origin)}, for ${targetName(keeper)}`,
    { where: origin.line === undefined ? { file } : { file, line: origin.line } },
  );
}

async function readRepositories({ client, cluster, note, signal }: ManifestSearch): Promise<readonly Repository[]> {
  const listed = await listObjects(client, REPOSITORY.kind, cluster, { signal });
  return listed.flatMap((object) => {
    const decoded = decodeRepository(object);
    if (decoded.ok) return [decoded.value];
    note(`Not looked at: ${oneLine(decoded.error.message)}`);
    return [];
  });
}

async function searched(search: ManifestSearch): Promise<ManifestPlace> {
  const { application, note, stack, signal } = search;
  const own = `${application.metadata.namespace}/${application.spec.source.repository}`;
  const repositories = await readRepositories(search);
  const seen = new Set<string>();
  const templates: string[] = [];
  for (const repository of repositories.toSorted((a, b) => Number(nameOf(b) === own) - Number(nameOf(a) === own))) {
    const place = `${repository.spec.url} ${repository.spec.ref ?? ''}`;
    if (seen.has(place)) continue;
    seen.add(place);
    try {
      const remote = stack.use(await openRemote(search.client, repository, signal));
      const followed = await remote.branchOf(undefined, { signal });
      if (followed === undefined) {
        note(`Not looked at: the Repository ${nameOf(repository)} follows a tag or a commit.`);
        continue;
      }
      const { tree } = await remote.at(followed, { signal });
      const { files, built } = await manifestsIn(tree, application, { signal });
      const [file, ...others] = files;
      if (others.length > 0) {
        throw new PlumbError('ManifestBuilt', `${application.metadata.name} is written in ${files.join(' and ')}`, {
          fix: 'Change the one that counts by hand.',
        });
      }
      if (file !== undefined) {
        await checkPlain(tree, file, application, { signal });
        return { remote, followed, file };
      }
      templates.push(...built);
    } catch (thrown) {
      // Of others it is only a pity.
      const isOwn = nameOf(repository) === own;
      if (isOwn || !(thrown instanceof PlumbError) || thrown.code.startsWith('Manifest')) throw thrown;
      note(`Not looked at: ${oneLine(toPlumbError(thrown).message)}`);
    }
  }
  const [template] = templates;
  const { name } = application.metadata;
  if (template === undefined) {
    throw new PlumbError(
      'ManifestMissing',
      `No repository that is followed has the manifest of the Application ${name}`,
    );
  }
  throw new PlumbError(
    'ManifestBuilt',
    `No file spells the Application ${name} out; the template ${template} may build it`,
    {
      where: { file: template },
    },
  );
}

interface Call {
  readonly signal: AbortSignal;
}

/** The files that spell the Application out, and templates that may build it. */
async function manifestsIn(
  tree: SourceTree,
  application: Application,
  call: Call,
): Promise<{ readonly files: readonly string[]; readonly built: readonly string[] }> {
  const entries = await tree.entries('', call);
  const candidates = entries.filter(({ path, mode }) => mode === 'file' && /\.(?:ya?ml|json|tpl)$/.test(path));
  const contents = await tree.read(candidates, call);
  const exact: string[] = [];
  const loose: string[] = [];
  const built: string[] = [];
  for (const [index, { path }] of candidates.entries()) {
    if (!Buffer.from(contents[index] ?? []).includes(`${GROUP}/`)) continue;
    const source = await readTextFile(tree, path, call);
    if (source === undefined) continue;
    if (source.text.includes('{{')) {
      if (/^\s*kind:\s*["']?Application\b/m.test(source.text)) built.push(path);
      continue;
    }
    for (const { value } of manifestsOf(source, application)) {
      (namespaceOf(value) === undefined ? loose : exact).push(path);
    }
  }
  return { files: exact.length > 0 ? exact : loose, built };
}

/** The places in a file where the Application is written; one without a namespace may be it. */
export function manifestsOf(source: TextFile, { metadata }: Pick<Application, 'metadata'>): readonly WrittenObject[] {
  const written = writtenObjects(source).filter(({ value }) => {
    if (!isJsonObject(value) || value['apiVersion'] !== API_VERSION || value['kind'] !== APPLICATION.kind) return false;
    const own = isJsonObject(value['metadata']) ? value['metadata'] : {};
    return own['name'] === metadata.name && [undefined, metadata.namespace].includes(namespaceOf(value));
  });
  const exact = written.filter(({ value }) => namespaceOf(value) !== undefined);
  return exact.length > 0 ? exact : written;
}

function namespaceOf(value: Json): string | undefined {
  const metadata = isJsonObject(value) ? value['metadata'] : undefined;
  const namespace = isJsonObject(metadata) ? metadata['namespace'] : undefined;
  return typeof namespace === 'string' ? namespace : undefined;
}

/** Refuses what a chart or a kustomization around the file may change afterwards. */
async function checkPlain(tree: SourceTree, file: string, { metadata }: Application, call: Call): Promise<void> {
  const steps = file.split('/').slice(0, -1);
  const inFolder = (folder: readonly string[], name: string): string => [...folder, name].join('/');
  const by: string[] = [];
  for (const name of KUSTOMIZATION_NAMES) by.push(inFolder(steps, name));
  for (const [depth, step] of steps.entries()) {
    if (step === 'templates') by.push(inFolder(steps.slice(0, depth), 'Chart.yaml'));
  }
  for (const builder of by) {
    if ((await tree.find(builder, call)) === undefined) continue;
    throw new PlumbError('ManifestBuilt', `The Application ${metadata.name} is built by ${builder} from ${file}`, {
      where: { file: builder },
    });
  }
}

function isApplication({ apiVersion, kind }: KubeObject): boolean {
  return groupOf(apiVersion) === GROUP && kind === APPLICATION.kind;
}
