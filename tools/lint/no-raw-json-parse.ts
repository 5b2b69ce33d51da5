import { type Rule } from './rule.ts';

/** `JSON.parse` returns `any`: outside input passes one decoding function a package, which returns `unknown`. */
export const noRawJsonParse: Rule = {
  create(context) {
    return {
      MemberExpression(node) {
        if (node.object.type !== 'Identifier' || node.object.name !== 'JSON') return;
        if (node.property.type !== 'Identifier' || node.property.name !== 'parse') return;
        context.report({
          node,
          message:
            'Decode through the one decode.ts of this package: it returns unknown and turns a failure into a PlumbError.',
        });
      },
    };
  },
};
