import { kindName, place, PlumbError, type DesiredSet, type Scope } from '@plumb/core';
import type { Commit } from '@plumb/git';
import type { KubeClient } from '@plumb/kube';
import type { RenderOutcome } from '@plumb/render';
import type { Externals } from './externals.ts';
import type { Sources } from './source.ts';
import type { TargetRenderer } from './target-renderer.ts';
import type { TargetSpec } from './targets.ts';

export interface DrawContext {
  readonly sources: Pick<Sources, 'treeAt' | 'externalsOf' | 'commitOf'>;
  readonly renderer: Pick<TargetRenderer, 'render'>;
  readonly client: Pick<KubeClient, 'resource'>;
  readonly signal: AbortSignal;
}

/** What a commit wants of a target. */
export interface Drawn {
  readonly rendered: RenderOutcome;
  /** None: `desired` is complete. */
  readonly errors: readonly PlumbError[];
  readonly desired: DesiredSet;
  readonly author: Commit['author'];
  readonly externals: Externals | undefined;
}

/** Renders, and puts the objects where they belong on the cluster. Remembers nothing. */
export async function drawTarget(
  spec: TargetSpec,
  { commit }: { readonly commit: string },
  { isFresh }: { readonly isFresh: boolean },
  { sources, renderer, client, signal }: DrawContext,
): Promise<Drawn | undefined> {
  const tree = sources.treeAt(spec.repository, commit);
  if (tree === undefined) return undefined;
  const externals = sources.externalsOf(spec);
  const { author, committer } = await sources.commitOf(spec.repository, commit, { signal });
  const source = { tree, externals, committedMs: committer.time, isFresh };
  const rendered = await renderer.render(spec, source, { signal });
  const objects = rendered.ok ? rendered.value.objects : [];
  const { scopes, others } = await scopesOf(
    objects.map(({ object }) => object),
    client,
    signal,
  );
  const placed = place(objects, {
    target: spec.target,
    namespace: spec.namespace,
    applySet: spec.applySet,
    scopeOf: (groupKind) => scopes.get(kindName(groupKind)),
    isInOtherVersion: (groupKind) => others.has(kindName(groupKind)),
  });
  const errors: readonly PlumbError[] = rendered.ok ? placed.errors : rendered.error;
  return { rendered, errors, desired: placed.desired, author, externals };
}

/** The scope of each kind; a kind that the cluster does not know is left out, and told where it has another version. */
async function scopesOf(
  objects: readonly { readonly apiVersion: string; readonly kind: string }[],
  client: DrawContext['client'],
  signal: AbortSignal,
): Promise<{ readonly scopes: ReadonlyMap<string, Scope>; readonly others: ReadonlySet<string> }> {
  const scopes = new Map<string, Scope>();
  const others = new Set<string>();
  const asked = new Set<string>();
  for (const { apiVersion, kind } of objects) {
    const slash = apiVersion.indexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    const version = apiVersion.slice(slash + 1);
    const name = kindName({ group, kind });
    if (asked.has(`${name} ${version}`)) continue;
    asked.add(`${name} ${version}`);
    try {
      const resource = await client.resource({ group, version, kind }, { signal });
      scopes.set(name, resource.namespaced ? 'namespaced' : 'cluster');
    } catch (thrown) {
      if (!isKindMissing(thrown)) throw thrown;
      const isOther = await client.resource({ group, kind }, { signal }).then(
        () => true,
        (error: unknown) => {
          if (isKindMissing(error)) return false;
          throw error;
        },
      );
      if (isOther) others.add(name);
    }
  }
  return { scopes, others };
}

function isKindMissing(thrown: unknown): boolean {
  return thrown instanceof PlumbError && thrown.code === 'KindMissing';
}
