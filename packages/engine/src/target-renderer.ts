import { createHmac } from 'node:crypto';
import type { PlumbError, Random, Result, SourceTree } from '@plumb/core';
import { readsCapabilities, type Renderer, type RenderOutcome, type RenderRequest, type ReadSet } from '@plumb/render';
import type { ClusterCapabilities } from './capabilities.ts';
import type { ExternalReader, Externals } from './externals.ts';
import type { NamedPolicies, PolicyFiles } from './policy-files.ts';
import type { TargetSpec } from './targets.ts';

interface Call {
  readonly signal: AbortSignal;
}

export interface TargetRendererOptions {
  readonly renderer: Renderer;
  readonly externals: ExternalReader;
  readonly capabilities: ClusterCapabilities;
  readonly policies: PolicyFiles;
  /** Of this installation: what stable randomness is drawn from. */
  readonly seedKey: Uint8Array;
  readonly random: Random;
}

/** A target's files at a commit, and what came to them from elsewhere. */
export interface TargetSource {
  readonly tree: SourceTree;
  readonly externals: Externals | undefined;
  /** Epoch milliseconds of the commit: what `now` answers. */
  readonly committedMs: number;
  /** Whether it is rendered anew although it is known what comes of it: to see whether the same comes of it again. */
  readonly isFresh?: boolean;
}

const NO_BYTES = new Uint8Array();

/** From a target to what the renderer is asked: the one place where spec, cluster, secrets and files come together. */
export class TargetRenderer {
  readonly #options: TargetRendererOptions;

  constructor(options: TargetRendererOptions) {
    this.#options = options;
  }

  /** Chart and variables as they are now; undefined where the spec names none. */
  async externalsOf({ externals }: TargetSpec, call: Call): Promise<Externals | undefined> {
    return externals === undefined ? undefined : this.#options.externals.read(externals, call);
  }

  /** Values that no text may tell: those of Secrets that variables come from. */
  async secretsOf({ externals }: TargetSpec, call: Call): Promise<readonly string[]> {
    return externals === undefined ? [] : this.#options.externals.secrets(externals, call);
  }

  /** The policies that a spec names, as they are in the tree; undefined where it names none. */
  async policiesOf(
    { policies }: TargetSpec,
    tree: SourceTree,
    call: Call,
  ): Promise<Result<NamedPolicies, readonly PlumbError[]> | undefined> {
    return policies === undefined ? undefined : this.#options.policies.read(policies, tree, call);
  }

  /** Reads are also those of the policies: a commit that changes them is news to who is judged by them. */
  async render(spec: TargetSpec, source: TargetSource, call: Call): Promise<RenderOutcome> {
    const { externals, renderer } = this.#options;
    const chart =
      source.externals === undefined || spec.externals === undefined
        ? undefined
        : await externals.archive(spec.externals, source.externals, call);
    const outcome = await renderer.render({ ...(await this.#request(spec, source, call)), chart });
    if (readsCapabilities(outcome.reads)) await this.#options.capabilities.follow();
    return { ...outcome, reads: await this.#withPolicies(outcome.reads, spec, source.tree, call) };
  }

  /** What an earlier render of the same read, where that is known and nothing of it has changed. */
  async recall(spec: TargetSpec, source: Omit<TargetSource, 'committedMs'>, call: Call): Promise<ReadSet | undefined> {
    const request = await this.#request(spec, { ...source, committedMs: 0 }, call);
    const chart = source.externals?.chart;
    const reads = await this.#options.renderer.recall({
      ...request,
      ...(chart === undefined ? {} : { chart: { ...chart, bytes: NO_BYTES } }),
    });
    return reads && this.#withPolicies(reads, spec, source.tree, call);
  }

  async #withPolicies(reads: ReadSet, { policies }: TargetSpec, tree: SourceTree, call: Call): Promise<ReadSet> {
    if (policies === undefined) return reads;
    return new Map([...reads, ...(await this.#options.policies.reads(policies, tree, call))]);
  }

  async #request(
    spec: TargetSpec,
    { tree, externals, committedMs, isFresh = false }: TargetSource,
    call: Call,
  ): Promise<RenderRequest> {
    return {
      ...spec.render,
      tree,
      path: spec.path,
      capabilities: await this.#options.capabilities.of(spec),
      substitution: externals?.substitution,
      seed: this.#seedOf(spec),
      isVolatile: spec.isVolatile,
      isFresh,
      nowMs: committedMs,
      owner: spec.application,
      signal: call.signal,
    };
  }

  /**
   * A password must stay what it is when a value changes that has nothing to do with it, so the values are no part of it;
   * and nobody may guess it, so a secret is.
   */
  #seedOf({ target, path, render, isVolatile }: TargetSpec): string {
    const { seedKey, random } = this.#options;
    if (isVolatile) return `${random.next()} ${random.next()} ${random.next()}`;
    const identity = [target, path, render.release, render.namespace];
    return createHmac('sha256', seedKey).update(JSON.stringify(identity)).digest('hex');
  }
}
