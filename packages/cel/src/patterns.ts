import type { ASTNode } from '@marcbachmann/cel-js';

const MAX_PATTERN_LENGTH = 200;
/** A group that repeats and holds a repetition: on this, backtracking takes for ever. */
const NESTED_REPETITION = /\([^()]*[*+{|][^()]*\)\s*[*+{]/;

/**
 * What is wrong with a pattern of `matches`, if anything is. The library matches by backtracking, which no count of steps
 * sees. So a pattern has to be there to be looked at.
 */
export function whyPatternRefused(node: unknown): string | undefined {
  if (Array.isArray(node)) {
    for (const item of node as readonly unknown[]) {
      const why = whyPatternRefused(item);
      if (why !== undefined) return why;
    }
    return undefined;
  }
  if (typeof node !== 'object' || node === null || !('op' in node) || !('args' in node)) return undefined;
  const { op, args } = node as ASTNode;
  if (op === 'rcall' && args[0] === 'matches') {
    const [pattern] = args[2];
    if (pattern?.op !== 'value' || typeof pattern.args !== 'string') return 'the pattern of matches is not written out';
    if (pattern.args.length > MAX_PATTERN_LENGTH || NESTED_REPETITION.test(pattern.args)) {
      return 'the pattern of matches repeats what repeats';
    }
  }
  return whyPatternRefused(args);
}
