import { API_VERSION, APPLICATION } from '@plumb/api';
import {
  applySetId,
  formatGroupKinds,
  parseGroupKinds,
  APPLYSET_GROUP_KINDS_ANNOTATION,
  APPLYSET_ID_LABEL,
  APPLYSET_NAMESPACES_ANNOTATION,
  APPLYSET_TOOLING_ANNOTATION,
  type GroupKind,
  type TargetKey,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import type { CatalogApplication } from './catalog.ts';
import { parentOf, type NamespacedName } from './targets.ts';

/** `name/version`, as the ApplySet convention wants it. */
const TOOLING = 'plumb/v1';

/**
 * The parents of the ApplySets: each Application says, in the annotations of the convention, which kinds its objects are
 * of. With that and the marks on the objects membership can be rebuilt from the cluster alone.
 */
export class Parents {
  readonly #client: Pick<KubeClient, 'apply'>;
  readonly #application: (name: NamespacedName) => CatalogApplication | undefined;
  /** What was last written, which the watch may not have seen yet. */
  readonly #written = new Map<NamespacedName, string>();
  readonly #turns = new Map<NamespacedName, Promise<unknown>>();

  constructor(
    client: Pick<KubeClient, 'apply'>,
    application: (name: NamespacedName) => CatalogApplication | undefined,
  ) {
    this.#client = client;
    this.#application = application;
  }

  targetsOf(name: NamespacedName): readonly TargetKey[] {
    return [...(this.#application(name)?.targets.keys() ?? [])];
  }

  /** The kinds that the annotation names. */
  kindsOf(name: NamespacedName): readonly GroupKind[] {
    const written =
      this.#written.get(name) ??
      this.#application(name)?.application.metadata.annotations?.[APPLYSET_GROUP_KINDS_ANNOTATION];
    return written === undefined ? [] : parseGroupKinds(written);
  }

  /** The watch shows the application anew: once it shows what was written, it is believed again. */
  seen(name: NamespacedName): void {
    const shown = this.#application(name)?.application.metadata.annotations?.[APPLYSET_GROUP_KINDS_ANNOTATION];
    if (shown === this.#written.get(name)) this.#written.delete(name);
  }

  forget(name: NamespacedName): void {
    this.#written.delete(name);
    this.#turns.delete(name);
  }

  /**
   * Writes the annotation; the targets of one application take turns. What the turn before has added stays where it is
   * wanted when this turn comes: `wanted` is asked then.
   */
  async write(
    name: NamespacedName,
    kinds: readonly GroupKind[],
    wanted: () => readonly GroupKind[],
    signal: AbortSignal,
  ): Promise<void> {
    const before = this.#turns.get(name);
    const asked = formatGroupKinds(this.kindsOf(name));
    const turn = (before ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        // Nobody wrote in between: as decided. Else what there is now stays, and narrowing is decided anew.
        const others = formatGroupKinds(this.kindsOf(name)) === asked ? [] : this.kindsOf(name);
        return this.#write(name, [...kinds, ...wanted(), ...others], signal);
      });
    this.#turns.set(name, turn);
    await turn;
  }

  async #write(name: NamespacedName, kinds: readonly GroupKind[], signal: AbortSignal): Promise<void> {
    const entry = this.#application(name);
    if (entry === undefined) return;
    const { application, targets } = entry;
    const value = formatGroupKinds(kinds);
    if (value === formatGroupKinds(this.kindsOf(name))) return;
    const { metadata } = application;
    const others = new Set([...targets.values()].map(({ namespace }) => namespace));
    others.delete(metadata.namespace);
    await this.#client.apply(
      {
        apiVersion: API_VERSION,
        kind: APPLICATION.kind,
        metadata: {
          name: metadata.name,
          namespace: metadata.namespace,
          // With the uid this can only ever change the application that was read, and never create one.
          ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
          labels: { [APPLYSET_ID_LABEL]: applySetId(parentOf(application)) },
          annotations: {
            [APPLYSET_TOOLING_ANNOTATION]: TOOLING,
            [APPLYSET_GROUP_KINDS_ANNOTATION]: value,
            ...(others.size === 0 ? {} : { [APPLYSET_NAMESPACES_ANNOTATION]: [...others].sort().join(',') }),
          },
        },
      },
      { manager: 'plumb-applyset', force: true, signal },
    );
    this.#written.set(name, value);
  }
}
