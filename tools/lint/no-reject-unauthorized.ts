import { literalText, type Rule } from './rule.ts';

const MESSAGE = 'TLS is never switched off in the code: pass the authority as `ca`.';

/** No literal `rejectUnauthorized: false` and no use of the environment variable that does the same for the process. */
export const noRejectUnauthorized: Rule = {
  create(context) {
    return {
      Property(node) {
        const { key, value } = node;
        const name = key.type === 'Identifier' && !node.computed ? key.name : literalText(key);
        if (name === 'NODE_TLS_REJECT_UNAUTHORIZED') context.report({ node, message: MESSAGE });
        if (name === 'rejectUnauthorized' && value.type === 'Literal' && value.value === false) {
          context.report({ node, message: MESSAGE });
        }
      },
      MemberExpression(node) {
        const { property } = node;
        const name = property.type === 'Identifier' ? property.name : literalText(property);
        if (name === 'NODE_TLS_REJECT_UNAUTHORIZED') context.report({ node, message: MESSAGE });
      },
      AssignmentExpression(node) {
        const { left, right } = node;
        if (left.type !== 'MemberExpression' || left.property.type !== 'Identifier') return;
        if (left.property.name !== 'rejectUnauthorized' || right.type !== 'Literal' || right.value !== false) return;
        context.report({ node, message: MESSAGE });
      },
    };
  },
};
