import type { KubeObject } from './object.ts';

/** What the annotations of an object ask of those who apply and delete it. */
export interface SyncOptions {
  /** Where a field cannot be changed, the object may be deleted and made anew. */
  readonly recreate: boolean;
  /** Its kind may be brought by something that comes later: that is waited for. */
  readonly awaitsKind: boolean;
  /** Why it is never deleted when Git lets go of it, for people: `plumb.dev/prune: false`. */
  readonly keep?: string;
  /** Why a person is asked before it is deleted. */
  readonly askFirst?: string;
  /** Why it stays when its application is decommissioned. */
  readonly keepWithoutApplication?: string;
  /** What was asked for and does nothing here, in whole sentences without the full stop. */
  readonly notes: readonly string[];
}

export const SYNC_OPTIONS_ANNOTATION = 'plumb.dev/sync-options';

/** Later ones win, option by option. */
const ANNOTATIONS = ['argocd.argoproj.io/sync-options', SYNC_OPTIONS_ANNOTATION] as const;

/** Annotations of a single meaning that keep an object, whatever happens to its application. */
const KEEPERS: readonly (readonly [name: string, value: string])[] = [
  ['plumb.dev/prune', 'false'],
  ['kustomize.toolkit.fluxcd.io/prune', 'disabled'],
  ['helm.sh/resource-policy', 'keep'],
];

const FORCERS: readonly (readonly [name: string, value: string])[] = [
  ['kustomize.toolkit.fluxcd.io/force', 'enabled'],
  ['kustomize.toolkit.fluxcd.io/force', 'Enabled'],
];

const BOOLEAN = ['true', 'false'];

/**
 * Every option that is known, with its values. Those that name how Plumb works in any case are taken without a word:
 * `PruneLast` (deletions always come last), `ApplyOutOfSyncOnly`, `FailOnSharedResource`, `Replace` (a field that leaves
 * Git leaves the object), `RespectIgnoreDifferences` (a field that Git does not name is never touched).
 */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  ApplyOutOfSyncOnly: BOOLEAN,
  ClientSideApplyMigration: BOOLEAN,
  CreateNamespace: BOOLEAN,
  Delete: [...BOOLEAN, 'confirm'],
  FailOnSharedResource: BOOLEAN,
  Force: BOOLEAN,
  Prune: [...BOOLEAN, 'confirm'],
  PruneLast: BOOLEAN,
  PrunePropagationPolicy: ['foreground', 'background', 'orphan'],
  Replace: BOOLEAN,
  RespectIgnoreDifferences: BOOLEAN,
  ServerSideApply: BOOLEAN,
  SkipDryRunOnMissingResource: BOOLEAN,
  Validate: BOOLEAN,
};

/** Known options that ask for something that is not done, and what is done instead. */
const NOT_DONE: Readonly<Record<string, string>> = {
  'CreateNamespace=true': 'spec.createNamespace of the Application asks for it, or Git holds the namespace',
  'FailOnSharedResource=false': 'an object of another application always stops the release',
  'PrunePropagationPolicy=foreground': 'deletions run in the background',
  'PrunePropagationPolicy=orphan': 'deletions run in the background',
  'ServerSideApply=false': 'every write is a server-side apply',
  'Validate=false': 'the API server checks every field',
};

/**
 * Reads the options of Plumb, Argo CD, Flux and Helm. What is unknown is a note and never an error: an option changes
 * how an object is treated and not what it is.
 */
export function syncOptionsOf({ metadata }: Pick<KubeObject, 'metadata'>): SyncOptions {
  const { annotations = {}, labels = {} } = metadata;
  const options = new Map<string, { readonly value: string; readonly annotation: string }>();
  const notes: string[] = [];
  for (const annotation of ANNOTATIONS) {
    for (const text of (annotations[annotation] ?? '').split(',')) {
      const [name = '', value = ''] = text.split('=', 2).map((part) => part.trim());
      if (name === '' && value === '') continue;
      const values = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
      if (values === undefined) notes.push(`${annotation} has an unknown option "${text.trim()}"`);
      else if (!values.includes(value)) {
        notes.push(`${annotation} says "${text.trim()}", and ${name} is one of ${values.join(', ')}`);
      } else options.set(name, { value, annotation });
    }
  }
  for (const [name, { value, annotation }] of options) {
    const instead = NOT_DONE[`${name}=${value}`];
    if (instead !== undefined) notes.push(`${annotation}: ${name}=${value} does nothing: ${instead}`);
  }
  /** Why an option has a value; undefined where it has another one. */
  const because = (name: string, value: string): string | undefined => {
    const option = options.get(name);
    return option?.value === value ? `${option.annotation}: ${name}=${value}` : undefined;
  };
  const says = ([name, value]: readonly [string, string]): boolean =>
    annotations[name] === value || labels[name] === value;

  const keeper = KEEPERS.find(says)?.join(': ');
  const keep = keeper ?? because('Prune', 'false');
  const askFirst = because('Prune', 'confirm');
  const keepWithoutApplication = keeper ?? because('Delete', 'false');
  return {
    // Argo CD's `Replace` alone sends the whole object and deletes nothing.
    recreate:
      because('Force', 'true') !== undefined ||
      because('Replace', 'true')?.startsWith(SYNC_OPTIONS_ANNOTATION) === true ||
      FORCERS.some(says),
    awaitsKind: because('SkipDryRunOnMissingResource', 'true') !== undefined,
    ...(keep === undefined ? {} : { keep }),
    ...(askFirst === undefined ? {} : { askFirst }),
    ...(keepWithoutApplication === undefined ? {} : { keepWithoutApplication }),
    notes,
  };
}
