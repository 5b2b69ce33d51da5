import type { PlumbError } from '@plumb/core';
import type { RenderOutcome } from '@plumb/render';

/**
 * What `plumb render` refuses. Of charts and kustomizations it prints what upstream prints: that an API server would not
 * take an object is then a warning, and an error only of what applies it.
 */
export function refusals(outcome: RenderOutcome): readonly PlumbError[] {
  if (outcome.ok || isUpstream(outcome)) return [];
  return outcome.error;
}

export function warningsOf(outcome: RenderOutcome): readonly string[] {
  if (outcome.ok) return outcome.value.warnings;
  return isUpstream(outcome) ? outcome.error.map(({ message }) => message) : [];
}

function isUpstream({ choice, documents }: RenderOutcome): boolean {
  return documents.length > 0 && (choice?.renderer === 'helm' || choice?.renderer === 'kustomize');
}
