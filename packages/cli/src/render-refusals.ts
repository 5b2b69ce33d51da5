import { PlumbError } from '@plumb/core';
import type { RenderOutcome } from '@plumb/render';
import type { RenderInputFlags } from './render-folder.ts';

/**
 * What `plumb render` refuses. Of charts and kustomizations it prints what upstream prints: that an API server would not
 * take an object is then a warning, and an error only of what applies it.
 */
export function refusals(outcome: RenderOutcome): readonly PlumbError[] {
  if (outcome.ok || isUpstream(outcome)) return [];
  return outcome.error.map(inWordsOfFlags);
}

/** What a person should know besides, and nothing stops for. */
export function warningsOf(outcome: RenderOutcome, flags: RenderInputFlags): readonly string[] {
  const upstream = outcome.ok ? outcome.value.warnings : [];
  const refused = !outcome.ok && isUpstream(outcome) ? outcome.error.map(({ message }) => message) : [];
  return [...upstream, ...refused, ...idleFlags(outcome, flags)];
}

function isUpstream({ choice, documents }: RenderOutcome): boolean {
  return documents.length > 0 && (choice?.renderer === 'helm' || choice?.renderer === 'kustomize');
}

/** Flags that this renderer does not look at: who gave one expects it to count. */
function idleFlags({ choice }: RenderOutcome, { values, set, env }: RenderInputFlags): readonly string[] {
  if (choice === undefined) return [];
  const { renderer } = choice;
  const hasValues = renderer === 'helm' || renderer === 'values';
  const idle = [
    ...(values !== undefined && !hasValues ? ['--values'] : []),
    ...(set !== undefined && !hasValues ? ['--set'] : []),
    ...(env !== undefined && renderer !== 'values' ? ['--env'] : []),
  ];
  const instead = renderer === 'helm' ? '; name a file for the environment with --values' : '';
  return idle.map((flag) => `${flag} does not count: the renderer is ${renderer}${instead}`);
}

/** The table of errors speaks of an Application; here a flag says the same. */
export function inWordsOfFlags(error: PlumbError): PlumbError {
  if (error.code !== 'RendererUnclear' || error.fix !== error.facts.fix) return error;
  return new PlumbError(error.code, error.message, {
    where: error.where,
    fix: 'Say which is meant with --renderer, or move one of the two into a folder of its own.',
    cause: error,
  });
}
