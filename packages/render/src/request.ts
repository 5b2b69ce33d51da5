import type { JsonObject, KubeObject, RendererName, SourceTree } from '@plumb/core';
import type { Substitution } from './substitute.ts';

/** What is rendered, and how: all that an Application says of it. Plain data. */
export interface RenderInputs {
  /** Overrides what the folder's contents tell. */
  readonly renderer?: RendererName | undefined;
  /** Lays `values-<environment>.yaml` over `values.yaml` of manifests with values, where it is there. */
  readonly environment?: string | undefined;
  /** `.Release.Name`. */
  readonly release: string;
  /** `.Release.Namespace`. */
  readonly namespace: string;
  /** Inline values, above all files. */
  readonly values?: JsonObject | undefined;
  /** Further values files, relative to `path` and inside the repository; later ones win. */
  readonly valuesFiles?: readonly string[] | undefined;
  /** In the syntax of `helm --set`, above everything. */
  readonly set?: readonly string[] | undefined;
  /** In the syntax of `helm --set-string`, above these. */
  readonly setString?: readonly string[] | undefined;
  /** Globs relative to `path`. Default `**\/*.{yaml,yml,json}`. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly helm?: HelmOptions | undefined;
  readonly kustomize?: KustomizeOptions | undefined;
}

export interface HelmOptions {
  /** Leave out what lies in `crds/`. Default false. */
  readonly skipCRDs?: boolean | undefined;
  /** Do not hold the values against `values.schema.json`. Default false. */
  readonly skipSchemaValidation?: boolean | undefined;
}

/** What a kustomization over the folder's own says, in Kustomize's words. */
export interface KustomizeOptions {
  readonly images?: readonly JsonObject[] | undefined;
  readonly patches?: readonly JsonObject[] | undefined;
  /** Folders, relative to `path`. */
  readonly components?: readonly string[] | undefined;
}

/** A values file with its text. */
export interface ValuesLayer {
  readonly path: string;
  readonly text: string;
}

/** What `.Capabilities` shows. Default: what `helm template` shows without a cluster. */
export interface Capabilities {
  readonly kubeVersion: string;
  /** `apps/v1` and `apps/v1/Deployment`; empty stands for Helm's built-in list. */
  readonly apiVersions: readonly string[];
}

/** A chart that was fetched from a registry; the tree holds its values files only. */
export interface ChartArchive {
  readonly name: string;
  readonly version: string;
  /** `sha256:…` of the bytes. */
  readonly digest: string;
  /** The `.tgz`. */
  readonly bytes: Uint8Array;
}

export interface RenderRequest extends RenderInputs {
  readonly tree: SourceTree;
  /** Folder in the tree; '' is the root. */
  readonly path: string;
  readonly chart?: ChartArchive | undefined;
  /** Values files that a person chose, wherever they lie: above `valuesFiles`, below `values`; later ones win. */
  readonly layers?: readonly ValuesLayer[] | undefined;
  readonly capabilities?: Capabilities | undefined;
  /** Variables to put in after the build. */
  readonly substitution?: Substitution | undefined;
  /** What random template functions draw from. Default: a digest of the other inputs. */
  readonly seed?: string | undefined;
  /** Never answered from what is kept, since its randomness is chance; what it read is kept. Default false. */
  readonly isVolatile?: boolean | undefined;
  /** Rendered anew, whatever is kept; the result is kept. Default false. */
  readonly isFresh?: boolean | undefined;
  /** What `lookup` finds, as recorded by whoever asks. Default: nothing. */
  readonly liveObjects?: readonly KubeObject[] | undefined;
  /** What `now` answers, in milliseconds since the epoch: the time of the commit. Default 0. */
  readonly nowMs?: number | undefined;
  /** Whose it is: renders of one owner do not take all threads from the others. Default: nobody's. */
  readonly owner?: string | undefined;
  readonly signal: AbortSignal;
}
