import { type Rule } from './rule.ts';

/** `Math.random` is neither repeatable in tests nor fit for secrets. */
export const noMathRandom: Rule = {
  create(context) {
    return {
      MemberExpression(node) {
        if (node.object.type !== 'Identifier' || node.object.name !== 'Math') return;
        if (node.property.type !== 'Identifier' || node.property.name !== 'random') return;
        context.report({
          node,
          message: 'Take a Random (from @plumb/core) as a parameter for jitter; use node:crypto for secrets.',
        });
      },
    };
  },
};
