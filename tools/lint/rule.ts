import type { RuleTester } from 'oxlint/plugins-dev';

/** A lint rule of our own, in the shape that oxlint loads. */
export type Rule = Parameters<RuleTester['run']>[1];

/** The text of a string literal; `undefined` for any other node. */
export function literalText(node: { readonly type: string; readonly value?: unknown }): string | undefined {
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
}
