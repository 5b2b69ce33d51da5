import { join } from 'node:path';
import type { Charts } from '@plumb/charts';
import type { Clock, Random } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { createRenderer, type RenderCache } from '@plumb/render';
import { ClusterCapabilities } from './capabilities.ts';
import { ExternalReader, type ExternalsOptions } from './externals.ts';
import { PolicyFiles } from './policy-files.ts';
import { TargetRenderer } from './target-renderer.ts';

export interface TargetRendererFolders {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Where charts are kept; may be deleted at any time. */
  readonly cacheFolder: string;
  /** Secrets of this installation, for what purpose is said: see `LedgerReader.deriveKey`. */
  deriveKey(purpose: string): Promise<Uint8Array>;
  readonly readData: ExternalsOptions['readData'];
  /** What the cluster can do may be something else now. Undefined: whoever renders does not stay to hear it. */
  readonly capabilitiesChanged?: () => void;
  readonly cache?: RenderCache | undefined;
  readonly signal: AbortSignal;
}

export interface OpenTargetRenderer extends AsyncDisposable {
  readonly renderer: TargetRenderer;
  readonly capabilities: ClusterCapabilities;
}

/** What the key of stable randomness is derived for. */
const SEED = 'random functions of templates';

/** All that rendering targets needs, for the engine and for whoever plans without one. */
export async function openTargetRenderer(options: TargetRendererFolders): Promise<OpenTargetRenderer> {
  const { client, clock, random, cache, signal } = options;
  await using opening = new AsyncDisposableStack();
  let charts: Promise<Charts> | undefined;
  const openCharts = async (): Promise<Charts> => {
    const opener = await import('@plumb/charts');
    return opener.openCharts({ folder: join(options.cacheFolder, 'charts'), clock });
  };
  opening.defer(async () => (await charts?.catch(() => undefined))?.[Symbol.asyncDispose]());
  const capabilities = opening.use(
    new ClusterCapabilities({ client, clock, signal, changed: options.capabilitiesChanged }),
  );
  const renderer = new TargetRenderer({
    renderer: opening.use(createRenderer({ clock, cache })),
    externals: new ExternalReader({
      charts: () =>
        (charts ??= openCharts().catch((thrown: unknown) => {
          charts = undefined;
          throw thrown;
        })),
      key: await options.deriveKey('names of variables'),
      clock,
      readData: options.readData,
    }),
    capabilities,
    policies: new PolicyFiles({ monotonic: () => clock.monotonic() }),
    seedKey: await options.deriveKey(SEED),
    random,
  });
  const open = opening.move();
  return { renderer, capabilities, [Symbol.asyncDispose]: () => open.disposeAsync() };
}
